//! What a good engineer writes first, on the same SDK and with the same gate: query a page, decide, mail in bulk of
//! 50, and put a row for every decision. Its people are held as in most tables, and read by hand without a copy.
//!
//! It claims nobody, holds no lease and keeps no cursor: run twice, it mails twice.

mod row;

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_sdk_sesv2::types::{
    BulkEmailContent, BulkEmailEntry, BulkEmailEntryResult, BulkEmailStatus, Destination, MessageHeader, MessageTag,
    ReplacementEmailContent, ReplacementTemplate, Template,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, TryStreamExt, stream};
use germane::{
    aws::{clients::Clients, deployment::Deployment},
    domain::{
        campaign::Campaign,
        decision::{Grounds, Outcome},
        gate,
        recipient::Recipient,
    },
    flow::{
        launch::Versioned,
        sentence,
        template::{Compiled, Personal, Shared},
        token::Purpose,
        words::words,
    },
};
use jiff::Timestamp;

use super::{
    Failure,
    audience::{self, Decided},
    ours::{Ours, PUBLIC_URL},
    stand_in::StandIn,
};

use self::row::{Item, n, s};

/// The table that the people are read from.
pub const PEOPLE: &str = "naive-recipients";
const DECISIONS: &str = "naive-decisions";
/// Of `SendBulkEmail` and of `BatchWriteItem`.
const MAILS_PER_CALL: usize = 50;
const ROWS_PER_CALL: usize = 25;

pub struct Naive {
    clients: Clients,
    deployment: Deployment,
    shards: u16,
    in_flight: usize,
    campaign: Campaign,
    rules: Arc<Versioned>,
    template: Compiled,
    shared: Shared,
}

impl Naive {
    pub async fn start(stand_in: &StandIn, ours: &Ours, in_flight: usize) -> Result<Self, Failure> {
        let deployment = ours.deployment.clone();
        let rules = deployment.policies.current().await?.ok_or("there is no policy")?;
        let campaign = Campaign::parse(&audience::campaign("naive"), &rules.policy, deployment.clock.now());
        let campaign = campaign.map_err(|faults| format!("the campaign is refused: {faults:?}"))?;
        let template = deployment.templates.current(&campaign.template).await?.ok_or("there is no template")?;
        let shared = template.shared(&campaign.content, &rules.policy);
        let (clients, shards) = (stand_in.clients(), ours.shards);
        Ok(Self { clients, deployment, shards, in_flight, campaign, rules, template, shared })
    }

    pub async fn store(&self, people: &[Recipient]) -> Result<(), Failure> {
        self.put(PEOPLE, people.iter().map(row::to_item).collect::<Result<_, _>>()?).await
    }

    pub async fn send(&self) -> Result<Decided, Failure> {
        let mut total = Decided::default();
        for shard in 0..self.shards {
            let mut pages = self
                .clients
                .dynamodb
                .query()
                .table_name(PEOPLE)
                .key_condition_expression("shard = :shard")
                .expression_attribute_values(":shard", AttributeValue::N(shard.to_string()))
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let Decided { people, sent } = self.page(page?.items.unwrap_or_default()).await?;
                total = Decided { people: total.people + people, sent: total.sent + sent };
            }
        }
        Ok(total)
    }

    async fn page(&self, items: Vec<Item>) -> Result<Decided, Failure> {
        let now = self.deployment.clock.now();
        let people: Vec<Recipient> = items.into_iter().map(row::from_item).collect::<Result<_, _>>()?;
        let mut mails = Vec::new();
        let mut decisions = Vec::with_capacity(people.len());
        for person in &people {
            match gate::decide(person, &self.campaign, &self.rules.policy, now).grounds() {
                Ok(grounds) => mails.push((person, grounds)),
                Err(refused) => decisions.push(self.decision(person, &refused, now)),
            }
        }
        let batches: Vec<_> = mails.chunks(MAILS_PER_CALL).map(|batch| self.mail(batch)).collect();
        let outcomes: Vec<Vec<bool>> = stream::iter(batches).buffered(self.in_flight).try_collect().await?;
        let mut sent = 0;
        for ((person, grounds), taken) in mails.into_iter().zip(outcomes.into_iter().flatten()) {
            let outcome = if taken { Outcome::Sent(grounds) } else { Outcome::InDoubt };
            sent += u64::from(taken);
            decisions.push(self.decision(person, &outcome, now));
        }
        self.put(DECISIONS, decisions).await?;
        Ok(Decided { people: people.len() as u64, sent })
    }

    fn decision(&self, person: &Recipient, outcome: &Outcome, at: Timestamp) -> Item {
        let mut item = Item::from([
            ("campaign".to_owned(), s(self.campaign.id.as_str())),
            ("recipient".to_owned(), s(person.id.as_str())),
            ("outcome".to_owned(), s(outcome.kind().as_str())),
            ("detail".to_owned(), s(outcome.detail().to_string())),
            ("policy_version".to_owned(), n(&self.rules.version)),
            ("decided_at".to_owned(), n(&at.as_millisecond())),
        ]);
        if let Some(reason) = outcome.reason() {
            item.insert("reason".to_owned(), s(reason.as_str()));
        }
        item
    }

    /// Whether each mail was taken.
    async fn mail(&self, batch: &[(&Recipient, Grounds)]) -> Result<Vec<bool>, Failure> {
        let mut entries = Vec::with_capacity(batch.len());
        for (person, grounds) in batch {
            entries.extend(self.entry(person, grounds)?);
        }
        let template = Template::builder().template_name(self.template.ses_name()).template_data("{}").build();
        let answer = self
            .clients
            .ses_sending
            .send_bulk_email()
            .from_email_address(self.rules.policy.from.as_str())
            .default_content(BulkEmailContent::builder().template(template).build())
            .set_bulk_email_entries(Some(entries))
            .send()
            .await?;
        let taken = |result: &BulkEmailEntryResult| result.status() == Some(&BulkEmailStatus::Success);
        Ok(answer.bulk_email_entry_results().iter().map(taken).collect())
    }

    /// The very mail that the product sends: the same data, headers and tags.
    fn entry(&self, person: &Recipient, grounds: &Grounds) -> Result<Option<BulkEmailEntry>, Failure> {
        let Some(address) = person.address(self.campaign.channel) else { return Ok(None) };
        let token = |purpose| self.deployment.tokens.sign(purpose, &person.id, &self.campaign.id);
        let unsubscribe_url = format!("{PUBLIC_URL}/u/{}", token(Purpose::Unsubscribe));
        let personal = Personal {
            attributes: &person.attributes,
            unsubscribe_url: &unsubscribe_url,
            preferences_url: &format!("{PUBLIC_URL}/p/{}", token(Purpose::Reduce)),
            confirm_url: "",
            held: &serde_json::Value::Null,
            why: &sentence::why(words(None), &self.campaign, &self.rules.policy, grounds),
        };
        let data = self.template.data(&self.shared, &personal);
        let template = ReplacementTemplate::builder().replacement_template_data(data).build();
        let header = |name: &str, value: String| MessageHeader::builder().name(name).value(value).build();
        let tag = |name: &str, id: &str| MessageTag::builder().name(name).value(URL_SAFE_NO_PAD.encode(id)).build();
        let entry = BulkEmailEntry::builder()
            .destination(Destination::builder().to_addresses(address.email.reveal()).build())
            .replacement_email_content(ReplacementEmailContent::builder().replacement_template(template).build())
            .replacement_headers(header("List-Unsubscribe", format!("<{unsubscribe_url}>"))?)
            .replacement_headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?)
            .replacement_tags(tag("campaign", self.campaign.id.as_str())?)
            .replacement_tags(tag("recipient", person.id.as_str())?);
        Ok(Some(entry.build()))
    }

    async fn put(&self, table: &str, items: Vec<Item>) -> Result<(), Failure> {
        let mut items = items.into_iter();
        let mut calls = Vec::new();
        while items.len() > 0 {
            calls.push(self.put_call(table, items.by_ref().take(ROWS_PER_CALL).collect()));
        }
        stream::iter(calls).buffer_unordered(self.in_flight).try_collect().await
    }

    async fn put_call(&self, table: &str, items: Vec<Item>) -> Result<(), Failure> {
        let mut open = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            open.push(WriteRequest::builder().put_request(put).build());
        }
        while !open.is_empty() {
            let answer = self.clients.dynamodb.batch_write_item().request_items(table, open).send().await?;
            open = answer.unprocessed_items.and_then(|mut left| left.remove(table)).unwrap_or_default();
        }
        Ok(())
    }
}
