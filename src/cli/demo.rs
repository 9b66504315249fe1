//! `germane demo`: the whole way of a campaign over invented people, in one process that leaves nothing behind.

mod campaign;
mod fates;

use clap::Args;
use serde_json::{Value, json};

use crate::{
    domain::decision::OutcomeKind,
    local::{Stack, StackConfig, people::people},
};

use super::{
    client::{Client, access::Access},
    clock,
    failure::Failure,
    import::{self, Row},
    local, preview,
    progress::Progress,
    prose::{counted, grouped},
    report::{Report, Tense},
    screen::Screen,
    send,
    signal::Stop,
    watch::{self, Followed, Patience},
    why::Told,
};

#[derive(Debug, Args)]
#[command(after_help = "\
It needs no account and no network, and mails nobody: the mails end in an inbox
of its own.
With --json: one object of recipients, preview, report, why and mails.

Examples:
  germane demo
  germane demo --keep                 and look at the mails in a browser
  germane demo --recipients 100000 --json | jq .report.reasons")]
pub struct Demo {
    /// How many people to invent
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    recipients: u32,
    /// Stay with the inbox until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Invent other people
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
}

pub async fn run(args: Demo, screen: Screen) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    let stack = tokio::select! {
        stack = local::start(StackConfig { port: 0, ..StackConfig::default() }) => stack?,
        () = stop.asked() => return Err(super::stopped()),
    };
    let shown = tokio::select! {
        shown = show(&args, &stack, screen) => shown,
        () = stop.asked() => Err(super::stopped()),
    };
    if shown.is_ok() && args.keep {
        let url = stack.url();
        screen.note(format_args!("\nThe mails: {url}/inbox\nThe API:   {url}/v1/openapi.json\nCtrl-C ends it."));
        stop.asked().await;
    } else if shown.is_ok() {
        screen.note("\nTo read the mails: germane demo --keep");
    }
    // Nothing of it is kept, so nothing has to be finished.
    drop(stack);
    shown
}

async fn show(args: &Demo, stack: &Stack, screen: Screen) -> Result<(), Failure> {
    let client = Client::open(&Access::unasked(stack.url())).await?;
    let now = clock::now();
    let campaign = campaign::weekly(now);
    let id = campaign.get("id").and_then(Value::as_str).unwrap_or_default();

    step(
        screen,
        1,
        format_args!("{} are invented and imported.", counted(args.recipients.into(), "person", "people")),
    )?;
    let recipients = invite(args, now, &client, screen).await?;

    step(screen, 2, "The campaign is previewed: the same gates, and no mail.")?;
    let (preview_value, preview) = preview::preview(&campaign, None, &client, screen).await?;
    watch::settled(&preview)?;
    say(screen, format_args!("   {} would get it.", grouped(preview.outcome(OutcomeKind::Sent))))?;

    step(screen, 3, "It is sent.")?;
    send::send(&campaign, preview.preview_token.as_deref(), &client).await?;
    let (report_value, report) = watch::follow(Followed::Campaign(id), Patience::WhileItMoves, &client, screen).await?;
    watch::settled(&report)?;
    let mails = stack.mails();
    tell(&report, mails, screen)?;

    step(screen, 4, "Three people ask why.")?;
    let why = fates::three(id, recipients, &client).await?;
    for decision in &why {
        let told = Told::read(decision).ok_or_else(|| client.strange("something that is no decision"))?;
        say(screen, format_args!("\n{}", told.text(screen.paint)))?;
    }
    if screen.json {
        screen.document(&json!({
            "recipients": recipients, "preview": preview_value, "report": report_value, "why": why, "mails": mails,
        }))?;
    }
    Ok(())
}

async fn invite(args: &Demo, now: jiff::Timestamp, client: &Client, screen: Screen) -> Result<u64, Failure> {
    let count = usize::try_from(args.recipients).unwrap_or(usize::MAX);
    let rows =
        people(args.seed, count, now).zip(1..).map(|(person, line)| Ok(Row::Fit { line, text: person.to_string() }));
    let progress = Progress::start(screen, "importing");
    let tally = import::import(client, rows, Some(args.recipients.into()), progress, |_| Ok(())).await?;
    match tally.refused {
        0 => Ok(tally.rows()),
        refused => Err(Failure::failed("demo", format!("{} refused", counted(refused, "person was", "people were")))
            .faults(tally.faults("people"))),
    }
}

fn tell(report: &Report, mails: usize, screen: Screen) -> Result<(), Failure> {
    say(screen, format_args!("\n{}", report.text(Tense::Done, screen.paint)))?;
    say(screen, format_args!("{} in the inbox", counted(mails as u64, "mail is", "mails are")))
}

fn step(screen: Screen, number: u8, what: impl std::fmt::Display) -> Result<(), Failure> {
    let gap = if number == 1 { "" } else { "\n" };
    say(screen, format_args!("{gap}{} {what}", screen.paint.bold(format_args!("{number}."))))
}

fn say(screen: Screen, text: impl std::fmt::Display) -> Result<(), Failure> {
    if screen.json { Ok(()) } else { screen.line(text) }
}
