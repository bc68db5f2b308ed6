//! The rules that every registry keeps.

use std::collections::HashSet;

use super::{Code, CodeKind, Entry, Level, Registry, constant_name};
use crate::error::{GenError, RegistryProblem, Result};

/// Names are unique, also as Rust constants; descriptions are sentences.
pub(super) fn entries<E: Entry>(name: &'static str, registry: &Registry<E>) -> Result<()> {
    let mut seen = HashSet::new();
    for entry in &registry.entries {
        if !seen.insert(constant_name(entry.name())) {
            return Err(broken(name, entry, RegistryProblem::Duplicate));
        }
        if !entry.description().ends_with('.') {
            return Err(broken(name, entry, RegistryProblem::Description));
        }
    }
    Ok(())
}

pub(super) fn levels(registry: &Registry<Level>) -> Result<()> {
    let mut seen = HashSet::new();
    for level in &registry.entries {
        let spellings = std::iter::once(&level.name).chain(&level.aliases);
        if !spellings.into_iter().all(|name| seen.insert(name)) {
            return Err(broken("levels", level, RegistryProblem::Duplicate));
        }
        if !(1..=24).contains(&level.severity_number) {
            return Err(broken("levels", level, RegistryProblem::Severity));
        }
        let shown = level.shown_as.as_ref().unwrap_or(&level.name);
        let plain = |other: &Level| other.name == *shown && other.shown_as.is_none();
        if !registry.entries.iter().any(plain) {
            return Err(broken("levels", level, RegistryProblem::ShownAs));
        }
    }
    Ok(())
}

pub(super) fn errors(registry: &Registry<Code>) -> Result<()> {
    for code in &registry.entries {
        if (code.kind == CodeKind::Failure) != code.action.is_some() {
            return Err(broken("errors", code, RegistryProblem::Action));
        }
    }
    Ok(())
}

fn broken(registry: &'static str, entry: &impl Entry, problem: RegistryProblem) -> GenError {
    GenError::Registry {
        registry,
        entry: entry.name().to_owned(),
        problem,
    }
}
