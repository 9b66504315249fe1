//! Requests with a signature (version 4), as API Gateway takes them
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningSettings},
    sign::v4,
};
use reqwest::{
    Request, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use crate::{
    cli::{clock, failure::Failure},
    lambda::problem::chain,
};

/// The service that a signature for API Gateway names.
const SERVICE: &str = "execute-api";
/// Credentials that end sooner are fetched anew.
const NEARLY_OVER: Duration = Duration::from_mins(1);

/// Signs with the credentials of the usual chain, and gets new ones when they end.
pub struct Signer {
    region: Region,
    provider: SharedCredentialsProvider,
    held: Mutex<Option<Credentials>>,
}

impl Signer {
    /// For the API at `base`. The region stands in its name or, where that is a domain of one's own, in the configuration.
    pub async fn of(base: &Url) -> Result<Self, Failure> {
        let mut config = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = region_in(base) {
            config = config.region(Region::new(region.to_owned()));
        }
        let config = config.load().await;
        let region = config.region().cloned().ok_or_else(|| {
            Failure::bad_input(
                "no_region",
                format!("the region of {} is not known", base.as_str().trim_end_matches('/')),
            )
            .next("say it by AWS_REGION or in the AWS profile: a signature names it")
        })?;
        let provider = config.credentials_provider().ok_or_else(none)?;
        Ok(Self { region, provider, held: Mutex::default() })
    }

    pub fn region(&self) -> &str {
        self.region.as_ref()
    }

    pub async fn sign(&self, request: &mut Request) -> Result<(), Failure> {
        let identity = self.credentials().await?.into();
        let broken = |error: &dyn std::error::Error| {
            Failure::failed("signature", "the request cannot be signed").detail(chain(error))
        };
        let settings = SigningSettings::default();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region())
            .name(SERVICE)
            .time(now())
            .settings(settings)
            .build()
            .map_err(|error| broken(&error))?
            .into();
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let headers = kind.into_iter().map(|kind| (CONTENT_TYPE.as_str(), kind));
        let signable =
            SignableRequest::new(request.method().as_str(), request.url().as_str(), headers, SignableBody::Bytes(body))
                .map_err(|error| broken(&error))?;
        let (signature, _) = http_request::sign(signable, &params).map_err(|error| broken(&error))?.into_parts();
        for (name, value) in signature.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| broken(&error))?;
            let mut value = HeaderValue::from_str(value).map_err(|error| broken(&error))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// Whether a text holds a secret of the credentials.
    pub fn is_in(&self, text: &str) -> bool {
        let held = self.held();
        let secrets = held.iter().flat_map(|held| [Some(held.secret_access_key()), held.session_token()]);
        secrets.flatten().any(|secret| text.contains(secret))
    }

    async fn credentials(&self) -> Result<Credentials, Failure> {
        let lasts = |credentials: &Credentials, at| credentials.expiry().is_none_or(|expiry| expiry > at);
        if let Some(credentials) = self.held().filter(|held| lasts(held, now() + NEARLY_OVER)) {
            return Ok(credentials);
        }
        let credentials = self.provider.provide_credentials().await.map_err(|error| unusable(&error))?;
        if !lasts(&credentials, now()) {
            return Err(Failure::failed("expired_credentials", "the AWS credentials have expired")
                .next("sign in again (such as `aws sso login`), then run it again"));
        }
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(credentials)
    }

    fn held(&self) -> Option<Credentials> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}

/// A time that no signature can hold makes one that is refused.
fn now() -> SystemTime {
    clock::now().try_into().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The region in `<id>.execute-api.<region>.amazonaws.com`.
fn region_in(base: &Url) -> Option<&str> {
    let mut labels = base.host_str()?.split('.').skip(1);
    (labels.next()? == SERVICE).then(|| labels.next())?
}

fn none() -> Failure {
    Failure::failed("no_credentials", "there are no AWS credentials to sign with").next(
        "set AWS_PROFILE, or bring those of a profile into the environment: \
         eval \"$(aws configure export-credentials --format env)\"; \
         if the API takes tokens, set GERMANE_TOKEN",
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what the SDK adds later is credentials that cannot be had")]
fn unusable(error: &CredentialsError) -> Failure {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => none(),
        _ => Failure::failed("unusable_credentials", "the AWS credentials cannot be had").detail(chain(error)).next(
            "see whether `aws sts get-caller-identity` works; if it does: \
             eval \"$(aws configure export-credentials --format env)\"",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_the_name_that_api_gateway_gives() {
        let region = |url: &str| region_in(&url.parse().unwrap()).map(str::to_owned);
        assert_eq!(region("https://a1b2.execute-api.eu-central-1.amazonaws.com/").as_deref(), Some("eu-central-1"));
        assert_eq!(region("https://a1b2.execute-api.cn-north-1.amazonaws.com.cn").as_deref(), Some("cn-north-1"));
        assert_eq!(region("https://mail.example.com"), None);
        assert_eq!(region("https://execute-api.example.com"), None);
    }
}
