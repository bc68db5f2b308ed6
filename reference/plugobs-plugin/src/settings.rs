//! What the driver says to a plugin before the first call: the environment.

use std::process::Command;

use plugobs_core::Severity;
use plugobs_core::registry::environment as name;

/// Variables that are the driver's word to this process alone.
const OWN: [&str; 4] = [
    name::PLUGOBS_ENDPOINT,
    name::PLUGOBS_TOKEN,
    name::PACT_PLUGIN_HOST,
    name::PACT_PLUGIN_INSTANCE_ID,
];

/// The driver's offers.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// The record stream.
    pub(crate) endpoint: Option<String>,
    pub(crate) token: Option<String>,
    /// The deployed host service.
    pub(crate) host: Option<String>,
    pub(crate) instance_id: Option<String>,
    pub(crate) level: Option<Severity>,
}

impl Settings {
    /// Reads the environment; a variable that is empty is no offer
    /// (OBS-NEG-07).
    pub(crate) fn from_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let offer = |name: &str| get(name).filter(|value| !value.is_empty());
        let level = |name: &str| offer(name).and_then(|level| Severity::from_name(level.trim()));
        Self {
            endpoint: offer(name::PLUGOBS_ENDPOINT),
            token: offer(name::PLUGOBS_TOKEN),
            host: offer(name::PACT_PLUGIN_HOST),
            instance_id: offer(name::PACT_PLUGIN_INSTANCE_ID),
            level: level(name::PLUGOBS_LEVEL).or_else(|| level(name::LOG_LEVEL)),
        }
    }
}

/// Keeps the driver's word to this plugin from a process that the plugin
/// starts (OBS-NEG-06): call it on each [`Command`] before it is spawned.
pub fn scrub_environment(command: &mut Command) -> &mut Command {
    for name in OWN {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_own_level_wins_and_empty_is_absent() {
        let read = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.to_vec();
            Settings::read(move |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let settings = read(&[("LOG_LEVEL", "debug"), ("PLUGOBS_LEVEL", "WARN")]);
        assert_eq!(settings.level, Some(Severity::WARN));
        assert_eq!(read(&[("LOG_LEVEL", "debug")]).level, Some(Severity::DEBUG));
        assert_eq!(read(&[("LOG_LEVEL", "loud")]).level, None);
        assert_eq!(read(&[("PLUGOBS_ENDPOINT", "")]).endpoint, None);
    }

    #[test]
    fn a_child_does_not_get_the_token() {
        let mut command = Command::new("true");
        let envs: Vec<_> = scrub_environment(&mut command).get_envs().collect();
        assert_eq!(envs.len(), 4);
        assert!(envs.iter().all(|(_, value)| value.is_none()));
    }
}
