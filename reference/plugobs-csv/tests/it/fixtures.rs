//! The fixtures that the demo shows: one contract that holds and one that is broken in two places.

use std::fs;
use std::path::PathBuf;

use plugobs_csv::compare::{Comparison, compare};
use plugobs_csv::configure::{Interaction, configure};
use plugobs_csv::content::Body;
use plugobs_csv::mismatch::{Mismatch, Verdict};

use crate::support::{mismatches, object};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixtures/csv");
    fs::read(folder.join(name)).unwrap()
}

fn contract(name: &str) -> Interaction {
    let config = serde_json::from_slice(&fixture(&format!("{name}.json"))).unwrap();
    let interaction = configure(&object(config)).unwrap();
    assert_eq!(
        interaction.body.content,
        fixture(&format!("{name}.csv")),
        "{name}"
    );
    interaction
}

fn verdict(name: &str) -> Verdict {
    let interaction = contract(name);
    let comparison = Comparison {
        expected: Some(&interaction.body),
        actual: Some(&Body::csv(fixture(&format!("{name}-actual.csv")))),
        allow_unexpected_keys: false,
        rules: &interaction.rules,
        configuration: &interaction.configuration,
    };
    compare(&comparison).unwrap()
}

#[test]
fn the_people_match() {
    assert_eq!(
        verdict("people"),
        Verdict::Compared {
            mismatches: vec![],
            total: 0,
            rows: 3
        }
    );
}

#[test]
fn the_orders_are_wrong_in_two_places() {
    let found = mismatches(verdict("orders"));
    let line = |mismatch: &Mismatch| format!("{}: {}", mismatch.place, mismatch.message);
    assert_eq!(
        found.iter().map(line).collect::<Vec<_>>(),
        [
            "row:3, column:Amount: 'on request' is not a decimal number (at least one digit behind a decimal point)",
            "row:4, column:Placed: '2024-02-30 11:00:00' is not of the form `yyyy-MM-dd HH:mm:ss`: \
             there is no such day in that month",
        ]
    );
}

#[test]
fn the_manifest_is_that_of_this_version() {
    let manifest: serde_json::Value =
        serde_json::from_str(include_str!("../../pact-plugin.json")).unwrap();
    assert_eq!(manifest["name"], env!("CARGO_PKG_NAME"));
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["pluginInterfaceVersion"], 2);
}
