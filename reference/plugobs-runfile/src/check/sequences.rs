//! That each sequence number is a record, counted as dropped, or evicted.

use std::collections::BTreeSet;

use plugobs_core::SequenceSet;

use super::finding::{At, CheckReport, Code, Severity};
use super::records::Seen;
use crate::manifest::{Manifest, Range, RunState};
use crate::read::RunReader;
use crate::tally::{KeyTally, Tally};

pub(super) fn check_sequences(reader: &RunReader, seen: &Seen, report: &mut CheckReport) {
    let manifest = reader.manifest();
    let mut evicted = Tally::from_evictions(&manifest.evicted);
    let mut stored = seen.tally.clone();
    report.counts.evicted = manifest.evicted.iter().fold(0, |sum: u64, eviction| {
        sum.saturating_add(eviction.records())
    });
    // Sequences that only the driver's word tells of have no record to be
    // found by.
    let keys: BTreeSet<(String, u64)> = stored
        .iter()
        .chain(evicted.iter())
        .filter_map(|(instance, epoch, _)| Some((instance.to_owned(), epoch?)))
        .chain(seen.announced.keys().cloned())
        .collect();
    let mut missing = Missing::default();
    for (instance, epoch) in &keys {
        let key = Key {
            instance,
            epoch: *epoch,
            stored: stored.entry(instance, Some(*epoch)),
            evicted: evicted.entry(instance, Some(*epoch)),
            announced: seen
                .announced
                .get(&(instance.clone(), *epoch))
                .copied()
                .unwrap_or(0),
        };
        key.check(manifest, seen, report, &mut missing);
    }
    missing.report(manifest, report);
    note_unsequenced(seen, report);
}

/// One instance and epoch.
struct Key<'a> {
    instance: &'a str,
    epoch: u64,
    stored: &'a KeyTally,
    evicted: &'a KeyTally,
    announced: u64,
}

/// Sequence numbers that should be there and are not: what the driver counts
/// as lost to this folder is known, though not which.
#[derive(Default)]
struct Missing {
    numbers: u64,
    findings: Vec<String>,
}

impl Key<'_> {
    fn check(
        &self,
        manifest: &Manifest,
        seen: &Seen,
        report: &mut CheckReport,
        missing: &mut Missing,
    ) {
        let mut known = SequenceSet::default();
        let mut kept = 0_u64;
        for set in [&self.stored.seen, &self.evicted.seen] {
            set.iter().for_each(|(f, l)| known.insert_range(f, l));
        }
        kept = kept.saturating_add(known.len());
        let mut dropped = SequenceSet::default();
        for set in [&self.stored.dropped, &self.evicted.dropped] {
            set.iter().for_each(|(f, l)| dropped.insert_range(f, l));
        }
        report.counts.dropped = report.counts.dropped.saturating_add(dropped.len());
        dropped.iter().for_each(|(f, l)| known.insert_range(f, l));
        if known.len() < kept.saturating_add(dropped.len()) {
            let both = kept.saturating_add(dropped.len()) - known.len();
            let message = format!(
                "{self}: {both} sequence numbers are counted as dropped and are records too"
            );
            report.error(Code::DroppedAndStored, At::Run, message);
        }
        let gaps = known.missing(known.highest().max(self.announced));
        let gone: u64 = gaps.iter().fold(0, |sum: u64, range| {
            sum.saturating_add(Range::from(*range).len())
        });
        report.counts.missing = report.counts.missing.saturating_add(gone);
        let ended = self.ending(manifest, seen);
        if let Some(why) = ended {
            let after = known.contiguous();
            let mut message =
                format!("{self}: what came after sequence {after} is unknown, because {why}");
            if gone > 0 {
                message.push_str(&format!(
                    "; of what followed, {} are not there",
                    list(&gaps)
                ));
            }
            report.note(Code::UnknownAfter, At::Run, message);
        } else if gone > 0 {
            missing.numbers = missing.numbers.saturating_add(gone);
            let message = format!("{self}: {} are neither stored nor counted", list(&gaps));
            missing.findings.push(message);
        }
    }

    /// Why nobody can know whether all is there; `None` where somebody can.
    fn ending(&self, manifest: &Manifest, seen: &Seen) -> Option<&'static str> {
        if manifest.state == RunState::Running {
            return Some("the run was not ended by its driver");
        }
        if seen.died.contains(self.instance) {
            return Some("the instance died");
        }
        let entry = manifest.instance(self.instance)?;
        if entry.died() {
            return Some("the instance died");
        }
        let epoch = entry.info.epochs.iter().find(|e| e.epoch == self.epoch)?;
        (!epoch.clean).then_some("the emitter did not end its path in order")
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            instance, epoch, ..
        } = self;
        write!(f, "instance {instance}, epoch {epoch}")
    }
}

impl Missing {
    fn report(self, manifest: &Manifest, report: &mut CheckReport) {
        let lost = manifest.lost_records();
        if lost > 0 {
            let message = format!(
                "{lost} records did not reach this folder, by the driver's count; which ones is not known"
            );
            report.note(Code::Lost, At::Run, message);
        }
        let severity = if self.numbers <= lost {
            Severity::Note
        } else {
            Severity::Error
        };
        for message in self.findings {
            report.add(severity, Code::Missing, At::Run, message);
        }
    }
}

/// `OBS-RUN-28`.
fn note_unsequenced(seen: &Seen, report: &mut CheckReport) {
    for (instance, records) in &seen.unsequenced {
        let message = format!(
            "instance {instance}: {records} records without a sequence; whether others are lost is unknown"
        );
        report.note(Code::Unsequenced, At::Run, message);
    }
}

/// Ranges for people, the first few of many.
fn list(ranges: &[(u64, u64)]) -> String {
    const FEW: usize = 5;
    let mut text = ranges
        .iter()
        .take(FEW)
        .map(|range| Range::from(*range).to_string())
        .collect::<Vec<_>>()
        .join(", ");
    if ranges.len() > FEW {
        text.push_str(&format!(" and {} more ranges", ranges.len() - FEW));
    }
    format!("sequences {text}")
}
