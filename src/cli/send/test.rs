//! `germane send --test`: one mail to a test address, as a recipient would get it.

use serde_json::{Value, json};

use crate::{
    cli::{
        client::Client,
        failure::{Failure, Fault},
        screen::Screen,
    },
    domain::{
        email::EmailAddress,
        id::{CampaignId, RecipientId},
    },
};

/// `to` is empty for the policy's first test address.
pub(super) async fn mail(
    campaign: &Value,
    file: &str,
    to: &str,
    recipient: Option<&RecipientId>,
    client: &Client,
    screen: Screen,
) -> Result<(), Failure> {
    let to = if to.is_empty() { None } else { Some(address(to)?) };
    let id = campaign.get("id").and_then(Value::as_str).and_then(|id| id.parse::<CampaignId>().ok());
    let id = id.ok_or_else(|| {
        let (field, found) = ("/id".to_owned(), campaign.get("id").map_or("nothing".to_owned(), Value::to_string));
        let wanted = "the id of a campaign".to_owned();
        let fault = Fault { file: None, line: None, field, found, wanted };
        Failure::bad_input("bad_id", format!("{file} does not say which campaign it is")).faults([fault]).within(file)
    })?;
    let body = json!({
        "to": to.as_ref().map(EmailAddress::reveal), "recipient": recipient, "campaign": campaign,
    });
    let told =
        client.post_once(&["campaigns", id.as_str(), "test"], &body).await.map_err(|failure| told(failure, file))?;
    if screen.json {
        return screen.document(&told);
    }
    match told.get("result").and_then(Value::as_str) {
        Some("sent") => screen.line(format_args!("{id}: a test mail is on its way")),
        Some("in_doubt") => screen.line(format_args!(
            "{id}: the test mail may have been sent, SES did not say; look into the mailbox before you send another"
        )),
        Some(_) | None => Err(client.strange("a test mail without a result")),
    }
}

/// What is typed may be somebody's address also where it is wrong, so it is only measured.
fn address(raw: &str) -> Result<EmailAddress, Failure> {
    raw.parse().map_err(|wanted: crate::domain::door::Wanted| {
        let found = format!("a text of {} characters", raw.chars().count());
        let fault = Fault { file: None, line: None, field: "--test".to_owned(), found, wanted: wanted.to_string() };
        Failure::bad_input("usage", "that is no address").faults([fault])
    })
}

/// Faults of the campaign are in the file; others are in the options.
fn told(failure: Failure, file: &str) -> Failure {
    let faults = failure.faults.into_iter().map(|fault| match fault.field.strip_prefix("/campaign") {
        Some(field) => Fault { field: field.to_owned(), ..fault }.within(file, None),
        None => match fault.field.as_str() {
            "/to" => Fault { field: "--test".to_owned(), ..fault },
            "/recipient" => Fault { field: "--as".to_owned(), ..fault },
            _ => fault,
        },
    });
    let faults: Vec<Fault> = faults.collect();
    // Whether an answer that did not come was to a mail that went, nobody knows.
    let in_doubt =
        matches!(failure.code.as_str(), "timeout" | "connection" | "http_500" | "http_502" | "http_503" | "http_504");
    let next = if in_doubt {
        Some("it may have been sent: look into the mailbox before you send another".into())
    } else {
        failure.next
    };
    Failure { faults, next, ..failure }
}
