//! `germane policy`: the rules of the deployment.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::{client::Client, failure::Failure, input, prose::moment, screen::Screen};

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Print the policy that is in force
    #[command(after_help = "\
Examples:
  germane policy get > policy.json
  germane policy get --about          which version it is, who put it and when")]
    Get {
        /// Print its version, who put it and when
        #[arg(long)]
        about: bool,
    },
    /// Put a policy in force; decisions record its version
    #[command(after_help = "Example:\n  germane policy put policy.json")]
    Put {
        /// The policy as JSON; - reads stdin
        file: PathBuf,
    },
}

pub async fn run(verb: Policy, client: &Client, screen: Screen) -> Result<(), Failure> {
    match verb {
        Policy::Get { about: false } => screen.document(&client.get(&["policy"], &[]).await?),
        Policy::Get { about: true } => {
            let told = client.get(&["policy"], &[("about", "true")]).await?;
            if screen.json { screen.document(&told) } else { screen.line(about(&told)) }
        }
        Policy::Put { file } => {
            let name = input::name(&file);
            let policy = input::document(&file)?;
            let answer = client.put(&["policy"], &policy).await.map_err(|failure| failure.within(&name))?;
            if screen.json {
                return screen.document(&answer);
            }
            match answer.get("version").and_then(Value::as_u64) {
                Some(version) => screen.line(format_args!("policy version {version} is in force")),
                None => screen.line("the policy is in force"),
            }
        }
    }
}

fn about(told: &Value) -> String {
    let text = |key| told.get(key).and_then(Value::as_str);
    let version = told.get("version").and_then(Value::as_u64).unwrap_or_default();
    match (text("put_by"), text("put_at")) {
        (Some(by), Some(at)) => format!("version {version}, put by {} at {}", by, moment(at)),
        (_, _) => format!("version {version}; who put it was not kept then"),
    }
}
