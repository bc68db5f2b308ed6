//! The segments of a run's records: appending, rotating, evicting.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};

use plugobs_core::json::LineWriter;
use plugobs_core::{Record, Timestamp};

use super::RunOptions;
use crate::error::FileError;
use crate::folder::Folder;
use crate::layout::{CURRENT_SEGMENT, segment_name};
use crate::manifest::{Eviction, SegmentEntry};
use crate::tally::Tally;

#[derive(Debug)]
pub(super) struct Segments {
    segment_bytes: u64,
    total_bytes: u64,
    /// Absent where the last rotation could not make the next file.
    file: Option<File>,
    /// Whether the file may end within a line.
    torn: bool,
    current: Segment,
    rotated: VecDeque<(u64, Segment)>,
    last_number: u64,
    evicted: Tally,
    lines: LineWriter,
    /// Segments that are counted as evicted and still on disk.
    leaving: Vec<String>,
    batch: Vec<u8>,
}

/// What a segment holds.
#[derive(Debug, Default)]
struct Segment {
    records: u64,
    bytes: u64,
    first_observed: Option<Timestamp>,
    last_observed: Option<Timestamp>,
    tally: Tally,
}

impl Segments {
    pub(super) fn create(folder: &Folder, options: &RunOptions) -> Result<Self, FileError> {
        Ok(Self {
            segment_bytes: options.segment_bytes,
            total_bytes: options.run_records_bytes,
            file: Some(folder.create(CURRENT_SEGMENT)?),
            torn: false,
            current: Segment::default(),
            rotated: VecDeque::new(),
            last_number: 0,
            evicted: Tally::default(),
            lines: LineWriter::default(),
            leaving: Vec::new(),
            batch: Vec::new(),
        })
    }

    /// Makes the records' lines, to be written by [`Segments::write`]. Whether
    /// the segment has to be rotated first.
    pub(super) fn encode(&mut self, records: &[Record]) -> bool {
        self.batch.clear();
        for record in records {
            self.lines.write(record, &mut self.batch);
            self.batch.push(b'\n');
        }
        let size = self.batch.len() as u64;
        self.current.bytes > 0 && self.current.bytes + size > self.segment_bytes
    }

    /// Closes the current segment and begins the next.
    pub(super) fn rotate(&mut self, folder: &Folder) -> Result<(), FileError> {
        if self.file.is_some() {
            let number = self.last_number + 1;
            folder.rename(CURRENT_SEGMENT, &segment_name(number))?;
            self.file = None;
            self.torn = false;
            self.last_number = number;
            let segment = std::mem::take(&mut self.current);
            self.rotated.push_back((number, segment));
        }
        self.file = Some(folder.create(CURRENT_SEGMENT)?);
        Ok(())
    }

    /// Appends the lines that were made of `records`, all or none.
    pub(super) fn write(&mut self, folder: &Folder, records: &[Record]) -> Result<(), FileError> {
        if self.file.is_none() {
            self.rotate(folder)?;
        }
        let Some(file) = &mut self.file else {
            let error = io::Error::from(io::ErrorKind::NotFound);
            return Err(folder.failed("append to", CURRENT_SEGMENT, error));
        };
        let failed = |error| folder.failed("append to", CURRENT_SEGMENT, error);
        if self.torn {
            // The torn line is ended, so that it harms no other: a reader sees
            // one line that is no record.
            self.current.bytes += write_counted(file, b"\n").map_err(|(_, e)| failed(e))?;
            self.torn = false;
        }
        match write_counted(file, &self.batch) {
            Ok(written) => {
                self.current.bytes += written;
                self.current.count(records);
                Ok(())
            }
            Err((written, error)) => {
                // A full disk takes a part of a batch. It is taken back,
                // because the driver counts the whole batch as lost.
                if written > 0 && file.set_len(self.current.bytes).is_err() {
                    self.current.bytes += written;
                    self.torn = true;
                }
                Err(failed(error))
            }
        }
    }

    /// Takes the oldest segments out of the account until those that stay and
    /// a full current one keep to the cap. They stay on disk until
    /// [`Segments::remove_evicted`].
    pub(super) fn choose_evicted(&mut self) {
        let mut total = self.segment_bytes.max(self.batch.len() as u64)
            + self
                .rotated
                .iter()
                .map(|(_, segment)| segment.bytes)
                .sum::<u64>();
        while total > self.total_bytes
            && let Some((number, segment)) = self.rotated.pop_front()
        {
            total -= segment.bytes;
            self.evicted.merge(&segment.tally);
            self.leaving.push(segment_name(number));
        }
    }

    /// Removes what was chosen. One that cannot be removed stays on disk,
    /// where a reader finds it: records too many, and none too few.
    pub(super) fn remove_evicted(&mut self, folder: &Folder) {
        for name in self.leaving.drain(..) {
            let _ = folder.remove(&name);
        }
    }

    pub(super) fn entries(&self) -> Vec<SegmentEntry> {
        let rotated = self
            .rotated
            .iter()
            .map(|(number, segment)| segment.entry(segment_name(*number)));
        let current = self.file.as_ref();
        rotated
            .chain(current.map(|_| self.current.entry(CURRENT_SEGMENT.to_owned())))
            .collect()
    }

    pub(super) fn evictions(&self) -> Vec<Eviction> {
        self.evicted.to_evictions()
    }
}

impl Segment {
    fn count(&mut self, records: &[Record]) {
        self.records += records.len() as u64;
        for record in records {
            self.tally.add(record);
            self.first_observed = self.first_observed.or(record.observed_timestamp);
            self.last_observed = record.observed_timestamp.or(self.last_observed);
        }
    }

    fn entry(&self, file: String) -> SegmentEntry {
        SegmentEntry {
            file,
            records: self.records,
            bytes: self.bytes,
            first_observed: self.first_observed,
            last_observed: self.last_observed,
        }
    }
}

/// Writes all of `bytes`, or says how many were written before the error.
fn write_counted(file: &mut File, bytes: &[u8]) -> Result<u64, (u64, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err((written as u64, io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written as u64, error)),
        }
    }
    Ok(written as u64)
}
