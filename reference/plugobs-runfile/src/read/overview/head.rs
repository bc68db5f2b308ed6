//! The few members of a record that an overview counts by, read without the
//! rest: a run has millions of records, and one overview.

use std::borrow::Cow;

use plugobs_core::registry::{channel, mark, source};
use plugobs_core::{Record, Severity};
use serde::Deserialize;

/// What an overview counts by.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) instance: Option<Cow<'a, str>>,
    pub(super) test: Option<Cow<'a, str>>,
    pub(super) channel: Cow<'a, str>,
    pub(super) severity: Severity,
    pub(super) marks: Vec<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    /// Reads a line where that is all it takes. `None` where the whole record
    /// is wanted: the driver's own, one that is quarantined, one without a
    /// severity number, or a line that may be no record.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let members: Members<'a> = serde_json::from_str(line).ok()?;
        let is_quarantined = members.marks.iter().any(|name| name.0 == mark::QUARANTINED);
        if is_quarantined || members.source?.0 == source::DRIVER {
            return None;
        }
        let text = |text: Option<Text<'a>>| text.map(|t| t.0).filter(|text| !text.is_empty());
        Some(Self {
            instance: text(members.plugin_instance_id),
            test: text(members.test_run_id),
            channel: text(members.channel).unwrap_or(Cow::Borrowed(channel::OPERATIONAL)),
            severity: Severity::from_number(members.severity_number?)?,
            marks: members.marks.into_iter().map(|mark| mark.0).collect(),
        })
    }
}

impl<'a> From<&'a Record> for Head<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            instance: record.plugin_instance_id.as_deref().map(Cow::Borrowed),
            test: record.test_run_id.as_deref().map(Cow::Borrowed),
            channel: Cow::Borrowed(&record.channel),
            severity: record.severity,
            marks: record.marks.iter().map(|m| Cow::Borrowed(&**m)).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    plugin_instance_id: Option<Text<'a>>,
    test_run_id: Option<Text<'a>>,
    channel: Option<Text<'a>>,
    severity_number: Option<u32>,
    source: Option<Text<'a>>,
    #[serde(default)]
    marks: Vec<Text<'a>>,
}

/// Text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
