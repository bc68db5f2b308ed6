//! Compiled components in a folder. What is read from there runs in the driver,
//! so it is read only where nobody but the driver's user can have written it
//! (OBS-WASM-37).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

pub(crate) type Digest = [u8; 32];

/// The first bytes of a file: what it is, and of which version its form is.
const MAGIC: &[u8; 16] = b"plugobs-code-01\n";

/// The magic, then three digests: of the component, of the compiler, and of the
/// machine code that follows.
const HEADER: usize = MAGIC.len() + 3 * size_of::<Digest>();

/// Bits of a mode that let somebody else write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{path} belongs to user {owner}, and this is user {user}")]
    Owner {
        path: PathBuf,
        owner: u32,
        user: u32,
    },
    #[error("{path} has the mode {mode:04o}, with which others can write it")]
    Mode { path: PathBuf, mode: u32 },
    #[error("{path} is not {expected}")]
    Kind {
        path: PathBuf,
        expected: &'static str,
    },
    #[error("{path} is not what this driver compiled of this component")]
    Digest { path: PathBuf },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// A folder of them.
pub(crate) struct Cache<'a> {
    folder: &'a Path,
    compiler: Digest,
}

impl<'a> Cache<'a> {
    /// For code that this compiler has made. The folder is made where there is
    /// none, for its user alone.
    pub(crate) fn open(folder: &'a Path, compiler: Digest) -> Result<Self, Refused> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| io_of(folder, source))?;
        let found = fs::metadata(folder).map_err(|source| io_of(folder, source))?;
        trust(folder, &found, rustix::process::geteuid().as_raw())?;
        Ok(Self { folder, compiler })
    }

    /// The machine code of a component; `None` where there is none yet.
    pub(crate) fn read(&self, component: &Digest) -> Result<Option<Vec<u8>>, Refused> {
        let path = self.path(component);
        let mut file = match open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|source| io_of(&path, source))?,
        };
        // Of the file that is open, and not of what has its name by now.
        let found = file.metadata().map_err(|source| io_of(&path, source))?;
        if !found.is_file() {
            let expected = "a file";
            return Err(Refused::Kind { path, expected });
        }
        trust(&path, &found, rustix::process::geteuid().as_raw())?;
        let mut bytes = Vec::new();
        let read = file.read_to_end(&mut bytes);
        read.map_err(|source| io_of(&path, source))?;
        let digest = Sha256::digest(bytes.get(HEADER..).unwrap_or_default());
        if !bytes.starts_with(&self.header(component, &digest.into())) {
            return Err(Refused::Digest { path });
        }
        bytes.drain(..HEADER);
        Ok(Some(bytes))
    }

    /// Keeps it, in place of what may be there.
    pub(crate) fn write(&self, component: &Digest, code: &[u8]) -> Result<(), Refused> {
        let path = self.path(component);
        let made = || -> io::Result<()> {
            // A reader sees all of it or nothing.
            let mut file = tempfile::Builder::new().tempfile_in(self.folder)?;
            file.write_all(&self.header(component, &Sha256::digest(code).into()))?;
            file.write_all(code)?;
            file.persist(&path)?;
            Ok(())
        };
        made().map_err(|source| io_of(&path, source))
    }

    fn path(&self, component: &Digest) -> PathBuf {
        let mut name = String::new();
        for byte in component.iter().chain(&self.compiler[..8]) {
            name.push_str(&format!("{byte:02x}"));
        }
        self.folder.join(name + ".compiled")
    }

    fn header(&self, component: &Digest, code: &Digest) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let parts = [&MAGIC[..], component, &self.compiler, code].concat();
        header.copy_from_slice(&parts);
        header
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Neither through a link, nor waiting for the writer of a pipe.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Whether nobody but `user` can have written it.
fn trust(path: &Path, found: &Metadata, user: u32) -> Result<(), Refused> {
    let path = path.to_owned();
    if found.uid() != user {
        let owner = found.uid();
        return Err(Refused::Owner { path, owner, user });
    }
    match found.mode() & 0o7777 {
        mode if mode & OTHERS_WRITE != 0 => Err(Refused::Mode { path, mode }),
        _ => Ok(()),
    }
}

fn io_of(path: &Path, source: io::Error) -> Refused {
    let path = path.to_owned();
    Refused::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let found = file.as_file().metadata().unwrap();
        let owner = found.uid();
        trust(file.path(), &found, owner).unwrap();
        let refused = trust(file.path(), &found, owner + 1).unwrap_err();
        let told = format!("belongs to user {owner}, and this is user {}", owner + 1);
        assert!(refused.to_string().ends_with(&told), "{refused}");
    }
}
