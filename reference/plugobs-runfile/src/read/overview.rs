//! What is in a run, counted over all its records.

mod gather;
mod head;

use std::collections::{BTreeMap, BTreeSet};

use plugobs_core::registry::{channel, mark};
use plugobs_core::{Record, Severity};
use plugobs_driver::info::TestInfo;

use super::Life;
use super::records::{Damage, Position};
use crate::failure::StoredFailure;
use crate::manifest::{InstanceEntry, Manifest};
use head::Head;

/// Records, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub records: u64,
    /// User messages.
    pub user: u64,
    /// Lifecycle records.
    pub lifecycle: u64,
    /// The others, by level: TRACE, DEBUG, INFO, WARN, ERROR.
    pub log: [u64; 5],
    /// Those with the mark `late`.
    pub late: u64,
    /// Those with the mark `truncated`.
    pub truncated: u64,
    /// Those with the mark `unverified`.
    pub unverified: u64,
    /// Those with the mark `malformed`.
    pub malformed: u64,
    /// Sequences that were dropped and counted.
    pub dropped: u64,
}

impl Counts {
    /// The names of the levels that [`Self::log`] counts.
    pub const LEVELS: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];

    /// Log records of all levels.
    pub fn log_records(&self) -> u64 {
        self.log.iter().sum()
    }

    fn add(&mut self, record: &Head<'_>) {
        self.records += 1;
        match &*record.channel {
            channel::USER => self.user += 1,
            channel::LIFECYCLE => self.lifecycle += 1,
            _ => {
                let level = Severity::shown(record.severity);
                for (count, name) in self.log.iter_mut().zip(Self::LEVELS) {
                    *count += u64::from(name == level);
                }
            }
        }
        for (count, mark) in [
            (&mut self.late, mark::LATE),
            (&mut self.truncated, mark::TRUNCATED),
            (&mut self.unverified, mark::UNVERIFIED),
            (&mut self.malformed, mark::MALFORMED),
        ] {
            *count += u64::from(record.marks.iter().any(|name| name == mark));
        }
    }

    fn add_dropped(&mut self, (first, last): (u64, u64)) {
        self.dropped = self.dropped.saturating_add(last - first).saturating_add(1);
    }
}

/// One test of a run.
#[derive(Debug, Clone)]
pub struct TestOverview {
    /// Its ID.
    pub test_run_id: String,
    /// What the manifest says of it.
    pub info: Option<TestInfo>,
    /// Its records.
    pub counts: Counts,
    /// Its calls.
    pub calls: u64,
    /// The instances that were called for it.
    pub instances: BTreeSet<String>,
}

/// One instance of a run.
#[derive(Debug, Clone)]
pub struct InstanceOverview {
    /// Its ID.
    pub plugin_instance_id: String,
    /// What the manifest says of it.
    pub entry: Option<InstanceEntry>,
    /// Its records, the driver's about it included.
    pub counts: Counts,
}

/// A run as a whole.
#[derive(Debug)]
pub struct Overview {
    /// Its manifest.
    pub manifest: Manifest,
    /// Whether it goes on.
    pub life: Life,
    /// Tests: those of the manifest in its order, then others.
    pub tests: Vec<TestOverview>,
    /// Instances: those of the manifest in its order, then others.
    pub instances: Vec<InstanceOverview>,
    /// All records.
    pub counts: Counts,
    /// Records of plugins that belong to no test, quarantined ones left out.
    pub outside_tests: Counts,
    /// Records whose identity was not believed.
    pub quarantined: u64,
    /// The first of these.
    pub quarantined_examples: Vec<Record>,
    /// Lines that are no records.
    pub damaged: u64,
    /// The first of these.
    pub damaged_examples: Vec<(Position, Damage)>,
    /// Records that were removed to keep the folder's size.
    pub evicted: u64,
    /// The failure reports that can be read.
    pub failures: Vec<StoredFailure>,
}

/// Short names of instances for people: the plugin's name, and the beginning
/// of the ID where several share it.
pub fn instance_labels(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in &manifest.instances {
        *by_name.entry(&entry.info.name).or_default() += 1;
    }
    let label = |entry: &InstanceEntry| {
        let info = &entry.info;
        if by_name.get(info.name.as_str()) == Some(&1) {
            info.name.clone()
        } else {
            let id: String = info.plugin_instance_id.chars().take(8).collect();
            format!("{}/{id}", info.name)
        }
    };
    manifest
        .instances
        .iter()
        .map(|entry| (entry.info.plugin_instance_id.clone(), label(entry)))
        .collect()
}
