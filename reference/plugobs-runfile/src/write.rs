//! Writing a run folder: a sink of the driver.

mod manifest_file;
mod outputs;
mod segments;

use std::path::{Path, PathBuf};
use std::time::Duration;

use plugobs_core::registry::limit;
use plugobs_core::{InstanceId, Record, RunId};
use plugobs_driver::FailureReport;
use plugobs_driver::sink::{OutputStream, Sink, SinkError, SinkEvent};

use crate::error::{FileError, WriteError};
use crate::failure::to_failure_json;
use crate::folder::Folder;
use crate::layout;
use crate::manifest::FailureEntry;
use manifest_file::ManifestFile;
use outputs::Outputs;
use segments::Segments;

/// The sink's name in reports of losses.
pub(crate) const SINK_NAME: &str = "run-folder";

/// How much a run folder may hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunOptions {
    /// Bytes at which a segment is closed and the next begun. A batch is not
    /// split: one that is larger is a segment of its own.
    pub segment_bytes: u64,
    /// Bytes of all segments together, above which the oldest is removed.
    pub run_records_bytes: u64,
    /// Bytes of raw output kept of each instance and stream. The newest are
    /// kept, at least half as many as this, because they matter most when an
    /// instance dies.
    pub raw_output_bytes: u64,
    /// How often, at most, the manifest is rewritten for an instance or test
    /// that began or ended. With thousands of tests it is less often still, so
    /// that writing it takes a twentieth of the time at most. With zero, it is
    /// rewritten for each.
    pub manifest_interval: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            segment_bytes: limit::SEGMENT_BYTES_DEFAULT as u64,
            run_records_bytes: limit::RUN_RECORDS_BYTES_DEFAULT as u64,
            raw_output_bytes: limit::RAW_OUTPUT_BYTES_DEFAULT as u64,
            manifest_interval: Duration::from_millis(200),
        }
    }
}

/// The sink that writes a run folder. `accept` returns once the operating
/// system has the records, so a driver that is killed loses none that it
/// acknowledged; nothing is synced to the disk itself.
///
/// It keeps no more than it was asked to ([`RunOptions`]) and counts in the
/// manifest what it removed. An error concerns one event: later ones are
/// tried all the same, and a batch is in the folder whole or not at all.
#[derive(Debug)]
pub struct RunFolderSink {
    folder: Folder,
    failures: Option<Folder>,
    failure_count: u64,
    segments: Segments,
    outputs: Outputs,
    manifest: ManifestFile,
    /// A manifest that could not be written for records that could: told with
    /// the next event that has none, because theirs count as lost by an error.
    deferred: Option<FileError>,
}

impl RunFolderSink {
    /// Makes the folder `<root>/<run_id>/`.
    pub(crate) fn create(
        root: &Path,
        run_id: &RunId,
        options: RunOptions,
    ) -> Result<Self, WriteError> {
        Folder::make_all(root)?;
        let folder = Folder::open(root)?.make(run_id.as_str()).map_err(|error| {
            if error.source.kind() == std::io::ErrorKind::AlreadyExists {
                WriteError::Exists { path: error.path }
            } else {
                error.into()
            }
        })?;
        folder.hold();
        Ok(Self {
            segments: Segments::create(&folder, &options)?,
            outputs: Outputs::new(options.raw_output_bytes),
            manifest: ManifestFile::new(options),
            failures: None,
            failure_count: 0,
            folder,
            deferred: None,
        })
    }

    /// The run's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn records(&mut self, records: &[Record]) -> Result<(), FileError> {
        if self.segments.encode(records) {
            self.segments.rotate(&self.folder)?;
            self.segments.choose_evicted();
            self.deferred = self.write_manifest().err();
        }
        self.segments.write(&self.folder, records)
    }

    fn failure(&mut self, report: &FailureReport) -> Result<(), FileError> {
        let failures = match self.failures.take() {
            Some(folder) => folder,
            None => self.folder.make(layout::FAILURES)?,
        };
        let failures = self.failures.insert(failures);
        self.failure_count += 1;
        let name = layout::failure_name(self.failure_count);
        let json = to_failure_json(report)
            .map_err(|e| failures.failed("encode", &name, std::io::Error::from(e)))?;
        write_new(failures, &name, json.as_bytes())?;
        self.manifest.add_failure(FailureEntry {
            file: format!("{}/{name}", layout::FAILURES),
            code: report.code.as_str().to_owned(),
            plugin_instance_id: report.plugin.plugin_instance_id.clone(),
            test_run_id: report.test_run_id.clone(),
        });
        self.write_manifest()
    }

    fn write_manifest(&mut self) -> Result<(), FileError> {
        self.manifest
            .write(&self.folder, &self.segments, &self.outputs)?;
        // Only what a manifest on disk counts may go, so that no kill leaves
        // it uncounted (`OBS-RUN-12`).
        self.segments.remove_evicted(&self.folder);
        Ok(())
    }

    fn describe(&mut self, event: &SinkEvent) -> Result<(), FileError> {
        match event {
            SinkEvent::Run(info) => self.manifest.set_run(info),
            SinkEvent::Instance(info) => {
                self.manifest.set_instance(info);
                if info.ended_at.is_some() {
                    self.outputs.close(&info.plugin_instance_id);
                }
            }
            SinkEvent::Test(info) => self.manifest.set_test(info),
            SinkEvent::Losses(losses) => self.manifest.set_losses(losses),
            SinkEvent::End(at) => self.manifest.end(*at),
            _ => return Ok(()),
        }
        let urgent = matches!(event, SinkEvent::Run(_) | SinkEvent::End(_));
        if urgent || self.manifest.is_due() {
            self.write_manifest()?;
        }
        Ok(())
    }
}

impl Sink for RunFolderSink {
    fn name(&self) -> &str {
        SINK_NAME
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        let taken = match event {
            SinkEvent::Records(records) => {
                return self.records(records).map_err(|error| {
                    self.manifest.count_lost(records.len());
                    error.into()
                });
            }
            SinkEvent::Output {
                instance,
                stream,
                bytes,
            } => {
                self.manifest.touch();
                self.outputs.append(&self.folder, instance, *stream, bytes)
            }
            SinkEvent::OutputSkipped {
                instance,
                stream,
                bytes,
            } => {
                self.manifest.touch();
                self.outputs.skip(instance, *stream, *bytes);
                Ok(())
            }
            SinkEvent::Failure(report) => self.failure(report),
            other => self.describe(other),
        };
        let deferred = self.deferred.take();
        taken?;
        // A manifest written since then has made good what failed.
        match deferred {
            Some(error) if self.manifest.is_stale() => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn output_cut(&self, instance: &InstanceId, stream: OutputStream) -> u64 {
        let entry = self.outputs.entry(instance.as_str(), stream);
        entry.map_or(0, |entry| entry.cut_bytes)
    }

    fn run_folder(&self) -> Option<PathBuf> {
        Some(self.path().to_owned())
    }
}

/// Writes a new file whole; one that could not be is removed again.
fn write_new(folder: &Folder, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    use std::io::Write;

    let mut file = folder.create(name)?;
    file.write_all(bytes).map_err(|error| {
        // The first error says more than that of tidying up.
        let _ = folder.remove(name);
        folder.failed("write", name, error)
    })
}
