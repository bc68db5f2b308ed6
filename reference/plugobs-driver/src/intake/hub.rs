//! What all instances of a driver share: the run, its tests, its sinks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use plugobs_core::registry::{attribute, event, source};
use plugobs_core::{InstanceId, Limits, Record, RunId, Severity, Text, Timestamp};

use super::accounts::Settle;
use super::redact::Redaction;
use super::tests::Tests;
use crate::failure::FailureReport;
use crate::info::{InstanceInfo, RunInfo, TestInfo};
use crate::sink::queue::{Item, OnCut, SinkHandle};
use crate::sink::records::SpareRecords;
use crate::sink::{OutputStream, Records, Sink, SinkEvent, SinkLoss};

/// The target of the driver's own records.
pub(crate) const DRIVER_TARGET: &str = "plugobs.driver";

/// The run, as every instance and every call reaches it.
pub(crate) struct Hub {
    pub(crate) run_id: RunId,
    pub(crate) limits: Limits,
    pub(crate) redaction: Redaction,
    pub(crate) tests: Tests,
    pub(crate) spare: SpareRecords,
    sinks: Mutex<Vec<SinkHandle>>,
    run_folder: Option<PathBuf>,
    has_durable: bool,
}

impl Hub {
    /// Starts the sinks and tells them of the run.
    pub(crate) fn start(
        info: RunInfo,
        run_id: RunId,
        limits: Limits,
        redaction: Redaction,
        sinks: Vec<Box<dyn Sink>>,
    ) -> std::io::Result<Arc<Self>> {
        let mut handles = Vec::new();
        // Handles are made before the hub that holds them; the failure report
        // of a sink finds it through this cell.
        let cell: Arc<Mutex<Weak<Self>>> = Arc::default();
        for sink in sinks {
            let cell = cell.clone();
            let on_failure = Box::new(move |name: &str, error: &str| {
                let hub = cell
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .upgrade();
                if let Some(hub) = hub {
                    hub.sink_failed(name, error);
                }
            });
            handles.push(SinkHandle::start(sink, on_failure)?);
        }
        let hub = Arc::new(Self {
            run_id,
            limits,
            redaction,
            tests: Tests::default(),
            spare: SpareRecords::default(),
            run_folder: handles.iter().find_map(|h| h.run_folder.clone()),
            has_durable: handles.iter().any(|h| h.durable),
            sinks: Mutex::new(handles),
        });
        *cell.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&hub);
        hub.tell(SinkEvent::Run(Arc::new(info)));
        Ok(hub)
    }

    pub(crate) fn run_folder(&self) -> Option<PathBuf> {
        self.run_folder.clone()
    }

    /// The time by the driver's clock; one outside 1970 to 2554 is taken as
    /// 1970, because a wrong clock must not lose a record.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(SystemTime::now()).unwrap_or_default()
    }

    fn each_sink(&self, mut act: impl FnMut(&SinkHandle)) {
        for sink in self
            .sinks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            act(sink);
        }
    }

    fn tell(&self, event: SinkEvent) {
        self.each_sink(|sink| {
            sink.push(Item {
                event: event.clone(),
                bytes: 0,
                settle: None,
                on_cut: None,
            });
        });
    }

    /// Whether senders without credit have to be turned away.
    pub(crate) fn is_durable_full(&self) -> bool {
        let mut full = false;
        self.each_sink(|sink| full |= sink.durable && sink.is_full());
        full
    }

    /// Hands records to the sinks. `settle` is told once the durable sink has
    /// them, or at once where there is none.
    pub(crate) fn publish(&self, records: Records, bytes: usize, settle: Option<Settle>) {
        self.tests.observe(&records);
        let mut settle = settle;
        self.each_sink(|sink| {
            sink.push(Item {
                event: SinkEvent::Records(records.clone()),
                bytes,
                settle: if sink.durable { settle.take() } else { None },
                on_cut: None,
            });
        });
        // Without a durable sink, accepted by the driver is all there is.
        if let (false, Some(settle)) = (self.has_durable, settle) {
            settle.done();
        }
    }

    pub(crate) fn output(&self, instance: &InstanceId, stream: OutputStream, bytes: &Bytes) {
        self.each_sink(|sink| {
            sink.push(Item {
                event: SinkEvent::Output {
                    instance: instance.clone(),
                    stream,
                    bytes: bytes.clone(),
                },
                bytes: bytes.len() + 64,
                settle: None,
                on_cut: None,
            });
        });
    }

    /// Tells the end of a raw stream; `on_cut` gets what the durable sink did
    /// not keep of it, where it did not keep all.
    pub(crate) fn output_end(&self, instance: &InstanceId, stream: OutputStream, on_cut: OnCut) {
        let mut on_cut = Some(on_cut);
        self.each_sink(|sink| {
            sink.push(Item {
                event: SinkEvent::OutputEnd {
                    instance: instance.clone(),
                    stream,
                },
                bytes: 0,
                settle: None,
                on_cut: if sink.durable { on_cut.take() } else { None },
            });
        });
    }

    pub(crate) fn describe_instance(&self, info: InstanceInfo) {
        self.tell(SinkEvent::Instance(Arc::new(info)));
    }

    pub(crate) fn describe_test(&self, info: TestInfo) {
        self.tell(SinkEvent::Test(Arc::new(info)));
    }

    pub(crate) fn failure(&self, report: Arc<FailureReport>) {
        self.tell(SinkEvent::Failure(report));
    }

    /// A record of the driver's own; its identities are set by the caller.
    pub(crate) fn driver_record(&self, mut record: Record) {
        record.observed_timestamp = Some(record.timestamp);
        record.run_id = Some(self.run_id.as_str().into());
        record.source = Some(Text::from_static(source::DRIVER));
        let bytes = self.redaction.apply(&self.limits, &mut record);
        self.publish([record].into(), bytes, None);
    }

    fn sink_failed(&self, name: &str, error: &str) {
        let mut lost = 0;
        self.each_sink(|sink| {
            if sink.name() == name {
                lost = sink.report_losses().lost_records;
            }
        });
        self.record_sink_failure(name, error, lost);
        self.tell_losses();
    }

    fn record_sink_failure(&self, name: &str, error: &str, lost: u64) {
        let text = format!("sink {name} failed: {error}");
        let mut record = Record::lifecycle(self.now(), DRIVER_TARGET, event::SINK_FAILED, &text)
            .with(attribute::SINK_NAME, name)
            .with(attribute::SINK_ERROR, error)
            .with(attribute::SINK_LOST_RECORDS, lost);
        record.set_level("ERROR", Some(Severity::ERROR));
        self.driver_record(record);
    }

    /// What was lost since a sink's failure was reported (OBS-LIFE-33).
    fn report_new_losses(&self) {
        let mut changed = Vec::new();
        self.each_sink(|sink| {
            if sink.has_unreported_losses() {
                changed.push(sink.report_losses());
            }
        });
        for loss in changed {
            let error = loss.error.as_deref().unwrap_or("it fell behind");
            self.record_sink_failure(&loss.name, error, loss.lost_records);
        }
    }

    fn tell_losses(&self) {
        let mut losses: Vec<SinkLoss> = Vec::new();
        self.each_sink(|sink| losses.push(sink.loss()));
        self.tell(SinkEvent::Losses(losses.into()));
    }

    /// Ends the sinks: they take what is queued, then close. The run has ended
    /// with them only where it did so in order (OBS-RUN-19). What a sink
    /// lost by then is told first; a sink that hangs is left behind after the
    /// deadline.
    pub(crate) fn end(&self, in_order: bool, deadline: Duration) -> Vec<SinkLoss> {
        self.report_new_losses();
        self.tell_losses();
        if in_order {
            self.tell(SinkEvent::End(self.now()));
        }
        let handles =
            std::mem::take(&mut *self.sinks.lock().unwrap_or_else(PoisonError::into_inner));
        for handle in &handles {
            handle.close();
        }
        let until = Instant::now() + deadline;
        handles
            .iter()
            .map(|handle| {
                if !handle.wait_done(until) {
                    handle.abandon();
                }
                handle.loss()
            })
            .collect()
    }
}
