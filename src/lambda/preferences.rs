//! What recipients' browsers and mail programs call.

mod confirm;
pub mod form;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Form, Router,
    body::to_bytes,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Path, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::{Next, from_fn, map_response},
    response::Response,
    routing::{get, post},
};

use self::form::{Fields, Wish};
use super::{
    http::routes,
    pages::{self, Answer, Desk, Fault},
    problem::chain,
};
use crate::{
    domain::recipient::{Act, Less, More, NotDone},
    flow::{
        api::recipients::Place,
        held::Erased,
        port::PortError,
        preferences::{
            Acted, Preferences, Shown, Unsubscribed,
            link::Linked,
            visit::{Scope, Visit},
        },
        token::TEST_LINK,
        words::{self, Words},
    },
};

/// Of a form, or of whatever a mail program sends along.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// The part of the page where what is no longer offered was chosen.
const FIELD_OF_ALL: &str = "topics";

routes!(
    /// What recipients' browsers and mail programs call: methods and paths.
    PREFERENCES_ROUTES, preferences_routes: Arc<Preferences> {
        get "/u/{token}" => confirm_unsubscribe,
        post "/u/{token}" => unsubscribe,
        get "/p/{token}" => look,
        post "/p/{token}" => send,
        get "/c/{token}" => confirm::ask_consent,
        post "/c/{token}" => confirm::confirm_consent,
    }
);

pub fn router(preferences: Arc<Preferences>) -> Router {
    let protect = |mut response: Response| async move {
        pages::protect(response.headers_mut());
        response
    };
    preferences_routes()
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(of_a_test))
        .layer(map_response(protect))
        .with_state(preferences)
}

/// The links of a test mail act on nobody, whatever is asked of them, and say so.
async fn of_a_test(caller: Caller, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.split('/').nth(2) != Some(TEST_LINK) {
        return next.run(request).await;
    }
    // Taken off the wire, so that the connection stays in order.
    drop(to_bytes(request.into_body(), MAX_BODY_BYTES).await);
    pages::of_a_test(caller.words(None))
}

/// Where a request came from, as whoever took it knows it: for a request extension, where there is no connection.
#[derive(Debug, Clone)]
pub struct NetworkAddress(pub String);

/// What a request says besides its path.
struct Caller {
    address: Option<String>,
    agent: String,
    languages: String,
    /// What a browser says of where the request was made: `Sec-Fetch-Site`, `Origin` and the host that it asked.
    site: Option<String>,
    origin: Option<String>,
    host: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let connection = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
        Ok(Self {
            address: parts.extensions.get::<NetworkAddress>().map(|known| known.0.clone()).or_else(connection),
            agent: text(header::USER_AGENT),
            languages: text(header::ACCEPT_LANGUAGE),
            site: said(&parts.headers, "sec-fetch-site"),
            origin: said(&parts.headers, "origin"),
            host: said(&parts.headers, "host"),
        })
    }
}

fn said(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
}

impl Caller {
    /// Whether a browser says that another site's page made the request (W3C Fetch Metadata). Our pages send no
    /// referrer, for which browsers write the origin of their forms as `null`.
    fn is_from_elsewhere(&self, public_url: &str) -> bool {
        match (self.site.as_deref(), self.origin.as_deref()) {
            (Some(site), _) => site != "same-origin" && site != "none",
            (None, None | Some("null")) => false,
            (None, Some(origin)) => {
                let asked = origin.split_once("://").map(|(_, host)| host);
                // What is in front of us may ask by a host of its own.
                origin != public_url && (asked.is_none() || asked != self.host.as_deref())
            }
        }
    }

    fn origin(&self, preferences: &Preferences) -> Option<String> {
        self.address.as_deref().map(|address| preferences.origins.of(address, &self.agent))
    }

    /// The language of the person, else of the browser.
    fn words(&self, visit: Option<&Visit>) -> &'static Words {
        self.words_for(visit.and_then(|visit| visit.recipient.locale.as_deref()))
    }

    fn words_for(&self, locale: Option<&str>) -> &'static Words {
        words::words(locale.into_iter().chain(words::accepted(&self.languages)))
    }
}

async fn confirm_unsubscribe(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    caller: Caller,
) -> Response {
    match preferences.open_unsubscribe(&token).await {
        Ok(Some(visit)) => desk(&preferences, &visit, &token, &caller).ask_unsubscribe(),
        Ok(None) => pages::unknown(caller.words(None)),
        Err(error) => failed(&caller, &error),
    }
}

/// The token decides alone; what the body says does not matter (RFC 8058 sends `List-Unsubscribe=One-Click`), nor from
/// where it comes: mail programs send it from their own sites.
async fn unsubscribe(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    caller: Caller,
    request: Request,
) -> Response {
    // Taken off the wire, so that the connection stays in order; an error is the sender's alone.
    drop(to_bytes(request.into_body(), MAX_BODY_BYTES).await);
    match preferences.unsubscribe(&token, caller.origin(&preferences)).await {
        Ok(Unsubscribed::Done) => match preferences.open_unsubscribe(&token).await {
            Ok(Some(visit)) => desk(&preferences, &visit, &token, &caller).unsubscribed(),
            // It is done, whatever can be said of it.
            Ok(None) | Err(_) => pages::unsubscribed(caller.words(None)),
        },
        Ok(Unsubscribed::UnknownToken) => pages::unknown(caller.words(None)),
        Err(error) => failed(&caller, &error),
    }
}

async fn look(State(preferences): State<Arc<Preferences>>, Path(token): Path<String>, caller: Caller) -> Response {
    match preferences.open(&token).await {
        Ok(Some(visit)) => desk(&preferences, &visit, &token, &caller).show(&Answer::default()),
        Ok(None) => pages::unknown(caller.words(None)),
        Err(error) => failed(&caller, &error),
    }
}

async fn send(
    State(preferences): State<Arc<Preferences>>,
    Path(token): Path<String>,
    caller: Caller,
    request: Request,
) -> Response {
    let visit = match preferences.open(&token).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return pages::unknown(caller.words(None)),
        Err(error) => return failed(&caller, &error),
    };
    let fields = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let fields = Fields(fields.map(|Form(fields)| fields).unwrap_or_default());
    let ours = preferences.tokens.verify_form(&token, fields.get("action"), fields.get("form"));
    if caller.is_from_elsewhere(&preferences.public_url) || !ours {
        return pages::refused(caller.words(Some(&visit)));
    }
    let answered = Sent { preferences: &preferences, visit, token: &token, caller: &caller, fields: &fields }.answer();
    answered.await.unwrap_or_else(|error| failed(&caller, &error))
}

/// A form of ours, sent by somebody who holds its link.
struct Sent<'a> {
    preferences: &'a Preferences,
    visit: Visit,
    token: &'a str,
    caller: &'a Caller,
    fields: &'a Fields,
}

impl Sent<'_> {
    async fn answer(self) -> Result<Response, PortError> {
        let desk = self.desk(&self.visit);
        let (preferences, id) = (self.preferences, &self.visit.recipient.id);
        let wish = match form::read(self.fields, self.visit.now) {
            Ok(wish) => wish,
            Err(fault) => return Ok(desk.show(&Answer::fault(fault))),
        };
        match (&wish, &self.visit.scope) {
            (Wish::Link, _) => {
                let linked = preferences.mail_link(id, self.visit.channel(), desk.words.language).await?;
                let key = match linked {
                    Linked::OnItsWay => "done.link",
                    Linked::Later => "done.link_later",
                };
                Ok(desk.show(&Answer::status(desk.words.say(key, &[]))))
            }
            (Wish::Act(act @ Act::Less(_)), Scope::Mail { .. }) | (Wish::Act(act), Scope::Access(_)) => {
                self.act(&desk, act).await
            }
            (Wish::Download, Scope::Access(_)) => match preferences.held.export(id).await? {
                Some(whole) => Ok(pages::file(&whole)),
                None => Ok(pages::unknown(self.caller.words(None))),
            },
            (Wish::AskErase, Scope::Access(_)) => Ok(desk.ask_erase()),
            (Wish::Erase, Scope::Access(_)) => {
                match preferences.held.erase(id).await? {
                    // That nobody is there is as good.
                    Erased::Done | Erased::Nobody => Ok(desk.erased()),
                    Erased::Contended => Ok(pages::try_again(desk.words)),
                }
            }
            // Nothing, or more than the link may do: no page of it has such a form.
            (Wish::Look, _)
            | (
                Wish::Act(Act::More(_)) | Wish::Download | Wish::AskErase | Wish::Erase,
                Scope::Mail { .. } | Scope::Expired(_),
            )
            | (Wish::Act(Act::Less(_)), Scope::Expired(_)) => Ok(desk.show(&Answer::default())),
        }
    }

    async fn act(&self, desk: &Desk<'_>, act: &Act) -> Result<Response, PortError> {
        let shown = Shown {
            place: Place::Page,
            text: evidence(desk, act),
            text_version: Some(format!("preferences.{}", desk.words.say("version", &[]))),
            origin: self.caller.origin(self.preferences),
        };
        match self.preferences.act(&self.visit.recipient.id, act, &shown).await? {
            Acted::Done => {}
            Acted::Not(not_done) => return Ok(desk.show(&Answer::fault(self.fault(not_done)))),
            Acted::Gone => return Ok(pages::unknown(self.caller.words(None))),
        }
        // As it is now, and in the language that they may just have chosen.
        match self.preferences.open(self.token).await? {
            Some(visit) => {
                let desk = self.desk(&visit);
                Ok(desk.show(&Answer::status(pages::said(&desk, act))))
            }
            None => Ok(pages::unknown(self.caller.words(None))),
        }
    }

    fn desk<'v>(&'v self, visit: &'v Visit) -> Desk<'v> {
        desk(self.preferences, visit, self.token, self.caller)
    }

    fn fault(&self, not_done: NotDone) -> Fault {
        let action = self.fields.get("action");
        let field = match not_done {
            NotDone::NotLess | NotDone::LastAddress => action,
            NotDone::NotOffered | NotDone::NoAddress if action == "addresses" => action,
            NotDone::NotOffered | NotDone::NoAddress => FIELD_OF_ALL,
        };
        Fault { field: field.to_owned(), error: not_done.as_str(), found: String::new() }
    }
}

/// The words beside the button, for what they grant or withdraw by it.
fn evidence(desk: &Desk<'_>, act: &Act) -> Option<String> {
    match act {
        Act::More(More::Join { topic, channel }) => Some(desk.of(topic, *channel, "choose.evidence")),
        Act::Less(Less::Leave { topic, channel }) => Some(format!(
            "{} {}",
            desk.words.say("topics.stop", &[]),
            desk.of_place(topic, *channel, "topics.stop_about")
        )),
        Act::Less(_) | Act::More(_) => None,
    }
}

fn desk<'a>(preferences: &'a Preferences, visit: &'a Visit, link: &'a str, caller: &Caller) -> Desk<'a> {
    Desk { words: caller.words(Some(visit)), visit, tokens: &preferences.tokens, link }
}

fn failed(caller: &Caller, error: &PortError) -> Response {
    tracing::error!(error = chain(error), "what a recipient asked for could not be done");
    pages::try_again(caller.words(None))
}
