//! What is ready for the first send, and what is not.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::json;

use super::Answer;
use crate::flow::api::{Api, ApiError};

/// Also where something is not ready: that is what was asked.
pub(super) async fn examine(State(api): State<Arc<Api>>) -> Answer {
    Ok(Json(json!(api.doctor.examine().await)))
}

pub(super) async fn verify_order(State(api): State<Arc<Api>>) -> Answer {
    Ok(Json(json!(api.doctor.verify_order().await.map_err(ApiError::from)?)))
}
