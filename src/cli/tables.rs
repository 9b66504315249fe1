//! `germane tables`: the DynamoDB tables of a deployment.

use clap::Subcommand;
use serde_json::json;

use crate::{
    aws::{
        clients::Clients,
        tables::{self, CreatedTables, DEFAULT_SHARDS, TableNames, TablesError},
    },
    lambda::problem::chain,
};

use super::{failure::Failure, screen::Screen};

#[derive(Debug, Subcommand)]
pub enum Tables {
    /// Make the five tables, where they are not there yet
    #[command(after_help = "\
Account, region and credentials are those of the usual AWS configuration. It can
be run again: what is there stays as it is.

Examples:
  germane tables create
  germane tables create --prefix staging --shards 16
  AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 germane tables create")]
    Create {
        /// How many shards, for the whole life of the tables
        #[arg(long, value_name = "N", default_value_t = DEFAULT_SHARDS)]
        shards: u16,
        /// Tells deployments in one account apart
        #[arg(long, default_value = "germane")]
        prefix: String,
    },
}

pub async fn run(verb: Tables, screen: Screen) -> Result<(), Failure> {
    let Tables::Create { shards, prefix } = verb;
    let clients = Clients::from_env().await;
    let created =
        tables::create(&clients.dynamodb, &TableNames::new(&prefix), shards).await.map_err(|error| failure(&error))?;
    let CreatedTables { made, shards } = created;
    if screen.json {
        return screen.document(&json!({ "made": made, "shards": shards }));
    }
    match made {
        0 => screen.line(format_args!("all five tables are there, with {shards} shards")),
        1 => screen.line(format_args!("made 1 table, with {shards} shards")),
        made => screen.line(format_args!("made {made} tables, with {shards} shards")),
    }
}

fn failure(error: &TablesError) -> Failure {
    match error {
        TablesError::ShardCount(_) => Failure::bad_input("shard_count", error.to_string()),
        TablesError::OtherShardCount { found, .. } => Failure::bad_input("other_shard_count", error.to_string())
            .next(format!("leave it at {found}, or make tables with another --prefix")),
        TablesError::Port(port) => Failure::failed("unavailable", "the tables could not be made")
            .detail(chain(port))
            .next("check region, credentials and AWS_ENDPOINT_URL_DYNAMODB, and run it again"),
        TablesError::Missing | TablesError::OtherAddressKey => Failure::failed("tables", error.to_string()),
    }
}
