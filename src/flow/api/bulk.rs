//! Recipients in bulk: a person a line, merged as single ones are, and an answer a line.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Api, ApiError,
    recipients::{Merged, Place, Prepared, Settled},
};
use crate::domain::{
    door::Fault,
    id::RecipientId,
    policy::Policy,
    recipient::{Recipient, RecipientChange},
};

/// A line that can be merged.
struct Row {
    line: usize,
    change: RecipientChange,
}

/// A line's number, whom it is about as far as one can tell, and what became of it.
type Answered = (usize, Option<RecipientId>, Result<Merged, ApiError>);

impl Api {
    /// Merges each line of JSON; answers with a line for each, in their order. A blank line holds nobody, but counts:
    /// line numbers are those of the sender's file.
    pub async fn put_recipients(&self, lines: &[&str]) -> Result<Vec<Value>, ApiError> {
        let current = self.policy().await?;
        let mut results = Vec::<Answered>::new();
        // The second line about a person is merged into what the first one made, and so on.
        let mut rounds: Vec<Vec<Row>> = Vec::new();
        let mut seen: HashMap<RecipientId, usize> = HashMap::new();
        for (at, text) in lines.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = at + 1;
            match self.read_line(text, &current.policy) {
                Err((id, faults)) => results.push((line, id, Err(ApiError::Invalid(faults)))),
                Ok(change) => {
                    let round = seen.entry(change.id.clone()).and_modify(|round| *round += 1).or_default();
                    if rounds.len() == *round {
                        rounds.push(Vec::new());
                    }
                    rounds.get_mut(*round).into_iter().for_each(|rows| rows.push(Row { line, change: change.clone() }));
                }
            }
        }
        for rows in rounds {
            self.merge_rows(rows, &mut results).await?;
        }
        results.sort_by_key(|(line, ..)| *line);
        results.into_iter().map(answer).collect()
    }

    fn read_line(&self, text: &str, policy: &Policy) -> Result<RecipientChange, (Option<RecipientId>, Vec<Fault>)> {
        match serde_json::from_str::<Value>(text) {
            Ok(body) => {
                let id = body.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
                RecipientChange::parse(&body, None, policy, self.clock.now()).map_err(|faults| (id, faults))
            }
            Err(error) => {
                let found = format!("no JSON from column {} on", error.column());
                let fault = Fault { field: String::new(), found, wanted: "one JSON object a line".to_owned() };
                Err((None, vec![fault]))
            }
        }
    }

    /// Merges rows about different people.
    async fn merge_rows(&self, rows: Vec<Row>, results: &mut Vec<Answered>) -> Result<(), ApiError> {
        let ids: Vec<RecipientId> = rows.iter().map(|row| row.change.id.clone()).collect();
        let held = self.people.get_many(&ids).await?;
        let mut held: HashMap<RecipientId, Recipient> = held.into_iter().map(|r| (r.id.clone(), r)).collect();
        let mut prepared: Vec<(Row, Prepared)> = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.change.id.clone();
            match self.prepare(&row.change, held.remove(&id), Place::Import, &[]) {
                Ok(Some(write)) => prepared.push((row, write)),
                Ok(None) => results.push((row.line, Some(id), Ok(Merged::Updated))),
                Err(error) => results.push((row.line, Some(id), Err(error))),
            }
        }
        let writes: Vec<_> = prepared.iter().map(|(_, write)| write.write()).collect();
        let written = self.people.put(&writes).await?;
        drop(writes);
        for ((Row { line, change }, write), written) in prepared.into_iter().zip(written) {
            let result = match write.settle(written) {
                Ok(Settled::Merged(merged)) => Ok(merged),
                Ok(Settled::Again(found)) => self.merge_again(&change, Place::Import, found).await,
                Err(error) => Err(error),
            };
            results.push((line, Some(change.id), result));
        }
        Ok(())
    }
}

/// The answer to one line; what is not the line's fault ends the request.
fn answer((line, id, result): Answered) -> Result<Value, ApiError> {
    let (result, errors) = match result {
        Ok(merged) => (json!(merged), Vec::new()),
        Err(ApiError::Invalid(faults) | ApiError::Conflict { faults, .. }) => (json!("refused"), faults),
        Err(error @ (ApiError::NotFound { .. } | ApiError::Port(_))) => return Err(error),
    };
    Ok(json!({ "line": line, "id": id, "result": result, "errors": errors }))
}
