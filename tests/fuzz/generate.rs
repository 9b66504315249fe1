//! Inputs from a seed: one of a door's own documents, changed in a few places. The same seed, door and number give the
//! same input, whatever was made before it.

use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{doors::Door, mutate};

/// One change: what, where, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub what: u32,
    pub at: u32,
    pub with: u32,
}

/// Which document is changed, and how.
#[derive(Debug, Clone)]
pub struct Script {
    document: u32,
    /// In what the document means, such as the fields of JSON.
    meaning: Vec<Step>,
    /// In its bytes.
    bytes: Vec<Step>,
}

fn step() -> impl Strategy<Value = Step> {
    (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(what, at, with)| Step { what, at, with })
}

fn script() -> impl Strategy<Value = Script> {
    // Most have one or two things wrong, since the first fault must not hide what the second would do; a quarter is
    // no longer what its format says.
    let bytes = proptest::prop_oneof![3 => vec(step(), 0..1), 1 => vec(step(), 1..4)];
    (any::<u32>(), vec(step(), 0..5), bytes).prop_map(|(document, meaning, bytes)| Script { document, meaning, bytes })
}

pub fn input(door: &Door, documents: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_be_bytes());
    key[8..16].copy_from_slice(&number.to_be_bytes());
    for (slot, byte) in key[16..].iter_mut().zip(door.name.bytes()) {
        *slot = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &key);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let script = script().new_tree(&mut runner).expect("nothing is filtered").current();
    let document = &documents[script.document as usize % documents.len()];
    // Whole kinds of steps are about bytes alone.
    let steps = match door.format {
        mutate::Format::Bytes => [script.meaning, script.bytes].concat(),
        mutate::Format::Json | mutate::Format::Lines | mutate::Format::Text => {
            let meant = mutate::meaning(door.format, document, &script.meaning, documents);
            return mutate::bytes(meant, &script.bytes, door.words);
        }
    };
    mutate::bytes(document.clone(), &steps, door.words)
}
