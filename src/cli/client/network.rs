//! Why no answer came: the name, the connection, its protection, or time.

use std::{error::Error, io, time::Duration};

use reqwest::Url;

use super::access::on_loopback;
use crate::{cli::failure::Failure, lambda::problem::chain};

pub const TIMEOUT: Duration = Duration::from_mins(1);
pub const CONNECT: Duration = Duration::from_secs(5);

/// How the HTTP client begins to say that a name leads nowhere.
const NAMELESS: [&str; 2] = ["dns error", "invalid dns name"];
const AGAIN: &str = "try again: every verb may be repeated";

pub fn unreachable(base: &Url, error: &reqwest::Error) -> Failure {
    let at = base.as_str().trim_end_matches('/');
    if error.is_connect() {
        unconnected(base, at, error)
    } else if error.is_timeout() {
        Failure::failed("timeout", format!("{at} did not answer within {} seconds", TIMEOUT.as_secs())).next(AGAIN)
    } else {
        Failure::failed("connection", format!("the connection to {at} broke")).next(AGAIN)
    }
}

fn unconnected(base: &Url, at: &str, error: &reqwest::Error) -> Failure {
    if on_loopback(base) && base.scheme() == "http" {
        return Failure::failed("no_answer", format!("nothing answers at {at}"))
            .next("start it with `germane local`, or name another with --endpoint");
    }
    let host = base.host_str().unwrap_or_default();
    if error.is_timeout() {
        return Failure::failed("timeout", format!("{at} cannot be reached within {} seconds", CONNECT.as_secs()))
            .next("look whether a firewall or a VPN stands between, then try again");
    }
    if causes(error).map(ToString::to_string).any(|cause| NAMELESS.iter().any(|word| cause.starts_with(word))) {
        return Failure::failed("dns", format!("there is no host {host}, or no network")).next(
            "look whether --endpoint is spelt as the deployment's output ApiUrl, and whether there is a network",
        );
    }
    if causes(error).any(is_protection) {
        return Failure::failed("tls", format!("{host} offers no protected connection that can be trusted"))
            .detail(causes(error).last().map(ToString::to_string).unwrap_or_default())
            .next("look whether it is the right host and port, and whether something between answers in its place");
    }
    Failure::failed("no_answer", format!("nothing answers at {at}"))
        .detail(causes(error).last().map_or_else(|| chain(error), ToString::to_string))
        .next("look whether it is the right host and port, and whether there is a network")
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |error: &&(dyn Error + 'static)| (*error).source())
}

/// TLS tells what it does not like as data that is invalid; a connection that is refused or cut is another kind.
fn is_protection(cause: &(dyn Error + 'static)) -> bool {
    let mut within = cause.downcast_ref::<io::Error>();
    while let Some(error) = within {
        if error.kind() == io::ErrorKind::InvalidData {
            return true;
        }
        within = error.get_ref().and_then(|inner| inner.downcast_ref());
    }
    false
}
