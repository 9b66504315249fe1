//! `germane attributes`: what is held of people and no template or campaign uses, and its deletion.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::topic::Topic;

use super::{
    client::Client,
    confirm,
    failure::Failure,
    prose::{counted, grouped, moment},
    screen::Screen,
};

#[derive(Debug, Args)]
#[command(after_help = "\
An attribute is used if a template declares it or a campaign of the policy's
retention time had it; an interest, if such a campaign was on its topic or
below. What nobody uses should not be held: take it out of the policy, so that
no import brings it back, and delete it.

Examples:
  germane attributes
  germane attributes --idle
  germane attributes --delete shoe_size
  germane attributes --delete-interest rust/old --yes")]
pub struct Attributes {
    /// Delete this attribute of everybody
    #[arg(long, value_name = "NAME")]
    delete: Vec<String>,
    /// Delete everybody's interests in this topic
    #[arg(long, value_name = "TOPIC")]
    delete_interest: Vec<Topic>,
    /// List those for whom no campaign of the retention time would be
    #[arg(long)]
    idle: bool,
    /// Delete without being asked
    #[arg(long)]
    yes: bool,
}

pub async fn run(args: Attributes, client: &Client, screen: Screen) -> Result<(), Failure> {
    if args.delete.is_empty() && args.delete_interest.is_empty() {
        let report = report(args.idle, client).await?;
        return if screen.json { screen.document(&json!(report)) } else { report.tell(screen) };
    }
    let attributes = args.delete.into_iter().map(Unneeded::Attribute);
    let mut deleted = Vec::new();
    for what in attributes.chain(args.delete_interest.into_iter().map(Unneeded::Interest)) {
        agreed(&what, args.yes, client).await?;
        let people = what.delete(client).await?;
        if screen.json {
            deleted.push(what.json(people));
        } else {
            screen.line(format_args!("{}: deleted of {}", what.name(), counted(people, "person", "people")))?;
        }
    }
    if screen.json { screen.document(&json!({ "deleted": deleted })) } else { Ok(()) }
}

/// What is to be deleted of everybody.
enum Unneeded {
    Attribute(String),
    Interest(Topic),
}

impl Unneeded {
    fn name(&self) -> &str {
        match self {
            Unneeded::Attribute(name) => name,
            Unneeded::Interest(topic) => topic.as_str(),
        }
    }

    fn json(&self, people: u64) -> Value {
        match self {
            Unneeded::Attribute(name) => json!({ "attribute": name, "people": people }),
            Unneeded::Interest(topic) => json!({ "interest": topic, "people": people }),
        }
    }

    /// Deletes it part by part; answers with of how many.
    async fn delete(&self, client: &Client) -> Result<u64, Failure> {
        let (path, topic) = match self {
            Unneeded::Attribute(name) => (vec!["attributes", name.as_str()], None),
            Unneeded::Interest(topic) => (vec!["interests"], Some(("topic", topic.as_str()))),
        };
        let mut people = 0;
        let mut cursor: Option<String> = None;
        loop {
            let place = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let query: Vec<(&str, &str)> = topic.into_iter().chain(place).collect();
            let part: Deleted = read(client.delete_part(&path, &query).await?, client)?;
            people += part.changed;
            cursor = following(cursor.as_deref(), part.cursor, client)?;
            if cursor.is_none() {
                return Ok(people);
            }
        }
    }
}

/// Asks with how many it is about; where nobody can be asked, nothing is walked for it.
async fn agreed(what: &Unneeded, yes: bool, client: &Client) -> Result<(), Failure> {
    if yes || !io::stdin().is_terminal() {
        return confirm::agreed(yes, "").await;
    }
    let held = report(false, client).await?;
    let people = match what {
        Unneeded::Attribute(name) => held.attributes.iter().find(|row| row.name == *name).map(|row| row.people),
        Unneeded::Interest(topic) => {
            held.interests.iter().find(|row| row.topic == topic.as_str()).map(|row| row.people)
        }
    };
    let people = counted(people.unwrap_or(0), "person", "people");
    confirm::agreed(false, &format!("Delete {} of {people}? It cannot be undone.", what.name())).await
}

/// A part of the report or, once the parts are added up, all of it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Report {
    since: String,
    people: u64,
    attributes: Vec<Attribute>,
    interests: Vec<Interest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle: Option<Vec<String>>,
    #[serde(default, skip_serializing)]
    cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Attribute {
    name: String,
    used: bool,
    templates: Vec<String>,
    campaigns: u64,
    people: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Interest {
    topic: String,
    used: bool,
    campaigns: u64,
    people: u64,
}

#[derive(Debug, Deserialize)]
struct Deleted {
    changed: u64,
    cursor: Option<String>,
}

fn read<T: for<'de> Deserialize<'de>>(answer: Value, client: &Client) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|_| client.strange("something that is no part of a report"))
}

fn following(before: Option<&str>, next: Option<String>, client: &Client) -> Result<Option<String>, Failure> {
    if next.is_some() && next.as_deref() == before {
        return Err(client.strange("the same cursor twice"));
    }
    Ok(next)
}

async fn report(idle: bool, client: &Client) -> Result<Report, Failure> {
    let mut whole = Report { idle: idle.then(Vec::new), ..Report::default() };
    let mut attributes: BTreeMap<String, Attribute> = BTreeMap::new();
    let mut interests: BTreeMap<String, Interest> = BTreeMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let place = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let query: Vec<(&str, &str)> = idle.then_some(("idle", "true")).into_iter().chain(place).collect();
        let part: Report = read(client.get(&["attributes"], &query).await?, client)?;
        for row in part.attributes {
            let people = row.people;
            attributes.entry(row.name.clone()).and_modify(|sum| sum.people += people).or_insert(row);
        }
        for row in part.interests {
            let people = row.people;
            interests.entry(row.topic.clone()).and_modify(|sum| sum.people += people).or_insert(row);
        }
        whole.since = part.since;
        whole.people += part.people;
        if let Some(idle) = &mut whole.idle {
            idle.extend(part.idle.unwrap_or_default());
        }
        cursor = following(cursor.as_deref(), part.cursor, client)?;
        if cursor.is_none() {
            break;
        }
    }
    whole.attributes = attributes.into_values().collect();
    whole.interests = interests.into_values().collect();
    Ok(whole)
}

impl Report {
    fn tell(&self, screen: Screen) -> Result<(), Failure> {
        let rows = || {
            let attribute = |row: &Attribute| {
                let used = row.used.then(|| usage(&row.templates, row.campaigns));
                ("attribute", row.name.clone(), row.people, used)
            };
            let interest = |row: &Interest| {
                let used = row.used.then(|| usage(&[], row.campaigns));
                ("interest", row.topic.clone(), row.people, used)
            };
            self.attributes.iter().map(attribute).chain(self.interests.iter().map(interest))
        };
        let width = rows().map(|(_, name, ..)| name.chars().count()).max().unwrap_or(0);
        let line = |(kind, name, people, used): (&str, String, u64, Option<String>)| {
            let people = counted(people, "person", "people");
            format!("  {kind:<9}  {name:<width$}  {people:>13}  {}", used.unwrap_or_default()).trim_end().to_owned()
        };
        screen.line(screen.paint.bold(format_args!("Used since {}", moment(&self.since))))?;
        for row in rows().filter(|(.., used)| used.is_some()) {
            screen.line(line(row))?;
        }
        screen.line(screen.paint.bold("\nNot used"))?;
        let unused: Vec<_> = rows().filter(|(.., used)| used.is_none()).collect();
        if unused.is_empty() {
            screen.line("  nothing")?;
        }
        let held = unused.iter().any(|(_, _, people, _)| *people > 0);
        for row in unused {
            screen.line(line(row))?;
        }
        if let Some(idle) = &self.idle {
            let of = format_args!("\nFor {} of {} nothing was", grouped(idle.len() as u64), grouped(self.people));
            screen.line(screen.paint.bold(of))?;
            for id in idle {
                screen.line(format_args!("  {id}"))?;
            }
        }
        if held {
            screen.note("\nTo delete: germane attributes --delete NAME, --delete-interest TOPIC");
        }
        Ok(())
    }
}

fn usage(templates: &[String], campaigns: u64) -> String {
    let campaigns = counted(campaigns, "campaign", "campaigns");
    templates.iter().cloned().chain([campaigns]).collect::<Vec<_>>().join(", ")
}
