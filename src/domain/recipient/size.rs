//! How much may be known of one person. Lists merge, so that many small changes make a large person; the store takes an
//! item of 400 KB at most, with the history of sends in it
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>), and somebody whom no claim
//! could be written for would hold up everybody in their shard.

use std::io;

use serde::Serialize;

use super::{ConsentMove, Profile};
use crate::domain::{consent::ConsentStatus, door::Fault};

/// Of the facts about a person, written as JSON, which is longer than what is stored.
pub const MAX_FACTS_BYTES: usize = 300_000;
/// Of the evidence in one change, which is stored as one record.
pub const MAX_EVIDENCE_BYTES: usize = 200_000;

/// What is too much about a person who was `before`, after a change that moved these consents.
pub(super) fn too_much(before: &Profile, after: &Profile, moves: &[ConsentMove]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let facts = bytes(after);
    if facts > MAX_FACTS_BYTES && facts > bytes(before) && !withdraws_alone(before, after, moves) {
        faults.push(Fault {
            field: String::new(),
            found: format!("{facts} bytes of facts, with those that are held already"),
            wanted: format!("at most {MAX_FACTS_BYTES} bytes about one person, as JSON: remove what is not needed"),
        });
    }
    let evidence: usize = moves.iter().filter_map(|moved| moved.evidence.as_ref()).map(bytes).sum();
    if evidence > MAX_EVIDENCE_BYTES {
        faults.push(Fault {
            field: "/consents".to_owned(),
            found: format!("{evidence} bytes of evidence"),
            wanted: format!("at most {MAX_EVIDENCE_BYTES} bytes of evidence at once: send the consents in parts"),
        });
    }
    faults
}

/// Whether held consents were withdrawn and nothing else happened: nobody is too large to be left alone.
fn withdraws_alone(before: &Profile, after: &Profile, moves: &[ConsentMove]) -> bool {
    let withdrawn = |moved: &ConsentMove| moved.before.is_some() && moved.after == Some(ConsentStatus::Withdrawn);
    moves.iter().all(withdrawn) && Profile { consents: before.consents.clone(), ..after.clone() } == *before
}

fn bytes(value: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    // What cannot be written at all is refused as too large.
    serde_json::to_writer(&mut counted, value).map_or(usize::MAX, |()| counted.0)
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
