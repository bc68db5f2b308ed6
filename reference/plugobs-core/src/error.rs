//! Why a decoder or validator refused something.

use crate::registry::RejectionCode;

/// A refusal with a code from the closed registry `errors`.
///
/// The code, the field and the stage are for programs; the detail is for
/// people and never compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {field}: {detail}", code.as_str())]
pub struct Rejection {
    /// What was wrong.
    pub code: RejectionCode,
    /// Where: a path in the JSON form, such as `attributes.rows`, or `$` for
    /// the whole.
    pub field: String,
    /// What was found, and what is expected.
    pub detail: String,
}

impl Rejection {
    /// A refusal of `field`.
    pub fn new(code: RejectionCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code,
            field: field.into(),
            detail: detail.into(),
        }
    }

    /// The stage at which the code arises: `decode` or `validate`.
    pub fn stage(&self) -> &'static str {
        self.code.stage()
    }
}
