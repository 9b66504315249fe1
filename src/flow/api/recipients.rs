//! Recipients: merge, read, erase.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Api, ApiError, Code, confirmations::Unconfirmed, not_found, room};
use crate::{
    domain::{
        channel::Channel,
        codes::codes,
        consent::ConsentStatus,
        door::Fault,
        email::EmailAddress,
        id::{RecipientId, Ref},
        recipient::{ConsentMove, Marks, Recipient, RecipientChange},
        time::{compact, kept},
        topic::Topic,
    },
    flow::{
        held::{Erased, text_behind},
        port::PortError,
    },
};

/// Of an ordinary person; only a larger one may not fit into its item.
const FEW_FACTS: usize = 200;
/// How often a change is merged anew because somebody else changed the person first.
pub(in crate::flow) const MAX_LOSSES: usize = 32;

/// What happened to one consent, kept for as long as the person is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub topic: Topic,
    pub channel: Channel,
    pub before: Option<ConsentStatus>,
    /// `None` where the record was removed by somebody's system, which withdraws nothing.
    pub after: Option<ConsentStatus>,
    /// What was shown or signed.
    pub text: Option<String>,
    /// Which version of a text of ours that was, such as `preferences.de 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_version: Option<String>,
    pub source: Option<String>,
    #[serde(default)]
    pub place: Place,
    /// Who asked for it, where that was somebody's system and not the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Keyed hash of the network address and the program that it came from, in hexadecimal, if a recipient did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(with = "compact")]
    pub at: Timestamp,
    #[serde(with = "compact")]
    pub recorded_at: Timestamp,
}

codes!(
    /// Where a consent was changed.
    #[derive(Default)]
    Place {
        /// By somebody's system, which says in `source` where it has it from.
        #[default]
        Api = "api",
        /// In bulk, from a file.
        Import = "import",
        /// By the recipient, on the page behind a mail's link.
        Page = "page",
        /// By the recipient, in their mail program (RFC 8058).
        OneClick = "one_click",
        /// By the recipient, on the page behind a confirmation mail's link.
        Confirmation = "confirmation",
    }
);

/// A new version of a person.
#[derive(Debug)]
pub struct PersonWrite<'a> {
    /// What it was made from; `None` for a new person.
    pub before: Option<&'a Recipient>,
    pub after: &'a Recipient,
    pub evidence: Vec<Evidence>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutResult {
    Written,
    /// Somebody else changed the person first.
    Changed,
    AddressTaken(Channel),
    AddressErased(Channel),
    /// A new address of this channel holds marks that the person does not carry yet (`Recipient::take_over`).
    AddressMarked {
        channel: Channel,
        marks: Marks,
    },
}

#[async_trait]
pub trait People: Send + Sync {
    async fn get(&self, id: &RecipientId) -> Result<Option<Recipient>, PortError>;

    /// Those that exist, in any order.
    async fn get_many(&self, ids: &[RecipientId]) -> Result<Vec<Recipient>, PortError>;

    /// Writes each person with their addresses and evidence, together or not at all; answers in their order. Nobody
    /// may stand among them twice.
    async fn put(&self, writes: &[PersonWrite<'_>]) -> Result<Vec<PutResult>, PortError>;

    /// Deletes the person and the evidence; what remains is that the addresses were erased. False if the person
    /// changed meanwhile.
    async fn erase(&self, recipient: &Recipient, at: Timestamp) -> Result<bool, PortError>;

    /// Oldest first.
    async fn evidence(&self, id: &RecipientId) -> Result<Vec<Evidence>, PortError>;
}

codes!(
    /// What became of one person of a PUT or an import.
    Merged {
        Created = "created",
        Updated = "updated",
    }
);

/// Who changes people, and by which way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author<'a> {
    pub place: Place,
    pub by: &'a str,
}

/// What became of one person, and which of the consents that were said to be pending wait for their confirmation.
#[derive(Debug)]
pub(super) struct Done {
    pub merged: Merged,
    pub unconfirmed: Vec<Unconfirmed>,
}

impl Api {
    /// Merges a document into what is held, in the name of `by`, and has a pending consent that it names confirmed.
    pub async fn put_recipient(&self, id: &RecipientId, body: &Value, by: &str) -> Result<Merged, ApiError> {
        let current = self.policy().await?;
        let change = RecipientChange::parse(body, Some(id), &current.policy, self.clock.now());
        let held = self.people.get(id).await?;
        let author = Author { place: Place::Api, by };
        let done = self.merge(&change.map_err(ApiError::Invalid)?, held, author).await?;
        self.ask_to_confirm(&current.policy, done.unconfirmed).await?;
        Ok(done.merged)
    }

    pub async fn get_recipient(&self, id: &RecipientId) -> Result<Value, ApiError> {
        let recipient = self.people.get(id).await?.ok_or_else(|| not_found("recipient", id))?;
        let evidence = self.people.evidence(id).await?;
        Ok(recipient.to_json(|consent| text_behind(consent, &evidence)))
    }

    pub async fn erase_recipient(&self, id: &RecipientId) -> Result<(), ApiError> {
        match self.held.erase(id).await? {
            Erased::Done => Ok(()),
            Erased::Nobody => Err(not_found("recipient", id)),
            Erased::Contended => Err(contended(id)),
        }
    }

    /// Everything that is held about a person.
    pub async fn export_recipient(&self, id: &RecipientId) -> Result<Value, ApiError> {
        self.held.export(id).await?.ok_or_else(|| not_found("recipient", id))
    }

    /// Merges one change, anew as often as somebody else changes the person first.
    pub(super) async fn merge(
        &self,
        change: &RecipientChange,
        held: Option<Recipient>,
        author: Author<'_>,
    ) -> Result<Done, ApiError> {
        let prepared = match self.prepare(change, held, author, &[])? {
            Preparation::Write(prepared) => prepared,
            Preparation::Unchanged(done) => return Ok(done),
        };
        let result = self.people.put(&[prepared.write()]).await?;
        match prepared.settle(result.first().copied().unwrap_or(PutResult::Changed))? {
            Settled::Done(done) => Ok(done),
            Settled::Again(found) => self.merge_again(change, author, found).await,
        }
    }

    /// Merges a change that was not written, since the person or an address was not as it had been read.
    pub(super) async fn merge_again(
        &self,
        change: &RecipientChange,
        author: Author<'_>,
        found: Option<Found>,
    ) -> Result<Done, ApiError> {
        let mut found: Vec<Found> = found.into_iter().collect();
        for _ in 0..MAX_LOSSES {
            let held = self.people.get(&change.id).await?;
            let prepared = match self.prepare(change, held, author, &found)? {
                Preparation::Write(prepared) => prepared,
                Preparation::Unchanged(done) => return Ok(done),
            };
            let result = self.people.put(&[prepared.write()]).await?;
            match prepared.settle(result.first().copied().unwrap_or(PutResult::Changed))? {
                Settled::Done(done) => return Ok(done),
                Settled::Again(more) => found.extend(more),
            }
        }
        Err(contended(&change.id))
    }

    /// The new version of a person, with what was found out about their new addresses, unless the change changes nothing.
    pub(super) fn prepare(
        &self,
        change: &RecipientChange,
        held: Option<Recipient>,
        author: Author<'_>,
        found: &[Found],
    ) -> Result<Preparation, ApiError> {
        let now = self.clock.now();
        let blank = || Recipient::blank(change.id.clone(), Ref(self.entropy.eight_bytes()), now);
        let mut after = held.clone().unwrap_or_else(blank);
        let moves = change.clone().apply(&mut after).map_err(ApiError::Invalid)?;
        for Found { email, marks } in found {
            after.take_over(email, *marks);
        }
        let unconfirmed = change.unconfirmed(&after.consents).map(|consent| Unconfirmed::of(&after, consent)).collect();
        if held.as_ref() == Some(&after) {
            return Ok(Preparation::Unchanged(Done { merged: Merged::Updated, unconfirmed }));
        }
        if held.is_some() {
            after.version += 1;
        }
        let evidence: Vec<Evidence> = moves.into_iter().map(|moved| evidence(moved, author, now)).collect();
        room::check("/consents", &[&evidence])?;
        // Lists grow by merging, beyond what one document may bring.
        let lists =
            [after.interests.len(), after.consents.len(), after.owns.len(), after.preferences.muted_topics.len()];
        if lists.iter().sum::<usize>() > FEW_FACTS {
            room::check("", &[&after.profile])?;
        }
        Ok(Preparation::Write(Box::new(Prepared { before: held, after, evidence, unconfirmed })))
    }
}

/// What an address turned out to hold.
#[derive(Debug, Clone)]
pub(super) struct Found {
    email: EmailAddress,
    marks: Marks,
}

/// What became of a change that was to be written.
pub(super) enum Settled {
    Done(Done),
    /// It is to be merged anew, perhaps with what was found out.
    Again(Option<Found>),
}

pub(super) enum Preparation {
    Write(Box<Prepared>),
    Unchanged(Done),
}

/// A change of a person, ready to be written.
pub(super) struct Prepared {
    before: Option<Recipient>,
    after: Recipient,
    evidence: Vec<Evidence>,
    unconfirmed: Vec<Unconfirmed>,
}

impl Prepared {
    pub(super) fn write(&self) -> PersonWrite<'_> {
        PersonWrite { before: self.before.as_ref(), after: &self.after, evidence: self.evidence.clone() }
    }

    /// What the answer means.
    pub(super) fn settle(&self, result: PutResult) -> Result<Settled, ApiError> {
        match result {
            PutResult::Written => {
                let merged = if self.before.is_some() { Merged::Updated } else { Merged::Created };
                Ok(Settled::Done(Done { merged, unconfirmed: self.unconfirmed.clone() }))
            }
            PutResult::Changed => Ok(Settled::Again(None)),
            PutResult::AddressMarked { channel, marks } => {
                let address = self.after.address(channel);
                Ok(Settled::Again(address.map(|address| Found { email: address.email.clone(), marks })))
            }
            PutResult::AddressTaken(channel) => {
                Err(address_conflict(Code::AddressTaken, channel, "an address of no other recipient"))
            }
            PutResult::AddressErased(channel) => {
                let wanted = "an address whose owner did not ask to be erased";
                Err(address_conflict(Code::ErasedAddress, channel, wanted))
            }
        }
    }
}

fn evidence(moved: ConsentMove, author: Author<'_>, now: Timestamp) -> Evidence {
    let ConsentMove { before, after, consent, evidence } = moved;
    Evidence {
        topic: consent.topic,
        channel: consent.channel,
        before,
        after,
        text: evidence,
        text_version: None,
        source: consent.source,
        place: author.place,
        by: Some(author.by.to_owned()),
        origin: None,
        // Nobody but the one who removes a record says when.
        at: if after.is_some() { consent.at } else { kept(now) },
        recorded_at: now,
    }
}

fn address_conflict(code: Code, channel: Channel, wanted: &str) -> ApiError {
    let found = if code == Code::ErasedAddress {
        "an erased address (erased_address)"
    } else {
        "an address of another recipient (address_taken)"
    };
    let fault = Fault { field: format!("/addresses/{channel}"), found: found.to_owned(), wanted: wanted.to_owned() };
    ApiError::Conflict { code, detail: fault.to_string(), faults: vec![fault] }
}

pub(super) fn contended(id: &RecipientId) -> ApiError {
    let detail = format!("{id} is being changed by others: try again");
    let fault = Fault {
        field: String::new(),
        found: "a recipient that others change".to_owned(),
        wanted: "a quieter moment: try again".to_owned(),
    };
    ApiError::Conflict { code: Code::Contended, detail, faults: vec![fault] }
}
