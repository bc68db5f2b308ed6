//! Writes what is generated in this repository, and says when it has drifted.
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

use std::path::Path;

pub use crate::artefact::{Artefact, Drift};
pub use crate::error::{GenError, Result};

/// The command that writes every generated file; quoted in their headers and in the test's advice.
pub const COMMAND: &str = "cargo run -p plugobs-gen";

/// Makes every generated file of the repository at `root`, in memory.
///
/// # Errors
/// The first source that cannot be read, breaks its format or its rules.
pub fn generate(root: &Path) -> Result<Vec<Artefact>> {
    let registries = registry::Registries::read(root)?;
    let descriptors = proto::descriptors(root)?;
    let mut artefacts = vec![registry::rust::generate(&registries)?];
    artefacts.extend(proto::generate(&descriptors)?);
    Ok(artefacts)
}
