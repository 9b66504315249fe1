//! The tokens in links: whatever was not signed here is none.

use germane::{
    domain::{channel::Channel, secret::Secret},
    flow::{
        preview::Previewed,
        token::{Access, Purpose, TEST_LINK, TokenKey, TokenKeys},
    },
};

use super::{Door, given};
use crate::{mutate::Format, run::Answer};

pub static TOKEN: Door = Door {
    name: "token",
    format: Format::Text,
    words: &[".", "=", "-", "_", "/", "%2e", "AQ", "\0", "test", "+"],
    one_in: 1,
    documents: || signed().into_iter().map(String::into_bytes).collect(),
    open: || {
        let (keys, signed) = (keys(), signed());
        Box::new(move |input: &[u8]| {
            let Ok(token) = std::str::from_utf8(input) else { return Answer::Refused("no text".to_owned()) };
            let purposes = [Purpose::Unsubscribe, Purpose::Reduce, Purpose::Confirm];
            let plain = purposes.iter().filter(|purpose| keys.verify(**purpose, token).is_some()).count();
            let sealed = purposes.iter().filter_map(|purpose| keys.verify_sealed(*purpose, token)).count();
            let access = usize::from(keys.verify_access(token).is_some());
            let form = usize::from(keys.verify_form("link", "leave", token));
            let preview = token.parse::<Previewed>();
            if let Ok(preview) = &preview {
                assert_eq!(preview.to_string().parse::<Previewed>().as_ref(), Ok(preview));
            }
            let known = plain + sealed + access + form;
            assert!(known <= 1, "a token is good for {known} things");
            // A sealed one is looked at again with the address; until then only its first part is proved.
            let first = token.split_once('.').map_or(token, |(first, _)| first);
            let ours =
                signed.iter().any(|ours| ours == token || (sealed > 0 && ours.starts_with(&format!("{first}."))));
            assert!(known == 0 || ours, "a token that nobody signed is taken");
            match (known, preview) {
                (0, Err(_)) => Answer::Refused("no token of ours".to_owned()),
                (_, _) => Answer::Taken,
            }
        })
    },
};

fn keys() -> TokenKeys {
    let key = |id| TokenKey { id, secret: Secret::new([id; 32]) };
    TokenKeys::new(key(2), vec![key(1)])
}

/// Those of a world.
pub fn of_worlds() -> TokenKeys {
    TokenKeys::new(TokenKey { id: 1, secret: Secret::new([7; 32]) }, Vec::new())
}

fn signed() -> Vec<String> {
    let keys = keys();
    let (recipient, campaign) = ("r-1042".parse().unwrap(), "rust-weekly-2026-47".parse().unwrap());
    let address = "zq7-private@example.com".parse().unwrap();
    let access = Access { recipient: "r-1042".parse().unwrap(), channel: Channel::Work, expires_at: given::now() };
    // Version 1 of the policy, and hashes of zeros.
    let preview = "AQAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    vec![
        keys.sign(Purpose::Unsubscribe, &recipient, &campaign),
        keys.sign(Purpose::Reduce, &recipient, &campaign),
        keys.sign_for(Purpose::Confirm, &recipient, &campaign, &address),
        keys.sign_access(&access),
        keys.form("link", "leave"),
        preview,
        TEST_LINK.to_owned(),
    ]
}
