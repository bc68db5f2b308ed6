//! JSON and protobuf's `Struct`, whose only number is the double.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::{Map, Number, Value as Json};

/// Integers up to here are doubles without loss.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A `Struct`. Integers beyond 2^53 are rounded: the deployed interface has no
/// other number.
pub(crate) fn to_struct(map: Map<String, Json>) -> Struct {
    Struct {
        fields: map
            .into_iter()
            .map(|(key, value)| (key, to_value(value)))
            .collect(),
    }
}

/// A `Struct`, or none where there is nothing to say.
pub(crate) fn to_struct_unless_empty(map: Map<String, Json>) -> Option<Struct> {
    (!map.is_empty()).then(|| to_struct(map))
}

/// One value.
pub(crate) fn to_value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(list) => Kind::ListValue(ListValue {
            values: list.into_iter().map(to_value).collect(),
        }),
        Json::Object(map) => Kind::StructValue(to_struct(map)),
    };
    Value { kind: Some(kind) }
}

/// The members of a `Struct`; none where it is missing.
pub(crate) fn from_struct(of: Option<Struct>) -> Map<String, Json> {
    of.map(|of| {
        of.fields
            .into_iter()
            .map(|(key, value)| (key, from_value(value)))
            .collect()
    })
    .unwrap_or_default()
}

/// One value. A number without a fraction is an integer again; one that is not
/// finite, and a value without a kind, are null.
pub(crate) fn from_value(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(value),
        Some(Kind::NumberValue(number)) => from_double(number),
        Some(Kind::StringValue(text)) => Json::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(from_value).collect(),
        Some(Kind::StructValue(of)) => Json::Object(from_struct(Some(of))),
    }
}

fn from_double(number: f64) -> Json {
    let negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= EXACT && !negative_zero {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is integral and within 2^53"
        )]
        return Json::from(number as i64);
    }
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there_and_back(json: Json) -> Json {
        from_value(to_value(json))
    }

    #[test]
    fn whole_numbers_stay_integers() {
        let whole = json!({"a": [0, -1, 9_007_199_254_740_992_i64], "b": {"c": null}});
        assert_eq!(there_and_back(whole.clone()), whole);
        assert!(there_and_back(json!(3.0)).is_i64());
        assert_eq!(there_and_back(json!(2.5)), json!(2.5));
        assert_eq!(there_and_back(json!(1e300)), json!(1e300));
        assert!(there_and_back(json!(-0.0)).is_f64());
    }

    #[test]
    fn what_json_cannot_say_is_null() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let kind = Some(Kind::NumberValue(number));
            assert_eq!(from_value(Value { kind }), Json::Null);
        }
        assert_eq!(from_value(Value { kind: None }), Json::Null);
    }
}
