//! Failure reports, made of what the driver remembers.

use std::sync::Arc;
use std::time::Duration;

use plugobs_core::registry::{FailureCode, attribute, event, limit};
use plugobs_core::{CallIdentity, Record, Severity, Text};

use crate::driver::Inner;
use crate::failure::{Exit, FailedPlugin, FailureReport, PluginFailure, Status};
use crate::intake::hub::DRIVER_TARGET;
use crate::intake::instance::InstanceState;

/// Records of an instance, and of a test, in a report.
const LAST_RECORDS: usize = limit::REPORT_RECORDS_DEFAULT;

/// What failed; the rest is looked up.
#[derive(Default)]
pub(crate) struct Details<'a> {
    pub(crate) version: Option<String>,
    pub(crate) instance: Option<&'a InstanceState>,
    pub(crate) exit: Option<Exit>,
    pub(crate) status: Option<Status>,
    pub(crate) field: Option<String>,
    pub(crate) missing_capabilities: Vec<String>,
    pub(crate) identity: Option<&'a CallIdentity>,
    pub(crate) operation: Option<&'static str>,
}

/// A failure: of which plugin, what happened, and how long the stage took.
pub(crate) struct Failed<'a> {
    pub(crate) code: FailureCode,
    pub(crate) message: String,
    pub(crate) elapsed: Duration,
    pub(crate) name: &'a str,
    pub(crate) details: Details<'a>,
}

impl Inner {
    /// Makes the report, tells it to the sinks and in the timeline.
    pub(crate) fn fail(&self, failed: Failed<'_>) -> PluginFailure {
        let hub = &self.hub;
        let details = failed.details;
        let tails = details.instance.map(InstanceState::tails);
        let (mut stderr_tail, mut stdout_tail) = tails.unwrap_or_default();
        let mut message = failed.message;
        // Tails and messages come from the plugin too (OBS-SEC-36).
        for text in stderr_tail.iter_mut().chain(&mut stdout_tail) {
            hub.redaction.text(text);
        }
        hub.redaction.text(&mut message);
        let (mut status, mut field) = (details.status, details.field);
        let mut missing_capabilities = details.missing_capabilities;
        let words = status.as_mut().map(|status| &mut status.message);
        for text in words
            .into_iter()
            .chain(&mut field)
            .chain(&mut missing_capabilities)
        {
            hub.redaction.text(text);
        }
        let test = details.identity.and_then(|i| i.test_run_id.clone());
        let report = Arc::new(FailureReport {
            code: failed.code,
            stage: failed.code.stage().to_owned(),
            message,
            action: failed.code.action().to_owned(),
            at: hub.now(),
            elapsed_ns: u64::try_from(failed.elapsed.as_nanos()).unwrap_or(u64::MAX),
            plugin: FailedPlugin {
                name: failed.name.to_owned(),
                version: details.version,
                plugin_instance_id: details.instance.map(|i| i.id.to_string()),
                executable: details.instance.and_then(|i| i.info().executable),
            },
            exit: details.exit,
            status,
            field,
            missing_capabilities,
            test_run_id: test.clone().map(String::from),
            call_id: details
                .identity
                .and_then(|i| i.call_id.clone())
                .map(String::from),
            operation: details.operation.map(str::to_owned),
            stderr_tail,
            stdout_tail,
            last_records: details
                .instance
                .map(|i| i.recent(LAST_RECORDS, |_| true))
                .unwrap_or_default(),
            test_records: test.map(|id| self.test_records(&id)).unwrap_or_default(),
            run_folder: hub.run_folder(),
        });
        let mut record = Record::lifecycle(
            report.at,
            DRIVER_TARGET,
            event::INSTANCE_FAILED,
            &report.message,
        )
        .with(attribute::FAILURE_CODE, report.code.as_str())
        .with(attribute::FAILURE_STAGE, report.stage.as_str());
        record.set_level("ERROR", Some(Severity::ERROR));
        record.test_run_id = report.test_run_id.as_ref().map(Text::from);
        record.call_id = report.call_id.as_ref().map(Text::from);
        match details.instance {
            Some(instance) => instance.driver_record(record),
            None => hub.driver_record(record),
        }
        hub.failure(report.clone());
        PluginFailure::new(report)
    }

    /// The last records of a test, over all instances, by their time of
    /// arrival.
    fn test_records(&self, id: &str) -> Vec<Record> {
        let mut records: Vec<_> = self
            .loaded()
            .iter()
            .flat_map(|plugin| {
                plugin
                    .state
                    .recent(LAST_RECORDS, |r| r.test_run_id.as_deref() == Some(id))
            })
            .collect();
        records.sort_by_key(|record| record.observed_timestamp);
        records.split_off(records.len().saturating_sub(LAST_RECORDS))
    }
}
