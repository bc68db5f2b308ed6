//! A generated file: writing it, and comparing it with what is checked in.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{GenError, Result};

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Path from the repository's root, with `/` between its parts.
    pub path: String,
    /// The whole content.
    pub content: Vec<u8>,
}

impl Artefact {
    /// A generated text file.
    pub fn text(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: content.into().into_bytes(),
        }
    }
}

/// A checked-in file that is not what its sources give.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The file is not checked in.
    Missing {
        /// Path from the root.
        path: String,
    },
    /// The file has other content.
    Differs {
        /// Path from the root.
        path: String,
        /// The first line that differs, from 1.
        line: usize,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "{path} is missing"),
            Self::Differs { path, line } => {
                write!(f, "{path} differs from its sources, first in line {line}")
            }
        }
    }
}

/// Writes what differs; gives the paths written.
///
/// # Errors
/// The first file that cannot be read or written.
pub fn write(root: &Path, artefacts: &[Artefact]) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for artefact in artefacts {
        if drift(root, artefact)?.is_none() {
            continue;
        }
        let path = root.join(&artefact.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(GenError::io(folder))?;
        }
        fs::write(&path, &artefact.content).map_err(GenError::io(path))?;
        written.push(artefact.path.clone());
    }
    Ok(written)
}

/// Compares with what is checked in; gives every difference.
///
/// # Errors
/// The first file that exists and cannot be read.
pub fn compare(root: &Path, artefacts: &[Artefact]) -> Result<Vec<Drift>> {
    artefacts
        .iter()
        .filter_map(|artefact| drift(root, artefact).transpose())
        .collect()
}

fn drift(root: &Path, artefact: &Artefact) -> Result<Option<Drift>> {
    let path = root.join(&artefact.path);
    let found = match fs::read(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Some(Drift::Missing {
                path: artefact.path.clone(),
            }));
        }
        Err(error) => return Err(GenError::io(path)(error)),
    };
    if found == artefact.content {
        return Ok(None);
    }
    let same = found
        .split(|&byte| byte == b'\n')
        .zip(artefact.content.split(|&byte| byte == b'\n'))
        .take_while(|(left, right)| left == right)
        .count();
    Ok(Some(Drift::Differs {
        path: artefact.path.clone(),
        line: same + 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_once_and_names_the_line_that_drifted() {
        let root = tempfile::tempdir().unwrap();
        let artefact = Artefact::text("a/b.txt", "one\ntwo\nthree\n");
        let all = std::slice::from_ref(&artefact);
        assert_eq!(
            compare(root.path(), all).unwrap(),
            [Drift::Missing {
                path: "a/b.txt".into()
            }]
        );
        assert_eq!(write(root.path(), all).unwrap(), ["a/b.txt"]);
        assert_eq!(write(root.path(), all).unwrap(), [""; 0]);
        assert_eq!(compare(root.path(), all).unwrap(), []);

        fs::write(root.path().join("a/b.txt"), "one\n2\nthree\n").unwrap();
        assert_eq!(
            compare(root.path(), all).unwrap(),
            [Drift::Differs {
                path: "a/b.txt".into(),
                line: 2
            }]
        );
    }
}
