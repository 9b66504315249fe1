//! How a person and a chunk of decisions are written in few bytes. Each begins with a format number.

use std::io::{self, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    domain::{
        decision::Outcome,
        frequency::{Send, Sends},
        id::{ClaimId, Ref, SendKey},
        recipient::Profile,
    },
    flow::{ledger::Entry, port::PortError},
};

const CHUNK: &str = "a ledger chunk";
const FORMAT: u8 = 1;
/// Of profiles: 2 says last what the person set themselves, 1 does not say it.
const PROFILE_FORMAT: u8 = 2;
/// An empty list.
const NOTHING: u8 = 0;
/// 2020-01-01T00:00:00Z; a send's time is the milliseconds since then in 5 bytes, which last until 2054.
const SENDS_EPOCH_MS: i64 = 1_577_836_800_000;
const SEND_BYTES: usize = 22;
const COUNTS: u8 = 1;
/// What a chunk may be once unpacked, and how many decisions it may hold: far more than a walk writes into one. A few
/// damaged bytes can ask for gigabytes.
const MAX_UNPACKED_BYTES: u64 = 8 * 1024 * 1024;
const MAX_CHUNK_ENTRIES: usize = 16_384;
/// Of the compressor's window, as a power of two: four times what it uses at the level that we write with.
const MAX_WINDOW_LOG: u32 = 23;

pub(super) fn profile_bytes(profile: &Profile) -> Result<Vec<u8>, PortError> {
    postcard::to_extend(profile, vec![PROFILE_FORMAT]).map_err(|error| PortError::corrupt("a profile", error))
}

pub(super) fn profile(bytes: &[u8]) -> Result<Profile, PortError> {
    match bytes {
        [PROFILE_FORMAT, body @ ..] => plain("a profile", body),
        first => plain("a profile", &[body("a profile", first)?, &[NOTHING]].concat()),
    }
}

/// The whole of `bytes` as one value: bytes left over are as wrong as missing ones.
fn plain<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, PortError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(PortError::corrupt(what, format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(PortError::corrupt(what, error)),
    }
}

fn body<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a [u8], PortError> {
    match bytes {
        [FORMAT, body @ ..] => Ok(body),
        [format, ..] => Err(PortError::corrupt(what, format!("its format {format} is not known here"))),
        [] => Err(PortError::corrupt(what, "it is empty")),
    }
}

/// Per send: what it is recorded under (8), when (5), claim (8), flags (1).
pub(super) fn sends_bytes(sends: &Sends) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    for send in sends.iter() {
        let at = u64::try_from(send.at.as_millisecond() - SENDS_EPOCH_MS).unwrap_or(0);
        let [_, _, _, at @ ..] = at.to_be_bytes();
        bytes.extend(send.key.0);
        bytes.extend(at);
        bytes.extend(send.claim.0);
        bytes.push(if send.counts { COUNTS } else { 0 });
    }
    bytes
}

pub(super) fn sends(bytes: &[u8]) -> Result<Sends, PortError> {
    let (entries, rest) = body("the sends of a person", bytes)?.as_chunks::<SEND_BYTES>();
    if !rest.is_empty() {
        return Err(PortError::corrupt("the sends of a person", "the last one is cut"));
    }
    Ok(Sends::new(entries.iter().map(send).collect()))
}

/// Unpacks what may be damaged.
fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::Decoder::with_buffer(packed)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    let mut unpacked = Vec::new();
    decoder.take(MAX_UNPACKED_BYTES + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > MAX_UNPACKED_BYTES {
        return Err(io::Error::other(format!("it unpacks to more than {MAX_UNPACKED_BYTES} bytes")));
    }
    Ok(unpacked)
}

/// Reads the columns, once their lengths are known to be what they may be.
fn columns(unpacked: &[u8]) -> Result<StoredEntries, PortError> {
    let corrupt = |error: postcard::Error| PortError::corrupt(CHUNK, error);
    let length = |bytes| postcard::take_from_bytes::<usize>(bytes).map(|(length, _)| length).map_err(corrupt);
    let too_long = |length: usize| {
        (length > MAX_CHUNK_ENTRIES).then(|| PortError::corrupt(CHUNK, format!("it holds {length} entries")))
    };
    if let Some(error) = too_long(length(unpacked)?) {
        return Err(error);
    }
    let (_moments, rest) = postcard::take_from_bytes::<Vec<(i64, u32)>>(unpacked).map_err(corrupt)?;
    if let Some(error) = too_long(length(rest)?) {
        return Err(error);
    }
    let (references, rest) = postcard::take_from_bytes::<Vec<Ref>>(rest).map_err(corrupt)?;
    if length(rest)? != references.len() {
        return Err(PortError::corrupt(CHUNK, "its columns differ in length"));
    }
    plain(CHUNK, unpacked)
}

fn send(entry: &[u8; SEND_BYTES]) -> Send {
    let [k0, k1, k2, k3, k4, k5, k6, k7, t0, t1, t2, t3, t4, c0, c1, c2, c3, c4, c5, c6, c7, flags] = *entry;
    let since = i64::from_be_bytes([0, 0, 0, t0, t1, t2, t3, t4]);
    Send {
        key: SendKey([k0, k1, k2, k3, k4, k5, k6, k7]),
        // Five bytes of milliseconds stay far below the largest time.
        at: Timestamp::from_millisecond(SENDS_EPOCH_MS + since).unwrap_or(Timestamp::MAX),
        claim: ClaimId([c0, c1, c2, c3, c4, c5, c6, c7]),
        counts: flags & COUNTS != 0,
    }
}

/// Entries by columns, so that the compressor sees like beside like; moment and policy, shared by many, only once.
#[derive(Serialize, Deserialize)]
struct StoredEntries {
    moments: Vec<(i64, u32)>,
    references: Vec<Ref>,
    outcomes: Vec<(u16, Outcome)>,
}

/// Sorts the entries by reference, so that their order does not tell whose they are.
pub(super) fn entries_bytes(entries: &[Entry]) -> Result<Vec<u8>, PortError> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.reference);
    let moment = |entry: &Entry| (entry.decided_at.as_millisecond(), entry.policy_version);
    let mut moments: Vec<(i64, u32)> = sorted.iter().map(|entry| moment(entry)).collect();
    moments.sort_unstable();
    moments.dedup();
    let place = |entry: &Entry| {
        let at = moments.binary_search(&moment(entry)).unwrap_or(0);
        u16::try_from(at).unwrap_or(u16::MAX)
    };
    let outcomes = sorted.iter().map(|entry| (place(entry), entry.outcome.clone())).collect();
    let references = sorted.iter().map(|entry| entry.reference).collect();
    let plain = postcard::to_allocvec(&StoredEntries { moments, references, outcomes });
    let plain = plain.map_err(|error| PortError::corrupt(CHUNK, error))?;
    let packed = zstd::encode_all(plain.as_slice(), zstd::DEFAULT_COMPRESSION_LEVEL);
    let mut bytes = vec![FORMAT];
    bytes.extend(packed.map_err(|error| PortError::corrupt(CHUNK, error))?);
    Ok(bytes)
}

pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, PortError> {
    let unpacked = unpacked(body(CHUNK, bytes)?).map_err(|error| PortError::corrupt(CHUNK, error))?;
    let stored = columns(&unpacked)?;
    let pairs = stored.references.into_iter().zip(stored.outcomes);
    let entry = |(reference, (moment, outcome)): (Ref, (u16, Outcome))| {
        let (at, policy_version) = *stored.moments.get(usize::from(moment))?;
        Some(Entry { reference, outcome, decided_at: Timestamp::from_millisecond(at).ok()?, policy_version })
    };
    let entries: Option<Vec<Entry>> = pairs.map(entry).collect();
    entries.ok_or_else(|| PortError::corrupt(CHUNK, "an entry has no moment"))
}
