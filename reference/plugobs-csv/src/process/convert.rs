//! Between the protobuf messages of the deployed plugin interface and the engine's plain values.

use std::collections::BTreeMap;

use plugobs_proto::pact::v2;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};

use crate::calls;
use crate::configure::Interaction;
use crate::content::Body;
use crate::generator::TestMode;
use crate::mismatch::Mismatch;
use crate::spec::Spec;

/// Whole numbers up to this one are exact in a double, the only number that a `Struct` has.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// The members of a `Struct`; absent is empty.
pub(super) fn object(message: Option<&prost_types::Struct>) -> Map<String, Value> {
    let fields = message.iter().flat_map(|message| &message.fields);
    fields
        .map(|(key, value)| (key.clone(), json(value)))
        .collect()
}

pub(super) fn struct_of(object: &Map<String, Value>) -> prost_types::Struct {
    let fields = object.iter();
    prost_types::Struct {
        fields: fields
            .map(|(key, value)| (key.clone(), value_of(value)))
            .collect(),
    }
}

/// The configuration stored with the interaction.
pub(super) fn configuration(message: Option<&v2::PluginConfiguration>) -> Map<String, Value> {
    object(message.and_then(|message| message.interaction_configuration.as_ref()))
}

/// A body; a message without content says that there is none.
pub(super) fn body(message: Option<v2::Body>) -> Option<Body> {
    let message = message?;
    Some(Body {
        content: message.content?,
        content_type: message.content_type,
    })
}

pub(super) fn body_message(body: Body) -> v2::Body {
    v2::Body {
        content_type: body.content_type,
        content: Some(body.content),
        content_type_hint: v2::body::ContentTypeHint::Text.into(),
    }
}

pub(super) fn rules(message: BTreeMap<String, v2::MatchingRules>) -> BTreeMap<String, Vec<Spec>> {
    let rules = message.into_iter();
    rules
        .map(|(path, rules)| (path, rules.rule.into_iter().map(rule).collect()))
        .collect()
}

pub(super) fn rule(message: v2::MatchingRule) -> Spec {
    Spec {
        kind: message.r#type,
        values: object(message.values.as_ref()),
    }
}

pub(super) fn generators(message: BTreeMap<String, v2::Generator>) -> BTreeMap<String, Spec> {
    let generators = message.into_iter();
    generators
        .map(|(path, message)| (path, generator(message)))
        .collect()
}

pub(super) fn generator(message: v2::Generator) -> Spec {
    Spec {
        kind: message.r#type,
        values: object(message.values.as_ref()),
    }
}

pub(super) fn test_mode(message: i32) -> TestMode {
    use v2::generate_content_request::TestMode as Message;
    match Message::try_from(message) {
        Ok(Message::Consumer) => TestMode::Consumer,
        Ok(Message::Provider) => TestMode::Provider,
        Ok(Message::Unknown) | Err(_) => TestMode::Unknown,
    }
}

pub(super) fn interaction_message(interaction: Interaction) -> v2::InteractionResponse {
    let rules = interaction.rules.into_iter().map(|(path, specs)| {
        let rule = specs.iter().map(|spec| v2::MatchingRule {
            r#type: spec.kind.clone(),
            values: Some(struct_of(&spec.values)),
        });
        (
            path,
            v2::MatchingRules {
                rule: rule.collect(),
            },
        )
    });
    let generators = interaction.generators.into_iter().map(|(path, spec)| {
        let values = Some(struct_of(&spec.values));
        (
            path,
            v2::Generator {
                r#type: spec.kind,
                values,
            },
        )
    });
    v2::InteractionResponse {
        contents: Some(body_message(interaction.body)),
        rules: rules.collect(),
        generators: generators.collect(),
        plugin_configuration: Some(v2::PluginConfiguration {
            interaction_configuration: Some(struct_of(&interaction.configuration)),
            pact_configuration: None,
        }),
        interaction_markup: interaction.markup,
        interaction_markup_type: v2::interaction_response::MarkupType::CommonMark.into(),
        ..v2::InteractionResponse::default()
    }
}

pub(super) fn results(mismatches: &[Mismatch]) -> BTreeMap<String, v2::ContentMismatches> {
    let by_path = calls::by_path(mismatches).into_iter();
    by_path
        .map(|(path, found)| {
            let found = found.into_iter().map(|mismatch| v2::ContentMismatch {
                expected: mismatch.expected.clone().map(String::into_bytes),
                actual: mismatch.actual.clone().map(String::into_bytes),
                mismatch: mismatch.message.clone(),
                path: path.clone(),
                diff: String::new(),
                mismatch_type: calls::BODY.to_owned(),
            });
            let mismatches = found.collect();
            (path, v2::ContentMismatches { mismatches })
        })
        .collect()
}

/// A single value as the text that it would be in a CSV body; nothing for bytes that are no text.
pub(super) fn field_text(message: Option<&v2::FieldValue>) -> Option<String> {
    use v2::field_value::Value as Message;
    match message.and_then(|message| message.value.as_ref()) {
        None | Some(Message::NullValue(_)) => Some(String::new()),
        Some(Message::BooleanValue(value)) => Some(value.to_string()),
        Some(Message::StringValue(value)) => Some(value.clone()),
        Some(Message::IntegerValue(value)) => Some(value.to_string()),
        Some(Message::DecimalValue(value)) => Some(value.to_string()),
        Some(Message::BinaryValue(bytes)) => String::from_utf8(bytes.clone()).ok(),
        Some(Message::StructuredValue(value)) => Some(calls::text_of(json(value))),
    }
}

pub(super) fn text_field(text: String) -> v2::FieldValue {
    v2::FieldValue {
        value: Some(v2::field_value::Value::StringValue(text)),
    }
}

fn json(message: &prost_types::Value) -> Value {
    match &message.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(*value),
        Some(Kind::NumberValue(value)) => number(*value),
        Some(Kind::StringValue(value)) => Value::String(value.clone()),
        Some(Kind::StructValue(value)) => Value::Object(object(Some(value))),
        Some(Kind::ListValue(list)) => list.values.iter().map(json).collect(),
    }
}

/// A whole number becomes an integer again, so that the literal 100 is written as `100`; NaN and infinity are no JSON.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= MAX_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn value_of(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        // A number that no double holds is as near as it gets.
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(value) => Kind::StringValue(value.clone()),
        Value::Array(values) => Kind::ListValue(prost_types::ListValue {
            values: values.iter().map(value_of).collect(),
        }),
        Value::Object(object) => Kind::StructValue(struct_of(object)),
    };
    prost_types::Value { kind: Some(kind) }
}
