//! Raw output of instances: the newest bytes are kept, in two parts.
//!
//! A part is filled up to half of the cap, then it becomes the older one and
//! replaces that, so that the newest half at least is always there.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;

use plugobs_core::InstanceId;
use plugobs_driver::sink::OutputStream;

use crate::error::FileError;
use crate::folder::Folder;
use crate::layout::output_name;
use crate::manifest::OutputEntry;

#[derive(Debug)]
pub(super) struct Outputs {
    part_bytes: u64,
    outputs: HashMap<String, [Option<Output>; 2]>,
    folders: [Option<Folder>; 2],
}

#[derive(Debug, Default)]
struct Output {
    file: Option<File>,
    newer_bytes: u64,
    /// Absent while there is one part.
    older_bytes: Option<u64>,
    cut_bytes: u64,
}

impl Outputs {
    pub(super) fn new(cap_bytes: u64) -> Self {
        Self {
            part_bytes: (cap_bytes / 2).max(1),
            outputs: HashMap::new(),
            folders: [None, None],
        }
    }

    /// Appends what was read. Bytes that could not be written count as cut.
    pub(super) fn append(
        &mut self,
        folder: &Folder,
        instance: &InstanceId,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        let slot = slot(stream);
        let outputs = self.outputs.entry(instance.as_str().to_owned());
        let output = outputs.or_default()[slot].get_or_insert_default();
        let folder = match self.folders[slot]
            .take()
            .map_or_else(|| folder.make(stream.name()), Ok)
        {
            Ok(folder) => self.folders[slot].insert(folder),
            Err(error) => {
                output.cut_bytes += bytes.len() as u64;
                return Err(error);
            }
        };
        output.append(folder, instance.as_str(), self.part_bytes, bytes)
    }

    /// Counts bytes that the driver had no room to pass on.
    pub(super) fn skip(&mut self, instance: &InstanceId, stream: OutputStream, bytes: u64) {
        let outputs = self.outputs.entry(instance.as_str().to_owned());
        let output = outputs.or_default()[slot(stream)].get_or_insert_default();
        output.cut_bytes += bytes;
    }

    /// Closes the files of an instance that has ended.
    pub(super) fn close(&mut self, instance: &str) {
        for output in self
            .outputs
            .get_mut(instance)
            .into_iter()
            .flatten()
            .flatten()
        {
            output.file = None;
        }
    }

    /// What the manifest says of one stream; `None` where nothing came.
    pub(super) fn entry(&self, instance: &str, stream: OutputStream) -> Option<OutputEntry> {
        let output = self.outputs.get(instance)?[slot(stream)].as_ref()?;
        let file = |older| format!("{}/{}", stream.name(), output_name(instance, older));
        Some(OutputEntry {
            file: file(false),
            older_file: output.older_bytes.map(|_| file(true)),
            bytes: output.newer_bytes + output.older_bytes.unwrap_or(0),
            cut_bytes: output.cut_bytes,
        })
    }
}

impl Output {
    fn append(
        &mut self,
        folder: &Folder,
        instance: &str,
        part_bytes: u64,
        mut bytes: &[u8],
    ) -> Result<(), FileError> {
        while !bytes.is_empty() {
            let written = self
                .append_part(folder, instance, part_bytes, bytes)
                .inspect_err(|_| self.cut_bytes += bytes.len() as u64)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Writes as much as one part takes, and says how much that was.
    fn append_part(
        &mut self,
        folder: &Folder,
        instance: &str,
        part_bytes: u64,
        bytes: &[u8],
    ) -> Result<usize, FileError> {
        let name = output_name(instance, false);
        if self.newer_bytes >= part_bytes {
            self.file = None;
            folder.rename(&name, &output_name(instance, true))?;
            self.cut_bytes += self.older_bytes.replace(self.newer_bytes).unwrap_or(0);
            self.newer_bytes = 0;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None if self.newer_bytes > 0 => folder.reopen(&name)?,
            None => folder.create(&name)?,
        };
        let file = self.file.insert(file);
        let room = usize::try_from(part_bytes - self.newer_bytes).unwrap_or(usize::MAX);
        let written = file
            .write(&bytes[..bytes.len().min(room)])
            .map_err(|e| folder.failed("append to", &name, e))?;
        if written == 0 {
            let error = std::io::Error::from(std::io::ErrorKind::WriteZero);
            return Err(folder.failed("append to", &name, error));
        }
        self.newer_bytes += written as u64;
        Ok(written)
    }
}

fn slot(stream: OutputStream) -> usize {
    match stream {
        OutputStream::Stderr => 0,
        OutputStream::Stdout => 1,
    }
}
