//! A point in time: Unix nanoseconds, written as RFC 3339.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Rejection;
use crate::registry::RejectionCode;

/// Unix nanoseconds, 1970 to 2554. Its text form is RFC 3339 in UTC with nine
/// digits of fraction: `2026-11-23T04:36:58.123456789Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From Unix nanoseconds.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Unix nanoseconds.
    pub fn unix_nanos(self) -> u64 {
        self.0
    }

    /// Reads RFC 3339 text in UTC (`Z`), with 0 to 9 digits of fraction.
    ///
    /// # Errors
    /// `invalid_timestamp`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        has_form(text)
            .then(|| humantime::parse_rfc3339(text).ok())
            .flatten()
            .and_then(|time| Self::try_from(time).ok())
            .ok_or_else(|| {
                Rejection::new(
                    RejectionCode::InvalidTimestamp,
                    "timestamp",
                    format!(
                        "{text:?} is not RFC 3339 in UTC, such as 2026-11-23T04:36:58.123456789Z"
                    ),
                )
            })
    }
}

/// Whether a time ends as OBS-JSON-12 has it: `Z`, after none to nine digits of
/// fraction. The library takes more: an offset, a dot alone, any digits.
fn has_form(text: &str) -> bool {
    let Some(fraction) = text.get(19..).and_then(|rest| rest.strip_suffix('Z')) else {
        return false;
    };
    fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|digits| {
            (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        })
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = Rejection;

    fn try_from(time: SystemTime) -> Result<Self, Rejection> {
        time.duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| u64::try_from(since.as_nanos()).ok())
            .map(Self)
            .ok_or_else(|| {
                Rejection::new(
                    RejectionCode::InvalidTimestamp,
                    "timestamp",
                    "the time is before 1970 or after 2554",
                )
            })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH + Duration::from_nanos(self.0);
        humantime::format_rfc3339_nanos(time).fmt(f)
    }
}
