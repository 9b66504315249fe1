//! The command line as a person meets it: what it prints, and how it ends.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod access;
mod api;
mod attributes;
mod campaigns;
mod data;
mod demo;
mod doctor;
mod errors;
mod functions;
mod gateway;
mod help;
mod import;
mod kill;
mod logs;
mod moves;
mod network;
mod newsletters;
mod people;
mod records;
mod report;
pub mod run;
mod suppressions;
mod tables;
mod trial;
mod why;
mod worker;
