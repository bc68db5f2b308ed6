//! JSON files that people open: indented, and safe to print.

use plugobs_core::sanitise::is_deceptive;
use serde::Serialize;

/// `value` as indented JSON with a line feed at its end, in which every
/// character that could deceive a terminal stands as `\uXXXX`.
pub(crate) fn to_pretty_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let plain = serde_json::to_string_pretty(value)?;
    let mut safe = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        // Outside of texts JSON is ASCII, and in them serde_json has escaped
        // C0 already: a line feed here is one of the indentation.
        if is_deceptive(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped_and_read_back() {
        let hostile = "a\u{1b}[2J\u{202e}\u{e0041}\n\u{7f}é";
        let json = to_pretty_json(&[hostile]).unwrap();
        assert_eq!(
            json,
            "[\n  \"a\\u001b[2J\\u202e\\udb40\\udc41\\n\\u007fé\"\n]\n"
        );
        assert_eq!(
            serde_json::from_str::<[String; 1]>(&json).unwrap(),
            [hostile]
        );
    }
}
