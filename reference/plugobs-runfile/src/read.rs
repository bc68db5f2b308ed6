//! Reading a run folder: of a run that is finished, goes on, or was left by a
//! driver that died.

pub(crate) mod cursor;
pub mod filter;
pub mod follow;
pub(crate) mod lines;
pub mod output;
pub mod overview;
pub mod records;
pub mod story;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plugobs_core::ids::is_canonical_uuid;
use plugobs_core::{InstanceId, Timestamp};
use plugobs_driver::info::{DriverInfo, RunInfo};
use plugobs_driver::sink::OutputStream;

use crate::error::ReadError;
use crate::failure::{FailureFileError, StoredFailure, from_failure_json};
use crate::folder::Folder;
use crate::layout::{CURRENT_SEGMENT, FAILURES, MANIFEST, failure_number, segment_number};
use crate::manifest::{FormatVersion, Manifest, RunState};
use filter::Filter;
use follow::Follow;
use output::OutputReader;
use overview::Overview;
use records::Records;
use story::Story;

/// A manifest is read whole; no driver writes one that is larger.
const MANIFEST_LIMIT: u64 = 1 << 30;
/// The same of a failure report: its records are at most a hundred.
pub(crate) const FAILURE_LIMIT: u64 = 256 << 20;

/// Whether somebody still writes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Its driver ended it in order.
    Finished,
    /// Its driver is alive, as far as the file system can tell.
    Running,
    /// Its driver is gone and did not end it: it was killed, or crashed.
    Left,
}

/// A run folder, open to read. Nothing is held in memory but the manifest.
#[derive(Debug)]
pub struct RunReader {
    folder: Arc<Folder>,
    manifest: Manifest,
    manifest_problem: Option<ReadError>,
}

impl RunReader {
    /// Opens the folder at `path`.
    ///
    /// A manifest that is missing or damaged does not hide the records: then
    /// [`Self::manifest`] knows nothing but the run ID, by the folder's name,
    /// and [`Self::manifest_problem`] says why.
    ///
    /// # Errors
    /// Where it is no run folder, or in a format that is not known.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let folder = Folder::open(path)?;
        let (manifest, manifest_problem) = match read_manifest(&folder) {
            Ok(manifest) => (manifest, None),
            Err(problem @ ReadError::UnknownFormat { .. }) => return Err(problem),
            Err(problem) => {
                let names = folder.names()?;
                let is_ours = |name: &String| {
                    name == MANIFEST || name == CURRENT_SEGMENT || segment_number(name).is_some()
                };
                if !names.iter().any(is_ours) {
                    let path = path.to_owned();
                    return Err(ReadError::NotARunFolder { path });
                }
                (unknown_manifest(path), Some(problem))
            }
        };
        Ok(Self {
            folder: Arc::new(folder),
            manifest,
            manifest_problem,
        })
    }

    /// The folder's path, as it was given.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The manifest, as it was when the folder was opened.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Why there is no manifest, where there is none.
    pub fn manifest_problem(&self) -> Option<&ReadError> {
        self.manifest_problem.as_ref()
    }

    /// Whether somebody still writes it, asked anew.
    pub fn life(&self) -> Life {
        // Held first: a driver that ends between the two questions has then
        // left its last manifest.
        let held = self.folder.is_held();
        let finished = match read_manifest(&self.folder) {
            Ok(manifest) => manifest.state == RunState::Finished,
            Err(_) => self.manifest.state == RunState::Finished,
        };
        match (finished, held) {
            (true, _) => Life::Finished,
            (false, true) => Life::Running,
            (false, false) => Life::Left,
        }
    }

    /// All records in the order of their arrival.
    pub fn records(&self) -> Records {
        self.select(Vec::new())
    }

    /// The records that at least one of the filters takes; all, where there is
    /// no filter. Lines that cannot match are not parsed.
    pub fn select(&self, filters: Vec<Filter>) -> Records {
        Records::new(Arc::clone(&self.folder), filters)
    }

    /// As [`Self::select`], and then those that arrive later.
    pub fn follow(&self, filters: Vec<Filter>) -> Follow {
        Follow::new(Arc::clone(&self.folder), filters)
    }

    /// Raw output of an instance, as far as it was kept. `None` where there
    /// was none.
    ///
    /// # Errors
    /// Where its files cannot be opened.
    pub fn output(
        &self,
        instance: &InstanceId,
        stream: OutputStream,
    ) -> Result<Option<OutputReader>, ReadError> {
        Ok(OutputReader::open(&self.folder, instance, stream)?)
    }

    /// The failure reports, in order. One that cannot be read is its error.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn failures(&self) -> Result<Vec<Result<StoredFailure, ReadError>>, ReadError> {
        let folder = match self.folder.enter(FAILURES) {
            Ok(folder) => folder,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut numbers: Vec<_> = folder
            .names()?
            .into_iter()
            .filter_map(|name| Some((failure_number(&name)?, name)))
            .collect();
        numbers.sort_unstable();
        Ok(numbers
            .into_iter()
            .map(|(_, name)| read_failure(&folder, &name))
            .collect())
    }

    /// What is in the run, counted over all records.
    ///
    /// # Errors
    /// Where the records cannot be read.
    pub fn overview(&self) -> Result<Overview, ReadError> {
        Overview::read(self)
    }

    /// Everything about one test, gathered in one pass.
    ///
    /// # Errors
    /// Where the records cannot be read.
    pub fn story(&self, test_run_id: &str) -> Result<Story, ReadError> {
        Story::read(self, test_run_id)
    }

    pub(crate) fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }
}

fn read_manifest(folder: &Folder) -> Result<Manifest, ReadError> {
    /// What every format has, whatever else changes.
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        format_version: FormatVersion,
    }
    let bytes = folder.read_whole(MANIFEST, MANIFEST_LIMIT)?;
    let bad_json = |problem| ReadError::BadJson {
        path: folder.path().join(MANIFEST),
        problem,
    };
    let head: Head = serde_json::from_slice(&bytes).map_err(bad_json)?;
    if !head.format_version.is_readable() {
        return Err(ReadError::UnknownFormat {
            path: folder.path().join(MANIFEST),
            found: head.format_version.to_string(),
            known: FormatVersion::READABLE.join(", "),
        });
    }
    serde_json::from_slice(&bytes).map_err(bad_json)
}

/// What is known of a run without a manifest.
fn unknown_manifest(path: &Path) -> Manifest {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Manifest::new(RunInfo {
        run_id: name
            .filter(|name| is_canonical_uuid(name))
            .unwrap_or_default(),
        driver: DriverInfo {
            name: String::new(),
            version: String::new(),
            pid: 0,
        },
        started_at: Timestamp::default(),
        session: None,
        limits: BTreeMap::new(),
        redaction: None,
    })
}

fn read_failure(folder: &Folder, name: &str) -> Result<StoredFailure, ReadError> {
    let bytes = folder.read_whole(name, FAILURE_LIMIT)?;
    let path = folder.path().join(name);
    from_failure_json(&bytes).map_err(|error| match error {
        FailureFileError::Json(problem) => ReadError::BadJson { path, problem },
        FailureFileError::Record(rejection) => ReadError::BadRecord { path, rejection },
    })
}
