//! Text from a plugin cannot forge a line (OBS-SEC-21).

use plugobs_core::sanitise::{block, cut, from_bytes, is_deceptive, line};
use proptest::prelude::*;

use crate::arbitrary;

#[test]
fn escapes_are_visible() {
    assert_eq!(line("plain é😀"), "plain é😀");
    assert_eq!(
        line("a\nb\tc\r\u{1b}[2J\u{202e}\u{feff}"),
        "a\\nb\\tc\\r\\u{1b}[2J\\u{202e}\\u{feff}"
    );
    assert_eq!(block("a\nb\tc\r\n"), "a\nb\tc\\r\n");
    for c in [
        '\u{0}',
        '\u{7f}',
        '\u{9b}',
        '\u{61c}',
        '\u{200f}',
        '\u{2029}',
        '\u{2066}',
        '\u{fffb}',
        '\u{e007f}',
    ] {
        assert!(is_deceptive(c), "{c:?}");
    }
    for c in [' ', 'a', '\u{a0}', '\u{301}', '\u{1f600}'] {
        assert!(!is_deceptive(c), "{c:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_said() {
    assert_eq!(from_bytes(b"ok"), ("ok".into(), false));
    assert_eq!(from_bytes(b"a\xffb"), ("a\u{fffd}b".into(), true));
}

#[test]
fn a_cut_is_at_a_character() {
    assert_eq!(cut("aé", 2), "a");
    assert_eq!(cut("aé", 3), "aé");
    assert_eq!(cut("", 3), "");
}

proptest! {
    #[test]
    fn no_text_gets_through(text in arbitrary::text()) {
        prop_assert!(!line(&text).chars().any(is_deceptive));
        prop_assert!(!block(&text).chars().any(|c| is_deceptive(c) && c != '\n' && c != '\t'));
        prop_assert!(text.starts_with(cut(&text, 7)) && cut(&text, 7).len() <= 7);
    }
}
