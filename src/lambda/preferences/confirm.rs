//! Double opt-in, as the recipient's browser asks.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};

use super::{Caller, failed};
use crate::{
    flow::{
        confirm::{Answered, Question},
        preferences::Preferences,
    },
    lambda::pages::{self, confirm::Sheet},
};

/// Asks, and changes nothing: scanners follow links.
pub(super) async fn ask_consent(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    caller: Caller,
) -> Response {
    match preferences.question(&token).await {
        Ok(Some(question)) => sheet(&caller, &question).asks(&token),
        Ok(None) => pages::unknown(caller.words(None)),
        Err(error) => failed(&caller, &error),
    }
}

/// The button was pressed. What counts is what the page showed: if that has changed meanwhile, it is shown again. The
/// link alone is what lets somebody say yes, so a form from elsewhere could say nothing that its owner could not.
pub(super) async fn confirm_consent(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    caller: Caller,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    if caller.is_from_elsewhere(&preferences.public_url) {
        return pages::refused(caller.words(None));
    }
    // Without one it says yes to nothing that was shown.
    let form = form.map_or_else(|_| Vec::new(), |Form(form)| form);
    let fields =
        |wanted: &'static str| form.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let question = match preferences.question(&token).await {
        Ok(Some(question)) => question,
        Ok(None) => return pages::unknown(caller.words(None)),
        Err(error) => return failed(&caller, &error),
    };
    let asked = sheet(&caller, &question);
    let yes = asked.yes(fields("also"));
    if !yes.is_empty() && fields("shown").next() != Some(asked.digest().as_str()) {
        return asked.asks(&token);
    }
    match preferences.confirm(&token, &yes, caller.origin(&preferences).as_deref()).await {
        Ok(Answered::Granted(question, topics)) => sheet(&caller, &question).granted(&token, &topics),
        Ok(Answered::Nothing(question)) => sheet(&caller, &question).asks(&token),
        Ok(Answered::Unknown) => pages::unknown(caller.words(None)),
        Err(error) => failed(&caller, &error),
    }
}

fn sheet<'q>(caller: &Caller, question: &'q Question) -> Sheet<'q> {
    Sheet { question, words: caller.words_for(question.locale.as_deref()) }
}
