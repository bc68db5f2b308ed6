//! Which records a reader wants, and how a line that cannot be one of them is
//! passed over without parsing it.

use memchr::memmem::{Finder, find};
use plugobs_core::registry::{channel, source};
use plugobs_core::{Record, Severity};

/// What a record has to be. Without a condition, it takes every record.
///
/// Quarantined records bear no instance, test or call, so no filter on these
/// takes one; [`Filter::claiming_test`] asks for them by name.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    test: Option<String>,
    instance: Option<String>,
    call: Option<String>,
    channel: Option<String>,
    min_severity: Option<Severity>,
    driver_event_prefix: Option<String>,
    claimed_test: Option<String>,
    no_test: bool,
}

impl Filter {
    /// Takes every record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes records of this test run.
    #[must_use]
    pub fn test(mut self, test_run_id: &str) -> Self {
        self.test = Some(test_run_id.to_owned());
        self
    }

    /// Takes records of this plugin instance.
    #[must_use]
    pub fn instance(mut self, plugin_instance_id: &str) -> Self {
        self.instance = Some(plugin_instance_id.to_owned());
        self
    }

    /// Takes records of this call.
    #[must_use]
    pub fn call(mut self, call_id: &str) -> Self {
        self.call = Some(call_id.to_owned());
        self
    }

    /// Takes records of this channel. `operational` takes those of unknown
    /// channels too, because they are shown as such (`OBS-CHAN-07`).
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
        self
    }

    /// Takes records at or above this severity (`OBS-LEVEL-01`), and all user
    /// messages: no level hides these.
    #[must_use]
    pub fn min_severity(mut self, severity: Severity) -> Self {
        self.min_severity = Some(severity);
        self
    }

    /// Takes the driver's own events whose name begins so, such as `instance.`.
    #[must_use]
    pub fn driver_events(mut self, prefix: &str) -> Self {
        self.driver_event_prefix = Some(prefix.to_owned());
        self
    }

    /// Takes quarantined records that named this test run and were not
    /// believed.
    #[must_use]
    pub fn claiming_test(mut self, test_run_id: &str) -> Self {
        self.claimed_test = Some(test_run_id.to_owned());
        self
    }

    /// Takes records that belong to no test.
    #[must_use]
    pub fn outside_tests(mut self) -> Self {
        self.no_test = true;
        self
    }

    /// Whether it takes the record.
    pub fn matches(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        is(&self.test, record.test_run_id.as_deref())
            && is(&self.instance, record.plugin_instance_id.as_deref())
            && is(&self.call, record.call_id.as_deref())
            && self
                .channel
                .as_ref()
                .is_none_or(|wanted| is_of_channel(record, wanted))
            && self
                .min_severity
                .is_none_or(|min| record.severity >= min || record.channel == channel::USER)
            && self.driver_event_prefix.as_ref().is_none_or(|prefix| {
                let name = record.event_name.as_deref().unwrap_or_default();
                record.is_from_driver() && name.starts_with(prefix)
            })
            && self.claimed_test.as_ref().is_none_or(|wanted| {
                let claimed = record.claimed.as_ref();
                claimed.and_then(|claimed| claimed.test_run_id.as_deref()) == Some(wanted.as_str())
            })
            && !(self.no_test && record.test_run_id.is_some())
    }
}

fn is_of_channel(record: &Record, wanted: &str) -> bool {
    record.channel == wanted
        || wanted == channel::OPERATIONAL && !channel::ALL.contains(&record.channel.as_str())
}

/// Several filters, made ready to look at many lines.
#[derive(Debug)]
pub(crate) struct Selection {
    filters: Vec<(Filter, Prefilter)>,
}

impl Selection {
    pub(crate) fn new(filters: Vec<Filter>) -> Self {
        let filters = filters.into_iter().map(|filter| {
            let prefilter = Prefilter::new(&filter);
            (filter, prefilter)
        });
        Self {
            filters: filters.collect(),
        }
    }

    /// Whether the line may be a record that [`Self::takes`]. It may say yes
    /// of one that is not, never no of one that is.
    pub(crate) fn may_take(&self, line: &[u8]) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|(_, p)| p.may_take(line))
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        self.filters.is_empty()
            || self
                .filters
                .iter()
                .any(|(filter, _)| filter.matches(record))
    }
}

/// What the text of a matching line must contain.
///
/// It looks for values, not for members, so white space between the two does
/// not matter, and it trusts a writer to spell a plain ASCII value plainly.
#[derive(Debug)]
struct Prefilter {
    needles: Vec<Finder<'static>>,
    no_test: bool,
    min_severity: Option<u8>,
}

impl Prefilter {
    fn new(filter: &Filter) -> Self {
        let mut needles = Vec::new();
        for value in [
            &filter.call,
            &filter.test,
            &filter.claimed_test,
            &filter.instance,
        ] {
            needles.extend(value.as_deref().and_then(|value| needle(value, "\"")));
        }
        if let Some(prefix) = &filter.driver_event_prefix {
            needles.extend(needle(prefix, ""));
            needles.extend(needle(source::DRIVER, "\""));
        }
        Self {
            needles: needles
                .iter()
                .map(|n| Finder::new(n).into_owned())
                .collect(),
            no_test: filter.no_test,
            min_severity: filter.min_severity.map(Severity::number),
        }
    }

    fn may_take(&self, line: &[u8]) -> bool {
        self.needles.iter().all(|n| n.find(line).is_some())
            && !(self.no_test && find(head(line), b"\"testRunId\":").is_some())
            && self.min_severity.is_none_or(|min| {
                severity_number(line).is_none_or(|number| number >= min)
                    || find(line, b"\"user\"").is_some()
            })
    }
}

/// A value in quotes, or the longest piece of it that every writer of JSON
/// spells alike: `/` may be escaped, and so may all that is not plain ASCII.
fn needle(value: &str, end: &str) -> Option<Vec<u8>> {
    let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    if !value.chars().all(plain) {
        return None;
    }
    let quoted = format!("\"{value}{end}");
    let longest = quoted.split('/').max_by_key(|piece| piece.len())?;
    Some(longest.as_bytes().to_vec())
}

/// The line up to its first nested object that may hold anything. Only there a
/// member's name is the record's own: an attribute may have any name, and what
/// was claimed has those of the identities. A foreign writer may put these
/// first; then nothing is found here, and the record is parsed.
fn head(line: &[u8]) -> &[u8] {
    let nested: [&[u8]; 2] = [b"\"attributes\":", b"\"claimed\":"];
    let ends = nested.iter().filter_map(|name| find(line, name));
    &line[..ends.min().unwrap_or(line.len())]
}

fn severity_number(line: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"\"severityNumber\":";
    let head = head(line);
    let rest = head[find(head, NAME)? + NAME.len()..].trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).take(3);
    digits
        .map(|b| b - b'0')
        .try_fold(0_u8, |n, d| n.checked_mul(10)?.checked_add(d))
        .filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use plugobs_core::Timestamp;
    use plugobs_core::json::to_json_line;

    use super::*;

    fn record(test: Option<&str>) -> Record {
        let time = Timestamp::from_unix_nanos(1);
        let mut record = Record::new(time, Severity::INFO, "t", "say \"testRunId\":\"other\"");
        record.test_run_id = test.map(str::to_owned).map(Into::into);
        record
    }

    #[test]
    fn the_prefilter_never_passes_over_a_match() {
        let ids = [
            "a",
            "tests/test_toy.py::test_matcher[é]",
            "q\"uo\\te",
            "x/y",
            "\u{202e}",
        ];
        for id in ids {
            let selection = Selection::new(vec![Filter::new().test(id)]);
            let line = to_json_line(&record(Some(id)));
            assert!(selection.may_take(line.as_bytes()), "{id}");
            let slashes = line.replace('/', "\\/");
            assert!(selection.may_take(slashes.as_bytes()), "{id}");
        }
    }

    #[test]
    fn the_prefilter_passes_over_another_test() {
        let selection = Selection::new(vec![Filter::new().test("test-1")]);
        for other in [Some("test-2"), Some("test-10"), Some("a-test-1"), None] {
            let record = record(other);
            assert!(!selection.may_take(to_json_line(&record).as_bytes()));
            assert!(!selection.takes(&record));
        }
    }

    #[test]
    fn an_attributes_name_or_a_text_is_not_a_member() {
        let filter = Filter::new().outside_tests().min_severity(Severity::WARN);
        let selection = Selection::new(vec![filter]);
        let mut warning = record(None)
            .with("testRunId", "x")
            .with("severityNumber", 1);
        warning.severity = Severity::WARN;
        assert!(selection.may_take(to_json_line(&warning).as_bytes()));
        assert!(selection.takes(&warning));
        warning.severity = Severity::INFO;
        assert!(!selection.may_take(to_json_line(&warning).as_bytes()));
        warning.channel = "user".into();
        assert!(selection.may_take(to_json_line(&warning).as_bytes()));
        assert!(selection.takes(&warning));
        warning.test_run_id = Some("x".into());
        assert!(!selection.may_take(to_json_line(&warning).as_bytes()));
        assert!(!selection.takes(&warning));
    }
}
