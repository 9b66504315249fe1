//! The policy and the templates.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Body, Parameters, Segments, flag, name, named, new_name};
use crate::{
    domain::{actor::Actor, id::TemplateName},
    flow::{api::Api, launch::Versioned},
};

pub(super) async fn put_policy(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Body(body): Body,
) -> Answer {
    Ok(Json(json!({ "version": api.put_policy(&body, &named(actor)).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyQuery {
    about: Option<String>,
}

/// The policy as it can be put again, or who put it and when; its version is the entity tag.
pub(super) async fn get_policy(
    State(api): State<Arc<Api>>,
    Parameters(query): Parameters<PolicyQuery>,
) -> Answer<Response> {
    let about = flag("about", query.about.as_deref())?;
    let current = api.get_policy().await?;
    let Versioned { version, policy, put } = current.as_ref();
    let told = if about {
        let put = put.as_ref();
        json!({ "version": version, "put_by": put.map(|put| &put.by), "put_at": put.map(|put| put.at) })
    } else {
        json!(policy)
    };
    Ok(([(header::ETAG, format!("\"{version}\""))], Json(told)).into_response())
}

pub(super) async fn put_template(
    State(api): State<Arc<Api>>,
    Segments(template): Segments<String>,
    Body(body): Body,
) -> Answer {
    let template: TemplateName = new_name(&template, "/name")?;
    let hash = api.put_template(&template, &body).await?;
    Ok(Json(json!({ "name": template, "hash": hash })))
}

pub(super) async fn get_template(State(api): State<Arc<Api>>, Segments(template): Segments<String>) -> Answer {
    let template: TemplateName = name(&template, "template")?;
    Ok(Json(api.get_template(&template).await?))
}
