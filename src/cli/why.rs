//! `germane why`: one person, one campaign, and the reason in plain words.

mod clause;
mod gates;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{
    decision::{OutcomeKind, ReasonCode},
    id::{CampaignId, RecipientId},
};

use super::{
    client::Client,
    failure::Failure,
    prose::{moment, wrapped},
    screen::{Paint, Screen},
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  germane why rust-weekly-2026-47 r-1042
  germane why rust-weekly-2026-47 r-1042 --all     every gate, as of now
  germane why rust-weekly-2026-47 r-1042 --json    the decision as it is kept")]
pub struct Why {
    /// The campaign's id
    id: CampaignId,
    /// The recipient's id
    recipient: RecipientId,
    /// Ask every gate anew, also those beyond the first that refused
    #[arg(long)]
    all: bool,
}

pub async fn run(args: Why, client: &Client, screen: Screen) -> Result<(), Failure> {
    let path = ["campaigns", args.id.as_str(), "decisions", args.recipient.as_str()];
    let query: &[(&str, &str)] = if args.all { &[("all", "true")] } else { &[] };
    let answer = client.get(&path, query).await?;
    if screen.json {
        return screen.document(&answer);
    }
    let decision = if args.all { answer.get("decision") } else { Some(&answer) };
    let decision = decision.and_then(Told::read).ok_or_else(|| client.strange("something that is no decision"))?;
    screen.line(decision.text(screen.paint))?;
    if let Some(verdicts) = answer.get("verdicts").filter(|_| args.all) {
        let verdicts = gates::read(verdicts).ok_or_else(|| client.strange("something that is no list of verdicts"))?;
        screen.line(format_args!("\n{}", gates::table(&verdicts, decision.channel.as_deref(), screen.paint)))?;
    }
    Ok(())
}

/// A decision, as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    pub campaign: String,
    pub recipient: String,
    pub outcome: OutcomeKind,
    pub reason: Option<String>,
    #[serde(default)]
    pub detail: Value,
    pub channel: Option<String>,
    policy_version: Option<u64>,
    decided_at: Option<String>,
}

impl Told {
    /// `None` where it is no decision.
    pub fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    pub fn code(&self) -> Option<ReasonCode> {
        self.reason.as_ref()?.parse().ok()
    }

    /// The sentence, and below it the facts by which it can be looked up.
    pub fn text(&self, paint: Paint) -> String {
        format!("{}\n{}", wrapped(&self.sentence(), 0), paint.dim(self.source()))
    }

    /// One sentence that a person understands who knows nothing of gates.
    pub fn sentence(&self) -> String {
        let Self { campaign, recipient, .. } = self;
        let because = self.because();
        match self.outcome {
            OutcomeKind::Sent => format!("{recipient} got {campaign}, because {}.", clause::grounds(self)),
            OutcomeKind::Skipped | OutcomeKind::Failed => format!("{recipient} did not get {campaign}: {because}."),
            OutcomeKind::Deferred => format!("{recipient} has not got {campaign} yet: {because}."),
            OutcomeKind::HeldOut => format!("{recipient} was held out of {campaign}: {because}."),
            OutcomeKind::InDoubt => format!("Whether {recipient} got {campaign} is not known: {because}."),
        }
    }

    fn because(&self) -> String {
        match (self.code(), &self.reason) {
            (Some(code), _) => clause::of(code, &self.detail, self.channel.as_deref()),
            // From an API newer than this.
            (None, Some(code)) => format!("the reason is {code}"),
            (None, None) => "no reason was given".to_owned(),
        }
    }

    fn source(&self) -> String {
        let mut parts = vec![self.outcome.as_str().to_owned()];
        parts.extend(self.reason.clone());
        parts.extend(self.policy_version.map(|version| format!("policy {version}")));
        parts.extend(self.decided_at.as_ref().map(|at| moment(at)));
        parts.join(" · ")
    }
}
