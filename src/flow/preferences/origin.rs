//! Where an act of a recipient came from, as evidence: comparable, and unreadable without the key.

use hmac::Mac;

use crate::domain::secret::Secret;

/// How many bytes of the hash are kept: nobody meets another origin by chance.
const KEPT: usize = 16;

/// Makes origins under the key that never rotates, so that two of them can be compared for as long as they are kept.
#[derive(Debug, Clone)]
pub struct Origins {
    pub key: Secret,
}

impl Origins {
    /// HMAC-SHA-256 over network address and user agent, its first 16 bytes in hexadecimal.
    pub fn of(&self, network_address: &str, agent: &str) -> String {
        let mut mac = self.key.mac();
        // The key also hashes mail addresses, none of which begins like this.
        mac.update(b"origin\0");
        mac.update(network_address.as_bytes());
        mac.update(&[0]);
        mac.update(agent.as_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let kept: [u8; KEPT] = *hash.first_chunk().unwrap_or(&[0; KEPT]);
        format!("{:032x}", u128::from_be_bytes(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_same_for_the_same_address_and_program_under_the_same_key_alone() {
        let origins = Origins { key: Secret::new([7; 32]) };
        let origin = origins.of("203.0.113.7", "Browser/1.0");
        assert_eq!(origin, origins.of("203.0.113.7", "Browser/1.0"));
        assert_eq!(origin.len(), 32);
        let others = [
            origins.of("203.0.113.8", "Browser/1.0"),
            origins.of("203.0.113.7", "Browser/2.0"),
            origins.of("203.0.113.7\0Browser/1.0", ""),
            Origins { key: Secret::new([8; 32]) }.of("203.0.113.7", "Browser/1.0"),
        ];
        assert!(others.iter().all(|other| *other != origin));
    }
}
