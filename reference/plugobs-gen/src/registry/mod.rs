//! The registries of `spec/registries/`: read once, checked, then written as code and as tables.

mod check;
pub mod rust;
pub mod schema;
pub mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{GenError, RegistryProblem, Result};

/// Every registry of the specification.
#[derive(Debug)]
pub struct Registries {
    /// What a record is for.
    pub channels: Registry<Plain>,
    /// The path on which a record came.
    pub sources: Registry<Plain>,
    /// Level names and their numbers.
    pub levels: Registry<Level>,
    /// What was noticed about a record.
    pub marks: Registry<SetBy>,
    /// Event names of lifecycle records.
    pub events: Registry<Event>,
    /// Rejections and failures.
    pub errors: Registry<Code>,
    /// Limits and their defaults.
    pub limits: Registry<Limit>,
    /// Capability strings.
    pub capabilities: Registry<SetBy>,
    /// Environment variables.
    pub environment: Registry<SetBy>,
    /// Metadata keys.
    pub metadata: Registry<Metadata>,
}

/// One registry file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry<E> {
    /// The registry's name, the same as the file's.
    pub registry: String,
    /// What it lists.
    pub description: String,
    /// Its entries, in the order in which readers see them.
    pub entries: Vec<E>,
}

/// What every entry of every registry has.
pub trait Entry {
    /// The registered name.
    fn name(&self) -> &str;
    /// What it means, in a sentence.
    fn description(&self) -> &str;
    /// The clause that defines its use, where one does.
    fn clause(&self) -> Option<&str>;
    /// The version of the specification that brought it.
    fn since(&self) -> &str;
    /// Whether deployed peers use it already.
    fn deployed(&self) -> bool;
}

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub struct $name {
            /// The registered name.
            pub name: String,
            /// The version of the specification that brought it.
            pub since: String,
            /// What it means.
            pub description: String,
            /// The clause that defines its use, where one does.
            #[serde(default)]
            pub clause: Option<String>,
            /// Whether deployed peers use it already.
            #[serde(default)]
            pub deployed: bool,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Entry for $name {
            fn name(&self) -> &str {
                &self.name
            }
            fn description(&self) -> &str {
                &self.description
            }
            fn clause(&self) -> Option<&str> {
                self.clause.as_deref()
            }
            fn since(&self) -> &str {
                &self.since
            }
            fn deployed(&self) -> bool {
                self.deployed
            }
        }
    };
}

entry! {
    /// A name and nothing else.
    Plain {}
}
entry! {
    /// A name and who may set it.
    SetBy {
        /// Who sets it.
        set_by: String,
    }
}
entry! {
    /// A metadata key.
    Metadata {
        /// Who sends it to whom.
        direction: String,
    }
}
entry! {
    /// A level name.
    Level {
        /// Its number, 1 to 24.
        severity_number: u8,
        /// The level it is shown as; itself when absent.
        #[serde(default)]
        shown_as: Option<String>,
        /// Other spellings.
        aliases: Vec<String>,
    }
}
entry! {
    /// A lifecycle event.
    Event {
        /// The side that emits it.
        set_by: Side,
        /// Its attributes and their types.
        attributes: BTreeMap<String, AttributeType>,
    }
}
entry! {
    /// An error code.
    Code {
        /// What has the code.
        kind: CodeKind,
        /// Where it arises.
        stage: String,
        /// What to do about a failure.
        #[serde(default)]
        action: Option<String>,
    }
}
entry! {
    /// A limit.
    Limit {
        /// The value used when nobody set another.
        default: u64,
        /// What it counts.
        unit: Unit,
    }
}

/// The side that emits an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The plugin's SDK.
    Plugin,
    /// The driver.
    Driver,
}

/// The type of a registered attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// Text.
    String,
    /// A 64-bit signed integer.
    Int,
    /// True or false.
    Bool,
}

/// What an error code describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeKind {
    /// A form that a decoder or validator refuses.
    Rejection,
    /// A plugin that failed.
    Failure,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Milliseconds.
    Milliseconds,
}

impl Registries {
    /// Reads and checks all registries under `root`.
    ///
    /// # Errors
    /// The first file that is missing or malformed, or entry that breaks a rule.
    pub fn read(root: &Path) -> Result<Self> {
        let registries = Self {
            channels: read(root, "channels")?,
            sources: read(root, "sources")?,
            levels: read(root, "levels")?,
            marks: read(root, "marks")?,
            events: read(root, "lifecycle-events")?,
            errors: read(root, "errors")?,
            limits: read(root, "limits")?,
            capabilities: read(root, "capabilities")?,
            environment: read(root, "environment")?,
            metadata: read(root, "metadata")?,
        };
        check::levels(&registries.levels)?;
        check::errors(&registries.errors)?;
        Ok(registries)
    }
}

fn read<E: Entry + DeserializeOwned>(root: &Path, name: &'static str) -> Result<Registry<E>> {
    let path = root.join("spec/registries").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).map_err(GenError::io(&path))?;
    let registry: Registry<E> =
        serde_json::from_str(&text).map_err(|source| GenError::Json { path, source })?;
    if registry.registry != name {
        return Err(GenError::Registry {
            registry: name,
            entry: registry.registry,
            problem: RegistryProblem::WrongRegistry,
        });
    }
    check::entries(name, &registry)?;
    Ok(registry)
}

/// A registered name as a Rust constant: upper case, everything else an underscore.
#[must_use]
pub fn constant_name(name: &str) -> String {
    name.chars()
        .map(|c| match c.is_ascii_alphanumeric() {
            true => c.to_ascii_uppercase(),
            false => '_',
        })
        .collect()
}
