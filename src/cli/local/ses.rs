//! What the SES account of the local stack allows.

use clap::{Args, ValueEnum};

use crate::local::ses::{SesConfig, Throttle};

/// Of an account that AWS has not yet let out of the sandbox.
const SANDBOX_RATE: f64 = 1.0;
const SANDBOX_QUOTA: f64 = 200.0;

#[derive(Debug, Args)]
#[command(next_help_heading = "The SES account")]
pub struct Limits {
    /// Recipients a second, also 0.5 [default: 5000; in the sandbox 1]
    #[arg(long = "ses-rate", value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Recipients in any 24 hours [default: 1000000; in the sandbox 200]
    #[arg(long = "ses-daily-quota", value_name = "N")]
    daily_quota: Option<u32>,
    /// Mail only the simulator and the sender's own domain
    #[arg(long = "ses-sandbox")]
    sandbox: bool,
    /// The sender's domain waits for its DNS records: nothing is sent
    #[arg(long = "ses-identity-pending")]
    identity_pending: bool,
    /// A call over the rate fails as a `whole` or by `entry`
    #[arg(long = "ses-throttle", value_name = "HOW", default_value = "whole", hide_possible_values = true)]
    throttle: Loses,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Loses {
    Whole,
    Entry,
}

impl Limits {
    pub fn config(self) -> SesConfig {
        let Self { rate, daily_quota, sandbox, identity_pending, throttle } = self;
        let usual = SesConfig::default();
        let (usual_rate, usual_quota) =
            if sandbox { (SANDBOX_RATE, SANDBOX_QUOTA) } else { (usual.max_send_rate, usual.daily_quota) };
        SesConfig {
            max_send_rate: rate.unwrap_or(usual_rate),
            daily_quota: daily_quota.map_or(usual_quota, f64::from),
            sandbox,
            identity_pending,
            throttle: match throttle {
                Loses::Whole => Throttle::Whole,
                Loses::Entry => Throttle::Entry,
            },
        }
    }
}

fn rate(raw: &str) -> Result<f64, &'static str> {
    let rate = raw.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or("wanted a number above 0, such as 14 or 0.5")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: Limits,
    }

    fn account(args: &str) -> Option<SesConfig> {
        let line = Line::try_parse_from(["local"].into_iter().chain(args.split_whitespace()));
        line.ok().map(|line| line.limits.config())
    }

    #[test]
    fn without_a_word_it_is_a_large_account() {
        assert_eq!(account(""), Some(SesConfig::default()));
    }

    #[test]
    fn a_sandbox_is_small_unless_told_otherwise() {
        let sandbox = account("--ses-sandbox").unwrap();
        assert_eq!((sandbox.sandbox, sandbox.max_send_rate, sandbox.daily_quota), (true, 1.0, 200.0));
        let wider = account("--ses-sandbox --ses-rate 14 --ses-daily-quota 5000").unwrap();
        assert_eq!((wider.sandbox, wider.max_send_rate, wider.daily_quota), (true, 14.0, 5_000.0));
    }

    #[test]
    fn both_ways_to_refuse_a_call_over_the_rate_are_had() {
        assert_eq!(account("--ses-throttle whole").unwrap().throttle, Throttle::Whole);
        assert_eq!(account("--ses-throttle entry").unwrap().throttle, Throttle::Entry);
    }

    #[test]
    fn a_limit_that_is_none_is_refused() {
        assert_eq!(account("--ses-rate 0.5").map(|account| account.max_send_rate), Some(0.5));
        for args in [
            "--ses-rate 0",
            "--ses-rate=-1",
            "--ses-rate inf",
            "--ses-rate NaN",
            "--ses-daily-quota=-1",
            "--ses-throttle none",
        ] {
            assert_eq!(account(args), None, "{args}");
        }
    }
}
