//! Raw output of instances.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use plugobs_core::InstanceId;
use plugobs_driver::sink::OutputStream;

use crate::error::FileError;
use crate::folder::Folder;
use crate::layout::output_name;

/// Raw output of one instance and stream, oldest bytes first, exactly as the
/// process wrote them: safe to copy into a file, not onto a terminal.
#[derive(Debug)]
pub struct OutputReader {
    parts: Vec<File>,
    total_bytes: u64,
}

impl OutputReader {
    pub(super) fn open(
        folder: &Folder,
        instance: &InstanceId,
        stream: OutputStream,
    ) -> Result<Option<Self>, FileError> {
        let folder = match folder.enter(stream.name()) {
            Ok(folder) => folder,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut reader = Self {
            parts: Vec::new(),
            total_bytes: 0,
        };
        for older in [true, false] {
            let name = output_name(instance.as_str(), older);
            match folder.read(&name) {
                Ok(file) => {
                    let metadata = file
                        .metadata()
                        .map_err(|e| folder.failed("look at", &name, e))?;
                    reader.total_bytes += metadata.len();
                    reader.parts.push(file);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok((!reader.parts.is_empty()).then_some(reader))
    }

    /// How many bytes were kept when it was opened.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// The last `max` bytes, or all where there are fewer.
    ///
    /// # Errors
    /// Those of the files.
    pub fn tail(mut self, max: usize) -> io::Result<Vec<u8>> {
        let mut skip = self.total_bytes.saturating_sub(max as u64);
        for part in &mut self.parts {
            let here = skip.min(part.metadata()?.len());
            part.seek(SeekFrom::Start(here))?;
            skip -= here;
        }
        let mut bytes = Vec::new();
        // A process that still writes must not make it longer than was asked.
        self.take(max as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for OutputReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.first_mut() {
            let read = part.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.parts.remove(0);
        }
        Ok(0)
    }
}
