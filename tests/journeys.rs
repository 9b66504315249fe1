//! Whole campaigns on the embedded services.

mod attributes;
mod caps;
mod chance;
mod confirmation;
mod crash;
mod data_notice;
mod faults;
pub mod feedback;
mod held;
mod http;
mod lifecycle;
mod lost_answers;
mod messages;
mod newsletters;
mod outages;
pub mod pages;
mod passes;
mod quota;
mod race;
mod reasons;
mod smoke;
mod suppressions;
mod tables;
mod throttling;
mod units;
mod withdrawals;
mod workers;
