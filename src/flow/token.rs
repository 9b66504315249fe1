//! The tokens in a mail's links: who, which campaign, and what the link may do. Signed, so that nobody can forge one.
//! Those of a campaign's mails do not expire, so that an old mail can still be unsubscribed from (RFC 8058, section 3.1);
//! the one that shows what is held does.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::domain::{
    channel::Channel,
    email::EmailAddress,
    id::{CampaignId, RecipientId},
    secret::Secret,
};

const FORMAT: u8 = 1;
const MAC_BYTES: usize = 32;
const SEAL_BYTES: usize = 16;
/// Of a form's token, which nobody can try often.
const FORM_BYTES: usize = 16;

/// Stands in the links of test mails in place of a token: it names nobody, and is none.
pub const TEST_LINK: &str = "test";

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Leave the campaign's topic on its channel.
    Unsubscribe,
    /// See the page that can only reduce: leave, mute, lower, pause.
    Reduce,
    /// Confirm a consent that waits for it.
    Confirm,
}

impl Purpose {
    fn use_of(self) -> Use {
        match self {
            Purpose::Unsubscribe => Use::Unsubscribe,
            Purpose::Reduce => Use::Reduce,
            Purpose::Confirm => Use::Confirm,
        }
    }
}

/// What a signature is for, which it says first: one for one use is none for another.
#[derive(Clone, Copy)]
enum Use {
    Unsubscribe,
    Reduce,
    Confirm,
    /// See and change everything, for an hour.
    Access,
    /// Send a form of a page.
    Form,
}

impl Use {
    fn code(self) -> u8 {
        match self {
            Use::Unsubscribe => b'u',
            Use::Reduce => b'p',
            Use::Confirm => b'c',
            Use::Access => b'a',
            Use::Form => b'f',
        }
    }
}

/// Whom and what a verified token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub recipient: RecipientId,
    pub campaign: CampaignId,
}

/// A verified token that works only for the address that it was mailed to.
pub struct Sealed {
    pub claims: Claims,
    /// Over the token, and still to be told the address.
    mac: Hmac<Sha256>,
    seal: Vec<u8>,
}

impl Sealed {
    pub fn is_for(&self, address: &EmailAddress) -> bool {
        let mut mac = self.mac.clone();
        mac.update(address.normalised().as_bytes());
        // Compares in constant time.
        mac.verify_truncated_left(&self.seal).is_ok()
    }
}

/// Who may see all that is held about them, and until when: signed over nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub recipient: RecipientId,
    /// Whose address the link was mailed to; another one goes there too.
    pub channel: Channel,
    /// To the second.
    pub expires_at: Timestamp,
}

/// The keys that sign and verify: the newest signs, all verify, so that rotation breaks no link.
#[derive(Clone)]
pub struct TokenKeys {
    newest: TokenKey,
    older: Vec<TokenKey>,
}

/// One key of the ring.
#[derive(Clone)]
pub struct TokenKey {
    pub id: u8,
    pub secret: Secret,
}

impl TokenKeys {
    pub fn new(newest: TokenKey, older: Vec<TokenKey>) -> Self {
        Self { newest, older }
    }

    pub fn sign(&self, purpose: Purpose, recipient: &RecipientId, campaign: &CampaignId) -> String {
        self.seal(purpose.use_of(), recipient, campaign.as_str().as_bytes())
    }

    /// A token by which one proves to read the mail at `address`; without saying which address that is.
    pub fn sign_for(
        &self,
        purpose: Purpose,
        recipient: &RecipientId,
        campaign: &CampaignId,
        address: &EmailAddress,
    ) -> String {
        let token = self.sign(purpose, recipient, campaign);
        let mut mac = address_mac(&self.newest, &token);
        mac.update(address.normalised().as_bytes());
        let tag = mac.finalize().into_bytes();
        format!("{token}.{}", URL_SAFE_NO_PAD.encode(tag.get(..SEAL_BYTES).unwrap_or(&tag)))
    }

    /// `None` for anything that was not signed by [`TokenKeys::sign_for`]; the address is compared by the caller, who
    /// knows it.
    pub fn verify_sealed(&self, purpose: Purpose, token: &str) -> Option<Sealed> {
        let (token, tag) = token.split_once('.')?;
        let claims = self.verify(purpose, token)?;
        let key = URL_SAFE_NO_PAD.decode(token).ok()?.get(1).copied()?;
        let key = self.key(key)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == SEAL_BYTES)?;
        Some(Sealed { claims, mac: address_mac(key, token), seal: tag })
    }

    /// `None` for anything that was not signed by one of the keys for this purpose.
    pub fn verify(&self, purpose: Purpose, token: &str) -> Option<Claims> {
        let (recipient, campaign) = self.open(purpose.use_of(), token)?;
        Some(Claims { recipient, campaign: std::str::from_utf8(&campaign).ok()?.parse().ok()? })
    }

    pub fn sign_access(&self, access: &Access) -> String {
        let channel = match access.channel {
            Channel::Work => b'w',
            Channel::Personal => b'p',
        };
        let rest = [&[channel][..], &access.expires_at.as_second().to_be_bytes()].concat();
        self.seal(Use::Access, &access.recipient, &rest)
    }

    /// Also of one that has expired, which the caller must look at.
    pub fn verify_access(&self, token: &str) -> Option<Access> {
        let (recipient, rest) = self.open(Use::Access, token)?;
        let (channel, seconds) = rest.split_first()?;
        let channel = match channel {
            b'w' => Channel::Work,
            b'p' => Channel::Personal,
            _other => return None,
        };
        let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
        Some(Access { recipient, channel, expires_at: Timestamp::from_second(seconds).ok()? })
    }

    /// What a form of the page behind `token` must bring along, so that no other page can send it.
    pub fn form(&self, token: &str, action: &str) -> String {
        let tag: [u8; MAC_BYTES] = form_mac(&self.newest, token, action).finalize().into_bytes().into();
        let tag = tag.get(..FORM_BYTES).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([&[self.newest.id][..], tag].concat())
    }

    pub fn verify_form(&self, token: &str, action: &str, form: &str) -> bool {
        let Ok(form) = URL_SAFE_NO_PAD.decode(form) else { return false };
        let Some((id, tag)) = form.split_first() else { return false };
        let whole = tag.len() == FORM_BYTES;
        // The comparison takes the same time whatever differs.
        self.key(*id).is_some_and(|key| whole && form_mac(key, token, action).verify_truncated_left(tag).is_ok())
    }

    fn key(&self, id: u8) -> Option<&TokenKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|known| known.id == id)
    }

    fn seal(&self, used: Use, recipient: &RecipientId, rest: &[u8]) -> String {
        let recipient = recipient.as_str().as_bytes();
        let mut token = Vec::with_capacity(4 + recipient.len() + rest.len() + MAC_BYTES);
        token.extend([FORMAT, self.newest.id, u8::try_from(recipient.len()).unwrap_or(u8::MAX)]);
        token.extend(recipient);
        token.extend(rest);
        let mac = mac(&self.newest, used, &token).finalize().into_bytes();
        token.extend(mac);
        URL_SAFE_NO_PAD.encode(token)
    }

    fn open(&self, used: Use, token: &str) -> Option<(RecipientId, Vec<u8>)> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(token.len().checked_sub(MAC_BYTES)?)?;
        let [format, key, length, names @ ..] = signed else { return None };
        if *format != FORMAT {
            return None;
        }
        let key = self.key(*key)?;
        // `verify_slice` compares in constant time.
        mac(key, used, signed).verify_slice(tag).ok()?;
        let (recipient, rest) = names.split_at_checked(usize::from(*length))?;
        Some((std::str::from_utf8(recipient).ok()?.parse().ok()?, rest.to_vec()))
    }
}

fn address_mac(key: &TokenKey, token: &str) -> Hmac<Sha256> {
    let mut mac = key.secret.mac();
    mac.update(b"@");
    mac.update(token.as_bytes());
    mac.update(b"\0");
    mac
}

fn form_mac(key: &TokenKey, token: &str, action: &str) -> Hmac<Sha256> {
    // No token has a slash, so that the two cannot run into each other.
    mac(key, Use::Form, format!("{token}/{action}").as_bytes())
}

fn mac(key: &TokenKey, used: Use, signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.secret.mac();
    mac.update(&[used.code()]);
    mac.update(signed);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u8) -> TokenKey {
        TokenKey { id, secret: Secret::new([id; 32]) }
    }

    fn names() -> (RecipientId, CampaignId) {
        ("r-1".parse().unwrap(), "c-1".parse().unwrap())
    }

    #[test]
    fn a_token_is_read_back_also_after_its_key_was_replaced() {
        let (recipient, campaign) = names();
        let token = TokenKeys::new(key(1), vec![]).sign(Purpose::Unsubscribe, &recipient, &campaign);
        let rotated = TokenKeys::new(key(2), vec![key(1)]);
        assert_eq!(rotated.verify(Purpose::Unsubscribe, &token), Some(Claims { recipient, campaign }));
    }

    #[test]
    fn a_token_for_another_purpose_or_by_another_key_is_refused() {
        let (recipient, campaign) = names();
        let keys = TokenKeys::new(key(1), vec![]);
        let token = keys.sign(Purpose::Reduce, &recipient, &campaign);
        assert_eq!(keys.verify(Purpose::Unsubscribe, &token), None);
        assert_eq!(TokenKeys::new(key(2), vec![]).verify(Purpose::Reduce, &token), None);
    }

    #[test]
    fn a_sealed_token_is_good_for_the_address_that_it_was_mailed_to_alone() {
        let (recipient, campaign) = names();
        let address = |raw: &str| raw.parse::<EmailAddress>().unwrap();
        let token = TokenKeys::new(key(1), vec![]).sign_for(
            Purpose::Confirm,
            &recipient,
            &campaign,
            &address("r-1@example.com"),
        );
        let keys = TokenKeys::new(key(2), vec![key(1)]);
        let sealed = keys.verify_sealed(Purpose::Confirm, &token).unwrap();
        assert_eq!(sealed.claims, Claims { recipient, campaign });
        assert!(sealed.is_for(&address("R-1@example.com")));
        assert!(!sealed.is_for(&address("r-2@example.com")));
        let (plain, seal) = token.split_once('.').unwrap();
        for wrong in [plain.to_owned(), format!("{plain}."), format!("{plain}.{}", &seal[1..]), format!("x{token}")] {
            assert!(keys.verify_sealed(Purpose::Confirm, &wrong).is_none(), "{wrong}");
        }
        let other = format!("{plain}.{}{}", if seal.starts_with('A') { 'B' } else { 'A' }, &seal[1..]);
        assert!(!keys.verify_sealed(Purpose::Confirm, &other).unwrap().is_for(&address("r-1@example.com")));
    }

    #[test]
    fn a_link_to_what_is_held_names_its_end_and_is_no_link_of_a_mail() {
        let keys = TokenKeys::new(key(1), vec![]);
        let (recipient, campaign) = names();
        let expires_at = "2026-11-23T10:00:00Z".parse().unwrap();
        for channel in [Channel::Work, Channel::Personal] {
            let access = Access { recipient: recipient.clone(), channel, expires_at };
            let token = keys.sign_access(&access);
            assert_eq!(TokenKeys::new(key(2), vec![key(1)]).verify_access(&token), Some(access));
            assert_eq!(keys.verify(Purpose::Reduce, &token), None);
        }
        assert_eq!(keys.verify_access(&keys.sign(Purpose::Reduce, &recipient, &campaign)), None);
    }

    #[test]
    fn a_form_is_bound_to_its_link_and_action_also_after_its_key_was_replaced() {
        let keys = TokenKeys::new(key(1), vec![]);
        let form = keys.form("link", "leave");
        assert!(TokenKeys::new(key(2), vec![key(1)]).verify_form("link", "leave", &form));
        let truncated = &form[..form.len() - 4];
        for (token, action, form) in [
            ("other", "leave", form.as_str()),
            ("link", "pause", &form),
            ("link", "leave", truncated),
            ("link", "leave", ""),
        ] {
            assert!(!keys.verify_form(token, action, form), "{token} {action} {form}");
        }
        assert!(!TokenKeys::new(key(2), vec![]).verify_form("link", "leave", &form));
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed_and_none_left_out() {
        let (recipient, campaign) = names();
        let keys = TokenKeys::new(key(1), vec![]);
        let token = URL_SAFE_NO_PAD.decode(keys.sign(Purpose::Unsubscribe, &recipient, &campaign)).unwrap();
        for at in 0..token.len() {
            let mut forged = token.clone();
            forged[at] ^= 1;
            assert_eq!(keys.verify(Purpose::Unsubscribe, &URL_SAFE_NO_PAD.encode(&forged)), None, "byte {at}");
            assert_eq!(keys.verify(Purpose::Unsubscribe, &URL_SAFE_NO_PAD.encode(&token[..at])), None, "cut at {at}");
        }
    }
}
