//! What an answer that is no success means: the input, permission, or the API itself; and what to do.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Method, StatusCode, Url,
    header::{DATE, HeaderMap, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use serde_json::Value;

use super::{access::Identity, role::Role};
use crate::cli::{
    clock,
    failure::{Exit, Failure, Fault},
    prose::span,
};

/// A signature is good for five minutes around its time, by API Gateway's clock.
const SIGNED_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Of what a gateway says, so much is told.
const MAX_SAID: usize = 200;

/// What was asked, and by whom.
pub struct Asked<'a> {
    pub base: &'a Url,
    pub method: &'a Method,
    pub path: &'a [&'a str],
    pub identity: &'a Identity,
}

/// Problem details (RFC 9457) of the API, or the `message` of a gateway before it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
    errors: Vec<Fault>,
    message: Option<String>,
}

impl Asked<'_> {
    pub fn refused(&self, status: StatusCode, headers: &HeaderMap, text: &str) -> Failure {
        let problem = self.problem(text);
        let at = self.base.as_str().trim_end_matches('/');
        match (status, &problem.code) {
            (StatusCode::UNAUTHORIZED, None) => self.unknown(headers),
            (StatusCode::FORBIDDEN, None) => self.forbidden(headers),
            // The API names what it does not find by a code.
            (StatusCode::NOT_FOUND, None) => {
                Failure::bad_input("wrong_endpoint", format!("{at} is not where Germane's API is"))
                    .next("name with --endpoint what the deployment's output ApiUrl says")
            }
            (status, None) if status.is_redirection() => {
                Failure::bad_input("wrong_endpoint", format!("{at} sends on to another place"))
                    .next("name that place itself with --endpoint: who asks is told to nobody else")
            }
            (status, _) => of(status, problem),
        }
    }

    /// What the answer says. One that says a secret back, as some gateways do with a header that they cannot read, says
    /// nothing.
    fn problem(&self, text: &str) -> Problem {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let echoed = self.identity.is_in(&said.to_string());
        if echoed { Problem::default() } else { Problem::deserialize(said).unwrap_or_default() }
    }

    fn unknown(&self, headers: &HeaderMap) -> Failure {
        let failure = |title: &str| Failure::failed("unauthorized", title);
        match self.identity {
            Identity::Nobody => failure("the API wants to know who asks").next(
                "set GERMANE_TOKEN or name a --token-file; if it takes signatures of AWS, --auth iam",
            ),
            Identity::Bearer(_) => Failure {
                detail: self.said(headers).map(Into::into),
                ..failure("the API does not accept the token").next(
                    "get a new one, of the issuer and for the audience that the deployment names (JwtIssuer, JwtAudience)",
                )
            },
            Identity::Signed(_) => failure("the API takes no signature of AWS")
                .next("set GERMANE_TOKEN or name a --token-file: it takes tokens"),
        }
    }

    fn forbidden(&self, headers: &HeaderMap) -> Failure {
        let role = Role::needed(self.method, self.path);
        let failure = |title: &str| Failure::failed("forbidden", format!("{title}: it takes the role {}", role.name()));
        match self.identity {
            Identity::Nobody => failure("the API does not let just anybody do this").next(
                "say who asks: GERMANE_TOKEN or --token-file for a token, --auth iam for a signature of AWS",
            ),
            Identity::Bearer(_) => Failure {
                detail: self.said(headers).map(Into::into),
                ..failure("the token does not allow this").next(format!(
                    "get a token with the scope {}; if the API takes signatures of AWS instead, --auth iam",
                    role.scope()
                ))
            },
            Identity::Signed(signer) => match off_by(headers) {
                Some(off) => Failure::failed("clock", format!("the clock here is off by {off}: signatures do not hold"))
                    .next("set the clock, then run it again"),
                None => failure("these AWS credentials do not allow this")
                    .detail(format!("signed for {}; credentials that have expired are refused in the same way", signer.region()))
                    .next(format!(
                        "`aws sts get-caller-identity` says whose they are; give them the policy that the stack's output {} names",
                        role.output()
                    )),
            },
        }
    }

    /// What the gateway says of a token (RFC 6750, section 3), unless it says the token itself.
    fn said(&self, headers: &HeaderMap) -> Option<String> {
        let challenge = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
        let (_, rest) = challenge.split_once("error_description=\"")?;
        let (said, _) = rest.split_once('"')?;
        let echoed = self.identity.is_in(said);
        let plain = said.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        (plain && !echoed && !said.is_empty() && said.len() <= MAX_SAID).then(|| said.to_owned())
    }
}

/// How far the clock here is from the answer's, if that is too far.
fn off_by(headers: &HeaderMap) -> Option<String> {
    let there: Timestamp = rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?.timestamp();
    let off = clock::now().duration_since(there).abs();
    (off > SIGNED_FOR).then(|| span(off.as_secs().unsigned_abs()))
}

pub fn busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn of(status: StatusCode, problem: Problem) -> Failure {
    let title = problem.title.or(problem.message).or_else(|| status.canonical_reason().map(str::to_owned));
    let title = title.unwrap_or_else(|| format!("the API answered {}", status.as_u16()));
    let exit = if status.is_client_error() && !busy(status) { Exit::BadInput } else { Exit::Failed };
    let code = problem.code.unwrap_or_else(|| format!("http_{}", status.as_u16()));
    let next = next_step(&code, exit).map(Into::into);
    Failure { detail: problem.detail.map(Into::into), next, ..Failure::of(exit, code, title).faults(problem.errors) }
}

fn next_step(code: &str, exit: Exit) -> Option<&'static str> {
    match (code, exit) {
        ("not_evaluated", _) => Some("see how far the campaign is: germane status ID"),
        ("id_taken", _) => Some("give the campaign another id: one is used once, for ever"),
        ("illegal_move", _) => Some("see how it stands: germane status ID"),
        ("changed_since_preview", _) => Some("preview it again: germane preview FILE"),
        (_, Exit::Failed) => Some("try again: every verb may be repeated"),
        (_, Exit::BadInput | Exit::Unheard) => None,
    }
}
