//! What SES asks for mail, by the account's pricing plan.
//!
//! As of November 2026, in US dollars. The page that counts is <https://aws.amazon.com/ses/pricing/>; taxes, and what it
//! lists besides mails, come on top.

use super::codes::codes;

codes!(
    /// The plan that an account is on.
    Plan {
        ALaCarte = "a_la_carte",
        Essentials = "essentials",
        Pro = "pro",
        Enterprise = "enterprise",
    }
);

/// Cents for 1,000 mails, and for a month in which none is sent.
struct Price {
    thousand: u32,
    month: u32,
}

impl Plan {
    /// By SES's word for it (`PricingAttributes.CurrentPlan`); `None` for a plan that came later, whose price nobody
    /// knows here. An account without a plan pays for each feature.
    /// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_PricingAttributes.html>
    pub fn of_ses(word: &str) -> Option<Self> {
        match word {
            "NONE" => Some(Self::ALaCarte),
            "ESSENTIALS" => Some(Self::Essentials),
            "PRO" => Some(Self::Pro),
            "ENTERPRISE" => Some(Self::Enterprise),
            _ => None,
        }
    }

    fn price(self) -> Price {
        match self {
            Self::ALaCarte => Price { thousand: 10, month: 0 },
            Self::Essentials => Price { thousand: 16, month: 0 },
            Self::Pro => Price { thousand: 22, month: 10_500 },
            Self::Enterprise => Price { thousand: 23, month: 50_000 },
        }
    }

    /// Dollars for 1,000 mails.
    pub fn per_thousand(self) -> f64 {
        f64::from(self.price().thousand) / 100.0
    }

    /// Dollars a month, whether or not anything is sent.
    pub fn monthly(self) -> f64 {
        f64::from(self.price().month) / 100.0
    }

    /// Dollars for so many mails, to the cent and rounded up, without what a month costs anyway.
    pub fn for_mails(self, mails: u64) -> f64 {
        let cents = mails.saturating_mul(u64::from(self.price().thousand)).div_ceil(1_000);
        #[expect(clippy::cast_precision_loss, reason = "exact up to 90 trillion dollars")]
        let dollars = cents as f64 / 100.0;
        dollars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plan_costs_what_the_price_list_says() {
        let found: Vec<(Option<Plan>, [f64; 3])> = ["NONE", "ESSENTIALS", "PRO", "ENTERPRISE"]
            .map(Plan::of_ses)
            .into_iter()
            .map(|plan| (plan, plan.map_or([0.0; 3], |p| [p.per_thousand(), p.monthly(), p.for_mails(1_000_000)])))
            .collect();
        assert_eq!(
            found,
            [
                (Some(Plan::ALaCarte), [0.10, 0.0, 100.0]),
                (Some(Plan::Essentials), [0.16, 0.0, 160.0]),
                (Some(Plan::Pro), [0.22, 105.0, 220.0]),
                (Some(Plan::Enterprise), [0.23, 500.0, 230.0]),
            ]
        );
    }

    #[test]
    fn a_plan_that_is_not_on_the_list_has_no_price() {
        assert_eq!([Plan::of_ses("PREMIUM"), Plan::of_ses("essentials"), Plan::of_ses("")], [None; 3]);
    }

    #[test]
    fn a_started_cent_is_a_cent() {
        let cost = [0, 1, 63, 3_120].map(|mails| format!("{:.4}", Plan::Essentials.for_mails(mails)));
        assert_eq!(cost, ["0.0000", "0.0100", "0.0200", "0.5000"]);
    }
}
