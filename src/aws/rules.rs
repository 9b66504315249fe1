//! Policies and templates, versioned, under reserved keys of the campaigns table.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, ReturnConsumedCapacity, TransactWriteItem},
};
use aws_sdk_sesv2::{operation::create_email_template::CreateEmailTemplateError, types::EmailTemplateContent};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    campaigns::{from_json, json},
    clients::Clients,
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
    usage::TEMPLATES,
};
use crate::{
    domain::{actor::Actor, id::TemplateName, policy::Policy},
    flow::{
        launch::{Policies, PolicyPut, Templates, Versioned},
        port::PortError,
        template::Compiled,
    },
};

const FORMAT: u8 = 1;
/// How many templates a process keeps in memory.
const REMEMBERED: usize = 8;

/// The policy in force, parsed once per version.
pub struct PolicyTable {
    dynamo: Dynamo,
    parsed: Mutex<Option<Arc<Versioned>>>,
}

impl PolicyTable {
    pub fn new(dynamo: Dynamo) -> Self {
        Self { dynamo, parsed: Mutex::new(None) }
    }
}

#[async_trait]
impl Policies for PolicyTable {
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError> {
        let Some(item) = self.dynamo.rule("policy", "current").await? else { return Ok(None) };
        let version: u32 = item.number("v")?;
        let parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(parsed) = parsed.filter(|parsed| parsed.version == version) {
            return Ok(Some(parsed));
        }
        let parsed = Arc::new(versioned(&item)?);
        *self.parsed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&parsed));
        Ok(Some(parsed))
    }

    async fn put(&self, policy: &Policy, by: &PolicyPut) -> Result<u32, PortError> {
        let body = json("a policy", policy)?;
        loop {
            let held = self.dynamo.rule("policy", "current").await?;
            let held: Option<u32> = held.map(|item| item.number("v")).transpose()?;
            let version = held.unwrap_or(0) + 1;
            let put = |place: String| {
                Put::builder()
                    .table_name(&self.dynamo.names.campaigns)
                    .item("k", s("policy"))
                    .item("t", s(place))
                    .item("f", n(FORMAT))
                    .item("v", n(version))
                    .item("b", s(&body))
                    .item("u", s(by.by.as_str()))
                    .item("a", n(by.at.as_millisecond()))
            };
            let current = match held {
                None => put("current".to_owned()).condition_expression("attribute_not_exists(k)"),
                Some(held) => put("current".to_owned())
                    .condition_expression("v = :held")
                    .expression_attribute_values(":held", n(held)),
            };
            let mut transact = self.dynamo.client.transact_write_items();
            for put in [current, put(format!("v{version:08}"))] {
                let put = put.build().map_err(|error| PortError::corrupt("a request to DynamoDB", error))?;
                transact = transact.transact_items(TransactWriteItem::builder().put(put).build());
            }
            match transact.send().await {
                Ok(_) => return Ok(version),
                // Somebody else put one at the same moment: ours is the one after it.
                Err(error)
                    if matches!(
                        error.as_service_error(),
                        Some(TransactWriteItemsError::TransactionCanceledException(_))
                    ) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
    }
}

/// Templates under their hash, here and in SES.
pub struct TemplateTable {
    dynamo: Dynamo,
    ses: aws_sdk_sesv2::Client,
    /// The last few that were read. A form never changes under its hash, and it costs as much to read as hundreds of
    /// recipients.
    read: Mutex<VecDeque<Compiled>>,
}

impl TemplateTable {
    pub fn new(dynamo: Dynamo, clients: &Clients) -> Self {
        Self { dynamo, ses: clients.ses.clone(), read: Mutex::default() }
    }

    fn remembered(&self, name: &TemplateName, hash: &str) -> Option<Compiled> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter().find(|form| form.name == *name && form.hash == hash).cloned()
    }

    fn remember(&self, form: &Compiled) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.truncate(REMEMBERED - 1);
        read.push_front(form.clone());
    }

    /// A template never changes in SES: another content has another name.
    async fn store_in_ses(&self, compiled: &Compiled) -> Result<(), PortError> {
        let content = EmailTemplateContent::builder()
            .subject(&compiled.subject)
            .html(&compiled.html)
            .text(&compiled.text)
            .build();
        let create = self.ses.create_email_template().template_name(compiled.ses_name()).template_content(content);
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(CreateEmailTemplateError::is_already_exists_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(PortError::unavailable("SES", error)),
        }
    }
}

#[async_trait]
impl Templates for TemplateTable {
    async fn current(&self, name: &TemplateName) -> Result<Option<Compiled>, PortError> {
        let Some(item) = self.dynamo.rule(&key(name), "current").await? else { return Ok(None) };
        self.pinned(name, item.text("h")?).await
    }

    async fn pinned(&self, name: &TemplateName, hash: &str) -> Result<Option<Compiled>, PortError> {
        if let Some(form) = self.remembered(name, hash) {
            return Ok(Some(form));
        }
        let Some(item) = self.dynamo.rule(&key(name), &place(hash)).await? else { return Ok(None) };
        let form = from_json("a template", item.text("b")?)?;
        self.remember(&form);
        Ok(Some(form))
    }

    async fn put(&self, compiled: &Compiled, source: &Value) -> Result<(), PortError> {
        self.store_in_ses(compiled).await?;
        let put = |place: String| {
            self.dynamo
                .client
                .put_item()
                .table_name(&self.dynamo.names.campaigns)
                .item("k", s(key(&compiled.name)))
                .item("t", s(place))
                .item("f", n(FORMAT))
                .item("h", s(&compiled.hash))
        };
        let form =
            put(place(&compiled.hash)).item("b", s(json("a template", compiled)?)).item("q", s(source.to_string()));
        form.send().await.map_err(unavailable)?;
        // After it, so that it never names a form that is not there.
        put("current".to_owned()).send().await.map_err(unavailable)?;
        let declared = self
            .dynamo
            .client
            .put_item()
            .table_name(&self.dynamo.names.campaigns)
            .item("k", s(TEMPLATES))
            .item("t", s(compiled.name.as_str()))
            .item("f", n(FORMAT))
            .item("b", s(json("a template's attributes", &compiled.manifest.attributes)?));
        declared.send().await.map(|_| ()).map_err(unavailable)
    }

    async fn source(&self, name: &TemplateName) -> Result<Option<Value>, PortError> {
        let Some(item) = self.dynamo.rule(&key(name), "current").await? else { return Ok(None) };
        let form = self.dynamo.rule(&key(name), &place(item.text("h")?)).await?;
        form.map(|form| from_json("a template's source", form.text("q")?)).transpose()
    }
}

pub(super) fn versioned(item: &Item) -> Result<Versioned, PortError> {
    let body: Value = from_json("a policy", item.text("b")?)?;
    let policy = Policy::parse(&body).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        PortError::corrupt("a policy", faults.join("; "))
    })?;
    Ok(Versioned { version: item.number("v")?, policy, put: put_by(item)? })
}

fn put_by(item: &Item) -> Result<Option<PolicyPut>, PortError> {
    if !item.contains_key("u") {
        return Ok(None);
    }
    let at = Timestamp::from_millisecond(item.number("a")?).map_err(|error| PortError::corrupt("a policy", error))?;
    Ok(Some(PolicyPut { by: Actor::restore(item.text("u")?), at }))
}

fn key(name: &TemplateName) -> String {
    format!("template#{name}")
}

fn place(hash: &str) -> String {
    format!("h#{hash}")
}

impl Dynamo {
    async fn rule(&self, key: &str, place: &str) -> Result<Option<Item>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.campaigns)
            .key("k", s(key))
            .key("t", s(place))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item)
    }
}
