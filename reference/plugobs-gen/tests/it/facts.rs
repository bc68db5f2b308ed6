//! The deployed interface is as `proto/io/pact/facts.json` lists it: nothing missing, nothing more.
//!
//! Both sides become sets of plain lines, one a field, value or method, so that a difference
//! reads as one.

use std::collections::BTreeSet;
use std::fs;

use plugobs_gen::{cli, proto};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use serde_json::Value;

#[test]
fn deployed_interface_is_exactly_the_facts() {
    let root = cli::default_root();
    let descriptors = proto::descriptors(&root).unwrap_or_else(|error| panic!("{error}"));
    let text = fs::read_to_string(root.join("proto/io/pact/facts.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();

    let mut expected = BTreeSet::new();
    for package in array(&facts, "packages") {
        lines_of_facts(package, &mut expected);
    }
    let mut found = BTreeSet::new();
    for file in &descriptors.file {
        if file.package().starts_with("io.pact.") {
            lines_of_descriptor(file, &mut found);
        }
    }

    let missing: Vec<_> = expected.difference(&found).collect();
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "in the facts and not in the definitions: {missing:#?}\n\
         in the definitions and not in the facts: {extra:#?}"
    );
    // 35 and 46 messages: a table that was emptied by mistake cannot pass.
    assert!(expected.len() > 300, "only {} facts", expected.len());
}

fn lines_of_facts(package: &Value, lines: &mut BTreeSet<String>) {
    let name = text(package, "package");
    lines.insert(format!("{name} in {} proto3", text(package, "file")));
    for message in array(package, "messages") {
        let message_name = text(message, "name");
        lines.insert(format!("{name} message {message_name}"));
        for field in array(message, "fields") {
            lines.insert(format!(
                "{name} {message_name} {} {} {} {} in {}",
                field["number"],
                text(field, "name"),
                field["label"].as_str().unwrap_or("singular"),
                text(field, "type"),
                field["oneof"].as_str().unwrap_or("no oneof"),
            ));
        }
    }
    for kind in array(package, "enums") {
        for (value, number) in kind["values"].as_object().expect("an object") {
            lines.insert(format!(
                "{name} enum {} {value}={number}",
                text(kind, "name")
            ));
        }
    }
    for service in array(package, "services") {
        for method in array(service, "methods") {
            lines.insert(format!(
                "{name} rpc {}/{} unary {} -> unary {}",
                text(service, "name"),
                text(method, "name"),
                text(method, "request"),
                text(method, "response"),
            ));
        }
    }
}

fn lines_of_descriptor(file: &FileDescriptorProto, lines: &mut BTreeSet<String>) {
    let package = file.package();
    lines.insert(format!("{package} in {} {}", file.name(), file.syntax()));
    for message in &file.message_type {
        lines_of_message(package, "", message, lines);
    }
    for kind in &file.enum_type {
        lines_of_enum(package, "", kind, lines);
    }
    for service in &file.service {
        for method in &service.method {
            let mode = |streaming| if streaming { "stream" } else { "unary" };
            lines.insert(format!(
                "{package} rpc {}/{} {} {} -> {} {}",
                service.name(),
                method.name(),
                mode(method.client_streaming()),
                short(package, method.input_type()),
                mode(method.server_streaming()),
                short(package, method.output_type()),
            ));
        }
    }
}

fn lines_of_message(
    package: &str,
    outer: &str,
    message: &DescriptorProto,
    lines: &mut BTreeSet<String>,
) {
    let name = format!("{outer}{}", message.name());
    lines.insert(format!("{package} message {name}"));
    for field in &message.field {
        let (label, kind) = match map_of(message, field) {
            Some(entry) => {
                let (key, value) = (&entry.field[0], &entry.field[1]);
                let (key, value) = (type_of(package, key), type_of(package, value));
                ("singular", format!("map<{key}, {value}>"))
            }
            None if field.proto3_optional() => ("optional", type_of(package, field)),
            None if field.label() == Label::Repeated => ("repeated", type_of(package, field)),
            None => ("singular", type_of(package, field)),
        };
        let oneof = match field.oneof_index {
            Some(index) => message.oneof_decl[usize::try_from(index).expect("an index")].name(),
            None => "no oneof",
        };
        lines.insert(format!(
            "{package} {name} {} {} {label} {kind} in {oneof}",
            field.number(),
            field.name(),
        ));
    }
    let inner = format!("{name}.");
    for kind in &message.enum_type {
        lines_of_enum(package, &inner, kind, lines);
    }
    for nested in &message.nested_type {
        if !is_map_entry(nested) {
            lines_of_message(package, &inner, nested, lines);
        }
    }
}

fn lines_of_enum(
    package: &str,
    outer: &str,
    kind: &EnumDescriptorProto,
    lines: &mut BTreeSet<String>,
) {
    for value in &kind.value {
        lines.insert(format!(
            "{package} enum {outer}{} {}={}",
            kind.name(),
            value.name(),
            value.number()
        ));
    }
}

/// The nested message behind a map field.
fn map_of<'a>(
    message: &'a DescriptorProto,
    field: &FieldDescriptorProto,
) -> Option<&'a DescriptorProto> {
    message.nested_type.iter().find(|nested| {
        is_map_entry(nested)
            && field
                .type_name()
                .ends_with(&format!(".{}.{}", message.name(), nested.name()))
    })
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
}

fn type_of(package: &str, field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => short(package, field.type_name()).to_owned(),
        scalar => scalar
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
    }
}

fn short<'a>(package: &str, name: &'a str) -> &'a str {
    let name = name.trim_start_matches('.');
    name.strip_prefix(package)
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(name)
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}
