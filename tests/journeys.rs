//! Whole campaigns on the embedded services.

mod caps;
mod chance;
mod crash;
mod faults;
mod http;
mod lifecycle;
mod lost_answers;
mod messages;
mod outages;
mod pages;
mod passes;
mod quota;
mod race;
mod reasons;
mod smoke;
mod tables;
mod throttling;
mod units;
mod withdrawals;
mod workers;
