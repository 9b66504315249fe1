//! The check of one person for one campaign. Pure: the same values give the same answer for ever.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    campaign::{Campaign, Kind, OnCap},
    codes::codes,
    consent,
    decision::{CapRule, Decision, Grounds, Reason, ReasonCode, Shortfall},
    frequency::{FrequencyCap, HISTORY_DAYS, MAX_HISTORY, Sends},
    id::{SendKey, stable_hash},
    interest::{Aged, Interest, InterestSource, Strength},
    policy::Policy,
    recipient::Recipient,
    time::days_after,
    topic::Topic,
    window::WindowState,
};

/// A notice reaches a person at most once in this many days.
const NOTICE_DAYS: u32 = 30;

codes!(
    /// One check of a person. `ALL` is the order in which they are asked; the first that refuses is *the* reason.
    Gate {
        Suppression = "suppression",
        Channel = "channel",
        Consent = "consent",
        Pause = "pause",
        Interest = "interest",
        Ownership = "ownership",
        Duplicate = "duplicate",
        Frequency = "frequency",
        Window = "window",
        Holdout = "holdout",
    }
);

impl Gate {
    fn binds(self, kind: Kind) -> bool {
        match kind {
            Kind::Marketing => true,
            // A notice answers to the law, not to taste: it needs a way to reach the person, and no repetition.
            Kind::Notice => {
                matches!(self, Gate::Suppression | Gate::Channel | Gate::Duplicate | Gate::Frequency)
            }
        }
    }
}

/// What one gate said, with the values that it compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub gate: Gate,
    pub pass: bool,
    pub reason: Option<ReasonCode>,
    pub detail: Value,
}

/// Whether `recipient` is mailed `campaign` at `now`, and if not, the first reason.
pub fn decide(recipient: &Recipient, campaign: &Campaign, policy: &Policy, now: Timestamp) -> Decision {
    let check = Check { recipient, campaign, policy, now };
    let mut grounds = Grounds::default();
    for gate in Gate::ALL.iter().copied().filter(|gate| gate.binds(campaign.kind)) {
        match check.ask(gate) {
            Ok(Pass::Consent(topic)) => grounds.consent = Some(topic.clone()),
            Ok(Pass::Interest { topic, strength, .. }) => {
                grounds.interest = topic.cloned();
                grounds.strength = grounds.interest.is_some().then_some(strength);
            }
            Ok(Pass::Clear | Pass::Caps(_)) => {}
            Err(reason) => return check.refuse(reason),
        }
    }
    Decision::Send(grounds)
}

/// Whether a campaign would be for this person if they had got nothing of late and it were sent at any hour: the gates
/// that look at who they are and what they want.
pub fn fits(recipient: &Recipient, campaign: &Campaign, policy: &Policy, now: Timestamp) -> bool {
    let check = Check { recipient, campaign, policy, now };
    let of_the_person = |gate: &Gate| match gate {
        Gate::Suppression | Gate::Channel | Gate::Consent | Gate::Pause | Gate::Interest | Gate::Ownership => true,
        Gate::Duplicate | Gate::Frequency | Gate::Window | Gate::Holdout => false,
    };
    let mut gates = Gate::ALL.iter().copied().filter(|gate| of_the_person(gate) && gate.binds(campaign.kind));
    gates.all(|gate| check.ask(gate).is_ok())
}

/// Every gate's verdict, also beyond the first that refuses; that one's reason is what [`decide`] says.
pub fn explain(recipient: &Recipient, campaign: &Campaign, policy: &Policy, now: Timestamp) -> Vec<Verdict> {
    let check = Check { recipient, campaign, policy, now };
    let binding = Gate::ALL.iter().copied().filter(|gate| gate.binds(campaign.kind));
    binding
        .map(|gate| match check.ask(gate) {
            Ok(pass) => Verdict { gate, pass: true, reason: None, detail: check.facts(gate, &pass) },
            Err(reason) => Verdict { gate, pass: false, reason: Some(reason.code()), detail: reason.detail() },
        })
        .collect()
}

/// What a gate that lets a person through found.
enum Pass<'a> {
    Clear,
    Consent(&'a Topic),
    Interest { topic: Option<&'a Topic>, strength: Strength, threshold: Strength },
    Caps(Vec<(CapRule, FrequencyCap, u32)>),
}

struct Check<'a> {
    recipient: &'a Recipient,
    campaign: &'a Campaign,
    policy: &'a Policy,
    now: Timestamp,
}

impl<'a> Check<'a> {
    fn ask(&self, gate: Gate) -> Result<Pass<'a>, Reason> {
        match gate {
            Gate::Suppression => self.suppression(),
            Gate::Channel => self.channel(),
            Gate::Consent => self.consent(),
            Gate::Pause => self.pause(),
            Gate::Interest => self.interest(),
            Gate::Ownership => self.ownership(),
            Gate::Duplicate => self.duplicate(),
            Gate::Frequency => self.frequency(),
            Gate::Window => self.window(),
            Gate::Holdout => self.holdout(),
        }
    }

    /// A closed window and, if the campaign says so, a full cap can be waited for; the rest cannot.
    fn refuse(&self, reason: Reason) -> Decision {
        let until = if let Reason::Holdout { percent } = reason {
            return Decision::HoldOut { percent };
        } else if let Reason::OutsideSendWindow { opens_at, .. } = &reason {
            Some(*opens_at)
        } else if let (Reason::FrequencyCap { next_slot, .. }, OnCap::Defer) = (&reason, self.campaign.on_cap) {
            Some(*next_slot)
        } else {
            None
        };
        match until {
            Some(until) if until < self.campaign.expires_at => Decision::Defer { reason, until },
            Some(_) | None => Decision::Skip(reason),
        }
    }

    fn suppression(&self) -> Result<Pass<'a>, Reason> {
        match self.recipient.suppression {
            Some(s) => Err(Reason::Suppressed { kind: s.kind, since: s.since }),
            None => Ok(Pass::Clear),
        }
    }

    /// The address of the campaign's channel, never the other one.
    fn channel(&self) -> Result<Pass<'a>, Reason> {
        let channel = self.campaign.channel;
        let address = self.recipient.address(channel).ok_or(Reason::NoAddress { channel })?;
        match address.unusable {
            Some(kind) => Err(Reason::AddressUnusable { channel, kind }),
            None => Ok(Pass::Clear),
        }
    }

    fn consent(&self) -> Result<Pass<'a>, Reason> {
        let Campaign { topic, channel, .. } = self.campaign;
        consent::standing(&self.recipient.consents, topic, *channel, self.now)
            .map(|consent| Pass::Consent(&consent.topic))
    }

    fn pause(&self) -> Result<Pass<'a>, Reason> {
        match self.recipient.preferences.paused_until {
            Some(until) if until > self.now => Err(Reason::Paused { until }),
            Some(_) | None => Ok(Pass::Clear),
        }
    }

    fn interest(&self) -> Result<Pass<'a>, Reason> {
        let Campaign { topic, channel, .. } = self.campaign;
        let muted = self.recipient.preferences.muted_topics.iter().find(|muted| muted.covers(topic));
        if let Some(muted) = muted {
            return Err(Reason::TopicMuted { topic: muted.clone() });
        }
        let threshold = self.campaign.threshold(self.policy);
        let social = consent::permits_social(&self.recipient.consents, *channel, self.now);

        let mut usable: Option<(&Interest, Aged)> = None;
        let mut out_of_context: Option<(&Interest, Aged)> = None;
        let mut not_permitted: Option<(&Interest, Aged)> = None;
        for interest in self.recipient.interests.iter().filter(|interest| interest.topic.covers(topic)) {
            let best = if !interest.context.fits(*channel) {
                &mut out_of_context
            } else if interest.source == InterestSource::Social && !social {
                &mut not_permitted
            } else {
                &mut usable
            };
            let aged = interest.aged(self.now, self.policy.interest.half_life_days);
            if best.is_none_or(|(_, strongest)| aged.exceeds(strongest)) {
                *best = Some((interest, aged));
            }
        }

        let reaching = |best: Option<(&'a Interest, Aged)>| best.filter(|(_, aged)| aged.reaches(threshold));
        let short = |best: Option<(&Interest, Aged)>| Shortfall {
            topic: best.map_or_else(|| topic.clone(), |(interest, _)| interest.topic.clone()),
            strength: best.map_or(Aged::NONE, |(_, aged)| aged).shown(),
            threshold,
        };
        if usable.map_or(Aged::NONE, |(_, aged)| aged).reaches(threshold) {
            let (topic, aged) = usable.map_or((None, Aged::NONE), |(interest, aged)| (Some(&interest.topic), aged));
            Ok(Pass::Interest { topic, strength: aged.shown(), threshold })
        } else if let Some(best) = reaching(out_of_context) {
            Err(Reason::OutOfContext(short(Some(best))))
        } else if let Some(best) = reaching(not_permitted) {
            Err(Reason::ProfilingNotPermitted(short(Some(best))))
        } else {
            Err(Reason::NotInterested(short(usable)))
        }
    }

    fn ownership(&self) -> Result<Pass<'a>, Reason> {
        let owned = self.campaign.promotes.iter().find(|product| self.recipient.owns.contains(product));
        match owned {
            Some(product) => Err(Reason::AlreadyOwned { product: product.clone() }),
            None => Ok(Pass::Clear),
        }
    }

    fn duplicate(&self) -> Result<Pass<'a>, Reason> {
        match self.recipient.sends.of(self.campaign.key()) {
            Some(send) => Err(Reason::AlreadySent { at: send.at }),
            None => Ok(Pass::Clear),
        }
    }

    fn frequency(&self) -> Result<Pass<'a>, Reason> {
        let sends = &self.recipient.sends;
        self.history(sends)?;
        if self.campaign.kind == Kind::Notice {
            return self.notice(sends);
        }
        let policy = self.policy.frequency.iter().filter(|_| !self.campaign.frequency.exempt);
        let caps = policy
            .map(|cap| (CapRule::Policy, *cap))
            .chain(self.recipient.preferences.max_frequency.map(|cap| (CapRule::Recipient, cap)));
        let mut used = Vec::new();
        // Of several full caps the one that frees last says when the next send fits.
        let mut fullest: Option<(Timestamp, Reason)> = None;
        for (rule, cap) in caps {
            let check = cap.check(sends, self.now);
            used.push((rule, cap, check.used));
            let Some(next_slot) = check.next_slot else { continue };
            if fullest.as_ref().is_none_or(|(latest, _)| next_slot > *latest) {
                let FrequencyCap { sends, days } = cap;
                fullest = Some((next_slot, Reason::FrequencyCap { sends, days, used: check.used, next_slot, rule }));
            }
        }
        fullest.map_or(Ok(Pass::Caps(used)), |(_, reason)| Err(reason))
    }

    /// A person whose history is full gets nothing more until its oldest entry is forgotten.
    fn history(&self, sends: &Sends) -> Result<(), Reason> {
        // A notice adds two entries.
        let adds = match self.campaign.kind {
            Kind::Marketing => 1,
            Kind::Notice => 2,
        };
        let mut live: Vec<Timestamp> = sends.live(self.now).map(|send| send.at).collect();
        live.sort_unstable();
        let Some(over) = (live.len() + adds).checked_sub(MAX_HISTORY + 1) else { return Ok(()) };
        let leaves = live.get(over).copied().unwrap_or(self.now);
        let limit = u32::try_from(MAX_HISTORY).unwrap_or(u32::MAX);
        Err(Reason::FrequencyCap {
            sends: limit,
            days: HISTORY_DAYS,
            used: u32::try_from(live.len()).unwrap_or(u32::MAX),
            next_slot: days_after(leaves, HISTORY_DAYS),
            rule: CapRule::History,
        })
    }

    fn notice(&self, sends: &Sends) -> Result<Pass<'a>, Reason> {
        let cap = FrequencyCap { sends: 1, days: NOTICE_DAYS };
        let last = sends.of(SendKey::notice(&self.campaign.template));
        match last.map(|send| days_after(send.at, NOTICE_DAYS)).filter(|free| *free > self.now) {
            Some(next_slot) => {
                let FrequencyCap { sends, days } = cap;
                Err(Reason::FrequencyCap { sends, days, used: 1, next_slot, rule: CapRule::Notice })
            }
            None => Ok(Pass::Caps(vec![(CapRule::Notice, cap, 0)])),
        }
    }

    fn window(&self) -> Result<Pass<'a>, Reason> {
        let window = self.campaign.send_window.as_ref().or(self.policy.send_window.as_ref());
        let Some(window) = window else { return Ok(Pass::Clear) };
        let name = self.recipient.time_zone.as_ref().ok_or(Reason::NoTimeZone)?;
        let zone = name.zone().ok_or(Reason::NoTimeZone)?;
        match window.state(self.now, &zone) {
            WindowState::Open => Ok(Pass::Clear),
            WindowState::OpensAt(opens_at) => {
                Err(Reason::OutsideSendWindow { opens_at, time_zone: name.as_str().to_owned() })
            }
        }
    }

    /// Sticky: the same person is held out of the same campaign whenever one asks.
    fn holdout(&self) -> Result<Pass<'a>, Reason> {
        let percent = self.campaign.holdout_percent;
        if percent == 0 {
            return Ok(Pass::Clear);
        }
        let parts = [b"holdout", self.recipient.id.as_str().as_bytes(), self.campaign.id.as_str().as_bytes()];
        if stable_hash(&parts) % 10_000 < u64::from(percent) * 100 {
            return Err(Reason::Holdout { percent });
        }
        Ok(Pass::Clear)
    }

    /// The values compared by a gate that let the person through.
    fn facts(&self, gate: Gate, pass: &Pass<'_>) -> Value {
        match pass {
            Pass::Consent(topic) => json!({ "topic": topic }),
            Pass::Interest { topic, strength, threshold } => {
                json!({ "topic": topic, "strength": strength, "threshold": threshold })
            }
            Pass::Caps(caps) => {
                let caps = caps.iter().map(|(rule, FrequencyCap { sends, days }, used)| {
                    json!({ "sends": sends, "days": days, "used": used, "rule": rule })
                });
                json!({ "caps": caps.collect::<Vec<_>>() })
            }
            Pass::Clear => match gate {
                Gate::Channel => json!({ "channel": self.campaign.channel }),
                Gate::Pause => json!({ "until": self.recipient.preferences.paused_until }),
                Gate::Ownership => json!({ "promotes": self.campaign.promotes }),
                Gate::Window => json!({ "time_zone": self.recipient.time_zone }),
                Gate::Holdout => json!({ "percent": self.campaign.holdout_percent }),
                Gate::Suppression | Gate::Consent | Gate::Interest | Gate::Duplicate | Gate::Frequency => json!({}),
            },
        }
    }
}
