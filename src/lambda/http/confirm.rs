//! Double opt-in, as the recipient's browser asks.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};

use super::unsaved;
use crate::{
    flow::{confirm::Answered, preferences::Preferences},
    lambda::pages::{self, confirm::Sheet},
};

/// Asks, and changes nothing: scanners follow links.
pub(super) async fn ask_consent(State(preferences): State<Arc<Preferences>>, Path(token): Path<String>) -> Response {
    match preferences.question(&token).await {
        Ok(Some(question)) => Sheet::of(&question).asks(&token),
        Ok(None) => pages::unknown(),
        Err(error) => unsaved(&error, "a consent could not be asked about"),
    }
}

/// The button was pressed. What counts is what the page showed: if that has changed meanwhile, it is shown again.
pub(super) async fn confirm_consent(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    // Without one it says yes to nothing that was shown.
    let form = form.map_or_else(|_| Vec::new(), |Form(form)| form);
    let fields =
        |wanted: &'static str| form.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let question = match preferences.question(&token).await {
        Ok(Some(question)) => question,
        Ok(None) => return pages::unknown(),
        Err(error) => return unsaved(&error, "a consent could not be asked about"),
    };
    let sheet = Sheet::of(&question);
    let yes = sheet.yes(fields("also"));
    if !yes.is_empty() && fields("shown").next() != Some(sheet.digest().as_str()) {
        return sheet.asks(&token);
    }
    match preferences.confirm(&token, &yes, None).await {
        Ok(Answered::Granted(question, topics)) => Sheet::of(&question).granted(&token, &topics),
        Ok(Answered::Nothing(question)) => Sheet::of(&question).asks(&token),
        Ok(Answered::Unknown) => pages::unknown(),
        Err(error) => unsaved(&error, "a confirmation could not be saved"),
    }
}
