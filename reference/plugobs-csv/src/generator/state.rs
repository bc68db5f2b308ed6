//! Values of the provider's state in an expression such as `${id}` or `user-${id}`.

use serde_json::{Map, Value};

/// Fills an expression: each `${key}` is replaced by its value, and an expression without any is itself a key.
///
/// # Errors
/// The key that the state does not hold.
pub(super) fn fill(expression: &str, state: &Map<String, Value>) -> Result<String, String> {
    if !expression.contains("${") {
        return lookup(expression, state);
    }
    let mut text = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((key, after)) = after.split_once('}') else {
            break;
        };
        text.push_str(before);
        text.push_str(&lookup(key, state)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn lookup(key: &str, state: &Map<String, Value>) -> Result<String, String> {
    match state.get(key.trim()) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(key.to_owned()),
    }
}
