//! What is in a run, counted over all its records.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plugobs_core::registry::{channel, event, mark};
use plugobs_core::{Record, Severity};
use plugobs_driver::info::TestInfo;

use super::records::{Damage, Position};
use super::{Life, RunReader};
use crate::error::ReadError;
use crate::failure::StoredFailure;
use crate::manifest::{InstanceEntry, Manifest};
use crate::tally::dropped_range;

/// How many quarantined records and damaged lines are kept as examples.
const EXAMPLES: usize = 20;

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

    pub(crate) fn add(&mut self, record: &Record) {
        self.records += 1;
        match record.channel.as_str() {
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
            *count += u64::from(record.has_mark(mark));
        }
        if let Some((first, last)) = dropped_range(record) {
            self.dropped = self.dropped.saturating_add(last - first).saturating_add(1);
        }
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

impl Overview {
    pub(super) fn read(reader: &RunReader) -> Result<Self, ReadError> {
        let mut gatherer = Gatherer::new(reader);
        for entry in reader.records() {
            let entry = entry?;
            match entry.record {
                Ok(record) => gatherer.add(record),
                Err(damage) => {
                    gatherer.overview.damaged += 1;
                    let examples = &mut gatherer.overview.damaged_examples;
                    if examples.len() < EXAMPLES {
                        examples.push((entry.at, damage));
                    }
                }
            }
        }
        let mut overview = gatherer.overview;
        overview.failures = reader.failures()?.into_iter().flatten().collect();
        Ok(overview)
    }
}

struct Gatherer {
    overview: Overview,
    tests: HashMap<String, usize>,
    instances: HashMap<String, usize>,
}

impl Gatherer {
    fn new(reader: &RunReader) -> Self {
        let manifest = reader.manifest().clone();
        let evicted = manifest.evicted.iter().fold(0, |sum: u64, eviction| {
            sum.saturating_add(eviction.records())
        });
        let mut gatherer = Self {
            overview: Overview {
                life: reader.life(),
                tests: Vec::new(),
                instances: Vec::new(),
                counts: Counts::default(),
                outside_tests: Counts::default(),
                quarantined: 0,
                quarantined_examples: Vec::new(),
                damaged: 0,
                damaged_examples: Vec::new(),
                evicted,
                failures: Vec::new(),
                manifest: manifest.clone(),
            },
            tests: HashMap::new(),
            instances: HashMap::new(),
        };
        for info in manifest.tests {
            let id = info.test_run_id.clone();
            gatherer.test(&id).info = Some(info);
        }
        for entry in manifest.instances {
            let id = entry.info.plugin_instance_id.clone();
            gatherer.instance(&id).entry = Some(entry);
        }
        gatherer
    }

    fn test(&mut self, id: &str) -> &mut TestOverview {
        let at = *self.tests.entry(id.to_owned()).or_insert_with(|| {
            self.overview.tests.push(TestOverview {
                test_run_id: id.to_owned(),
                info: None,
                counts: Counts::default(),
                calls: 0,
                instances: BTreeSet::new(),
            });
            self.overview.tests.len() - 1
        });
        &mut self.overview.tests[at]
    }

    fn instance(&mut self, id: &str) -> &mut InstanceOverview {
        let at = *self.instances.entry(id.to_owned()).or_insert_with(|| {
            self.overview.instances.push(InstanceOverview {
                plugin_instance_id: id.to_owned(),
                entry: None,
                counts: Counts::default(),
            });
            self.overview.instances.len() - 1
        });
        &mut self.overview.instances[at]
    }

    fn add(&mut self, record: Record) {
        self.overview.counts.add(&record);
        if record.is_quarantined() {
            self.overview.quarantined += 1;
            if self.overview.quarantined_examples.len() < EXAMPLES {
                self.overview.quarantined_examples.push(record);
            }
            return;
        }
        if let Some(id) = &record.plugin_instance_id {
            self.instance(id).counts.add(&record);
        }
        if let Some(id) = &record.test_run_id {
            let test = self.test(id);
            test.counts.add(&record);
            if record.is_from_driver() && record.event_name.as_deref() == Some(event::CALL_BEGIN) {
                test.calls += 1;
            }
            test.instances.extend(record.plugin_instance_id);
        } else if !record.is_from_driver() {
            self.overview.outside_tests.add(&record);
        }
    }
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
