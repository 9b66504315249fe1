//! `germane policy`: the rules of the deployment.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::{client::Client, failure::Failure, input, screen::Screen};

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Print the policy that is in force
    #[command(after_help = "Example:\n  germane policy get > policy.json")]
    Get,
    /// Put a policy in force; decisions record its version
    #[command(after_help = "Example:\n  germane policy put policy.json")]
    Put {
        /// The policy as JSON; - reads stdin
        file: PathBuf,
    },
}

pub async fn run(verb: Policy, client: &Client, screen: Screen) -> Result<(), Failure> {
    match verb {
        Policy::Get => screen.document(&client.get(&["policy"], &[]).await?),
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
