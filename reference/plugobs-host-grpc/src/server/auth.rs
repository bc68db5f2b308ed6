//! Whose call it is: the port tells the instance, the token proves it.

use plugobs_core::registry::metadata;
use plugobs_driver::intake::InstanceIntake;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// Whether the caller showed the instance's token; `false` where it showed
/// none, as deployed plugins do.
///
/// # Errors
/// UNAUTHENTICATED where it showed anything else (OBS-GRPC-40).
pub(super) fn authenticate(intake: &InstanceIntake, map: &MetadataMap) -> Result<bool, Status> {
    let mut values = map.get_all(metadata::AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().ok().and_then(bearer).unwrap_or_default()),
        // Two are one too many to believe either.
        (Some(_), Some(_)) => Some(""),
    };
    intake
        .authenticate(token)
        .map_err(|wrong| Status::unauthenticated(wrong.to_string()))
}

/// The token in `Bearer <token>`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_token_of_the_scheme_bearer_only() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}
