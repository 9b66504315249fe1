//! The tokens in a mail's links: who, which campaign, and what the link may do. Signed, so that nobody can forge one;
//! they do not expire, so that an old mail can still be unsubscribed from (RFC 8058, section 3.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::{
    email::EmailAddress,
    id::{CampaignId, RecipientId},
    secret::Secret,
};

const FORMAT: u8 = 1;
const MAC_BYTES: usize = 32;
const SEAL_BYTES: usize = 16;

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
    fn code(self) -> u8 {
        match self {
            Purpose::Unsubscribe => b'u',
            Purpose::Reduce => b'p',
            Purpose::Confirm => b'c',
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
        let (recipient, campaign) = (recipient.as_str().as_bytes(), campaign.as_str().as_bytes());
        let mut token = Vec::with_capacity(4 + recipient.len() + campaign.len() + MAC_BYTES);
        token.extend([FORMAT, self.newest.id, u8::try_from(recipient.len()).unwrap_or(u8::MAX)]);
        token.extend(recipient);
        token.extend(campaign);
        let mac = mac(&self.newest, purpose, &token).finalize().into_bytes();
        token.extend(mac);
        URL_SAFE_NO_PAD.encode(token)
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
        let mut mac = seal(&self.newest, &token);
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
        Some(Sealed { claims, mac: seal(key, token), seal: tag })
    }

    fn key(&self, id: u8) -> Option<&TokenKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|known| known.id == id)
    }

    /// `None` for anything that was not signed by one of the keys for this purpose.
    pub fn verify(&self, purpose: Purpose, token: &str) -> Option<Claims> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(token.len().checked_sub(MAC_BYTES)?)?;
        let [format, key, length, names @ ..] = signed else { return None };
        if *format != FORMAT {
            return None;
        }
        let key = self.key(*key)?;
        // `verify_slice` compares in constant time.
        mac(key, purpose, signed).verify_slice(tag).ok()?;
        let (recipient, campaign) = names.split_at_checked(usize::from(*length))?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(Claims { recipient: text(recipient)?.parse().ok()?, campaign: text(campaign)?.parse().ok()? })
    }
}

fn seal(key: &TokenKey, token: &str) -> Hmac<Sha256> {
    let mut mac = key.secret.mac();
    mac.update(b"@");
    mac.update(token.as_bytes());
    mac.update(b"\0");
    mac
}

fn mac(key: &TokenKey, purpose: Purpose, signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.secret.mac();
    mac.update(&[purpose.code()]);
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
