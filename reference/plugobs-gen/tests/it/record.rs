//! One record, three encodings: protobuf, JSON and WIT name the same fields.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;
use serde_json::Value;
use wit_parser::{Resolve, TypeDefKind};

/// What only a driver says: a guest has no place for it, and its own instance and test run are
/// arguments of the host's function (`spec/binding-wasm.md`).
const NOT_A_GUESTS: [&str; 11] = [
    "claimed",
    "epoch",
    "observed_timestamp",
    "plugin_instance_id",
    "plugin_name",
    "plugin_version",
    "run_id",
    "sequence",
    "source",
    "test_run_id",
    "unknown_fields",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(|n| n.as_ref().to_owned()).collect()
}

/// The fields of the protobuf record, without the unit in the name of a time.
fn protobuf() -> BTreeSet<String> {
    let path = root().join("reference/plugobs-proto/src/gen/descriptors.bin");
    let set = FileDescriptorSet::decode(fs::read(path).unwrap().as_slice()).unwrap();
    let ours = set
        .file
        .iter()
        .filter(|file| file.package() == "plugin.observability.v1");
    let record = ours
        .flat_map(|file| &file.message_type)
        .find(|message| message.name() == "Record")
        .unwrap();
    let fields = record.field.iter();
    names(fields.map(|field| field.name().trim_end_matches("_unix_nano")))
}

/// `testRunId` as `test_run_id`.
fn snake_case(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut name, c| {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        name
    })
}

/// What a plugin says, and what a driver adds to it.
fn json() -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for (file, members) in [
        ("record.schema.json", "/$defs/members/properties"),
        ("run-record.schema.json", "/properties"),
    ] {
        let text = fs::read(root().join("schemas").join(file)).unwrap();
        let schema: Value = serde_json::from_slice(&text).unwrap();
        let properties = schema.pointer(members).unwrap().as_object().unwrap();
        fields.extend(properties.keys().map(|name| snake_case(name)));
    }
    fields
}

/// The fields of the WIT record, as their snake-case names.
fn wit() -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("wit")).unwrap();
    let record = resolve
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some("log-record"))
        .unwrap()
        .1;
    let TypeDefKind::Record(record) = &record.kind else {
        panic!("log-record is no record")
    };
    let fields = record.fields.iter();
    names(fields.map(|field| field.name.replace('-', "_").replace("_unix_nano", "")))
}

#[test]
fn protobuf_and_json_name_the_same_fields() {
    assert_eq!(protobuf(), json());
}

#[test]
fn a_guests_record_has_every_field_that_is_its_own() {
    let mut expected = protobuf();
    for name in NOT_A_GUESTS {
        assert!(expected.remove(name), "{name} is no field any more");
    }
    // Where additions travel until the next version of the package.
    expected.insert("extra".to_owned());
    assert_eq!(wit(), expected);
}

#[test]
fn the_hosts_log_function_has_both_ids_as_arguments() {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("wit")).unwrap();
    let logging = resolve
        .interfaces
        .iter()
        .find(|(_, interface)| interface.name.as_deref() == Some("logging"))
        .unwrap()
        .1;
    let params = logging.functions["log"].params.iter();
    let params: Vec<_> = params.map(|param| param.name.as_str()).collect();
    assert_eq!(params[..2], ["plugin-instance-id", "test-run-id"]);
}
