//! A random text that matches a regular expression.

use ::regex::Regex;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

use crate::random::Random;

/// How often an unbounded repetition repeats beyond its minimum, at most.
const MORE_REPEATS: u64 = 10;
/// Where nested repetitions are cut off, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// A regular expression that no text was made for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexTextError {
    /// The regular expression is wrong, or uses what this plugin's engine lacks.
    #[error("the regular expression `{regex}` is not supported: {source}")]
    Regex {
        /// The regular expression.
        regex: String,
        /// What is wrong.
        source: ::regex::Error,
    },
    /// Texts for it are too long.
    #[error("a text for the regular expression `{regex}` would be longer than {MAX_LENGTH} bytes")]
    TooLong {
        /// The regular expression.
        regex: String,
    },
    /// The text that was made does not match: an anchor or a word boundary stands where it cannot hold.
    #[error(
        "no text could be made for the regular expression `{regex}`; move its anchors and word boundaries to its ends"
    )]
    Unmatched {
        /// The regular expression.
        regex: String,
    },
}

/// Makes a text that matches, and makes sure that it does.
pub(super) fn generate(regex: &str, random: &mut Random<'_>) -> Result<String, RegexTextError> {
    let compiled = Regex::new(regex).map_err(|source| RegexTextError::Regex {
        regex: regex.to_owned(),
        source,
    })?;
    let unmatched = || RegexTextError::Unmatched {
        regex: regex.to_owned(),
    };
    let hir = regex_syntax::parse(regex).map_err(|_| unmatched())?;
    let mut text = Vec::new();
    append(&hir, random, &mut text).map_err(|Full| RegexTextError::TooLong {
        regex: regex.to_owned(),
    })?;
    let text = String::from_utf8(text).map_err(|_| unmatched())?;
    if compiled.is_match(&text) {
        Ok(text)
    } else {
        Err(unmatched())
    }
}

/// The text has reached its greatest length.
struct Full;

fn append(hir: &Hir, random: &mut Random<'_>, text: &mut Vec<u8>) -> Result<(), Full> {
    match hir.kind() {
        // Anchors and boundaries match between characters; whether they hold is seen when the text is done.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => {
            let mut buffer = [0; 4];
            if let Some(c) = character(class, random) {
                text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
        HirKind::Repetition(repetition) => {
            let min = u64::from(repetition.min);
            let max = repetition.max.map_or(min + MORE_REPEATS, u64::from);
            let spread = max.min(min + MORE_REPEATS) - min;
            for _ in 0..min + random.below(spread + 1) {
                append(&repetition.sub, random, text)?;
            }
        }
        HirKind::Capture(capture) => append(&capture.sub, random, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                append(part, random, text)?;
            }
        }
        HirKind::Alternation(choices) => {
            if let Some(choice) = random.pick(choices) {
                append(choice, random, text)?;
            }
        }
    }
    if text.len() > MAX_LENGTH {
        Err(Full)
    } else {
        Ok(())
    }
}

/// A character of the class: a printable ASCII one where there is one, since a person may have to read it.
fn character(class: &Class, random: &mut Random<'_>) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            let mut printable =
                ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(' ', '~')]);
            printable.intersect(class);
            let class = if printable.ranges().is_empty() {
                class
            } else {
                &printable
            };
            let bounds = class.ranges().iter();
            bounds
                .map(|range| (range.start().into(), range.end().into()))
                .collect()
        }
        Class::Bytes(class) => {
            let bounds = class.ranges().iter();
            bounds
                .map(|range| (range.start().into(), range.end().into()))
                .collect()
        }
    };
    let size = |(start, end): &(u32, u32)| u64::from(end - start) + 1;
    let mut index = random.below(ranges.iter().map(size).sum());
    for range in &ranges {
        if index < size(range) {
            // A range across the surrogates has no character there, so the nearest one before them is taken.
            let code = range.0 + u32::try_from(index).ok()?;
            return char::from_u32(code).or(char::from_u32(0xd7ff));
        }
        index -= size(range);
    }
    None
}
