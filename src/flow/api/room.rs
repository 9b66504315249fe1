//! What fits into a table. A document that its door takes and no table can hold would be answered by "try again", for
//! ever.

use serde::Serialize;
use serde_json::Value;

use super::{ApiError, query_fault};
use crate::domain::door::Fault;

/// An item of DynamoDB holds 400 KB, names included
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>); what stands beside the
/// document, and a text as a list of its parts, needs some of it.
const MAX_BYTES: usize = 380 * 1024;
/// Of a sort key.
const MAX_CURSOR_BYTES: usize = 1_024;

/// Whether what is stored together fits into one item; `field` names the part that makes it large.
pub(super) fn check(field: &str, parts: &[&dyn Measured]) -> Result<(), ApiError> {
    let bytes: usize = parts.iter().map(|part| part.bytes()).sum();
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let found = format!("{bytes} bytes as it would be stored");
    Err(ApiError::Invalid(vec![Fault::new(field, &found, &format!("at most {MAX_BYTES} bytes"))]))
}

/// Something that is stored as JSON.
pub(super) trait Measured {
    fn bytes(&self) -> usize;
}

impl<T: Serialize> Measured for T {
    fn bytes(&self) -> usize {
        // What cannot be written is not stored; whoever tries says so.
        serde_json::to_string(self).map_or(0, |text| text.len())
    }
}

/// A cursor that names a place in a table, if it can be one.
pub(super) fn cursor(raw: Option<&str>) -> Result<Option<&str>, ApiError> {
    match raw {
        Some(raw) if raw.is_empty() || raw.len() > MAX_CURSOR_BYTES => {
            let found: String = raw.chars().take(MAX_CURSOR_BYTES).collect();
            Err(query_fault("cursor", &found, "a cursor from an earlier answer"))
        }
        known => Ok(known),
    }
}

/// A body as it came is stored beside what was understood of it.
pub(super) fn check_body(body: &Value, understood: &impl Serialize) -> Result<(), ApiError> {
    check("", &[body, understood])
}
