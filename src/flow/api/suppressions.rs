//! Manual suppressions: addresses that are not to be mailed, whoever has them or will have them.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Api, ApiError, Code,
    recipients::{MAX_LOSSES, PersonWrite, PutResult},
};
use crate::{
    domain::{
        codes::codes,
        door::{self, Change, Fault, Fields, Node},
        email::EmailAddress,
        id::RecipientId,
        recipient::{Marks, Recipient, Suppression, SuppressionKind},
        time::kept,
    },
    flow::port::PortError,
};

const MAX_NOTE_CHARS: usize = 500;
/// Addresses of one bulk request that are written at once.
const AT_ONCE: usize = 32;

/// What is stored of an address; of one that nobody ever had, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRecord {
    pub owner: Option<RecipientId>,
    /// When its owner was erased; then there is nothing else.
    pub erased: Option<Timestamp>,
    /// If somebody has it, they carry the same.
    pub marks: Marks,
    /// An operator's, beside a manual suppression.
    pub note: Option<String>,
    /// When it bounced softly, oldest first. Kept by feedback alone.
    pub soft_bounces: Vec<Timestamp>,
}

#[async_trait]
pub trait Addresses: Send + Sync {
    /// What is stored of each, in their order.
    async fn get(&self, emails: &[EmailAddress]) -> Result<Vec<AddressRecord>, PortError>;

    /// Stores the suppressions and notes of addresses of which nothing is stored, and leaves the others alone; says of
    /// each whether it surely was stored.
    async fn create(&self, records: &[(EmailAddress, AddressRecord)]) -> Result<Vec<bool>, PortError>;

    /// Stores other marks and another note of an address, if the rest still is as `before` says; false if it is not.
    /// The marks of an address that somebody has change with the person (`People::put`).
    async fn replace(
        &self,
        email: &EmailAddress,
        before: &AddressRecord,
        after: &AddressRecord,
    ) -> Result<bool, PortError>;
}

/// A suppression as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub kind: SuppressionKind,
    pub since: Timestamp,
    pub note: Option<String>,
}

impl Standing {
    pub fn to_json(&self) -> Value {
        let Self { kind, since, note } = self;
        json!({ "kind": kind, "since": since, "note": note })
    }
}

impl AddressRecord {
    pub fn standing(&self) -> Option<Standing> {
        if let Some(since) = self.erased {
            return Some(Standing { kind: SuppressionKind::Erased, since, note: None });
        }
        let Suppression { kind, since } = self.marks.suppression?;
        let note = self.note.clone().filter(|_| kind == SuppressionKind::Manual);
        Some(Standing { kind, since, note })
    }

    fn suppressed(&self, suppression: Option<Suppression>) -> Self {
        let marks = Marks { suppression, ..self.marks };
        Self { marks, note: self.note.clone().filter(|_| suppression.is_some()), ..self.clone() }
    }
}

/// What a request left behind, and whose address it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    pub standing: Standing,
    pub owner: Option<RecipientId>,
}

codes!(
    /// What became of an address that was to be suppressed.
    Suppressing {
        /// It is, by an operator.
        Suppressed = "suppressed",
        /// It was suppressed before, for a reason that weighs more; that one stays.
        Kept = "kept",
    }
);

impl Suppressed {
    pub fn result(&self) -> Suppressing {
        match self.standing.kind {
            SuppressionKind::Manual => Suppressing::Suppressed,
            SuppressionKind::UnsubscribedAll | SuppressionKind::Complaint | SuppressionKind::Erased => {
                Suppressing::Kept
            }
        }
    }
}

/// An address to be suppressed. A note that is not named stays as it is.
#[derive(Debug)]
pub struct Wish {
    email: EmailAddress,
    note: Change<String>,
}

impl Wish {
    pub fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        door::read(value, Self::read)
    }

    fn read(document: &Node<'_>) -> Option<Self> {
        let f = document.fields()?;
        let email = f.required("address", Node::parse_unseen);
        let note = read_change(&f);
        f.close();
        Some(Self { email: email?, note })
    }

    fn note(&self, held: Option<&String>) -> Option<String> {
        match &self.note {
            Change::Keep => held.cloned(),
            Change::Remove => None,
            Change::Set(note) => Some(note.clone()),
        }
    }
}

/// What the body of a PUT says.
pub fn read_note(body: &Value) -> Result<Change<String>, Vec<Fault>> {
    door::read(body, |node| {
        let f = node.fields()?;
        let note = read_change(&f);
        f.close();
        Some(note)
    })
}

fn read_change(f: &Fields<'_>) -> Change<String> {
    f.change("note", |n| n.line(MAX_NOTE_CHARS))
}

impl Api {
    /// Suppresses an address, and whoever has it. A suppression that weighs more stays, and is what is answered.
    pub async fn suppress(&self, address: &str, body: &Value) -> Result<Suppressed, ApiError> {
        let note = read_note(body);
        match (address_named(address), note) {
            (Ok(email), Ok(note)) => self.suppress_one(&Wish { email, note }, None).await,
            (email, note) => {
                let faults = email.err().into_iter().chain(note.err()).flatten();
                Err(ApiError::Invalid(faults.collect()))
            }
        }
    }

    /// The suppression of an address, of whatever kind.
    pub async fn suppression(&self, address: &str) -> Result<Value, ApiError> {
        let email = address_named(address).map_err(ApiError::Invalid)?;
        let record = self.address(&email).await?;
        record.standing().map(|standing| standing.to_json()).ok_or_else(not_suppressed)
    }

    /// Lifts a manual suppression, of the address and of whoever has it; answers with who that is.
    pub async fn lift(&self, address: &str) -> Result<Option<RecipientId>, ApiError> {
        let email = address_named(address).map_err(ApiError::Invalid)?;
        for _ in 0..MAX_LOSSES {
            let record = self.address(&email).await?;
            let standing = record.standing().ok_or_else(not_suppressed)?;
            let why = match standing.kind {
                SuppressionKind::Manual => None,
                SuppressionKind::UnsubscribedAll => {
                    Some("its owner asked for no mail at all: only they can take it back")
                }
                SuppressionKind::Complaint => Some("its owner complained about a mail: nobody can lift that"),
                SuppressionKind::Erased => Some("its owner was erased: nobody can lift that"),
            };
            if let Some(why) = why {
                let detail = format!("this suppression is {}: {why}", standing.kind.as_str());
                return Err(ApiError::Conflict { code: Code::NotLiftable, detail, faults: Vec::new() });
            }
            if self.put_suppression(&email, &record, None).await? {
                return Ok(record.owner);
            }
        }
        Err(contended())
    }

    /// Suppresses the address of each line of JSON; answers with a line for each, in their order.
    pub async fn put_suppressions(&self, lines: &[&str]) -> Result<Vec<Value>, ApiError> {
        let mut answers: Vec<(usize, Result<Suppressing, Vec<Fault>>)> = Vec::with_capacity(lines.len());
        // What several lines say of one address is done in their order.
        let mut wishes: HashMap<String, Vec<(usize, Wish)>> = HashMap::new();
        for (at, text) in lines.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            match read_line(text) {
                Ok(wish) => wishes.entry(wish.email.normalised()).or_default().push((at + 1, wish)),
                Err(faults) => answers.push((at + 1, Err(faults))),
            }
        }
        let wishes: Vec<Vec<(usize, Wish)>> = wishes.into_values().collect();
        let records = self.first_records(&wishes).await?;
        let mut done = stream::iter(wishes.into_iter().zip(records))
            .map(|(of_one, record)| self.suppress_in_order(of_one, record))
            .buffer_unordered(AT_ONCE);
        while let Some(of_one) = done.next().await {
            answers.extend(of_one?);
        }
        answers.sort_by_key(|(line, _)| *line);
        Ok(answers.into_iter().map(answer).collect())
    }

    /// What is stored of each address, once those of which nothing was are suppressed: a list is mostly made of them,
    /// and together they cost a fraction of the calls. `None` where it is to be read again.
    async fn first_records(&self, wishes: &[Vec<(usize, Wish)>]) -> Result<Vec<Option<AddressRecord>>, ApiError> {
        let first: Vec<&Wish> = wishes.iter().filter_map(|of_one| of_one.first()).map(|(_, wish)| wish).collect();
        let emails: Vec<EmailAddress> = first.iter().map(|wish| wish.email.clone()).collect();
        let mut records: Vec<Option<AddressRecord>> =
            self.addresses.get(&emails).await?.into_iter().map(Some).collect();
        let manual = Some(Suppression::manual(kept(self.clock.now())));
        let blank = AddressRecord::default();
        let (places, new): (Vec<usize>, Vec<(EmailAddress, AddressRecord)>) = first
            .iter()
            .enumerate()
            .filter(|(at, _)| records.get(*at).is_some_and(|record| record.as_ref() == Some(&blank)))
            .map(|(at, wish)| {
                let record = AddressRecord { note: wish.note(None), ..blank.suppressed(manual) };
                (at, (wish.email.clone(), record))
            })
            .unzip();
        let created = self.addresses.create(&new).await?;
        for ((at, (_, record)), created) in places.into_iter().zip(new).zip(created) {
            if let Some(held) = records.get_mut(at) {
                *held = Some(record).filter(|_| created);
            }
        }
        Ok(records)
    }

    async fn suppress_in_order(
        &self,
        wishes: Vec<(usize, Wish)>,
        record: Option<AddressRecord>,
    ) -> Result<Vec<(usize, Result<Suppressing, Vec<Fault>>)>, ApiError> {
        let mut record = record;
        let mut answers = Vec::with_capacity(wishes.len());
        for (line, wish) in wishes {
            let result = match self.suppress_one(&wish, record.take()).await {
                Ok(suppressed) => Ok(suppressed.result()),
                Err(ApiError::Invalid(faults) | ApiError::Conflict { faults, .. }) => Err(faults),
                Err(error @ (ApiError::NotFound { .. } | ApiError::Port(_))) => return Err(error),
            };
            answers.push((line, result));
        }
        Ok(answers)
    }

    /// `record` is what was read of the address already.
    async fn suppress_one(&self, wish: &Wish, record: Option<AddressRecord>) -> Result<Suppressed, ApiError> {
        let mut read = record;
        for _ in 0..MAX_LOSSES {
            let record = match read.take() {
                Some(record) => record,
                None => self.address(&wish.email).await?,
            };
            let Some(standing) = record.standing() else {
                let manual = Suppression::manual(kept(self.clock.now()));
                if record.owner.is_some() {
                    // A note comes beside it in the next round.
                    self.put_suppression(&wish.email, &record, Some(manual)).await?;
                    continue;
                }
                let noted = AddressRecord { note: wish.note(None), ..record.suppressed(Some(manual)) };
                if self.addresses.replace(&wish.email, &record, &noted).await? {
                    let standing = Standing { kind: manual.kind, since: manual.since, note: noted.note };
                    return Ok(Suppressed { standing, owner: None });
                }
                continue;
            };
            let note = wish.note(standing.note.as_ref());
            if standing.kind != SuppressionKind::Manual || note == standing.note {
                return Ok(Suppressed { standing, owner: record.owner });
            }
            let noted = AddressRecord { note: note.clone(), ..record.clone() };
            if self.addresses.replace(&wish.email, &record, &noted).await? {
                return Ok(Suppressed { standing: Standing { note, ..standing }, owner: record.owner });
            }
        }
        Err(contended())
    }

    /// Suppresses an address, or frees it; together with whoever has it, under their version, so that a claim in
    /// flight loses. False if one of them changed meanwhile.
    async fn put_suppression(
        &self,
        email: &EmailAddress,
        record: &AddressRecord,
        suppression: Option<Suppression>,
    ) -> Result<bool, ApiError> {
        let Some(owner) = &record.owner else {
            return Ok(self.addresses.replace(email, record, &record.suppressed(suppression)).await?);
        };
        let Some(before) = self.people.get(owner).await? else { return Ok(false) };
        if !has(&before, email) {
            return Ok(false);
        }
        if before.suppression != record.marks.suppression {
            // They were read at two moments, or the item is older than the marks: it follows its owner.
            let follows = record.suppressed(before.suppression);
            return Ok(self.addresses.replace(email, record, &follows).await? && before.suppression == suppression);
        }
        let mut after = before.clone();
        after.profile.suppression = suppression;
        after.version += 1;
        let write = PersonWrite { before: Some(&before), after: &after, evidence: Vec::new() };
        Ok(self.people.put(&[write]).await? == [PutResult::Written])
    }

    async fn address(&self, email: &EmailAddress) -> Result<AddressRecord, ApiError> {
        let records = self.addresses.get(std::slice::from_ref(email)).await?;
        Ok(records.into_iter().next().unwrap_or_default())
    }
}

fn has(recipient: &Recipient, email: &EmailAddress) -> bool {
    let held = [&recipient.work, &recipient.personal].into_iter().flatten();
    held.map(|address| address.email.normalised()).any(|mailbox| mailbox == email.normalised())
}

/// The address that a path names; a wrong one is only measured.
fn address_named(raw: &str) -> Result<EmailAddress, Vec<Fault>> {
    door::read(&json!({ "address": raw }), |node| node.fields()?.required("address", Node::parse_unseen))
}

fn read_line(text: &str) -> Result<Wish, Vec<Fault>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let found = format!("no JSON from column {} on", error.column());
        vec![Fault { field: String::new(), found, wanted: "one JSON object a line".to_owned() }]
    })?;
    Wish::parse(&value)
}

fn answer((line, result): (usize, Result<Suppressing, Vec<Fault>>)) -> Value {
    match result {
        Ok(result) => json!({ "line": line, "result": result, "errors": [] }),
        Err(faults) => json!({ "line": line, "result": "refused", "errors": faults }),
    }
}

fn not_suppressed() -> ApiError {
    ApiError::NotFound { code: Code::NotFound, detail: "the address is not suppressed".to_owned() }
}

fn contended() -> ApiError {
    let fault = Fault {
        field: "/address".to_owned(),
        found: "an address that others change".to_owned(),
        wanted: "a quieter moment: try again".to_owned(),
    };
    ApiError::Conflict { code: Code::Contended, detail: fault.to_string(), faults: vec![fault] }
}
