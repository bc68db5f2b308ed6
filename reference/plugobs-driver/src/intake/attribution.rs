//! Whether a record is whose it says it is (`spec/security.md`).

use std::collections::{HashMap, HashSet};

use plugobs_core::ids::check_test_run_id;
use plugobs_core::registry::{channel, mark};
use plugobs_core::{CallId, Claimed, Record, Text};

/// What a driver issued to one instance.
#[derive(Default)]
pub(crate) struct Issued {
    calls: HashMap<CallId, Option<String>>,
    tests: HashSet<String>,
    /// A mock server's key to the test that started it.
    mock_servers: HashMap<String, Option<String>>,
}

impl Issued {
    pub(crate) fn call(&mut self, call: CallId, test: Option<&str>) {
        if let Some(test) = test {
            self.tests.insert(test.to_owned());
        }
        self.calls.insert(call, test.map(str::to_owned));
    }

    pub(crate) fn mock_server(&mut self, key: String, test: Option<String>) {
        self.mock_servers.insert(key, test);
    }

    pub(crate) fn test_of_mock_server(&self, key: &str) -> Option<String> {
        self.mock_servers.get(key).cloned().flatten()
    }

    /// The test of a call that was issued; `None` where it was not.
    pub(crate) fn test_of_call(&self, call: &str) -> Option<Option<String>> {
        self.calls.get(call).cloned()
    }

    pub(crate) fn has_test(&self, test: &str) -> bool {
        self.tests.contains(test)
    }

    /// Whether the record's call and test are what this instance was given.
    pub(crate) fn believes(&self, record: &Record) -> bool {
        match (&record.call_id, &record.test_run_id) {
            (Some(call), test) => match self.calls.get(call.as_str()) {
                None => false,
                Some(issued) => test.is_none() || test.as_deref() == issued.as_deref(),
            },
            (None, Some(test)) => self.tests.contains(test.as_str()),
            (None, None) => true,
        }
    }
}

/// What is known of a record's sender beside its word.
pub(crate) struct Sender<'a> {
    pub(crate) instance: &'a Text,
    /// By its token, or because the pipe is its own.
    pub(crate) verified: bool,
    /// Whether the instance has ever shown its token.
    pub(crate) token_shown: bool,
    /// Whether a record without an instance is the sender's: deployed unary
    /// records and raw pipes need not name it.
    pub(crate) may_omit_instance: bool,
}

/// What was found of a call and a test, which most records of a batch share.
pub(crate) struct Verdict {
    test_run_id: Option<Text>,
    call_id: Option<Text>,
    /// Whether this instance was given both.
    believed: bool,
    /// Marks that they earn.
    marks: Vec<&'static str>,
}

impl Verdict {
    /// Looks a record's identities up.
    pub(crate) fn of(record: &Record, issued: &Issued, has_ended: impl Fn(&str) -> bool) -> Self {
        let believed = issued.believes(record);
        let mut marks = Vec::new();
        if let (Some(id), true) = (record.test_run_id.as_deref(), believed) {
            if check_test_run_id(id).is_err() {
                marks.push(mark::INVALID_TEST_RUN_ID);
            }
            if has_ended(id) {
                marks.push(mark::LATE);
            }
        }
        Self {
            test_run_id: record.test_run_id.clone(),
            call_id: record.call_id.clone(),
            believed,
            marks,
        }
    }

    /// Whether it is about this record, too.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        self.test_run_id == record.test_run_id && self.call_id == record.call_id
    }
}

/// Settles the identities of a record: those that are believed stay, others are
/// moved to `claimed` and the record is quarantined.
pub(crate) fn attribute(record: &mut Record, sender: &Sender<'_>, verdict: &Verdict) {
    // Marks that only the driver may set are not taken from a plugin.
    record.marks.retain(|m| {
        !matches!(
            m.as_str(),
            mark::QUARANTINED | mark::UNVERIFIED | mark::LATE | mark::MALFORMED
        )
    });
    if record.plugin_instance_id.is_none() && sender.may_omit_instance {
        record.plugin_instance_id = Some(sender.instance.clone());
    }
    let own = record.plugin_instance_id.as_ref() == Some(sender.instance);
    let impostor = !sender.verified && sender.token_shown;
    let is_believed = own && !impostor && verdict.believed;
    if !is_believed {
        record.claimed = Some(Box::new(Claimed {
            plugin_instance_id: record.plugin_instance_id.take(),
            test_run_id: record.test_run_id.take(),
            call_id: record.call_id.take(),
            via: Some(sender.instance.clone()),
        }));
        record.mark(mark::QUARANTINED);
    }
    if !sender.verified {
        record.mark(mark::UNVERIFIED);
    }
    if is_believed {
        for mark in &verdict.marks {
            record.mark(mark);
        }
    }
    if !channel::ALL.contains(&record.channel.as_str()) {
        record.mark(mark::UNKNOWN_CHANNEL);
    }
}
