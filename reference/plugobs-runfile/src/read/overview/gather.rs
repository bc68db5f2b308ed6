//! One pass over a run's records that makes its overview.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use plugobs_core::Record;
use plugobs_core::registry::event;

use super::head::Head;
use super::{Counts, InstanceOverview, Overview, TestOverview};
use crate::error::ReadError;
use crate::read::RunReader;
use crate::read::cursor::Cursor;
use crate::read::records::{Damage, Position, read_line, whole_text};
use crate::tally::dropped_range;

/// How many quarantined records and damaged lines are kept as examples.
const EXAMPLES: usize = 20;

impl Overview {
    pub(in crate::read) fn read(reader: &RunReader) -> Result<Self, ReadError> {
        let mut gatherer = Gatherer::new(reader);
        let mut cursor = Cursor::new(Arc::clone(reader.folder()), false);
        cursor.find_map(|file, line| {
            if let Ok(text) = whole_text(&line)
                && let Some(head) = Head::read(text)
            {
                gatherer.add(&head);
                return None::<()>;
            }
            match read_line(&line) {
                Ok(record) => gatherer.add_whole(record),
                Err(damage) => gatherer.add_damage(file, line.number, damage),
            }
            None
        })?;
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
        let at = place(&mut self.tests, id, || {
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
        let at = place(&mut self.instances, id, || {
            self.overview.instances.push(InstanceOverview {
                plugin_instance_id: id.to_owned(),
                entry: None,
                counts: Counts::default(),
            });
            self.overview.instances.len() - 1
        });
        &mut self.overview.instances[at]
    }

    /// A record of a plugin that is believed.
    fn add(&mut self, head: &Head<'_>) {
        self.overview.counts.add(head);
        if let Some(id) = &head.instance {
            self.instance(id).counts.add(head);
        }
        match &head.test {
            Some(id) => self.test(id).add(head),
            None => self.overview.outside_tests.add(head),
        }
    }

    /// A record that is the driver's own, or quarantined.
    fn add_whole(&mut self, record: Record) {
        let head = Head::from(&record);
        if !record.is_quarantined() && !record.is_from_driver() {
            self.add(&head);
            return;
        }
        self.overview.counts.add(&head);
        if record.is_quarantined() {
            self.overview.quarantined += 1;
            if self.overview.quarantined_examples.len() < EXAMPLES {
                self.overview.quarantined_examples.push(record);
            }
            return;
        }
        let dropped = dropped_range(&record);
        if let Some(range) = dropped {
            self.overview.counts.add_dropped(range);
        }
        if let Some(id) = &head.instance {
            let instance = self.instance(id);
            instance.counts.add(&head);
            if let Some(range) = dropped {
                instance.counts.add_dropped(range);
            }
        }
        if let Some(id) = &head.test {
            let test = self.test(id);
            test.add(&head);
            test.calls += u64::from(record.event_name.as_deref() == Some(event::CALL_BEGIN));
        }
    }

    fn add_damage(&mut self, file: &Arc<str>, line: u64, damage: Damage) {
        self.overview.damaged += 1;
        let examples = &mut self.overview.damaged_examples;
        if examples.len() < EXAMPLES {
            let file = Arc::clone(file);
            examples.push((Position { file, line }, damage));
        }
    }
}

impl TestOverview {
    fn add(&mut self, head: &Head<'_>) {
        self.counts.add(head);
        if let Some(id) = &head.instance
            && !self.instances.contains(&**id)
        {
            self.instances.insert(id.clone().into_owned());
        }
    }
}

/// The place that an ID has, or that `make` gives it. Nearly always it has one,
/// and then no key is made.
fn place(places: &mut HashMap<String, usize>, id: &str, make: impl FnOnce() -> usize) -> usize {
    match places.get(id) {
        Some(at) => *at,
        None => {
            let at = make();
            places.insert(id.to_owned(), at);
            at
        }
    }
}
