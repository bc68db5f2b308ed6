//! Writes what is generated in this repository, says when it has drifted, and checks the text of
//! the specification.
//!
//! The sources are data and prose (`spec/registries/*.json`, `spec/*.md`, `proto/**`).
//! What is made of them is checked in, so that a reader, an editor and a build need no generator.
//! `cargo run -p plugobs-gen` writes it; the tests of this crate compare it.

pub mod artefact;
pub mod cli;
pub mod error;
pub mod proto;
pub mod registry;
mod rustfmt;
pub mod spec;

use std::path::Path;

pub use crate::artefact::{Artefact, Drift};
pub use crate::error::{GenError, Result};

/// The command that writes every generated file; quoted in their headers and in the test's advice.
pub const COMMAND: &str = "cargo run -p plugobs-gen";

/// What the sources of the repository give.
#[derive(Debug)]
pub struct Generated {
    /// Every generated file, in memory.
    pub artefacts: Vec<Artefact>,
    /// What breaks a rule in the specification's text. It keeps no file from being generated.
    pub problems: Vec<spec::Problem>,
}

/// Makes every generated file of the repository at `root`.
///
/// # Errors
/// The first source that cannot be read, breaks its format or the rules of the registries.
pub fn generate(root: &Path) -> Result<Generated> {
    let registries = registry::Registries::read(root)?;
    let descriptors = proto::descriptors(root)?;
    let specification = spec::Specification::read(root)?;
    let mut artefacts = vec![
        registry::rust::generate(&registries)?,
        registry::schema::generate(&registries)?,
        registry::table::generate(&registries, &specification.clauses),
        specification.list()?,
    ];
    artefacts.extend(proto::generate(&descriptors)?);
    Ok(Generated {
        artefacts,
        problems: specification.problems,
    })
}
