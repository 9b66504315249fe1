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
        let Self { rate, daily_quota, sandbox, throttle } = self;
        let usual = SesConfig::default();
        let (usual_rate, usual_quota) =
            if sandbox { (SANDBOX_RATE, SANDBOX_QUOTA) } else { (usual.max_send_rate, usual.daily_quota) };
        SesConfig {
            max_send_rate: rate.unwrap_or(usual_rate),
            daily_quota: daily_quota.map_or(usual_quota, f64::from),
            sandbox,
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
