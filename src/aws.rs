//! The ports' adapters: DynamoDB, SES, SQS and EventBridge Scheduler.

pub mod addresses;
pub mod campaigns;
pub mod clients;
pub mod codec;
pub mod deployment;
pub mod dynamo;
pub mod ledger;
pub mod mailboxes;
pub mod mailer;
mod marks;
mod newsletters;
pub mod pace;
pub mod people;
pub mod previews;
pub mod queue;
pub mod rules;
pub mod scheduler;
pub mod sends;
pub mod settlements;
pub mod shards;
pub mod stored;
pub mod surroundings;
pub mod system;
pub mod tables;
mod usage;
