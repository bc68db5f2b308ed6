//! What can be wrong with a plan: where in it, what, and what would be right.

use std::io;
use std::path::PathBuf;

use plugobs_core::Rejection;
use plugobs_core::sanitise::line;

/// Why a plan cannot be carried out. Nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The plan cannot be read.
    #[error("cannot read the plan {}: {source}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The plan, or a file that it names, is not one JSON object.
    #[error("{} is not a plan's JSON: {}", path.display(), rejection.detail)]
    Json {
        /// Its path.
        path: PathBuf,
        /// What is wrong, with line and column.
        rejection: Box<Rejection>,
    },
    /// Something in the plan is wrong.
    #[error("{}: {at}: {problem}", plan.display())]
    Invalid {
        /// The plan's path.
        plan: PathBuf,
        /// Where in it: a JSON path such as `$.tests[0].calls[1].actual`.
        at: String,
        /// What.
        problem: Box<Problem>,
    },
}

/// What is wrong at a place of a plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A member is not there.
    #[error("the member \"{member}\" is missing; it is {what}")]
    Missing {
        /// Its name.
        member: &'static str,
        /// What it is for.
        what: &'static str,
    },
    /// A member that plans do not have there.
    #[error("there is no member \"{}\" here; known are {}", line(member), known.join(", "))]
    Unknown {
        /// Its name.
        member: String,
        /// The names that are known there.
        known: Vec<&'static str>,
    },
    /// Another kind of JSON value.
    #[error("{wanted} is wanted here, and {found} was found")]
    WrongType {
        /// What is wanted, such as `a text`.
        wanted: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// A text that is not one of a few.
    #[error("\"{}\" is none of {}", line(found), known.join(", "))]
    NotOneOf {
        /// The text.
        found: String,
        /// What is known.
        known: Vec<String>,
    },
    /// A text, list or object that holds nothing.
    #[error("it is empty")]
    Empty,
    /// A member that says something only by being there.
    #[error("true is all that can stand here; leave the member out otherwise")]
    OnlyTrue,
    /// A program that is in no folder of PATH.
    #[error("no program {program:?} is on PATH; a path with a / in it is relative to the plan")]
    NotOnPath {
        /// Its name.
        program: String,
    },
    /// A number outside of its range.
    #[error("{found} is not in {least} to {most}")]
    OutOfRange {
        /// The number.
        found: String,
        /// The least allowed.
        least: u64,
        /// The greatest allowed.
        most: u64,
    },
    /// The plan is of another version.
    #[error("this program reads plans with \"plan\": 1")]
    Version,
    /// A plugin's ID has characters that are not allowed, or too many.
    #[error(
        "\"{}\" is no ID; use 1 to 64 letters, digits, \".\", \"_\" and \"-\"",
        line(found)
    )]
    PluginId {
        /// The text.
        found: String,
    },
    /// A test run ID that breaks its grammar (OBS-ID-09).
    #[error("{}", rejection.detail)]
    TestRunId {
        /// What is wrong with it.
        rejection: Box<Rejection>,
    },
    /// An ID that stands twice.
    #[error("\"{}\" stands at {first} already; give each its own", line(id))]
    Twice {
        /// The ID.
        id: String,
        /// Where it stands first.
        first: String,
    },
    /// A member that cannot stand beside another.
    #[error("\"{member}\" and \"{other}\" cannot stand together; leave one out")]
    Together {
        /// One.
        member: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A member that has no meaning without another.
    #[error("\"{member}\" needs \"{other}\" beside it")]
    Alone {
        /// The one that is there.
        member: &'static str,
        /// The one that is not.
        other: &'static str,
    },
    /// There is no earlier call whose answer could be used.
    #[error(
        "no configure call of this plugin stands before it in the test; add one, or leave \"useConfigured\" out"
    )]
    NothingConfigured,
    /// A file that the plan names cannot be read.
    #[error("cannot read {}: {source}; files are relative to the plan", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that the plan names is not one JSON object.
    #[error("{} is not a JSON object: {}", path.display(), rejection.detail)]
    FileJson {
        /// Its path.
        path: PathBuf,
        /// What is wrong, with line and column.
        rejection: Box<Rejection>,
    },
}
