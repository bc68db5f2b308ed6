//! From segment to segment, while a writer may rotate and evict them.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::lines::{AtEnd, Lines, RawLine};
use crate::error::{FileError, ReadError};
use crate::folder::Folder;
use crate::layout::{CURRENT_SEGMENT, segment_name, segment_number};

/// Reads every line of every segment, oldest first.
#[derive(Debug)]
pub(crate) struct Cursor {
    folder: Arc<Folder>,
    follow: bool,
    /// The number of the last rotated segment that was begun.
    last: u64,
    open: Option<Open>,
    ended: bool,
}

#[derive(Debug)]
struct Open {
    name: Arc<str>,
    lines: Lines<File>,
    /// Whether a writer may append to it.
    current: bool,
}

impl Cursor {
    /// With `follow`, the end of the current segment is not the end.
    pub(crate) fn new(folder: Arc<Folder>, follow: bool) -> Self {
        Self {
            folder,
            follow,
            last: 0,
            open: None,
            ended: false,
        }
    }

    /// Offers each line, with its segment's name, until `take` takes one.
    /// `None` at the end; a cursor that follows may have more later.
    pub(crate) fn find_map<T>(
        &mut self,
        mut take: impl FnMut(&Arc<str>, RawLine<'_>) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        while !self.ended {
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.next_segment()? {
                    Some(next) => self.open.insert(next),
                    None => {
                        self.ended = !self.follow;
                        return Ok(None);
                    }
                },
            };
            let mut at_end = if open.current && self.follow {
                AtEnd::Wait
            } else {
                AtEnd::Give
            };
            loop {
                while let Some(line) = open
                    .lines
                    .next(at_end)
                    .map_err(|e| self.folder.failed("read", &open.name, e))?
                {
                    if let Some(taken) = take(&open.name, line) {
                        return Ok(Some(taken));
                    }
                }
                if at_end == AtEnd::Give {
                    break;
                }
                if !is_rotated(&self.folder, open)? {
                    return Ok(None);
                }
                // What was written between the last read and the rotation is
                // still to be read; after it nothing more comes.
                at_end = AtEnd::Give;
            }
            self.close()?;
        }
        Ok(None)
    }

    fn close(&mut self) -> Result<(), ReadError> {
        let Some(open) = self.open.take().filter(|open| open.current) else {
            return Ok(());
        };
        if !self.follow {
            self.ended = true;
        } else if let Some(number) = self.number_of(&open)? {
            self.last = number;
        }
        Ok(())
    }

    fn next_segment(&mut self) -> Result<Option<Open>, ReadError> {
        loop {
            if let Some(number) = self.next_number()? {
                self.last = number;
                let name = segment_name(number);
                match self.folder.read(&name) {
                    Ok(file) => return Ok(Some(Open::new(&name, file, false))),
                    // Evicted since it was listed.
                    Err(error) if error.is_not_found() => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            let file = match self.folder.read(CURRENT_SEGMENT) {
                Ok(file) => Some(file),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            };
            // Rotated between the listing and the opening: that one first.
            if self.next_number()?.is_some() {
                continue;
            }
            return Ok(file.map(|file| Open::new(CURRENT_SEGMENT, file, true)));
        }
    }

    fn next_number(&self) -> Result<Option<u64>, FileError> {
        let names = self.folder.names()?;
        let numbers = names.iter().filter_map(|name| segment_number(name));
        Ok(numbers.filter(|number| *number > self.last).min())
    }

    /// The number under which a segment that was current is found now; `None`
    /// where it is evicted, and then all before it are.
    fn number_of(&self, open: &Open) -> Result<Option<u64>, ReadError> {
        for name in self.folder.names()? {
            if let Some(number) = segment_number(&name)
                && is_same(&self.folder, open, &name)?
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

impl Open {
    fn new(name: &str, file: File, current: bool) -> Self {
        Self {
            name: name.into(),
            lines: Lines::new(file),
            current,
        }
    }
}

fn is_rotated(folder: &Folder, open: &Open) -> Result<bool, ReadError> {
    is_same(folder, open, CURRENT_SEGMENT).map(|same| !same)
}

/// Whether the open file is the one that has this name now.
fn is_same(folder: &Folder, open: &Open, name: &str) -> Result<bool, ReadError> {
    let identity = |file: &File| {
        file.metadata()
            .map(|metadata| (metadata.dev(), metadata.ino()))
            .map_err(|e| folder.failed("look at", name, e))
    };
    match folder.read(name) {
        Ok(file) => Ok(identity(&file)? == identity(open.lines.reader())?),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
