//! Text from a plugin is data: what it may not do to a terminal, a file or a
//! page (`spec/security.md`).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character could move the cursor, hide or reorder text, or forge a
/// line: controls, bidi controls, separators, zero-width and tag characters.
pub fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for one line of a terminal: every deceptive character is shown as an
/// escape, line breaks and tabs included.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_deceptive)
}

/// Text for several lines of a terminal: line feeds and tabs stay, all other
/// deceptive characters are shown as escapes.
pub fn block(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_deceptive(c) && c != '\n' && c != '\t')
}

/// Text from bytes; what is not UTF-8 is replaced, and the flag says so.
pub fn from_bytes(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let text = String::from_utf8_lossy(bytes);
    let replaced = matches!(text, Cow::Owned(_));
    (text, replaced)
}

fn escape(text: &str, wanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&wanted) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !wanted(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c => {
                // Writing to a String does not fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(safe)
}

/// The longest prefix of at most `max` bytes that ends at a character boundary.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
