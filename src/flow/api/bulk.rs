//! Recipients in bulk: a person a line, merged as single ones are, and an answer a line.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Api, ApiError,
    confirmations::Unconfirmed,
    recipients::{Author, Done, Place, Preparation, Prepared, Settled},
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
type Answered = (usize, Option<RecipientId>, Result<Done, ApiError>);

impl Api {
    /// Merges each line of JSON; answers with a line for each, in their order. A blank line holds nobody, but counts:
    /// line numbers are those of the sender's file. It happens in the name of `by`; pending consents are confirmed by one
    /// campaign for each topic and channel.
    pub async fn put_recipients(&self, lines: &[&str], by: &str) -> Result<Vec<Value>, ApiError> {
        let author = Author { place: Place::Import, by };
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
            self.merge_rows(rows, author, &mut results).await?;
        }
        results.sort_by_key(|(line, ..)| *line);
        let done = results.iter().filter_map(|(.., result)| result.as_ref().ok());
        let unconfirmed: Vec<Unconfirmed> = done.flat_map(|done| done.unconfirmed.iter().cloned()).collect();
        self.ask_to_confirm(&current.policy, unconfirmed).await?;
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
    async fn merge_rows(
        &self,
        rows: Vec<Row>,
        author: Author<'_>,
        results: &mut Vec<Answered>,
    ) -> Result<(), ApiError> {
        let ids: Vec<RecipientId> = rows.iter().map(|row| row.change.id.clone()).collect();
        let held = self.people.get_many(&ids).await?;
        let mut held: HashMap<RecipientId, Recipient> = held.into_iter().map(|r| (r.id.clone(), r)).collect();
        let mut prepared: Vec<(Row, Box<Prepared>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.change.id.clone();
            match self.prepare(&row.change, held.remove(&id), author, &[]) {
                Ok(Preparation::Write(write)) => prepared.push((row, write)),
                Ok(Preparation::Unchanged(done)) => results.push((row.line, Some(id), Ok(done))),
                Err(error) => results.push((row.line, Some(id), Err(error))),
            }
        }
        let writes: Vec<_> = prepared.iter().map(|(_, write)| write.write()).collect();
        let written = self.people.put(&writes).await?;
        drop(writes);
        for ((Row { line, change }, write), written) in prepared.into_iter().zip(written) {
            let result = match write.settle(written) {
                Ok(Settled::Done(done)) => Ok(done),
                Ok(Settled::Again(found)) => self.merge_again(&change, author, found).await,
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
        Ok(done) => (json!(done.merged), Vec::new()),
        Err(ApiError::Invalid(faults) | ApiError::Conflict { faults, .. }) => (json!("refused"), faults),
        Err(error @ (ApiError::NotFound { .. } | ApiError::Port(_))) => return Err(error),
    };
    Ok(json!({ "line": line, "id": id, "result": result, "errors": errors }))
}
