//! The identities that a driver assigns, and the grammar of the one it does not.

use std::fmt;
use std::sync::Arc;

use crate::error::Rejection;
use crate::registry::{RejectionCode, limit};

/// Whether `text` is a UUID in canonical lower-case form, 36 characters.
pub fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Checks a test run ID against its grammar: 1 to 256 bytes of printable ASCII
/// without space, quote, comma or backslash.
///
/// A driver keeps an ID that fails as data, marks it, and does not send it as
/// metadata.
///
/// # Errors
/// `invalid_test_run_id`, with what was found.
pub fn check_test_run_id(id: &str) -> Result<(), Rejection> {
    let refuse =
        |detail: String| Rejection::new(RejectionCode::InvalidTestRunId, "testRunId", detail);
    if id.is_empty() || id.len() > limit::TEST_RUN_ID_BYTES_DEFAULT {
        return Err(refuse(format!(
            "it is {} bytes long; 1 to {} are allowed",
            id.len(),
            limit::TEST_RUN_ID_BYTES_DEFAULT
        )));
    }
    match id
        .char_indices()
        .find(|(_, c)| !matches!(c, '!'..='~') || matches!(c, '"' | ',' | '\\'))
    {
        None => Ok(()),
        Some((at, c)) => Err(refuse(format!(
            "character {c:?} at byte {at} is not allowed; use printable ASCII without space, quote, comma or backslash"
        ))),
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $field:literal, $code:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads the canonical text.
            ///
            /// # Errors
            /// The ID's own rejection code where the text is not a UUID in
            /// canonical lower-case form.
            pub fn parse(text: &str) -> Result<Self, Rejection> {
                if is_canonical_uuid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(Rejection::new(
                        RejectionCode::$code,
                        $field,
                        format!("{text:?} is not a UUID in canonical lower-case text"),
                    ))
                }
            }

            /// The canonical text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid.hyphenated().to_string().into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_id!(
    /// One start of one plugin, assigned by the driver before the start and
    /// never used again.
    InstanceId,
    "pluginInstanceId",
    InvalidInstanceId
);
uuid_id!(
    /// One life of a driver.
    RunId,
    "runId",
    InvalidInstanceId
);
uuid_id!(
    /// One call from the driver to a plugin.
    CallId,
    "callId",
    InvalidCallId
);
