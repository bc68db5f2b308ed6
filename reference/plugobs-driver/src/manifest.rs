//! Plugin manifests and the folders that hold them, by the deployed rules. The
//! format is not this project's; unknown members are ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use plugobs_core::registry::environment;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// The manifest's file name.
pub const FILE_NAME: &str = "pact-plugin.json";

/// Where plugins are looked for.
#[derive(Debug, Clone)]
pub struct PluginSource {
    folder: PathBuf,
}

/// What a plugin is and how it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// 1 or 2.
    pub interface_version: u32,
    /// Such as `exec`; decides about the transport.
    pub executable_type: String,
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// The program or component for this operating system, as the manifest
    /// writes it: relative to the folder, or absolute.
    pub entry_point: String,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// What the program needs of its interpreter, for people.
    pub minimum_required_version: Option<String>,
    /// The plugin's own settings.
    pub plugin_config: Map<String, Json>,
}

/// Why a plugin was not found, or its manifest not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// There is no such plugin.
    #[error("no plugin {name} {} in {}; found: {}", version.as_deref().unwrap_or("of any version"), folder.display(), if found.is_empty() { "none".to_owned() } else { found.join(", ") })]
    NotFound {
        /// What was asked for.
        name: String,
        /// The version that was asked for.
        version: Option<String>,
        /// Where.
        folder: PathBuf,
        /// What is there, as `name version`.
        found: Vec<String>,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A manifest breaks its format.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Where and how.
        source: serde_json::Error,
    },
    /// The manifest asks for an interface that does not exist.
    #[error("{}: pluginInterfaceVersion is {version}; 1 and 2 are supported", path.display())]
    Interface {
        /// Which.
        path: PathBuf,
        /// What it asks for.
        version: u32,
    },
}

impl ManifestError {
    /// The manifest's member that is wrong, where one is.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Interface { .. } => Some("pluginInterfaceVersion".to_owned()),
            // serde names a missing or unknown member between backquotes.
            Self::Invalid { source, .. } => source.to_string().split('`').nth(1).map(str::to_owned),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    #[serde(default = "one")]
    plugin_interface_version: u32,
    name: String,
    version: semver::Version,
    executable_type: String,
    #[serde(default)]
    minimum_required_version: Option<String>,
    entry_point: String,
    #[serde(default)]
    entry_points: BTreeMap<String, String>,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    plugin_config: Option<Map<String, Json>>,
}

fn one() -> u32 {
    1
}

impl Manifest {
    /// Reads the manifest of the plugin in `folder`.
    ///
    /// # Errors
    /// Where it cannot be read or breaks its format.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE_NAME);
        let unreadable = |source| ManifestError::Unreadable {
            path: path.clone(),
            source,
        };
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        let folder = fs::canonicalize(folder).map_err(unreadable)?;
        let raw: RawManifest =
            serde_json::from_str(&text).map_err(|source| ManifestError::Invalid {
                path: path.clone(),
                source,
            })?;
        if !matches!(raw.plugin_interface_version, 1 | 2) {
            return Err(ManifestError::Interface {
                path,
                version: raw.plugin_interface_version,
            });
        }
        let entry_point = raw
            .entry_points
            .get(std::env::consts::OS)
            .cloned()
            .unwrap_or(raw.entry_point);
        Ok(Self {
            name: raw.name,
            version: raw.version,
            interface_version: raw.plugin_interface_version,
            executable_type: raw.executable_type,
            folder,
            entry_point,
            args: raw.args.unwrap_or_default(),
            minimum_required_version: raw.minimum_required_version,
            plugin_config: raw.plugin_config.unwrap_or_default(),
        })
    }
}

impl PluginSource {
    /// Plugins in `folder`, a folder each.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// `$PACT_PLUGIN_DIR`, or `~/.pact/plugins` where it is not set.
    pub fn from_environment() -> Self {
        let folder = std::env::var_os(environment::PACT_PLUGIN_DIR)
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".pact/plugins")))
            .unwrap_or_else(|| PathBuf::from(".pact/plugins"));
        Self { folder }
    }

    /// The plugin of that name: of exactly that version, or without one the
    /// highest there is. A folder whose manifest cannot be read is passed over
    /// unless it bears the plugin's name: a broken neighbour harms nobody.
    ///
    /// # Errors
    /// Where there is none, or its manifest is broken.
    pub fn find(&self, name: &str, version: Option<&str>) -> Result<Manifest, ManifestError> {
        let (mut found, mut best, mut broken) = (Vec::new(), None::<Manifest>, None);
        for folder in self.plugin_folders()? {
            match Manifest::read(&folder) {
                Ok(manifest) => {
                    found.push(format!("{} {}", manifest.name, manifest.version));
                    let wanted = manifest.name == name
                        && version.is_none_or(|v| v == manifest.version.to_string());
                    if wanted && best.as_ref().is_none_or(|b| b.version < manifest.version) {
                        best = Some(manifest);
                    }
                }
                Err(error) => {
                    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
                    let bears_name = folder_name
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
                    if bears_name && version.is_none_or(|v| folder_name.ends_with(v)) {
                        broken = Some(error);
                    }
                }
            }
        }
        found.sort();
        match (best, broken) {
            (Some(manifest), _) => Ok(manifest),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ManifestError::NotFound {
                name: name.to_owned(),
                version: version.map(str::to_owned),
                folder: self.folder.clone(),
                found,
            }),
        }
    }

    fn plugin_folders(&self) -> Result<Vec<PathBuf>, ManifestError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            // A folder that is not there holds no plugins.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(ManifestError::Unreadable {
                    path: self.folder.clone(),
                    source,
                });
            }
        };
        let mut folders: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join(FILE_NAME).is_file())
            .collect();
        folders.sort();
        Ok(folders)
    }
}
