//! The routes of the SES v2 API, as the SDK calls them.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Ses, bulk, prepared,
    refusal::Refusal,
    single,
    template::Template,
    wire::{CreateEmailTemplate, SendBulkEmail, SendEmail, UpdateEmailTemplate},
};

/// SES takes messages of up to 40 MB; 50 entries with all the template data that they may have stay below it.
const MAX_BODY_BYTES: usize = 40 * 1024 * 1024;
const MAX_TEMPLATES: usize = 20_000;

pub(super) fn router(ses: Ses) -> Router {
    Router::new()
        .route("/v2/email/outbound-bulk-emails", post(send_bulk_email))
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/v2/email/templates", post(create_template))
        .route("/v2/email/templates/{name}", get(get_template).put(update_template).delete(delete_template))
        .route("/v2/email/account", get(get_account))
        .route("/v2/email/identities/{identity}", get(get_identity))
        .route("/v2/email/configuration-sets/{name}/event-destinations", get(get_event_destinations))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(ses)
}

type Answer = Result<Json<Value>, Refusal>;

async fn send_bulk_email(State(ses): State<Ses>, body: Bytes) -> Answer {
    sending(ses, move |ses| {
        let call: SendBulkEmail = read(&body)?;
        Ok(Json(json!({ "BulkEmailEntryResults": bulk::send(ses, call)? })))
    })
    .await
}

async fn send_email(State(ses): State<Ses>, body: Bytes) -> Answer {
    sending(ses, move |ses| {
        let call: SendEmail = read(&body)?;
        Ok(Json(json!({ "MessageId": single::send(ses, call)? })))
    })
    .await
}

/// Counts a call, and answers it: where mails are written to the disk, away from the threads that serve.
async fn sending(ses: Ses, answer: impl FnOnce(&Ses) -> Answer + Send + 'static) -> Answer {
    ses.book().tally.calls += 1;
    if ses.0.archive.is_none() {
        return answer(&ses);
    }
    tokio::task::spawn_blocking(move || answer(&ses)).await.unwrap_or_else(|error| Err(Refusal::not_kept(&error)))
}

async fn create_template(State(ses): State<Ses>, body: Bytes) -> Answer {
    let call: CreateEmailTemplate = read(&body)?;
    let template = Arc::new(Template::stored(call.template_name.clone(), call.template_content)?);
    let mut templates = ses.templates();
    if templates.contains_key(&call.template_name) {
        return Err(Refusal::already_exists(format!("Template {} already exists", call.template_name)));
    }
    if templates.len() >= MAX_TEMPLATES {
        return Err(Refusal::limit_exceeded(format!("An account has at most {MAX_TEMPLATES} templates")));
    }
    ses.0.keep_template(&template)?;
    templates.insert(call.template_name, template);
    Ok(Json(json!({})))
}

async fn update_template(State(ses): State<Ses>, Path(name): Path<String>, body: Bytes) -> Answer {
    let call: UpdateEmailTemplate = read(&body)?;
    let template = Arc::new(Template::stored(name.clone(), call.template_content)?);
    let mut templates = ses.templates();
    let held = templates.get_mut(&name).ok_or_else(|| no_template(&name))?;
    ses.0.keep_template(&template)?;
    *held = template;
    Ok(Json(json!({})))
}

async fn get_template(State(ses): State<Ses>, Path(name): Path<String>) -> Answer {
    let template = ses.template(&name).ok_or_else(|| no_template(&name))?;
    Ok(Json(json!({ "TemplateName": name, "TemplateContent": template.content })))
}

/// Deleting what is not there succeeds, as it does at SES.
async fn delete_template(State(ses): State<Ses>, Path(name): Path<String>) -> Answer {
    let mut templates = ses.templates();
    if templates.contains_key(&name) {
        ses.0.drop_template(&name)?;
        templates.remove(&name);
    }
    Ok(Json(json!({})))
}

async fn get_account(State(ses): State<Ses>) -> Json<Value> {
    let config = ses.0.config;
    Json(json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": !config.sandbox,
        "SendingEnabled": true,
        "SendQuota": {
            "Max24HourSend": config.daily_quota,
            "MaxSendRate": config.max_send_rate,
            "SentLast24Hours": ses.sent_last_24_hours(),
        },
        "PricingAttributes": { "CurrentPlan": "ESSENTIALS" },
    }))
}

async fn get_identity(State(ses): State<Ses>, Path(name): Path<String>) -> Answer {
    prepared::identity(&name, &ses.0.config).map(Json)
}

async fn get_event_destinations(Path(name): Path<String>) -> Answer {
    prepared::event_destinations(&name).map(Json)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(format!("The request does not read: {error}")))
}

fn no_template(name: &str) -> Refusal {
    Refusal::not_found(format!("Template {name} does not exist."))
}
