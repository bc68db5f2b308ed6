//! From a plugin of the plan to an instance.

use std::path::Path;

use plugobs_driver::{Driver, Manifest, Plugin, PluginFailure};
use semver::Version;

use crate::error::CliError;
use crate::plan::{Origin, Plan, PlannedPlugin, Program};

/// What the driver is asked for.
pub(super) enum Source {
    /// It looks it up.
    Installed {
        name: String,
        version: Option<String>,
    },
    /// It gets the manifest.
    Given(Box<Manifest>),
}

impl Source {
    pub(super) async fn load(self, driver: &Driver) -> Result<Plugin, PluginFailure> {
        match self {
            Self::Installed { name, version } => driver.load(&name, version.as_deref()).await,
            Self::Given(manifest) => driver.load_manifest(*manifest).await,
        }
    }
}

/// Where each of the plan's plugins comes from.
///
/// # Errors
/// A folder whose manifest cannot be read or is of another plugin, or a version
/// that is none.
pub(super) fn sources(plan: &Plan, this_program: Option<&Path>) -> Result<Vec<Source>, CliError> {
    let plugins = plan.plugins.iter();
    plugins
        .map(|plugin| source(plan, plugin, this_program))
        .collect()
}

fn source(
    plan: &Plan,
    plugin: &PlannedPlugin,
    this_program: Option<&Path>,
) -> Result<Source, CliError> {
    match &plugin.origin {
        Origin::Installed => Ok(Source::Installed {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
        }),
        Origin::Folder(folder) => {
            let manifest = Manifest::read(folder).map_err(|source| CliError::PluginFolder {
                plugin: plugin.id.clone(),
                source: Box::new(source),
            })?;
            let version = manifest.version.to_string();
            let wanted = plugin.version.as_ref();
            if manifest.name == plugin.name && wanted.is_none_or(|wanted| *wanted == version) {
                Ok(Source::Given(Box::new(manifest)))
            } else {
                Err(CliError::AnotherPlugin {
                    plugin: plugin.id.clone(),
                    folder: folder.clone(),
                    wanted: match wanted {
                        Some(version) => format!("{} {version}", plugin.name),
                        None => plugin.name.clone(),
                    },
                    found: format!("{} {version}", manifest.name),
                })
            }
        }
        Origin::Command {
            program,
            args,
            interface_version,
        } => {
            let program = match program {
                Program::Path(path) => path.as_path(),
                Program::This => this_program.ok_or(CliError::NoProgram)?,
            };
            Ok(Source::Given(Box::new(Manifest {
                name: plugin.name.clone(),
                version: version(plugin)?,
                interface_version: *interface_version,
                executable_type: "exec".to_owned(),
                folder: plan.folder.clone(),
                entry_point: program.to_string_lossy().into_owned(),
                args: args.clone(),
                minimum_required_version: None,
                plugin_config: serde_json::Map::new(),
            })))
        }
    }
}

fn version(plugin: &PlannedPlugin) -> Result<Version, CliError> {
    let text = plugin.version.as_deref().unwrap_or("0.0.0");
    Version::parse(text).map_err(|source| CliError::PluginVersion {
        plugin: plugin.id.clone(),
        version: text.to_owned(),
        source,
    })
}
