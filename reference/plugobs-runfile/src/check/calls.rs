//! That no record of one test is inside another, and that calls are paired.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plugobs_core::Record;
use plugobs_core::registry::{event, mark};

use super::finding::{At, CheckReport, Code, Severity};
use super::records::{Seen, is_event};
use crate::manifest::{Manifest, RunState};
use crate::read::RunReader;
use crate::read::records::Position;

/// The calls of a run, and who claims to belong to them. Records can come
/// before the one that begins their call, so claims are judged at the end.
#[derive(Debug, Default)]
pub(super) struct Calls {
    begun: HashMap<String, Begun>,
    ended: HashMap<String, Position>,
    /// By call, test and instance: the first record that names them together.
    claims: BTreeMap<Claim, Position>,
}

#[derive(Debug)]
struct Begun {
    test: Option<String>,
    instance: Option<String>,
    /// Whether the test's ID could be sent at all.
    test_is_sent: bool,
    at: Position,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    call: Option<String>,
    test: Option<String>,
    instance: Option<String>,
}

impl Calls {
    pub(super) fn add(
        &mut self,
        record: &Record,
        position: impl Fn() -> Position,
        report: &mut CheckReport,
        at: At<'_>,
    ) {
        if record.is_quarantined() {
            return;
        }
        if let Some(call) = &record.call_id {
            let repeated = if is_event(record, event::CALL_BEGIN) {
                let begun = Begun {
                    test: record.test_run_id.clone().map(String::from),
                    instance: record.plugin_instance_id.clone().map(String::from),
                    test_is_sent: !record.has_mark(mark::INVALID_TEST_RUN_ID),
                    at: position(),
                };
                self.begun.insert(call.to_string(), begun).map(|_| "begins")
            } else if is_event(record, event::CALL_END) {
                self.ended
                    .insert(call.to_string(), position())
                    .map(|_| "ends")
            } else {
                None
            };
            if let Some(what) = repeated {
                let message = format!("call {call} {what} a second time");
                report.error(Code::RepeatedCall, at, message);
            }
        }
        if record.call_id.is_some() || record.test_run_id.is_some() && !record.is_from_driver() {
            let claim = Claim {
                call: record.call_id.clone().map(String::from),
                test: record.test_run_id.clone().map(String::from),
                instance: record.plugin_instance_id.clone().map(String::from),
            };
            self.claims.entry(claim).or_insert_with(position);
        }
    }
}

pub(super) fn check_calls(reader: &RunReader, seen: &Seen, report: &mut CheckReport) {
    let manifest = reader.manifest();
    report.counts.calls = seen.calls.begun.len() as u64;
    let incomplete = is_incomplete(manifest);
    let served: BTreeSet<(Option<&str>, Option<&str>)> = seen
        .calls
        .begun
        .values()
        .map(|call| (call.instance.as_deref(), call.test.as_deref()))
        .collect();
    for (claim, position) in &seen.calls.claims {
        let at = At::Line(&position.file, position.line);
        match &claim.call {
            Some(call) => match seen.calls.begun.get(call) {
                Some(begun) => claim.check_call(call, begun, report, at),
                None if incomplete => {}
                None => {
                    let message = format!("the driver's records hold no call {call}");
                    report.error(Code::UnknownCall, at, message);
                }
            },
            None => {
                let pair = (claim.instance.as_deref(), claim.test.as_deref());
                if !served.contains(&pair) && !incomplete {
                    let message = format!(
                        "instance {} was never called for {}",
                        claim.instance(),
                        claim.test()
                    );
                    report.error(Code::ForeignTest, at, message);
                }
            }
        }
    }
    check_pairs(manifest, seen, report, incomplete);
}

impl Claim {
    fn check_call(&self, call: &str, begun: &Begun, report: &mut CheckReport, at: At<'_>) {
        if self.instance != begun.instance {
            let message = format!(
                "call {call} was made to {}, and the record is of {}",
                begun.instance.as_deref().unwrap_or("no instance"),
                self.instance(),
            );
            report.error(Code::OtherInstance, at, message);
        }
        let of_test = begun.test.as_deref().unwrap_or("no test");
        match &self.test {
            _ if self.test == begun.test => {}
            // A record cannot name what its sender was not told.
            None if !begun.test_is_sent => {}
            None => {
                let message =
                    format!("call {call} was made for {of_test}, and the record names no test");
                report.note(Code::TestNotNamed, at, message);
            }
            Some(test) => {
                let message =
                    format!("call {call} was made for {of_test}, and the record is of {test}");
                report.error(Code::OtherTest, at, message);
            }
        }
    }

    fn instance(&self) -> &str {
        self.instance.as_deref().unwrap_or("no instance")
    }

    fn test(&self) -> &str {
        self.test.as_deref().unwrap_or("no test")
    }
}

/// Whether the beginning of a call may be missing for a reason that is told:
/// records were evicted, or did not reach the folder.
fn is_incomplete(manifest: &Manifest) -> bool {
    !manifest.evicted.is_empty() || manifest.lost_records() > 0
}

fn check_pairs(manifest: &Manifest, seen: &Seen, report: &mut CheckReport, incomplete: bool) {
    let calls = &seen.calls;
    let mut unpaired: Vec<(&Position, String, Severity)> = Vec::new();
    for (id, begun) in &calls.begun {
        if !calls.ended.contains_key(id) {
            let excused = manifest.state == RunState::Running || manifest.lost_records() > 0;
            let severity = if excused {
                Severity::Note
            } else {
                Severity::Error
            };
            unpaired.push((&begun.at, format!("call {id} did not end"), severity));
        }
    }
    for (id, at) in &calls.ended {
        if !calls.begun.contains_key(id) && !incomplete {
            let message = format!("call {id} ended and did not begin");
            unpaired.push((at, message, Severity::Error));
        }
    }
    unpaired.sort_by(|a, b| (&a.0.file, a.0.line).cmp(&(&b.0.file, b.0.line)));
    for (at, message, severity) in unpaired {
        report.add(
            severity,
            Code::UnpairedCall,
            At::Line(&at.file, at.line),
            message,
        );
    }
}
