//! Records of a run that goes on, as they arrive.

use std::sync::Arc;

use super::cursor::Cursor;
use super::filter::{Filter, Selection};
use super::records::{Entry, next_entry};
use crate::error::ReadError;
use crate::folder::Folder;

/// Follows a run over rotations. Records that were evicted before they were
/// read are passed over; the manifest counts them.
#[derive(Debug)]
pub struct Follow {
    cursor: Cursor,
    selection: Selection,
}

impl Follow {
    pub(crate) fn new(folder: Arc<Folder>, filters: Vec<Filter>) -> Self {
        Self {
            cursor: Cursor::new(folder, true),
            selection: Selection::new(filters),
        }
    }

    /// The next line that has arrived; `None` where there is none yet. A line
    /// that is not whole yet is not given.
    ///
    /// It does not wait: ask again later, until
    /// [`RunReader::life`](super::RunReader::life), asked before, says that
    /// nobody writes any more and this says `None`.
    ///
    /// # Errors
    /// Where the records cannot be read.
    pub fn try_next(&mut self) -> Result<Option<Entry>, ReadError> {
        next_entry(&mut self.cursor, &self.selection)
    }
}
