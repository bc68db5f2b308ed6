//! Bodies and their content types.

use crate::Error;

/// The content type of every body that this plugin writes. It says no charset, which means
/// UTF-8: deployed frameworks would otherwise refuse a body whose type does not say it, too.
pub const CSV_CONTENT_TYPE: &str = "text/csv";

/// The content types this plugin answers for, separated as catalogue entries want them.
pub const CSV_CONTENT_TYPES: &str = "text/csv;application/csv";

/// A body with its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The content type with its parameters; empty where nobody said.
    pub content_type: String,
    /// The bytes.
    pub content: Vec<u8>,
}

impl Body {
    /// A CSV body in UTF-8.
    #[must_use]
    pub fn csv(content: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: CSV_CONTENT_TYPE.to_owned(),
            content: content.into(),
        }
    }
}

/// Whether a content type names CSV; parameters and letter case do not count.
#[must_use]
pub fn is_csv(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    CSV_CONTENT_TYPES
        .split(';')
        .any(|known| essence.eq_ignore_ascii_case(known))
}

/// Refuses a charset that this plugin cannot read; none given means UTF-8.
///
/// # Errors
/// [`Error::Charset`] for any other than UTF-8 and its subset US-ASCII.
pub fn require_utf8(content_type: &str) -> Result<(), Error> {
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        (key.trim().eq_ignore_ascii_case("charset")).then(|| value.trim().trim_matches('"'))
    });
    match charset {
        None => Ok(()),
        Some(name)
            if ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(name) => Err(Error::Charset {
            charset: name.to_owned(),
        }),
    }
}
