//! The words of the domain: its names, numbers and closed sets, each a component of its own.

use std::borrow::Cow;

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use crate::{
    domain::{
        campaign::{Kind, OnCap},
        channel::{Channel, Context},
        consent::{Basis, ConsentStatus},
        decision::{CapRule, OutcomeKind, ReasonCode},
        email::{EmailAddress, Mailbox},
        gate::Gate,
        id::{CampaignId, NewsletterId, Product, RecipientId, TemplateName},
        interest::{InterestSource, Strength},
        price::Plan,
        readiness::{Looked, State},
        recipient::{SuppressionKind, Unusable},
        report::{CampaignStatus, StatusCode},
        time::ZoneName,
        topic::Topic,
    },
    flow::api::{
        Code,
        recipients::{Merged, Place},
        trial::Tried,
    },
};

/// An instant.
pub struct Time;

/// A local time of day.
pub struct ClockTime;

/// Where a list goes on.
pub struct Cursor;

/// Yes or no, in a query.
pub struct Flag;

/// What an attribute is called.
pub struct Name;

/// A name that this API made.
pub struct Token;

/// A document such as the one that is described here.
pub struct Document;

macro_rules! words {
    ($($word:ty, $name:literal: $schema:expr;)*) => {
        $(
            impl PartialSchema for $word {
                fn schema() -> RefOr<Schema> {
                    $schema.build().into()
                }
            }

            impl ToSchema for $word {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed($name)
                }
            }
        )*
    };
}

words! {
    RecipientId, "RecipientId": id("r-1042", "A recipient's name in your systems; never an address, because ids reach logs.");
    CampaignId, "CampaignId": id("rust-weekly-2026-47", "A campaign's name; used once, for ever.");
    NewsletterId, "NewsletterId": id("rust-weekly", "A newsletter's name.");
    Product, "Product": id("course-rust-101", "Something that a recipient may own and a campaign may promote.");
    TemplateName, "TemplateName": id("newsletter", "The name of a template: the folder that it lives in.");
    Topic, "Topic": text("rust/async", "What a campaign is about, the unit of consent and interest; a fact about a \
        topic counts for those below it, by whole segments.")
        .pattern(Some("^[a-z0-9-]+(/[a-z0-9-]+)*$"))
        .max_length(Some(128));
    EmailAddress, "EmailAddress": text("r-1042@example.com", "An address that SES takes: the part before the @ in \
        ASCII. One address belongs to one recipient.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)));
    Mailbox, "Mailbox": text("Rust Weekly <news@example.com>", "An address, or a name with one, in ASCII.")
        .max_length(Some(320));
    ZoneName, "TimeZone": text("Europe/Berlin", "A time zone of the IANA database.");
    Time, "Time": text("2026-11-23T09:00:00Z", "An instant (RFC 3339), kept to the millisecond.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    ClockTime, "ClockTime": text("09:00", "A local time of day, in 24 hours.")
        .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"));
    Cursor, "Cursor": text("3.r-1042", "Where a list goes on: as it came in the part before, and only meant to be given back.");
    Flag, "Flag": ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false)));
    Name, "AttributeName": text("first_name", "What an attribute is called.");
    Token, "Token": text("9f2c41d07a3be815", "As it came from this API, and only meant to be given back.");
    Document, "Document": ObjectBuilder::new().description(Some("See the OpenAPI Specification 3.1."));
    Strength, "Strength": ObjectBuilder::new()
        .schema_type(Type::Number)
        .description(Some("How strong an interest is, kept in steps of 0.0001."))
        .minimum(Some(0.0))
        .maximum(Some(1.0))
        .examples([json!(0.9)]);
    Channel, "Channel": of(Channel::ALL, "Which of a recipient's addresses; one never stands in for the other.");
    Context, "Context": of(Context::ALL, "Where an interest was shown; one shown at work never justifies a mail to \
        the personal address, nor the reverse.");
    ConsentStatus, "ConsentStatus": of(ConsentStatus::ALL, "How a recipient's yes stands; only a grant permits mail.");
    Basis, "Basis": of(Basis::ALL, "What makes a yes lawful; implied from a purchase it ends after 2 years, from an \
        inquiry after 6 months.");
    InterestSource, "InterestSource": of(InterestSource::ALL, "How an interest became known; all but declared ones \
        halve every `half_life_days` of the policy, social ones count only with a consent to `data/social`.");
    Kind, "CampaignKind": of(Kind::ALL, "A notice passes only the gates suppression, channel, duplicate and \
        frequency, and reaches a person at most once in 30 days.");
    OnCap, "OnCap": of(OnCap::ALL, "What becomes of a person whose frequency cap is full.");
    OutcomeKind, "Outcome": of(OutcomeKind::ALL, "How it ended for one person.");
    ReasonCode, "Reason": of(ReasonCode::ALL, "Why somebody was not mailed.");
    CapRule, "CapRule": of(CapRule::ALL, "Whose frequency cap it was that refused.");
    Gate, "Gate": of(Gate::ALL, "One check of a person, in the order in which they are asked.");
    SuppressionKind, "SuppressionKind": of(SuppressionKind::ALL, "Why a person is not mailed, whatever consent says.");
    Unusable, "Unusable": of(Unusable::ALL, "Why an address cannot be mailed, whoever it belongs to.");
    CampaignStatus, "CampaignStatus": of(CampaignStatus::ALL, "Where a campaign or a preview stands.");
    StatusCode, "StatusCode": of(StatusCode::ALL, "Why a campaign is paused, waiting or refused.");
    Place, "Place": of(Place::ALL, "Where a consent was changed.");
    Looked, "CheckName": of(Looked::ALL, "What a check is about.");
    State, "CheckState": of(State::ALL, "How it stands: a campaign can run where it is `ready` or `advice` (something would \
        be better otherwise); `missing` has to be put right first, `unknown` could not be looked at.");
    Plan, "Plan": of(Plan::ALL, "What the account pays SES by.");
    Code, "ProblemCode": of(Code::ALL, "What problems may be told apart by; stable.");
    Tried, "TestOutcome": of(Tried::ALL, "What is known of a test mail; in doubt, SES did not answer, and \
        it may have been sent.");
    Merged, "Merged": of(Merged::ALL, "What became of a recipient that was put.");
}

fn text(example: &str, description: &str) -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    object.examples([json!(example)])
}

fn id(example: &str, description: &str) -> ObjectBuilder {
    text(example, description).pattern(Some("^[A-Za-z0-9._-]{1,128}$"))
}

fn of<T: serde::Serialize>(all: &[T], description: &str) -> ObjectBuilder {
    let words = all.iter().map(|word| json!(word));
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(words))
}
