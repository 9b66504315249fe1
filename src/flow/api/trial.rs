//! Test mails: a campaign as one person would get it, mailed to those who make it.
//!
//! Nobody is claimed, nothing is recorded, and the mail's links act on nobody: they lead to a page that says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Api, ApiError, Code, campaigns::Checked, not_found};
use crate::{
    domain::{
        campaign::Campaign,
        codes::codes,
        decision::Grounds,
        door::{self, Fault, Node},
        email::EmailAddress,
        gate,
        id::{CampaignId, RecipientId},
        policy::Policy,
        recipient::Recipient,
    },
    flow::{
        launch::CampaignRecord,
        port::PortError,
        send::mail::Mail,
        sentence,
        single::{Handed, Single},
        template::{Compiled, Personal, held_sample},
        token::TEST_LINK,
        words::words,
    },
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// One of the policy's test addresses; without it their first.
    pub to: Option<EmailAddress>,
    /// As whom; without it as a sample.
    pub recipient: Option<RecipientId>,
    /// A campaign that was not submitted.
    pub campaign: Option<Value>,
}

codes!(
    /// What is known of a test mail that was handed over.
    Tried {
        Sent = "sent",
        /// SES did not answer.
        InDoubt = "in_doubt",
    }
);

impl Trial {
    pub fn parse(body: &Value) -> Result<Self, Vec<Fault>> {
        door::read(body, |document| {
            let f = document.fields()?;
            let to = f.optional("to", Node::parse_unseen);
            let recipient = f.optional("recipient", Node::parse);
            let campaign = f.optional("campaign", |node| Some(node.value.clone()));
            f.close();
            Some(Self { to, recipient, campaign })
        })
    }
}

impl Api {
    /// Mails the campaign to a test address, once.
    pub async fn try_out(&self, id: &CampaignId, body: &Value) -> Result<Value, ApiError> {
        let Trial { to, recipient, campaign } = Trial::parse(body).map_err(ApiError::Invalid)?;
        let to = address(&self.policy().await?.policy, to);
        let checked = match campaign {
            Some(campaign) => self.brought(id, &campaign).await,
            None => self.held(id).await,
        };
        let (Checked { campaign, policy, template }, to) = match (checked, to) {
            (Ok(checked), Ok(to)) => (checked, to),
            (Ok(_), Err(fault)) => return Err(ApiError::Invalid(vec![fault])),
            (Err(ApiError::Invalid(faults)), to) => {
                return Err(ApiError::Invalid(to.err().into_iter().chain(faults).collect()));
            }
            (Err(error @ (ApiError::NotFound { .. } | ApiError::Conflict { .. } | ApiError::Port(_))), _) => {
                return Err(error);
            }
        };
        let person = match &recipient {
            Some(id) => Some(self.people.get(id).await?.ok_or_else(|| not_found("recipient", id))?),
            None => None,
        };
        let data = self.data(&campaign, &policy.policy, &template, person.as_ref());
        let name = match recipient {
            Some(recipient) => recipient,
            None => "sample".parse().map_err(|wanted| PortError::corrupt("the name of a sample", wanted))?,
        };
        let unsubscribe_url = Some(self.link("u"));
        let mail = Mail { recipient: name, to, data, unsubscribe_url };
        let single = Single { clock: self.clock.as_ref(), pacer: &self.pacer, mailer: self.mailer.as_ref() };
        let result = match single.send(mail, &policy, &template).await? {
            Handed::Accepted => Tried::Sent,
            Handed::InDoubt => Tried::InDoubt,
            Handed::NoQuota { until } => {
                let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
                return Err(not_sent(format!("the daily quota is used up{until}")));
            }
            Handed::Busy => return Err(not_sent("SES was busy at each try: try again".to_owned())),
            Handed::Refused(why) => return Err(not_sent(format!("SES refused it: {why}"))),
        };
        Ok(json!({ "id": campaign.id, "result": result }))
    }

    /// One that came with the request.
    async fn brought(&self, id: &CampaignId, body: &Value) -> Result<Checked, ApiError> {
        let within = |fault: Fault| Fault { field: format!("/campaign{}", fault.field), ..fault };
        let checked = match self.checked(body).await {
            Err(ApiError::Invalid(faults)) => Err(ApiError::Invalid(faults.into_iter().map(within).collect())),
            checked => checked,
        }?;
        if checked.campaign.id == *id {
            return Ok(checked);
        }
        let (found, wanted) = (format!("\"{}\"", checked.campaign.id), format!("the id of the path, \"{id}\""));
        Err(ApiError::Invalid(vec![Fault { field: "/campaign/id".to_owned(), found, wanted }]))
    }

    /// One that was submitted, as it is or would be sent.
    async fn held(&self, id: &CampaignId) -> Result<Checked, ApiError> {
        let CampaignRecord { campaign, pinned, .. } = self.record(id).await?;
        let policy = self.policy().await?;
        let template = match &pinned {
            Some(pinned) => self.templates.pinned(&pinned.template, &pinned.template_hash).await?,
            None => self.templates.current(&campaign.template).await?,
        };
        let template = template.ok_or_else(|| not_found("template", &campaign.template))?;
        Ok(Checked { campaign, policy, template })
    }

    /// What the person would get; of somebody for whom the campaign is not, all the same.
    fn data(&self, campaign: &Campaign, policy: &Policy, template: &Compiled, person: Option<&Recipient>) -> String {
        let now = self.clock.now();
        let locale = person.and_then(|person| person.locale.as_deref());
        let language = locale.and_then(|locale| template.language(locale));
        let grounds = person.and_then(|person| gate::decide(person, campaign, policy, now).grounds().ok());
        let grounds =
            grounds.unwrap_or_else(|| Grounds { consent: Some(campaign.topic.clone()), ..Grounds::default() });
        let sample = || template.manifest.attributes.iter().map(|name| (name.clone(), "Sample".to_owned())).collect();
        let attributes: BTreeMap<String, String> = person.map_or_else(sample, |person| person.attributes.clone());
        let personal = Personal {
            attributes: &attributes,
            // What is held about people is shown to themselves alone.
            held: &if template.manifest.held { held_sample() } else { Value::Null },
            unsubscribe_url: &self.link("u"),
            preferences_url: &self.link("p"),
            confirm_url: &if template.manifest.notice { self.link("c") } else { String::new() },
            why: &sentence::why(words(language), campaign, policy, &grounds),
        };
        template.data_in(locale, &template.shared(&campaign.content, policy), &personal)
    }

    fn link(&self, path: &str) -> String {
        format!("{}/{path}/{TEST_LINK}", self.public_url)
    }
}

/// Test mails go to those whom the policy names, and to nobody else: else anybody could be mailed past every gate.
fn address(policy: &Policy, to: Option<EmailAddress>) -> Result<EmailAddress, Fault> {
    let fault = |found: &str, wanted: &str| Fault {
        field: "/to".to_owned(),
        found: found.to_owned(),
        wanted: wanted.to_owned(),
    };
    let known = |to: &EmailAddress| policy.test_addresses.iter().find(|known| known.normalised() == to.normalised());
    match to {
        Some(to) => known(&to).cloned().ok_or_else(|| fault("another address", "one of the policy's test_addresses")),
        None => policy
            .test_addresses
            .first()
            .cloned()
            .ok_or_else(|| fault("nothing", "a policy with test_addresses: put them there first")),
    }
}

fn not_sent(detail: String) -> ApiError {
    ApiError::Conflict { code: Code::NotSent, detail, faults: Vec::new() }
}
