//! The manifest as it is kept while a run goes on, and its file.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use plugobs_core::Timestamp;
use plugobs_driver::info::{InstanceInfo, RunInfo, TestInfo};
use plugobs_driver::sink::{OutputStream, SinkLoss};

use super::outputs::Outputs;
use super::segments::Segments;
use super::{RunOptions, SINK_NAME, write_new};
use crate::error::FileError;
use crate::folder::Folder;
use crate::layout::{MANIFEST, MANIFEST_TEMPORARY};
use crate::manifest::{FailureEntry, InstanceEntry, Manifest, RunState};
use crate::pretty::to_pretty_json;

/// How many times longer the manifest rests than it takes to write.
const REST: u32 = 20;

#[derive(Debug)]
pub(super) struct ManifestFile {
    options: RunOptions,
    /// Absent until the driver has described the run.
    manifest: Option<Manifest>,
    instances: HashMap<String, usize>,
    tests: HashMap<(String, Timestamp), usize>,
    /// Records that this sink refused, by its own count.
    lost_records: u64,
    /// Whether the file is older than what is known.
    stale: bool,
    rest_until: Option<Instant>,
}

impl ManifestFile {
    pub(super) fn new(options: RunOptions) -> Self {
        Self {
            options,
            manifest: None,
            instances: HashMap::new(),
            tests: HashMap::new(),
            lost_records: 0,
            stale: false,
            rest_until: None,
        }
    }

    pub(super) fn set_run(&mut self, info: &RunInfo) {
        self.stale = true;
        let mut info = info.clone();
        info.limits.extend(limits(&self.options));
        match &mut self.manifest {
            Some(manifest) => manifest.run = info,
            None => {
                self.manifest = Some(Manifest::new(info));
                self.set_losses(&[]);
            }
        }
    }

    pub(super) fn set_instance(&mut self, info: &InstanceInfo) {
        let Some(manifest) = &mut self.manifest else {
            return;
        };
        self.stale = true;
        match self.instances.get(&info.plugin_instance_id) {
            Some(&at) => manifest.instances[at].info = info.clone(),
            None => {
                self.instances
                    .insert(info.plugin_instance_id.clone(), manifest.instances.len());
                manifest.instances.push(InstanceEntry {
                    info: info.clone(),
                    stderr: None,
                    stdout: None,
                });
            }
        }
    }

    pub(super) fn set_test(&mut self, info: &TestInfo) {
        let Some(manifest) = &mut self.manifest else {
            return;
        };
        self.stale = true;
        // A framework may use an ID twice; each attempt has its own beginning.
        let key = (info.test_run_id.clone(), info.began_at);
        match self.tests.get(&key) {
            Some(&at) => manifest.tests[at] = info.clone(),
            None => {
                self.tests.insert(key, manifest.tests.len());
                manifest.tests.push(info.clone());
            }
        }
    }

    pub(super) fn set_losses(&mut self, losses: &[SinkLoss]) {
        let Some(manifest) = &mut self.manifest else {
            return;
        };
        self.stale = true;
        manifest.sinks = losses.to_vec();
        if !losses.iter().any(|loss| loss.name == SINK_NAME) {
            let own = SinkLoss {
                name: SINK_NAME.to_owned(),
                lost_records: self.lost_records,
                error: None,
            };
            manifest.sinks.insert(0, own);
        }
    }

    pub(super) fn add_failure(&mut self, failure: FailureEntry) {
        if let Some(manifest) = &mut self.manifest {
            self.stale = true;
            manifest.failures.push(failure);
        }
    }

    pub(super) fn end(&mut self, at: Timestamp) {
        if let Some(manifest) = &mut self.manifest {
            self.stale = true;
            manifest.state = RunState::Finished;
            manifest.ended_at = Some(at);
        }
    }

    pub(super) fn count_lost(&mut self, records: usize) {
        self.stale = true;
        self.lost_records += records as u64;
    }

    /// Something changed that is not in the manifest itself.
    pub(super) fn touch(&mut self) {
        self.stale = true;
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether it is stale and has rested long enough.
    pub(super) fn is_due(&self) -> bool {
        self.stale && self.rest_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Replaces the file as a whole.
    pub(super) fn write(
        &mut self,
        folder: &Folder,
        segments: &Segments,
        outputs: &Outputs,
    ) -> Result<(), FileError> {
        let Some(manifest) = &mut self.manifest else {
            return Ok(());
        };
        let began = Instant::now();
        manifest.segments = segments.entries();
        manifest.evicted = segments.evictions();
        if let Some(own) = manifest.sinks.iter_mut().find(|s| s.name == SINK_NAME) {
            own.lost_records = own.lost_records.max(self.lost_records);
        }
        for instance in &mut manifest.instances {
            let entry = |stream| outputs.entry(&instance.info.plugin_instance_id, stream);
            let (stderr, stdout) = (entry(OutputStream::Stderr), entry(OutputStream::Stdout));
            (instance.stderr, instance.stdout) = (stderr, stdout);
        }
        // Even a failed attempt rests: a full disk is not helped by haste.
        self.rest_until = Some(began + self.options.manifest_interval);
        replace(folder, manifest)?;
        if !self.options.manifest_interval.is_zero() {
            let rest = began.elapsed().saturating_mul(REST);
            let rest = rest.max(self.options.manifest_interval);
            self.rest_until = Some(Instant::now() + rest);
        }
        self.stale = false;
        Ok(())
    }
}

fn replace(folder: &Folder, manifest: &Manifest) -> Result<(), FileError> {
    let json = to_pretty_json(manifest)
        .map_err(|e| folder.failed("encode", MANIFEST, io::Error::from(e)))?;
    // Left by an attempt that failed, or planted: it goes, wherever it leads.
    match folder.remove(MANIFEST_TEMPORARY) {
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    write_new(folder, MANIFEST_TEMPORARY, json.as_bytes())?;
    folder.rename(MANIFEST_TEMPORARY, MANIFEST)
}

/// The limits of this folder. Those of records are the driver's to tell.
fn limits(options: &RunOptions) -> [(String, u64); 3] {
    [
        ("segment_bytes", options.segment_bytes),
        ("run_records_bytes", options.run_records_bytes),
        ("raw_output_bytes", options.raw_output_bytes),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
}
