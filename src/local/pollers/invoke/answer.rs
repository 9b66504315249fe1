//! What a function's answer says of a batch
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).

use std::collections::BTreeSet;

use serde_json::Value;

/// Why a batch failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(pub String);

/// Those of `ids` that must be delivered again. No list of failures, or none in it, is success; what cannot be
/// understood is failure of everything, since it may have been meant so.
pub(super) fn failed<'a>(answer: &[u8], ids: &[&'a str]) -> Result<BTreeSet<&'a str>, Failed> {
    let failed = |why: &str| Failed(why.to_owned());
    let failures = match serde_json::from_slice(answer) {
        Ok(Value::Null) => Value::Null,
        Ok(Value::Object(mut answer)) => answer.remove("batchItemFailures").unwrap_or_default(),
        Ok(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(failed("its answer is no object"));
        }
        Err(_) => return Err(failed("its answer is not JSON")),
    };
    let failures = match failures {
        Value::Null => Vec::new(),
        Value::Array(failures) => failures,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return Err(failed("its batchItemFailures are no list"));
        }
    };
    let named = failures.iter().map(|failure| {
        let name = failure.get("itemIdentifier").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| failed("it names a failure without an itemIdentifier"))?;
        let known = ids.iter().copied().find(|id| *id == name);
        known.ok_or_else(|| failed("it names a failure that is not in the batch"))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 2] = ["a", "b"];

    #[test]
    fn nothing_named_is_nothing_failed() {
        for answer in ["null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#, r#"{"ok":true}"#] {
            assert_eq!(failed(answer.as_bytes(), &IDS), Ok(BTreeSet::new()), "{answer}");
        }
    }

    #[test]
    fn what_is_named_has_failed_and_nothing_else() {
        let answer = r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#;
        assert_eq!(failed(answer.as_bytes(), &IDS), Ok(BTreeSet::from(["b"])));
    }

    #[test]
    fn what_cannot_be_understood_is_failure_of_everything() {
        for answer in [
            "",
            "no JSON",
            "[]",
            r#""done""#,
            r#"{"batchItemFailures":"b"}"#,
            r#"{"batchItemFailures":["b"]}"#,
            r#"{"batchItemFailures":[{"messageId":"b"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
        ] {
            assert!(failed(answer.as_bytes(), &IDS).is_err(), "{answer}");
        }
    }
}
