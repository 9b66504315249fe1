//! Bad input at the door: every fault is named at once, with where it is and what is wanted, and no address is shown.

mod address;
mod campaign;
mod policy;
mod recipient;

use germane::domain::door::Fault;
use serde_json::Value;

use crate::given::with;

/// Where a document is changed, to what, and what the one fault that follows wants.
type Case = (&'static str, Value, &'static str);

/// Each case changes one thing of a good document; exactly one fault must follow, there.
pub fn assert_refused<T: std::fmt::Debug>(
    good: &Value,
    parse: impl Fn(&Value) -> Result<T, Vec<Fault>>,
    cases: impl IntoIterator<Item = Case>,
) {
    parse(good).unwrap();
    for (pointer, value, wanted) in cases {
        let faults = parse(&with(good.clone(), pointer, value.clone())).expect_err(pointer);
        let [fault] = faults.as_slice() else { panic!("{pointer} = {value}: {faults:?}") };
        assert_eq!(fault.field, pointer, "{value}");
        assert!(fault.wanted.contains(wanted), "{pointer} = {value}: wanted {}", fault.wanted);
        let shown = fault.found.trim_end_matches("with an @");
        assert!(!shown.contains('@'), "{pointer}: found {}", fault.found);
        assert!(fault.found.chars().count() <= 80, "{pointer}: found {}", fault.found);
    }
}

fn assert_taken<T: std::fmt::Debug>(
    good: &Value,
    parse: impl Fn(&Value) -> Result<T, Vec<Fault>>,
    cases: impl IntoIterator<Item = (&'static str, Value)>,
) {
    for (pointer, value) in cases {
        let result = parse(&with(good.clone(), pointer, value.clone()));
        assert!(result.is_ok(), "{pointer} = {value}: {result:?}");
    }
}

fn places(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.field.as_str()).collect()
}

/// An array within an array, `levels` deep.
fn nested(levels: usize) -> Value {
    (1..levels).fold(Value::Array(vec![]), |inner, _| Value::Array(vec![inner]))
}
