//! JSON in which a member that stands twice is an error, not the last one's win.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::Rejection;
use crate::registry::RejectionCode;

const DUPLICATE: &str = "duplicate member ";

/// What the JSON library says of a number that no double can hold.
const TOO_LARGE: &str = "number out of range";

/// Reads one JSON object and refuses duplicate members at any depth.
///
/// # Errors
/// `duplicate_key` with the member's name, `out_of_range` for an integer that
/// fits no 64 bits or a number that fits no double, or `invalid_json`.
pub fn object(text: &str) -> Result<Map<String, Value>, Rejection> {
    let map = parse(text)?;
    let mut has_negative_zero = false;
    for (_, token) in numbers(text) {
        has_negative_zero |= token == "-0";
        if is_huge_integer(token) {
            return Err(Rejection::new(
                RejectionCode::OutOfRange,
                "$",
                format!("{token} fits no 64-bit integer; write it as a text or as a double"),
            ));
        }
    }
    if has_negative_zero {
        return parse(&without_negative_zeros(text));
    }
    Ok(map)
}

fn parse(text: &str) -> Result<Map<String, Value>, Rejection> {
    let refuse = |code, detail: String| Err(Rejection::new(code, "$", detail));
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(Value::Object(map))) => Ok(map),
        Ok(_) => refuse(
            RejectionCode::InvalidJson,
            "an object is expected".to_owned(),
        ),
        Err(error) => {
            let detail = error.to_string();
            let code = if detail.starts_with(DUPLICATE) {
                RejectionCode::DuplicateKey
            } else if detail.starts_with(TOO_LARGE) {
                RejectionCode::OutOfRange
            } else {
                RejectionCode::InvalidJson
            };
            refuse(code, detail)
        }
    }
}

/// Whether a number without fraction and exponent fits no 64 bits: the JSON
/// library would turn it into a double without a word.
fn is_huge_integer(token: &str) -> bool {
    let digits = token.trim_start_matches('-');
    // Below nineteen digits everything fits.
    digits.len() >= 19
        && digits.bytes().all(|b| b.is_ascii_digit())
        && token.parse::<i64>().is_err()
        && token.parse::<u64>().is_err()
}

/// The text with each `-0` as ` 0`: without a fraction it is an integer
/// (OBS-JSON-18), and the JSON library would make a double of it.
fn without_negative_zeros(text: &str) -> String {
    let mut plain = text.to_owned();
    for (at, _) in numbers(text).filter(|(_, token)| *token == "-0") {
        plain.replace_range(at..=at, " ");
    }
    plain
}

/// The numbers outside of strings, each with where it begins. The text is known
/// to be valid JSON.
fn numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            match bytes[at] {
                b'"' => {
                    at += 1;
                    while bytes[at] != b'"' {
                        // An escape is at least two bytes, of which the second
                        // may be a quote.
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let start = at;
                    let number =
                        |b: &u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    at += bytes[at..].iter().take_while(|b| number(b)).count();
                    return Some((start, &text[start..at]));
                }
                _ => at += 1,
            }
        }
        None
    })
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E: Error>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("{DUPLICATE}{key:?}")));
            }
            let Strict(value) = access.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
