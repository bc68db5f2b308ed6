//! A plan (`schemas/plan.schema.json`): plugins, and tests that call them.

mod call;
mod error;
mod node;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use plugobs_driver::interface::{Body, FieldValue, Rule};
use serde_json::{Map, Value};

pub use error::{PlanError, Problem};
pub use read::read;

/// What `plugobs run` does. Everything that it names has been read: nothing is
/// started for a plan that cannot be carried out.
#[derive(Debug)]
pub struct Plan {
    /// The folder in which it stands, absolute.
    pub folder: PathBuf,
    /// The test session ID.
    pub session: Option<String>,
    /// The instances to start.
    pub plugins: Vec<PlannedPlugin>,
    /// The tests.
    pub tests: Vec<PlannedTest>,
    /// How many tests run at the same time.
    pub parallel: usize,
}

/// One instance to start.
#[derive(Debug)]
pub struct PlannedPlugin {
    /// What calls name it by.
    pub id: String,
    /// The plugin's name.
    pub name: String,
    /// The exact version wanted.
    pub version: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a plugin comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// Looked up by name and version where plugins are installed.
    Installed,
    /// The folder that holds its manifest.
    Folder(PathBuf),
    /// A program without a manifest.
    Command {
        /// The program.
        program: Program,
        /// Its arguments.
        args: Vec<String>,
        /// 1 or 2.
        interface_version: u32,
    },
}

/// A program of a plan's `command`.
#[derive(Debug, PartialEq, Eq)]
pub enum Program {
    /// The program that runs the plan.
    This,
    /// An absolute path.
    Path(PathBuf),
}

/// One test.
#[derive(Debug)]
pub struct PlannedTest {
    /// The test run ID; without one, each run of the plan makes its own.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its suite's name.
    pub suite: Option<String>,
    /// Its calls, made one after another.
    pub calls: Vec<PlannedCall>,
}

/// One call.
#[derive(Debug)]
pub struct PlannedCall {
    /// Which of the plan's plugins, by its place.
    pub plugin: usize,
    /// What it is to do.
    pub operation: Operation,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// What is to come of it.
    pub expect: Expect,
}

/// What is to come of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It succeeds and, where it compares, finds no difference.
    Match,
    /// It finds a difference.
    Mismatch,
    /// The plugin answers with an error of its own.
    Error,
}

impl Expect {
    /// As a plan writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::Error => "error",
        }
    }
}

/// What a call is to do.
#[derive(Debug)]
pub enum Operation {
    /// `ConfigureInteraction`.
    Configure {
        /// The type of the contents.
        content_type: String,
        /// The contents' configuration.
        config: Map<String, Value>,
    },
    /// `CompareContents`.
    Compare(Box<Compare>),
    /// `GenerateContent`.
    Generate(Box<Generate>),
    /// `MatchField`.
    MatchField(Box<MatchField>),
    /// `GenerateField`.
    GenerateField(Box<GenerateField>),
}

impl Operation {
    /// The deployed name, such as `CompareContents`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "ConfigureInteraction",
            Self::Compare(_) => "CompareContents",
            Self::Generate(_) => "GenerateContent",
            Self::MatchField(_) => "MatchField",
            Self::GenerateField(_) => "GenerateField",
        }
    }
}

/// A comparison. What is `None` is left empty, or where `use_configured` is set
/// taken from the answer to the last configure call.
#[derive(Debug)]
pub struct Compare {
    /// What should be.
    pub expected: Option<Body>,
    /// What is.
    pub actual: Body,
    /// Whether more than expected is fine.
    pub allow_unexpected_keys: bool,
    /// Rules by path.
    pub rules: Option<BTreeMap<String, Vec<Rule>>>,
    /// The interaction's plugin configuration.
    pub config: Option<Map<String, Value>>,
    /// Whether the last configure call's answer fills what is not given.
    pub use_configured: bool,
}

/// A generation; `None` as in [`Compare`].
#[derive(Debug)]
pub struct Generate {
    /// The example.
    pub contents: Option<Body>,
    /// Generators by path.
    pub generators: Option<BTreeMap<String, Rule>>,
    /// The interaction's plugin configuration.
    pub config: Option<Map<String, Value>>,
    /// As in [`Compare`].
    pub use_configured: bool,
}

/// Whether one value matches.
#[derive(Debug)]
pub struct MatchField {
    /// The catalogue entry's key.
    pub key: String,
    /// The field's path.
    pub path: String,
    /// The rule.
    pub rule: Rule,
    /// What should be.
    pub expected: FieldValue,
    /// What is.
    pub actual: FieldValue,
    /// The interaction's plugin configuration.
    pub config: Option<Map<String, Value>>,
}

/// One generated value.
#[derive(Debug)]
pub struct GenerateField {
    /// The catalogue entry's key.
    pub key: String,
    /// The field's path.
    pub path: String,
    /// The generator.
    pub generator: Rule,
    /// The example; JSON null where the plan gives none.
    pub example: FieldValue,
    /// The interaction's plugin configuration.
    pub config: Option<Map<String, Value>>,
}
