//! What a preview was about, in a token: so a campaign is sent only if what was previewed is still so.
//!
//! It keeps no secret and needs no signature. Whoever forges one says only of themselves that they saw a preview.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    domain::door::{Fault, Wanted},
    flow::{launch::Versioned, template::Compiled},
};

const FORMAT: u8 = 1;
/// Of a hash: nobody gains by finding two bodies with the same.
const HASH_BYTES: usize = 16;

/// What a preview stands on besides the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previewed {
    policy: u32,
    body: [u8; HASH_BYTES],
    template: [u8; HASH_BYTES],
}

impl Previewed {
    pub fn of(body: &Value, policy: &Versioned, template: &Compiled) -> Self {
        let mut hash = Sha256::new();
        feed(body, &mut hash);
        let named = Sha256::new().chain_update(template.name.as_str()).chain_update([0]).chain_update(&template.hash);
        Self { policy: policy.version, body: front(hash), template: front(named) }
    }

    /// What is no longer as it was previewed, `now` being how it is.
    pub fn changes(&self, now: &Self) -> Vec<Fault> {
        let fault = |field: &str, found: String, wanted: String| Fault { field: field.to_owned(), found, wanted };
        let body = (self.body != now.body)
            .then(|| fault("", "another campaign".to_owned(), "the one that was previewed".to_owned()));
        let policy = (self.policy != now.policy).then(|| {
            let found = format!("version {} of the policy", now.policy);
            fault("?preview", found, format!("version {}, which was previewed", self.policy))
        });
        let template = (self.template != now.template).then(|| {
            fault("/template", "another content of the template".to_owned(), "the one that was previewed".to_owned())
        });
        [body, policy, template].into_iter().flatten().collect()
    }
}

impl fmt::Display for Previewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[FORMAT][..], &self.policy.to_be_bytes(), &self.body, &self.template].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Previewed {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        let wanted = Wanted("the preview_token of a preview");
        let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| wanted)?;
        let rest = bytes.strip_prefix(&[FORMAT]).ok_or(wanted)?;
        let (policy, rest) = rest.split_first_chunk().ok_or(wanted)?;
        let (body, rest) = rest.split_first_chunk().ok_or(wanted)?;
        let template = rest.try_into().map_err(|_| wanted)?;
        Ok(Self { policy: u32::from_be_bytes(*policy), body: *body, template })
    }
}

fn front(hash: Sha256) -> [u8; HASH_BYTES] {
    let [front @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] = hash.finalize().into();
    front
}

/// Equal for equal documents, in whatever order their fields stand, and for no others: each value says how long it is.
fn feed(value: &Value, hash: &mut Sha256) {
    let mut plain = |kind: &str, text: &str| hash.update(format!("{kind}{}:{text}", text.len()));
    match value {
        Value::Null => plain("n", ""),
        Value::Bool(yes) => plain("b", &yes.to_string()),
        Value::Number(number) => plain("d", &number.to_string()),
        Value::String(text) => plain("s", text),
        Value::Array(items) => {
            plain("a", &items.len().to_string());
            for item in items {
                feed(item, hash);
            }
        }
        Value::Object(fields) => {
            plain("o", &fields.len().to_string());
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in fields {
                feed(&Value::String(name.clone()), hash);
                feed(value, hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(body: &str) -> [u8; HASH_BYTES] {
        let mut hash = Sha256::new();
        feed(&serde_json::from_str(body).unwrap(), &mut hash);
        front(hash)
    }

    #[test]
    fn the_order_of_fields_does_not_matter_and_everything_else_does() {
        assert_eq!(hash(r#"{"a":1,"b":{"c":[],"d":null}}"#), hash(r#"{"b":{"d":null,"c":[]},"a":1}"#));
        let different = [r#"["ab","c"]"#, r#"["a","bc"]"#, r#"["a",["bc"]]"#, r#"{"a":"bc"}"#, "[1]", r#"["1"]"#];
        for (at, one) in different.iter().enumerate() {
            assert!(different.iter().skip(at + 1).all(|other| hash(one) != hash(other)), "{one}");
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is_one() {
        let previewed = Previewed { policy: 3, body: [1; 16], template: [2; 16] };
        let token = previewed.to_string();
        assert_eq!(token.parse(), Ok(previewed));
        let later = URL_SAFE_NO_PAD.encode([[2].as_slice(), &[0; 36]].concat());
        for other in ["", "!", &token[1..], &token[..token.len() - 2], &format!("{token}AA"), &later] {
            assert!(other.parse::<Previewed>().is_err(), "{other}");
        }
    }

    #[test]
    fn each_change_is_named() {
        let before = Previewed { policy: 3, body: [1; 16], template: [2; 16] };
        assert_eq!(before.changes(&before), []);
        let after = Previewed { policy: 4, body: [3; 16], template: [4; 16] };
        let fields: Vec<String> = before.changes(&after).into_iter().map(|fault| fault.field).collect();
        assert_eq!(json!(fields), json!(["", "?preview", "/template"]));
    }
}
