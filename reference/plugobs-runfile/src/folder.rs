//! An open folder: every file is reached from the folder's own descriptor and
//! no link is followed, so that whoever swaps a name for a link leads nowhere.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags};

use crate::error::{FileError, ReadError};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A folder, opened once.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Makes `path` and what is missing above it, all for the owner alone.
    pub(crate) fn make_all(path: &Path) -> Result<(), FileError> {
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(|e| FileError::new("make", path.to_owned(), e))
    }

    /// Opens a folder that the user named; a link to it is fine.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self {
                fd,
                path: path.to_owned(),
            }),
            Err(e) => Err(FileError::new("open", path.to_owned(), e)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in this one. It must not be there.
    pub(crate) fn make(&self, name: &str) -> Result<Self, FileError> {
        rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(FOLDER_MODE))
            .map_err(|e| self.failed("make", name, e))?;
        self.enter(name)
    }

    /// Opens a folder in this one.
    pub(crate) fn enter(&self, name: &str) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Self {
                fd,
                path: self.path.join(name),
            }),
            Err(e) => Err(self.failed("open", name, e)),
        }
    }

    /// Makes a file to append to. It must not be there, not even as a link.
    pub(crate) fn create(&self, name: &str) -> Result<File, FileError> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(FILE_MODE))
            .map(File::from)
            .map_err(|e| self.failed("make", name, e))
    }

    /// Opens a file that this process made earlier, to append more.
    pub(crate) fn reopen(&self, name: &str) -> Result<File, FileError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|e| self.failed("open", name, e))
    }

    /// Opens a file to read. Only a regular one: a pipe that somebody planted
    /// would hold the reader for ever.
    pub(crate) fn read(&self, name: &str) -> Result<File, FileError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|e| self.failed("open", name, e))?;
        let metadata = file
            .metadata()
            .map_err(|e| self.failed("look at", name, e))?;
        if metadata.is_file() {
            Ok(file)
        } else {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            Err(self.failed("read", name, error))
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    pub(crate) fn read_whole(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        self.read(name)?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.failed("read", name, e))?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge {
                path: self.path.join(name),
                limit,
            });
        }
        Ok(bytes)
    }

    /// Renames within this folder; what has the new name is replaced.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
            .map_err(|e| self.failed("rename", from, e))
    }

    /// Removes a file, or the link that has its name.
    pub(crate) fn remove(&self, name: &str) -> Result<(), FileError> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|e| self.failed("remove", name, e))
    }

    /// The names in this folder, sorted. One that is not UTF-8 is no name
    /// that a writer gives, and is left out.
    pub(crate) fn names(&self) -> Result<Vec<String>, FileError> {
        let failed = |e| FileError::new("list", self.path.clone(), e);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(failed)? {
            match entry.map_err(failed)?.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Tells readers that a writer is alive, until this process ends or the
    /// folder is closed. Not every file system can; then readers cannot know.
    pub(crate) fn hold(&self) {
        let _ = rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive);
    }

    /// Whether a writer holds the folder.
    pub(crate) fn is_held(&self) -> bool {
        // A lock of another open file description is what is asked for, so the
        // folder is opened anew, and closed with the answer.
        let Ok(probe) = File::open(&self.path) else {
            return false;
        };
        rustix::fs::flock(&probe, FlockOperation::NonBlockingLockShared)
            == Err(rustix::io::Errno::WOULDBLOCK)
    }

    /// An error about a file of this folder.
    pub(crate) fn failed(
        &self,
        action: &'static str,
        name: &str,
        source: impl Into<io::Error>,
    ) -> FileError {
        FileError::new(action, self.path.join(name), source)
    }
}
