//! The five tables: their one definition, how they are made, and what is checked before they are used.

use std::fmt::Write;

use aws_sdk_dynamodb::{
    Client,
    operation::{create_table::CreateTableError, get_item::GetItemError, put_item::PutItemError},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
        TimeToLiveSpecification,
    },
};
use sha2::{Digest, Sha256};

use super::{
    clients::Clients,
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
};
use crate::{domain::secret::Secret, flow::port::PortError};

const FORMAT: u8 = 1;
pub const DEFAULT_SHARDS: u16 = 64;
const MAX_SHARDS: u16 = 4_096;

/// The tables' names in one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    pub recipients: String,
    pub addresses: String,
    pub campaigns: String,
    pub ledger: String,
    pub evidence: String,
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
    #[error("a shard count of {0} does not work: choose 1 to {MAX_SHARDS}")]
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
    if !(1..=MAX_SHARDS).contains(&shards) {
        return Err(TablesError::ShardCount(shards));
    }
    let mut made = 0;
    for definition in names.definitions() {
        made += usize::from(create_table(client, &definition).await?);
    }
    for definition in names.definitions() {
        wait_active(client, definition.name).await?;
    }
    let put = client
        .put_item()
        .table_name(&names.campaigns)
        .item("k", s("tables"))
        .item("t", s("shards"))
        .item("f", n(FORMAT))
        .item("n", n(shards))
        .condition_expression("attribute_not_exists(k)")
        .send()
        .await;
    if let Err(error) = put {
        let taken = error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception);
        if !taken {
            return Err(unavailable(error).into());
        }
    }
    match stored_shards(client, names).await? {
        Some(found) if found == shards => Ok(CreatedTables { made, shards }),
        Some(found) => Err(TablesError::OtherShardCount { found, wanted: shards }),
        None => Err(TablesError::Missing),
    }
}

/// Opens tables that were made before, and refuses them under another address key.
pub async fn open(clients: &Clients, names: TableNames, address_key: Secret) -> Result<Dynamo, TablesError> {
    let client = &clients.dynamodb;
    let shards = stored_shards(client, &names).await?.ok_or(TablesError::Missing)?;
    check_address_key(client, &names, &address_key).await?;
    Ok(Dynamo::new(client.clone(), names, address_key, shards))
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

async fn stored_shards(client: &Client, names: &TableNames) -> Result<Option<u16>, PortError> {
    let item = meta(client, names, "shards").await?;
    item.map(|item| item.number("n")).transpose()
}

async fn meta(client: &Client, names: &TableNames, what: &str) -> Result<Option<Item>, PortError> {
    let get = client.get_item().table_name(&names.campaigns).key("k", s("tables")).key("t", s(what));
    match get.consistent_read(true).send().await {
        Ok(answer) => Ok(answer.item),
        Err(error) if error.as_service_error().is_some_and(GetItemError::is_resource_not_found_exception) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

/// The first start stores the key's fingerprint; every later one must bring the same key.
async fn check_address_key(client: &Client, names: &TableNames, key: &Secret) -> Result<(), TablesError> {
    let fingerprint = Sha256::new().chain_update(b"address key").chain_update(key.bytes()).finalize();
    let mut text = String::new();
    for byte in fingerprint.iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    let put = client
        .put_item()
        .table_name(&names.campaigns)
        .item("k", s("tables"))
        .item("t", s("address-key"))
        .item("f", n(FORMAT))
        .item("h", s(&text))
        .condition_expression("attribute_not_exists(k)");
    if let Err(error) = put.send().await
        && !error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception)
    {
        return Err(unavailable(error).into());
    }
    let held = meta(client, names, "address-key").await?.ok_or(TablesError::Missing)?;
    if held.text("h")? == text { Ok(()) } else { Err(TablesError::OtherAddressKey) }
}
