//! Promise 1 as it is told: reports and decisions against what the ledger holds.

use germane::flow::api::{Api, ApiError};
use serde_json::json;

use super::Expected;

/// What is told otherwise, each in a sentence.
pub async fn told(api: &Api, expected: Vec<Expected>) -> Vec<String> {
    let mut broken = Vec::new();
    for Expected { record, counts, decided } in expected {
        let id = &record.campaign.id;
        let report = match api.report(id).await {
            Ok(report) => report,
            Err(error) => {
                broken.push(format!("there is no report of {id}: {error}"));
                continue;
            }
        };
        let counts = json!(counts.under(record.status).outcomes());
        if report["outcomes"] != counts {
            broken.push(format!("{id} reports {}, and it is {counts}", report["outcomes"]));
        }
        for (person, outcome) in decided {
            let outcome = json!(outcome.under(record.status).kind());
            match api.why(id, &person, false).await {
                Ok(decision) if decision["outcome"] == outcome => {}
                Ok(decision) => {
                    broken.push(format!("{person} is told {} of {id}, and it is {outcome}", decision["outcome"]));
                }
                Err(ApiError::NotFound { .. }) => {
                    broken.push(format!("{person} is told nothing of {id}, and it is {outcome}"));
                }
                Err(error) => broken.push(format!("{person} cannot be told of {id}: {error}")),
            }
        }
    }
    broken
}
