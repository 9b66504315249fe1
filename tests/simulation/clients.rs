//! What people and operators do meanwhile: each act is asked for again until it is answered, as anybody would.

use std::time::Duration;

use germane::{
    domain::{
        actor::Actor,
        frequency::FrequencyCap,
        id::{CampaignId, RecipientId},
        recipient::{Act as Own, Less},
    },
    flow::{
        api::{Api, ApiError, recipients::Place},
        port::PortError,
        preferences::{Preferences, Shown},
        token::{Purpose, TokenKeys},
    },
};

use super::{super::virtual_world::network::Network, plan::Act};

const AGAIN: Duration = Duration::from_secs(5);
/// Whoever is still not answered after so many tries has given up.
const TRIES: usize = 40;

pub struct Client {
    pub network: Network,
    pub api: Api,
    pub preferences: Preferences,
    pub tokens: TokenKeys,
}

/// What somebody was told, and which must be true from then on.
#[derive(Debug, Clone, PartialEq)]
pub enum Promise {
    /// Nothing of the campaign's topic comes on its channel any more.
    Left {
        recipient: RecipientId,
        campaign: CampaignId,
    },
    Gone {
        recipient: RecipientId,
    },
    Suppressed {
        recipient: RecipientId,
    },
}

impl Client {
    /// Does it, and says what was promised with the answer.
    pub async fn act(&self, act: &Act) -> Option<Promise> {
        for _ in 0..TRIES {
            match self.once(act).await {
                Ok(promise) => {
                    self.network.say(|| format!("answered: {act:?}"));
                    return promise;
                }
                Err(error) => {
                    self.network.say(|| format!("not answered ({error}): {act:?}"));
                    self.network.time.sleep(AGAIN).await;
                }
            }
        }
        None
    }

    async fn once(&self, act: &Act) -> Result<Option<Promise>, PortError> {
        let person = |id: &str| id.parse::<RecipientId>().unwrap();
        match act {
            Act::Submit(body) => answered(self.api.submit(body, &Actor::local()).await)?,
            Act::Unsubscribe { recipient, campaign } => {
                let (recipient, campaign) = (person(recipient), campaign.parse::<CampaignId>().unwrap());
                let token = self.tokens.sign(Purpose::Unsubscribe, &recipient, &campaign);
                let done = self.preferences.unsubscribe(&token, None).await?;
                let left = Promise::Left { recipient, campaign };
                return Ok(Some(left).filter(|_| done == germane::flow::preferences::Unsubscribed::Done));
            }
            Act::Leave { recipient } => self.own(recipient, Less::LeaveAll).await?,
            Act::Mute { recipient, topic } => self.own(recipient, Less::Mute(topic.parse().unwrap())).await?,
            Act::Lower { recipient, sends, days } => {
                self.own(recipient, Less::Lower(FrequencyCap { sends: *sends, days: *days })).await?;
            }
            Act::Pause { recipient, days } => {
                let until = self.network.time.now() + Duration::from_secs(u64::from(*days) * 86_400);
                self.own(recipient, Less::Pause { until }).await?;
            }
            Act::Import(rows) => {
                let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                answered(self.api.put_recipients(&lines, "import").await)?;
            }
            Act::Erase { recipient } => {
                answered(self.api.erase_recipient(&person(recipient)).await)?;
                return Ok(Some(Promise::Gone { recipient: person(recipient) }));
            }
            Act::Suppress { recipient } => {
                let address = format!("{recipient}@example.com");
                answered(self.api.suppress(&address, &serde_json::json!({})).await)?;
                return Ok(Some(Promise::Suppressed { recipient: person(recipient) }));
            }
            Act::Lift { recipient } => answered(self.api.lift(&format!("{recipient}@example.com")).await)?,
            Act::Command { campaign, command } => {
                let command = serde_json::from_value(serde_json::json!(command)).unwrap();
                answered(self.api.command(&campaign.parse().unwrap(), command).await)?;
            }
            Act::Policy(body) => answered(self.api.put_policy(body, &Actor::local()).await)?,
        }
        Ok(None)
    }

    async fn own(&self, recipient: &str, less: Less) -> Result<(), PortError> {
        let shown = Shown { place: Place::Page, text: None, text_version: None, origin: None };
        self.preferences.act(&recipient.parse().unwrap(), &Own::Less(less), &shown).await.map(|_acted| ())
    }
}

/// A refusal is an answer, too.
fn answered<T>(result: Result<T, ApiError>) -> Result<(), PortError> {
    match result {
        Err(ApiError::Port(error)) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
