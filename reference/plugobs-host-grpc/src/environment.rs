//! What a plugin process finds in its environment (`spec/negotiation.md`).

use plugobs_core::Severity;
use plugobs_core::registry::environment as name;

/// What the driver offers to one instance.
pub(crate) struct Offer<'a> {
    /// Host and port of both services.
    pub(crate) endpoint: &'a str,
    pub(crate) instance_id: &'a str,
    pub(crate) token: &'a str,
    pub(crate) level: Severity,
}

/// The variables to set for the process, over those that it inherits; of two
/// with one name the later counts.
///
/// Every process gets all of them, whatever its interface version: a plugin of
/// interface 1 does not look, and its libraries may. What names the instance is
/// the driver's alone, so that a driver which runs inside another driver's
/// plugin passes nothing of that one's on (OBS-NEG-05). A level is the user's
/// where the user has set it, in the driver's own environment or in `users`
/// (OBS-CHAN-16).
pub(crate) fn variables(
    is_inherited: impl Fn(&str) -> bool,
    users: &[(String, String)],
    offer: &Offer<'_>,
) -> Vec<(String, String)> {
    let mut variables = Vec::with_capacity(users.len() + 7);
    for level in [name::PLUGOBS_LEVEL, name::LOG_LEVEL, name::RUST_LOG] {
        if !is_inherited(level) {
            variables.push((level.to_owned(), offer.level.shown().to_owned()));
        }
    }
    variables.extend_from_slice(users);
    variables.extend(
        [
            (name::PACT_PLUGIN_INSTANCE_ID, offer.instance_id),
            (name::PACT_PLUGIN_HOST, offer.endpoint),
            (name::PLUGOBS_ENDPOINT, offer.endpoint),
            (name::PLUGOBS_TOKEN, offer.token),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    variables
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn made(inherited: &[&str], users: &[(&str, &str)]) -> BTreeMap<String, String> {
        let users: Vec<_> = users
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let offer = Offer {
            endpoint: "127.0.0.1:41873",
            instance_id: "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31",
            token: "ab12",
            level: Severity::DEBUG,
        };
        variables(|name| inherited.contains(&name), &users, &offer)
            .into_iter()
            .collect()
    }

    #[test]
    fn offers_everything_to_a_plain_plugin() {
        let made = made(&[], &[]);
        let expected = [
            ("LOG_LEVEL", "DEBUG"),
            ("PACT_PLUGIN_HOST", "127.0.0.1:41873"),
            (
                "PACT_PLUGIN_INSTANCE_ID",
                "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31",
            ),
            ("PLUGOBS_ENDPOINT", "127.0.0.1:41873"),
            ("PLUGOBS_LEVEL", "DEBUG"),
            ("PLUGOBS_TOKEN", "ab12"),
            ("RUST_LOG", "DEBUG"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(made, BTreeMap::from(expected));
    }

    #[test]
    fn keeps_levels_that_the_user_has_set() {
        let made = made(&["RUST_LOG"], &[("LOG_LEVEL", "trace")]);
        assert_eq!(made.get("RUST_LOG"), None);
        assert_eq!(made["LOG_LEVEL"], "trace");
        assert_eq!(made["PLUGOBS_LEVEL"], "DEBUG");
    }

    #[test]
    fn lets_nobody_else_name_the_instance() {
        let outer = ["PACT_PLUGIN_HOST", "PLUGOBS_TOKEN", "PLUGOBS_ENDPOINT"];
        let made = made(&outer, &[("PLUGOBS_TOKEN", "forged")]);
        assert_eq!(made["PLUGOBS_TOKEN"], "ab12");
        assert_eq!(made["PACT_PLUGIN_HOST"], "127.0.0.1:41873");
        assert_eq!(made["PLUGOBS_ENDPOINT"], "127.0.0.1:41873");
    }
}
