//! JSON forms of the manifest's numbers, ranges and version.

use std::borrow::Cow;
use std::fmt;

use plugobs_core::SequenceSet;
use plugobs_core::json::MAX_SAFE_INTEGER;
use serde::de::{self, Deserializer, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

/// The format of a run folder, `major.minor`.
///
/// While the major version is 0, a reader takes exactly the minor versions
/// that it names (`OBS-VER-13`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormatVersion(Cow<'static, str>);

impl FormatVersion {
    /// What this version writes.
    pub const CURRENT: Self = Self(Cow::Borrowed("0.1"));
    /// Every version that this one reads.
    pub const READABLE: &'static [&'static str] = &["0.1"];

    /// Whether this version can read it.
    pub fn is_readable(&self) -> bool {
        Self::READABLE.contains(&self.0.as_ref())
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A range of sequences, both ends included; `[first, last]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Range {
    /// How many sequences it holds; none where `last` is before `first`.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a range in a file is never empty"
    )]
    pub fn len(&self) -> u64 {
        self.last
            .checked_sub(self.first)
            .map_or(0, |between| between.saturating_add(1))
    }

    /// The ranges of a set.
    pub fn list(set: &SequenceSet) -> Vec<Self> {
        set.iter().map(Self::from).collect()
    }
}

impl From<(u64, u64)> for Range {
    fn from((first, last): (u64, u64)) -> Self {
        Self { first, last }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{} to {}", self.first, self.last)
        }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_seq(Some(2))?;
        pair.serialize_element(&Uint64(self.first))?;
        pair.serialize_element(&Uint64(self.last))?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [Uint64(first), Uint64(last)] = Deserialize::deserialize(deserializer)?;
        Ok(Self { first, last })
    }
}

/// A number where every JSON reader keeps it exactly, else decimal text.
#[derive(Clone, Copy)]
struct Uint64(u64);

impl Serialize for Uint64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 <= MAX_SAFE_INTEGER {
            serializer.serialize_u64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Uint64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherForm;
        impl Visitor<'_> for EitherForm {
            type Value = u64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an unsigned 64-bit number, as a number or as decimal text")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
                Ok(number)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(EitherForm).map(Self)
    }
}

/// `#[serde(with)]` for a `u64`.
pub(super) mod uint64 {
    use super::*;

    pub(in crate::manifest) fn serialize<S: Serializer>(
        number: &u64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Uint64(*number).serialize(serializer)
    }

    pub(in crate::manifest) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u64, D::Error> {
        Uint64::deserialize(deserializer).map(|n| n.0)
    }
}

/// `#[serde(with)]` for an optional `u64`.
pub(super) mod uint64_option {
    use super::*;

    pub(in crate::manifest) fn serialize<S: Serializer>(
        number: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        number.map(Uint64).serialize(serializer)
    }

    pub(in crate::manifest) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Uint64>::deserialize(deserializer)?.map(|n| n.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_text_and_both_forms_are_read() {
        let range = Range::from((MAX_SAFE_INTEGER, MAX_SAFE_INTEGER + 1));
        let json = serde_json::to_string(&range).unwrap();
        assert_eq!(json, r#"[9007199254740991,"9007199254740992"]"#);
        assert_eq!(serde_json::from_str::<Range>(&json).unwrap(), range);
        let mixed: Range = serde_json::from_str(r#"["1",9007199254740993]"#).unwrap();
        assert_eq!(mixed, Range::from((1, 9_007_199_254_740_993)));
        serde_json::from_str::<Range>("[1,-1]").unwrap_err();
    }

    #[test]
    fn only_versions_that_are_named_are_readable() {
        for (version, readable) in [("0.1", true), ("0.2", false), ("1.0", false), ("", false)] {
            let version: FormatVersion = serde_json::from_str(&format!("\"{version}\"")).unwrap();
            assert_eq!(version.is_readable(), readable, "{version}");
        }
        assert!(FormatVersion::CURRENT.is_readable());
    }
}
