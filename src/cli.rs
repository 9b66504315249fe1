//! The command line: the same verbs for the stack on this machine and for a deployed one, both through the HTTP API.

mod attributes;
mod client;
mod clock;
mod confirm;
mod decisions;
mod demo;
mod doctor;
pub mod failure;
pub mod import;
mod input;
mod local;
mod log;
mod moves;
mod newsletters;
mod policy;
mod preview;
mod progress;
pub mod prose;
mod recipients;
pub mod report;
pub mod screen;
mod send;
mod signal;
mod status;
pub mod suppressions;
mod tables;
mod templates;
mod watch;
pub mod why;
pub mod words;
mod worker;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use client::{Client, access::Access};
use failure::Failure;
use screen::Screen;
use signal::Stop;

/// Over the options that every verb has.
const EVERYWHERE: &str = "Everywhere";

/// Sends a campaign only to the people for whom it is germane, and says why for every one of them.
#[derive(Debug, Parser)]
#[command(
    name = "germane",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 done; 1 it failed; 2 bad input or usage.

Start here:
  germane demo                        the whole way of a campaign over invented people
  germane local                       the stack here; in another terminal:
  germane import people.jsonl
  germane preview campaign.json
  germane send campaign.json --watch
  germane why CAMPAIGN RECIPIENT

A deployment (--endpoint https://...) is told who asks: by a token if there is one,
else by a signature with the usual AWS credentials. This machine is told nothing."
)]
pub struct Cli {
    #[command(flatten)]
    access: Access,
    /// Print JSON: one document, and problems on stderr as JSON too
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Print without colours
    #[arg(long, global = true, env = "NO_COLOR", hide_env = true, hide = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "yes")]
    no_color: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the whole way of a campaign, over invented people
    Demo(demo::Demo),
    /// Run the whole stack on this machine
    Local(local::Local),
    /// Work on the queues of a local stack, beside it
    Worker(worker::Worker),
    /// Make the tables of a deployment
    #[command(subcommand)]
    Tables(tables::Tables),
    #[command(flatten)]
    Ask(Question),
}

/// Verbs that ask the API.
#[derive(Debug, Subcommand)]
enum Question {
    /// Say what is ready for the first send, and what is not
    Doctor(doctor::Doctor),
    /// Import recipients from JSON Lines
    Import(import::Import),
    /// Say who would get a campaign, and why the others would not
    Preview(preview::Preview),
    /// Send a campaign
    Send(send::Send),
    /// Say how a campaign stands
    Status(status::Status),
    #[command(flatten)]
    Move(moves::Move),
    /// Say why one person got a campaign or did not
    Why(why::Why),
    /// List how a campaign ended for everybody
    Decisions(decisions::Decisions),
    /// Campaigns that recur: list, get, put or delete newsletters
    #[command(subcommand)]
    Newsletters(newsletters::Newsletters),
    /// Get, put, export or erase one recipient
    #[command(subcommand)]
    Recipients(recipients::Recipients),
    /// Say what is held and not used, and delete it
    Attributes(attributes::Attributes),
    /// Keep addresses from being mailed
    #[command(subcommand)]
    Suppressions(suppressions::Suppressions),
    /// Get or put the policy
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Push or render templates
    #[command(subcommand)]
    Templates(templates::Templates),
}

/// Reads the arguments, does what they say, and comes back with the exit code.
pub async fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, args.iter().any(|arg| arg == "--json")),
    };
    let no_color = cli.no_color.as_ref().is_some_and(|value| !value.is_empty());
    let screen = Screen::new(cli.json, no_color);
    match run(cli, screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen.tell(&failure);
            failure.exit_code()
        }
    }
}

/// Help, a version, or what is wrong with the arguments.
fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render().to_string();
        let (title, rest) = text.trim_start_matches("error: ").split_once('\n').unwrap_or((text.as_str(), ""));
        let failure = Failure::bad_input("usage", title).detail(rest.trim());
        Screen::new(true, true).tell(&failure);
        return failure.exit_code();
    }
    // A closed pipe has nobody to tell.
    let _ = error.print();
    if error.exit_code() == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

async fn run(cli: Cli, screen: Screen) -> Result<(), Failure> {
    match cli.verb {
        // These finish what they began when they are asked to stop.
        Verb::Demo(args) => Box::pin(demo::run(args, screen)).await,
        Verb::Local(args) => Box::pin(local::run(args, screen)).await,
        Verb::Worker(args) => Box::pin(worker::run(args, &cli.access.endpoint, screen)).await,
        Verb::Tables(verb) => until_stopped(Box::pin(tables::run(verb, screen))).await,
        Verb::Ask(question) => until_stopped(Box::pin(ask(question, &cli.access, screen))).await,
    }
}

async fn until_stopped(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    tokio::select! {
        done = verb => done,
        () = stop.asked() => Err(stopped()),
    }
}

async fn ask(question: Question, access: &Access, screen: Screen) -> Result<(), Failure> {
    let client = || Client::open(access);
    match question {
        Question::Doctor(args) => doctor::run(args, &client().await?, screen).await,
        Question::Import(args) => import::run(args, &client().await?, screen).await,
        Question::Preview(args) => preview::run(args, &client().await?, screen).await,
        Question::Send(args) => send::run(args, &client().await?, screen).await,
        Question::Status(args) => status::run(args, &client().await?, screen).await,
        Question::Move(verb) => moves::run(verb, &client().await?, screen).await,
        Question::Why(args) => why::run(args, &client().await?, screen).await,
        Question::Decisions(args) => decisions::run(args, &client().await?, screen).await,
        Question::Newsletters(verb) => newsletters::run(verb, &client().await?, screen).await,
        Question::Recipients(verb) => recipients::run(verb, &client().await?, screen).await,
        Question::Attributes(args) => attributes::run(args, &client().await?, screen).await,
        Question::Suppressions(verb) => suppressions::run(verb, &client().await?, screen).await,
        Question::Policy(verb) => policy::run(verb, &client().await?, screen).await,
        Question::Templates(verb) => templates::run(verb, client, screen).await,
    }
}

fn stopped() -> Failure {
    Failure::failed("stopped", "stopped before the end").next("run it again: every verb may be repeated")
}
