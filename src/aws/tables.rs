//! The five tables: their one definition, how they are made, and what is checked before they are used.

use std::fmt::Write;

use aws_sdk_dynamodb::{
    Client,
    operation::{create_table::CreateTableError, put_item::PutItemError, query::QueryError},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        SseSpecification, TimeToLiveSpecification,
    },
};
use sha2::{Digest, Sha256};

use super::{
    clients::Clients,
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
};
use crate::{
    domain::{id::Shard, secret::Secret},
    flow::port::PortError,
};

const FORMAT: u8 = 1;
pub const DEFAULT_SHARDS: u16 = 64;

/// The tables' names in one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    pub recipients: String,
    pub addresses: String,
    pub campaigns: String,
    pub ledger: String,
    pub evidence: String,
    /// The table with the timeline of the account's rate: `campaigns`, unless deployments share one.
    pub rate: String,
}

impl TableNames {
    /// `prefix` tells deployments in one account apart, such as `germane`.
    pub fn new(prefix: &str) -> Self {
        let name = |table: &str| format!("{prefix}-{table}");
        Self {
            recipients: name("recipients"),
            addresses: name("addresses"),
            campaigns: name("campaigns"),
            ledger: name("ledger"),
            evidence: name("evidence"),
            rate: name("campaigns"),
        }
    }

    pub fn definitions(&self) -> [TableDefinition<'_>; 5] {
        use ScalarAttributeType::{B, N, S};
        let table = |name, partition, sort, expires| TableDefinition { name, partition, sort, expires };
        [
            table(&self.recipients, ("s", N), Some(("i", S)), false),
            table(&self.addresses, ("h", B), None, false),
            table(&self.campaigns, ("k", S), Some(("t", S)), true),
            table(&self.ledger, ("k", S), Some(("t", S)), true),
            table(&self.evidence, ("i", S), Some(("t", S)), false),
        ]
    }
}

/// One table: its key, and whether its items may expire (attribute `x`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition<'a> {
    pub name: &'a str,
    pub partition: (&'static str, ScalarAttributeType),
    pub sort: Option<(&'static str, ScalarAttributeType)>,
    pub expires: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("a shard count of {0} does not work: choose 1 to {max}", max = Shard::MAX_COUNT)]
    ShardCount(u16),
    #[error("the tables were made with {found} shards, not {wanted}: the count is fixed for their life")]
    OtherShardCount { found: u16, wanted: u16 },
    #[error("the tables are not there: make them with `germane tables create`")]
    Missing,
    #[error(
        "the address key is not the one that these tables were used with: with another key an opt-out would not be recognised"
    )]
    OtherAddressKey,
}

/// What [`create`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedTables {
    /// How many of the five were not there before.
    pub made: usize,
    pub shards: u16,
}

/// Makes what is missing. Repeating it changes nothing; another shard count is refused.
pub async fn create(client: &Client, names: &TableNames, shards: u16) -> Result<CreatedTables, TablesError> {
    if !(1..=Shard::MAX_COUNT).contains(&shards) {
        return Err(TablesError::ShardCount(shards));
    }
    let mut made = 0;
    for definition in names.definitions() {
        made += usize::from(create_table(client, &definition).await?);
    }
    for definition in names.definitions() {
        wait_active(client, definition.name).await?;
    }
    put_fixed(client, names, shard_count(shards)).await?;
    let fixed = fixed(client, names).await?;
    Ok(CreatedTables { made, shards: agreed(fixed.shards, Some(shards))? })
}

/// Opens tables that are there, and refuses them with another shard count or under another address key than they were
/// first opened with. `shards` is what they are sliced into if nobody has said yet; `None` where somebody must have.
///
/// One read, once both are fixed: every start of a function waits for it.
pub async fn open(
    clients: &Clients,
    names: TableNames,
    address_key: Secret,
    shards: Option<u16>,
) -> Result<Dynamo, TablesError> {
    let client = &clients.dynamodb;
    let mut held = fixed(client, &names).await?;
    if held.shards.is_none() || held.fingerprint.is_none() {
        if let (None, Some(shards)) = (held.shards, shards) {
            put_fixed(client, &names, shard_count(shards)).await?;
        }
        if held.fingerprint.is_none() {
            put_fixed(client, &names, key_fingerprint(&address_key)).await?;
        }
        held = fixed(client, &names).await?;
    }
    let shards = agreed(held.shards, shards)?;
    if held.fingerprint.is_none_or(|held| held != fingerprint(&address_key)) {
        return Err(TablesError::OtherAddressKey);
    }
    Ok(Dynamo::new(client.clone(), names, address_key, shards))
}

fn agreed(held: Option<u16>, wanted: Option<u16>) -> Result<u16, TablesError> {
    match (held, wanted) {
        (None, _) => Err(TablesError::Missing),
        (Some(found), Some(wanted)) if found != wanted => Err(TablesError::OtherShardCount { found, wanted }),
        (Some(found), _) => Ok(found),
    }
}

async fn create_table(client: &Client, definition: &TableDefinition<'_>) -> Result<bool, PortError> {
    let keys =
        [Some((&definition.partition, KeyType::Hash)), definition.sort.as_ref().map(|key| (key, KeyType::Range))];
    let mut create = client
        .create_table()
        .table_name(definition.name)
        .billing_mode(BillingMode::PayPerRequest)
        .sse_specification(SseSpecification::builder().enabled(true).build())
        .deletion_protection_enabled(true);
    for ((name, kind), role) in keys.into_iter().flatten() {
        let corrupt = |error| PortError::corrupt("a table definition", error);
        let attribute = AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone()).build();
        let key = KeySchemaElement::builder().attribute_name(*name).key_type(role).build();
        create = create.attribute_definitions(attribute.map_err(corrupt)?).key_schema(key.map_err(corrupt)?);
    }
    match create.send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
            return Ok(false);
        }
        Err(error) => return Err(unavailable(error)),
    }
    if definition.expires {
        wait_active(client, definition.name).await?;
        let expiry = TimeToLiveSpecification::builder().attribute_name("x").enabled(true).build();
        let expiry = expiry.map_err(|error| PortError::corrupt("a table definition", error))?;
        let update = client.update_time_to_live().table_name(definition.name).time_to_live_specification(expiry);
        update.send().await.map_err(unavailable)?;
    }
    Ok(true)
}

async fn wait_active(client: &Client, table: &str) -> Result<(), PortError> {
    use aws_sdk_dynamodb::client::Waiters;
    let wait = client.wait_until_table_exists().table_name(table);
    let waited = wait.wait(std::time::Duration::from_mins(2)).await;
    waited.map(|_| ()).map_err(|error| PortError::unavailable("DynamoDB", error))
}

/// What is fixed for the life of the tables, as far as it is yet: beside the campaigns, under the key `tables`.
#[derive(Default)]
struct Fixed {
    shards: Option<u16>,
    fingerprint: Option<String>,
}

async fn fixed(client: &Client, names: &TableNames) -> Result<Fixed, TablesError> {
    let query = client
        .query()
        .table_name(&names.campaigns)
        .key_condition_expression("k = :k")
        .expression_attribute_values(":k", s("tables"))
        .consistent_read(true);
    let answer = query.send().await.map_err(|error| {
        let missing = error.as_service_error().is_some_and(QueryError::is_resource_not_found_exception);
        if missing { TablesError::Missing } else { unavailable(error).into() }
    })?;
    let mut fixed = Fixed::default();
    for item in answer.items() {
        match item.text("t")? {
            "shards" => fixed.shards = Some(item.number("n")?),
            "address-key" => fixed.fingerprint = Some(item.text("h")?.to_owned()),
            // What a later version fixes is for it to heed.
            _ => {}
        }
    }
    Ok(fixed)
}

/// What is there already stays as it is.
async fn put_fixed(client: &Client, names: &TableNames, item: Item) -> Result<(), TablesError> {
    let put = client
        .put_item()
        .table_name(&names.campaigns)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(k)");
    match put.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
            Ok(())
        }
        Err(error) if error.as_service_error().is_some_and(PutItemError::is_resource_not_found_exception) => {
            Err(TablesError::Missing)
        }
        Err(error) => Err(unavailable(error).into()),
    }
}

fn shard_count(shards: u16) -> Item {
    fixed_item("shards", "n", n(shards))
}

fn key_fingerprint(key: &Secret) -> Item {
    fixed_item("address-key", "h", s(fingerprint(key)))
}

fn fixed_item(what: &str, name: &str, value: AttributeValue) -> Item {
    Item::from([
        ("k".to_owned(), s("tables")),
        ("t".to_owned(), s(what)),
        ("f".to_owned(), n(FORMAT)),
        (name.to_owned(), value),
    ])
}

/// Tells one key from another, and leads back to none.
fn fingerprint(key: &Secret) -> String {
    let hash = Sha256::new().chain_update(b"address key").chain_update(key.bytes()).finalize();
    let mut text = String::new();
    for byte in hash.iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
