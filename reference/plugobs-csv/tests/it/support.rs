//! What several tests need: short ways to say rules and bodies, and a random source that repeats itself.

use std::collections::BTreeMap;

use plugobs_csv::compare::{Comparison, compare};
use plugobs_csv::content::Body;
use plugobs_csv::mismatch::{Mismatch, Verdict};
use plugobs_csv::spec::Spec;
use serde_json::{Map, Value};

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// One rule each for some paths.
pub(crate) fn rules<const N: usize>(rules: [(&str, Spec); N]) -> BTreeMap<String, Vec<Spec>> {
    rules
        .into_iter()
        .map(|(path, spec)| (path.to_owned(), vec![spec]))
        .collect()
}

/// A comparison of two texts that can be varied before it is run.
pub(crate) struct Case {
    pub(crate) expected: Body,
    pub(crate) actual: Body,
    pub(crate) allow_unexpected_keys: bool,
    pub(crate) rules: BTreeMap<String, Vec<Spec>>,
    pub(crate) configuration: Map<String, Value>,
}

impl Case {
    pub(crate) fn new(expected: impl Into<Vec<u8>>, actual: impl Into<Vec<u8>>) -> Self {
        Self {
            expected: Body::csv(expected),
            actual: Body::csv(actual),
            allow_unexpected_keys: false,
            rules: BTreeMap::new(),
            configuration: Map::new(),
        }
    }

    pub(crate) fn rules<const N: usize>(self, pairs: [(&str, Spec); N]) -> Self {
        Self {
            rules: rules(pairs),
            ..self
        }
    }

    pub(crate) fn without_headers(mut self) -> Self {
        self.configuration
            .insert("csvHeaders".to_owned(), Value::Bool(false));
        self
    }

    pub(crate) fn run(&self) -> Result<Verdict, plugobs_csv::Error> {
        compare(&Comparison {
            expected: Some(&self.expected),
            actual: Some(&self.actual),
            allow_unexpected_keys: self.allow_unexpected_keys,
            rules: &self.rules,
            configuration: &self.configuration,
        })
    }

    /// The mismatches as `place: message`.
    pub(crate) fn lines(&self) -> Vec<String> {
        mismatches(self.run().unwrap())
            .iter()
            .map(|mismatch| format!("{}: {}", mismatch.place, mismatch.message))
            .collect()
    }
}

pub(crate) fn mismatches(verdict: Verdict) -> Vec<Mismatch> {
    match verdict {
        Verdict::Compared { mismatches, .. } => mismatches,
        other => panic!("nothing was compared: {other:?}"),
    }
}

/// A random source that gives the same numbers in each run (SplitMix64).
pub(crate) fn random_source(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}
