//! `germane recipients`: one person's record.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use crate::domain::{door::Wanted, id::RecipientId};

use super::{
    client::Client,
    confirm,
    failure::{Failure, Fault},
    input,
    screen::Screen,
};

#[derive(Debug, Subcommand)]
pub enum Recipients {
    /// Print what the gate knows about one person
    #[command(after_help = "Example:\n  germane recipients get r-1042")]
    Get {
        /// The recipient's id
        id: RecipientId,
    },
    /// Add a person, or merge into their record: what the document does not name stays as it is
    #[command(after_help = "\
Examples:
  germane recipients put person.json
  echo '{\"id\": \"r-1042\", \"time_zone\": \"Europe/Berlin\"}' | germane recipients put -")]
    Put {
        /// A recipient document as JSON, with its id; - reads stdin
        file: PathBuf,
    },
    /// Print everything that is held about one person, as JSON
    #[command(after_help = "\
The record, the evidence of their consents, the decision of each campaign, and
the suppressions of their addresses. It is for the person's own eyes.

Example:
  germane recipients export r-1042 > r-1042.json")]
    Export {
        /// The recipient's id
        id: RecipientId,
    },
    /// Erase a person: the record and every link from the ledger to them
    #[command(after_help = "\
It cannot be undone, and no import brings the person back: what stays is a keyed
hash of each address. Without a terminal it needs --yes.

Examples:
  germane recipients erase r-1042
  germane recipients erase r-1042 --yes")]
    Erase {
        /// The recipient's id
        id: RecipientId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(verb: Recipients, client: &Client, screen: Screen) -> Result<(), Failure> {
    match verb {
        Recipients::Get { id } => screen.document(&client.get(&["recipients", id.as_str()], &[]).await?),
        Recipients::Put { file } => put(&file, client, screen).await,
        Recipients::Export { id } => screen.document(&client.get(&["recipients", id.as_str(), "export"], &[]).await?),
        Recipients::Erase { id, yes } => {
            confirm::agreed(yes, &format!("Erase {id} for good?")).await?;
            let answer = client.delete(&["recipients", id.as_str()]).await?;
            if screen.json {
                let erased = serde_json::json!({ "id": id, "result": "erased" });
                screen.document(if answer.is_object() { &answer } else { &erased })
            } else {
                screen.line(format_args!("{id}: erased"))
            }
        }
    }
}

async fn put(file: &Path, client: &Client, screen: Screen) -> Result<(), Failure> {
    let name = input::name(file);
    let document = input::document(file)?;
    let id = document_id(&document).map_err(|fault| {
        Failure::bad_input("bad_id", format!("{name} does not say whose record it is")).faults([*fault]).within(&name)
    })?;
    let answer = client.put(&["recipients", id.as_str()], &document).await.map_err(|failure| failure.within(&name))?;
    if screen.json { screen.document(&answer) } else { screen.line(format_args!("{id}: stored")) }
}

fn document_id(document: &Value) -> Result<RecipientId, Box<Fault>> {
    let found = document.get("id");
    let id = found.and_then(Value::as_str).unwrap_or_default();
    id.parse().map_err(|wanted: Wanted| {
        let found = match found {
            None => "nothing".to_owned(),
            // It may be an address.
            Some(_) => format!("a value of {} characters", id.chars().count()),
        };
        Box::new(Fault { file: None, line: None, field: "/id".to_owned(), found, wanted: wanted.to_string() })
    })
}
