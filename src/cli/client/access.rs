//! Where the API is, and how one says there who asks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reqwest::{Request, Url};

use super::{
    EVERYWHERE,
    signer::Signer,
    token::{self, Token},
};
use crate::{
    cli::failure::{Failure, Fault},
    local::control::is_loopback,
};

/// What every verb that asks the API needs to find it and to be let in.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// The API's URL
    #[arg(
        long,
        help = "The API's URL, or GERMANE_ENDPOINT",
        global = true,
        env = "GERMANE_ENDPOINT",
        hide_env = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8787",
        help_heading = EVERYWHERE
    )]
    pub endpoint: String,
    /// How to say who asks
    #[arg(
        long,
        help = "How to say who asks: iam, token, none; or GERMANE_AUTH",
        global = true,
        env = "GERMANE_AUTH",
        hide_env = true,
        hide_possible_values = true,
        value_name = "HOW",
        default_value = "auto",
        help_heading = EVERYWHERE
    )]
    auth: Auth,
    /// A file with a bearer token
    #[arg(
        long,
        help = "A file with a bearer token, or GERMANE_TOKEN with the token itself",
        global = true,
        env = "GERMANE_TOKEN_FILE",
        hide_env = true,
        value_name = "FILE",
        help_heading = EVERYWHERE
    )]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Nothing on this machine; elsewhere the token if there is one, else a signature.
    Auto,
    Iam,
    Token,
    None,
}

impl Access {
    /// To what answers on this machine and asks nobody who they are.
    pub fn unasked(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), auth: Auth::None, token_file: None }
    }

    pub fn base(&self) -> Result<Url, Failure> {
        base(&self.endpoint)
    }

    /// Who asks at `base`. Nothing that proves it leaves in the clear.
    pub async fn identity(&self, base: &Url) -> Result<Identity, Failure> {
        let loopback = on_loopback(base);
        if base.scheme() == "http" && !loopback && self.auth != Auth::None {
            let wanted = "an https URL, or one on this machine";
            return Err(Failure::bad_input(
                "insecure_endpoint",
                "over http anybody on the way could read who asks, and use it",
            )
            .faults([Fault::option("--endpoint", &self.endpoint, wanted)])
            .next("name it with https, or lead a tunnel to this machine; --auth none asks without saying who"));
        }
        match self.auth {
            Auth::None => Ok(Identity::Nobody),
            Auth::Auto if loopback => Ok(Identity::Nobody),
            Auth::Iam => Ok(Identity::Signed(Signer::of(base).await?)),
            Auth::Token => {
                let token = token::read(self.token_file.as_deref())?;
                token.map(Identity::Bearer).ok_or_else(|| {
                    Failure::failed("no_token", "there is no token")
                        .next("put it into the environment as GERMANE_TOKEN, or name its file with --token-file")
                })
            }
            Auth::Auto => match token::read(self.token_file.as_deref())? {
                Some(token) => Ok(Identity::Bearer(token)),
                None => Ok(Identity::Signed(Signer::of(base).await?)),
            },
        }
    }
}

/// The URL that `--endpoint` is.
pub fn base(endpoint: &str) -> Result<Url, Failure> {
    let base = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    // A password in it would be told with the next failure, and is no way to be let in.
    let base = base.filter(|url| url.username().is_empty() && url.password().is_none());
    base.ok_or_else(|| {
        let fault = Fault::option("--endpoint", &shown(endpoint), "a URL such as http://127.0.0.1:8787");
        Failure::bad_input("usage", "the endpoint is no URL").faults([fault])
    })
}

/// What is wrong, less what may be a password in it.
fn shown(endpoint: &str) -> String {
    match endpoint.rsplit_once('@') {
        Some((_, host)) => format!("...@{host}"),
        None => endpoint.to_owned(),
    }
}

pub fn on_loopback(base: &Url) -> bool {
    base.host_str().is_some_and(is_loopback)
}

/// What a request says of who makes it.
#[derive(Debug)]
pub enum Identity {
    Nobody,
    Bearer(Token),
    Signed(Signer),
}

impl Identity {
    /// Whether a text holds what proves who asks.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Bearer(token) => token.is_in(text),
            Self::Signed(signer) => signer.is_in(text),
        }
    }

    pub async fn introduce(&self, request: &mut Request) -> Result<(), Failure> {
        match self {
            Self::Nobody => Ok(()),
            Self::Bearer(token) => {
                token.carry(request);
                Ok(())
            }
            Self::Signed(signer) => signer.sign(request).await,
        }
    }
}
