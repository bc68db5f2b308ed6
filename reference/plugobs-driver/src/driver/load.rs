//! From a plugin's name to an instance that takes calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, attribute, capability, event};
use plugobs_core::{CallIdentity, InstanceId};
use uuid::Uuid;

use super::Inner;
use super::callbacks::Callbacks;
use super::plugin::{Plugin, PluginInner};
use super::report::{Details, Failed};
use crate::failure::PluginFailure;
use crate::info::InstanceInfo;
use crate::intake::InstanceIntake;
use crate::intake::instance::InstanceState;
use crate::interface::{CatalogueEntry, Request, Response};
use crate::manifest::{Manifest, ManifestError};
use crate::transport::{Connection, Launch, TransportFailure};

/// Finds the plugin by the rules of its source.
pub(crate) fn find(
    inner: &Inner,
    name: &str,
    version: Option<&str>,
) -> Result<Manifest, PluginFailure> {
    let started = Instant::now();
    inner.source.find(name, version).map_err(|error| {
        let code = match &error {
            ManifestError::NotFound { .. } => FailureCode::PluginNotFound,
            ManifestError::Interface { .. } => FailureCode::UnsupportedInterface,
            _ => FailureCode::ManifestInvalid,
        };
        inner.fail(Failed {
            code,
            message: error.to_string(),
            elapsed: started.elapsed(),
            name,
            details: Details {
                version: version.map(str::to_owned),
                field: error.field(),
                ..Details::default()
            },
        })
    })
}

/// Starts an instance, initialises it and tells everybody's catalogue.
pub(crate) async fn start(inner: &Arc<Inner>, manifest: Manifest) -> Result<Plugin, PluginFailure> {
    let started = Instant::now();
    let manifest = Arc::new(manifest);
    let id = InstanceId::from(Uuid::new_v4());
    let info = InstanceInfo {
        plugin_instance_id: id.to_string(),
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        interface_version: manifest.interface_version,
        executable_type: manifest.executable_type.clone(),
        executable: None,
        pid: None,
        started_at: inner.hub.now(),
        ended_at: None,
        exit_code: None,
        signal: None,
        token_shown: false,
        epochs: Vec::new(),
    };
    let state = Arc::new(InstanceState::new(id, new_token(), inner.hub.clone(), info));
    state.describe(|_| {});
    let fail = |code, message: String, exit| {
        inner.fail(Failed {
            code,
            message,
            elapsed: started.elapsed(),
            name: &manifest.name,
            details: Details {
                version: Some(manifest.version.to_string()),
                instance: Some(&state),
                exit,
                ..Details::default()
            },
        })
    };
    let Some(transport) = inner.transport(&manifest.executable_type) else {
        let message = format!(
            "no transport runs executableType {:?}",
            manifest.executable_type
        );
        state.record_end(None, started.elapsed());
        return Err(fail(FailureCode::UnsupportedExecutableType, message, None));
    };
    let launch = Launch {
        manifest: manifest.clone(),
        intake: InstanceIntake(state.clone()),
        callbacks: Arc::new(Callbacks {
            driver: Arc::downgrade(inner),
            caller: state.clone(),
        }),
        handshake_timeout: inner.settings.handshake_timeout,
        level: inner.settings.level,
        environment: inner.settings.environment.clone(),
    };
    // A launch that is let go of leaves nothing running.
    let mut closing = inner.closing.subscribe();
    let launched = tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => Err(TransportFailure {
            code: FailureCode::CannotStart,
            message: "the driver shut down while the plugin was starting".to_owned(),
            exit: None,
        }),
        launched = transport.launch(launch) => launched,
    };
    let connection = match launched {
        Ok(connection) => connection,
        Err(failure) => {
            state.close_accounts();
            state.record_end(failure.exit, started.elapsed());
            return Err(fail(failure.code, failure.message, failure.exit));
        }
    };
    let plugin = Arc::new(PluginInner::new(
        Arc::downgrade(inner),
        manifest.clone(),
        state.clone(),
        connection,
    ));
    let initialised = tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => Err(fail(
            FailureCode::InitRefused,
            "the driver shut down before the plugin had answered InitPlugin".to_owned(),
            None,
        )),
        initialised = initialise(inner, &plugin) => initialised,
    };
    let catalogue = match initialised {
        Ok(catalogue) => catalogue,
        Err(failure) => {
            plugin.stop().await;
            return Err(failure);
        }
    };
    if !inner.register(&plugin) {
        plugin.stop().await;
        let message = "the driver shut down while the plugin was starting";
        return Err(fail(FailureCode::CannotStart, message.to_owned(), None));
    }
    let known = inner.catalogue.entries();
    inner.catalogue.add(&plugin, catalogue);
    plugin.watch();
    let entries = inner.catalogue.entries();
    if entries == known {
        // Nobody else hears anything new.
        update_catalogue(&plugin, entries).await;
    } else {
        for plugin in inner.loaded() {
            update_catalogue(&plugin, entries.clone()).await;
        }
    }
    Ok(Plugin(plugin))
}

/// Calls `InitPlugin` and gives the plugin's catalogue.
async fn initialise(
    inner: &Arc<Inner>,
    plugin: &Arc<PluginInner>,
) -> Result<Vec<CatalogueEntry>, PluginFailure> {
    let started = Instant::now();
    let identity = outside_tests();
    let mut host_capabilities = inner.catalogue.keys();
    host_capabilities.extend(capability::ALL.iter().map(|c| (*c).to_owned()));
    let request = Request::Init {
        implementation: inner.settings.implementation.clone(),
        version: inner.settings.version.clone(),
        host_capabilities,
    };
    let fail = |code, message: String, missing_capabilities| {
        inner.fail(Failed {
            code,
            message,
            elapsed: started.elapsed(),
            name: &plugin.manifest.name,
            details: Details {
                missing_capabilities,
                identity: Some(&identity),
                operation: Some("InitPlugin"),
                ..plugin.details()
            },
        })
    };
    match plugin.raw_call(&identity, request).await? {
        Response::Initialised { catalogue, .. } => {
            let text = format!(
                "{} {} initialised",
                plugin.manifest.name, plugin.manifest.version
            );
            plugin.state.lifecycle(
                event::INSTANCE_INITIALISED,
                &text,
                vec![
                    (attribute::INIT_DURATION_NS, nanos(started.elapsed()).into()),
                    (
                        attribute::CATALOGUE_ENTRIES,
                        (catalogue.len() as u64).into(),
                    ),
                    (
                        attribute::INTERFACE_VERSION,
                        plugin.manifest.interface_version.into(),
                    ),
                ],
            );
            Ok(catalogue)
        }
        Response::InitRefused {
            error,
            missing_host_capabilities,
        } if missing_host_capabilities.is_empty() => {
            let message = format!("the plugin says: {error}");
            Err(fail(FailureCode::InitRefused, message, Vec::new()))
        }
        Response::InitRefused {
            error,
            missing_host_capabilities,
        } => {
            let missing = missing_host_capabilities.join(", ");
            let message = format!("the plugin needs {missing}; it says: {error}");
            Err(fail(
                FailureCode::MissingCapability,
                message,
                missing_host_capabilities,
            ))
        }
        other => {
            let message = format!("an answer to another operation came: {}", other.outcome());
            Err(fail(FailureCode::InitRefused, message, Vec::new()))
        }
    }
}

/// Tells a plugin what all of them can do. One that does not take it goes on
/// without: the call's records say so.
async fn update_catalogue(plugin: &Arc<PluginInner>, entries: Vec<CatalogueEntry>) {
    if plugin.ended().is_none() {
        let request = Request::UpdateCatalogue(entries);
        let _ = plugin.raw_call(&outside_tests(), request).await;
    }
}

/// The identity of a call that is no test's.
fn outside_tests() -> CallIdentity {
    CallIdentity {
        call_id: Some(Uuid::now_v7().to_string().into()),
        ..CallIdentity::default()
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// 32 random bytes as hexadecimal digits.
fn new_token() -> String {
    let mut bytes = [0u8; 32];
    // Without the system's randomness, two UUIDs still hold 244 random bits
    // from the generator that instance IDs come from.
    if getrandom::fill(&mut bytes).is_err() {
        bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        bytes[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A connection whose plugin is dropped without a stop ends with it.
pub(crate) type SharedConnection = Arc<dyn Connection>;
