//! What a check found.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::read::{Life, RunReader};

/// How many findings of one code are kept whole; the others are counted.
const KEPT_PER_CODE: u64 = 50;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is wrong with the folder, or with who wrote it.
    Error,
    /// Something that a reader should know, and that is as it should be: a
    /// killed driver leaves a torn line.
    Note,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal),* $(,)?) => {
        /// What kind of finding it is. Programs compare the code, never the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Its name in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }
        }
    };
}

codes! {
    /// `run.json` is missing, or cannot be understood.
    BadManifest = "bad_manifest",
    /// `run.json` breaks its schema.
    ManifestSchema = "manifest_schema",
    /// The manifest is of another run than the folder's name says.
    WrongFolder = "wrong_folder",
    /// A time of the manifest is before one that it cannot be before.
    TimesOutOfOrder = "times_out_of_order",
    /// Records are counted that are not there, or are there and not counted.
    SegmentMismatch = "segment_mismatch",
    /// A segment is still there that the manifest counts as evicted.
    EvictedPresent = "evicted_present",
    /// A file is there that is none of a run folder.
    UnknownFile = "unknown_file",
    /// A line that its file ends within.
    TornLine = "torn_line",
    /// A line that is no record.
    DamagedLine = "damaged_line",
    /// A record that breaks its schema.
    RecordSchema = "record_schema",
    /// A record that breaks a rule, by this program's own reading of them.
    InvalidRecord = "invalid_record",
    /// A record of another run.
    WrongRun = "wrong_run",
    /// A sequence number that is neither stored nor counted.
    Missing = "missing",
    /// A key that is stored twice.
    Duplicate = "duplicate",
    /// A sequence number that is stored, or evicted, and counted as dropped.
    DroppedAndStored = "dropped_and_stored",
    /// What came after a sequence number is unknown.
    UnknownAfter = "unknown_after",
    /// Records without sequence: whether some are lost is unknown.
    Unsequenced = "unsequenced",
    /// Records that this folder did not get, counted by the driver.
    Lost = "lost",
    /// A record that belongs to one test by its call and to another by its ID.
    OtherTest = "other_test",
    /// A record of a call that was made to another instance.
    OtherInstance = "other_instance",
    /// A record of a test for which its instance was never called.
    ForeignTest = "foreign_test",
    /// A record of a call that the driver did not make.
    UnknownCall = "unknown_call",
    /// A record of a test's call that does not name the test.
    TestNotNamed = "test_not_named",
    /// A call that began and did not end, or ended and did not begin.
    UnpairedCall = "unpaired_call",
    /// A call that began or ended twice.
    RepeatedCall = "repeated_call",
    /// A test or an instance that records name and the manifest does not.
    NotInManifest = "not_in_manifest",
    /// Raw output that is not what the manifest says.
    OutputMismatch = "output_mismatch",
    /// A failure report that breaks its schema, or is missing.
    BadFailure = "bad_failure",
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind it is.
    pub code: Code,
    /// The file, relative to the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// For people; it may hold text from a plugin.
    pub message: String,
}

/// What there is in the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckCounts {
    /// Files of records.
    pub segments: u64,
    /// Whole lines.
    pub lines: u64,
    /// Lines that are records.
    pub records: u64,
    /// Records by their source.
    pub by_source: BTreeMap<String, u64>,
    /// Records whose identity was not believed.
    pub quarantined: u64,
    /// Records that stand for what could not be read.
    pub malformed: u64,
    /// Records that came after their test.
    pub late: u64,
    /// Records whose sender showed no token.
    pub unverified: u64,
    /// Records with a sequence.
    pub sequenced: u64,
    /// Records of plugins without one.
    pub unsequenced: u64,
    /// Sequence numbers counted as dropped.
    pub dropped: u64,
    /// Records without sequence that were turned away, by the driver's count.
    pub dropped_unsequenced: u64,
    /// Records removed to keep the folder's size.
    pub evicted: u64,
    /// Sequence numbers of which nothing is known.
    pub missing: u64,
    /// Plugin instances.
    pub instances: u64,
    /// Tests.
    pub tests: u64,
    /// Calls.
    pub calls: u64,
    /// Failure reports.
    pub failures: u64,
}

/// The result of a check.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The run.
    pub run_id: String,
    /// Its folder, as it was given.
    pub folder: String,
    /// `finished`, `running` or `left`.
    pub state: &'static str,
    /// Whether there is no error.
    pub sound: bool,
    /// Errors, counted.
    pub errors: u64,
    /// Notes, counted.
    pub notes: u64,
    /// The findings in the order in which they were made, the first of each
    /// kind.
    pub findings: Vec<Finding>,
    /// How many of each kind are not among [`Self::findings`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<&'static str, u64>,
    /// What there is in the run.
    pub counts: CheckCounts,
    #[serde(skip)]
    by_code: BTreeMap<Code, u64>,
}

impl CheckReport {
    pub(super) fn new(reader: &RunReader) -> Self {
        Self {
            run_id: reader.manifest().run.run_id.clone(),
            folder: reader.path().display().to_string(),
            state: match reader.life() {
                Life::Finished => "finished",
                Life::Running => "running",
                Life::Left => "left",
            },
            sound: true,
            errors: 0,
            notes: 0,
            findings: Vec::new(),
            more: BTreeMap::new(),
            counts: CheckCounts::default(),
            by_code: BTreeMap::new(),
        }
    }

    /// How many findings have the code.
    pub fn count(&self, code: Code) -> u64 {
        self.by_code.get(&code).copied().unwrap_or(0)
    }

    pub(super) fn error(&mut self, code: Code, at: At<'_>, message: String) {
        self.add(Severity::Error, code, at, message);
    }

    pub(super) fn note(&mut self, code: Code, at: At<'_>, message: String) {
        self.add(Severity::Note, code, at, message);
    }

    pub(super) fn add(&mut self, severity: Severity, code: Code, at: At<'_>, message: String) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Note => self.notes += 1,
        }
        self.sound = self.errors == 0;
        let count = self.by_code.entry(code).or_default();
        *count += 1;
        if *count > KEPT_PER_CODE {
            *self.more.entry(code.as_str()).or_default() += 1;
            return;
        }
        let (file, line) = match at {
            At::Run => (None, None),
            At::File(file) => (Some(file.to_owned()), None),
            At::Line(file, line) => (Some(file.to_owned()), Some(line)),
        };
        self.findings.push(Finding {
            severity,
            code,
            file,
            line,
            message,
        });
    }
}

/// Where something was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'a> {
    Run,
    File(&'a str),
    Line(&'a str, u64),
}
