//! Sinks that are slow, fail or panic harm nobody.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use plugobs_core::registry::{attribute, event};
use plugobs_core::{LogPosition, Value};
use plugobs_driver::sink::{Sink, SinkError, SinkEvent};
use plugobs_driver::{CallOptions, Completeness, DriverError, TestRun};

use super::fake::{Fake, any_request, builder, find, find_event, manifest, plain};
use plugobs_driver::transport::Reply;

/// A gate that a sink waits at until the test opens it.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

type Act = Box<dyn FnMut(&SinkEvent) -> Result<(), SinkError> + Send>;

struct Scripted {
    durable: bool,
    act: Act,
}

impl Sink for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        (self.act)(event)
    }

    fn is_durable(&self) -> bool {
        self.durable
    }
}

fn scripted(
    durable: bool,
    act: impl FnMut(&SinkEvent) -> Result<(), SinkError> + Send + 'static,
) -> Scripted {
    Scripted {
        durable,
        act: Box::new(act),
    }
}

/// A plugin that says one thing for each call of a test, and how far it came.
fn talking() -> Fake {
    Fake::new(|connection, call| {
        let Some(test) = call.identity.test_run_id.clone() else {
            return Ok(plain(call));
        };
        let sequence = test.trim_start_matches('t').parse().unwrap();
        connection.send(call, sequence, &test);
        Ok(Reply {
            position: Some(LogPosition { epoch: 1, sequence }),
            ..plain(call)
        })
    })
}

#[tokio::test]
async fn a_sink_that_blocks_delays_no_call_and_no_other_sink() {
    let gate = Gate::default();
    let theirs = gate.clone();
    let (builder, records) = builder(&talking());
    let slow = scripted(false, move |_| {
        theirs.pass();
        Ok(())
    });
    let driver = builder.sink(slow).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    for n in 1..=50 {
        let test = driver.begin_test(TestRun::new(format!("t{n}")));
        let made = plugin
            .call(any_request(), CallOptions::for_test(&test))
            .await;
        assert_eq!(
            made.report().await.unwrap().completeness,
            Completeness::Complete
        );
    }
    find(&records, "t50");
    gate.open();
    assert!(
        driver
            .shutdown()
            .await
            .iter()
            .all(|loss| loss.lost_records == 0)
    );
}

#[tokio::test]
async fn a_sink_that_panics_or_fails_is_said_once_and_offered_more() {
    let seen = Arc::new(Mutex::new(0));
    let theirs = seen.clone();
    let (builder, records) = builder(&talking());
    let mut calls = 0;
    let broken = scripted(false, move |event| {
        let SinkEvent::Records(batch) = event else {
            return Ok(());
        };
        if batch.iter().all(|r| r.target != "fake") {
            return Ok(());
        }
        calls += 1;
        match calls {
            1 => panic!("the test makes this sink panic"),
            2 => Err(SinkError::Other("full".into())),
            _ => {
                *theirs.lock().unwrap() += 1;
                Ok(())
            }
        }
    });
    let driver = builder.sink(broken).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    for n in 1..=5 {
        let test = driver.begin_test(TestRun::new(format!("t{n}")));
        plugin
            .call(any_request(), CallOptions::for_test(&test))
            .await
            .result
            .unwrap();
    }
    let failed = find_event(&records, event::SINK_FAILED);
    assert_eq!(
        failed
            .attribute(attribute::SINK_NAME)
            .and_then(Value::as_str),
        Some("scripted")
    );
    let losses = driver.shutdown().await;
    assert_eq!(*seen.lock().unwrap(), 3);
    let loss = losses.iter().find(|l| l.name == "scripted").unwrap();
    assert_eq!(
        (loss.lost_records, loss.error.as_deref()),
        (2, Some("full"))
    );
    assert!(
        losses
            .iter()
            .find(|l| l.name == "memory")
            .unwrap()
            .lost_records
            == 0
    );
}

#[tokio::test]
async fn an_acknowledgement_waits_for_the_durable_sink() {
    let gate = Gate::default();
    let theirs = gate.clone();
    let (builder, _records) = builder(&talking());
    let durable = scripted(true, move |event| {
        if matches!(event, SinkEvent::Records(batch) if batch[0].target == "fake") {
            theirs.pass();
        }
        Ok(())
    });
    let driver = builder.sink(durable).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t1"));
    let made = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    // The answer came; its record is not yet stored.
    assert!(made.result.is_ok());
    assert_eq!(
        made.report().await.unwrap().completeness,
        Completeness::Incomplete
    );
    gate.open();
    let test = driver.begin_test(TestRun::new("t2"));
    let made = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    assert_eq!(
        made.report().await.unwrap().completeness,
        Completeness::Complete
    );
}

#[tokio::test]
async fn a_record_that_the_durable_sink_cannot_store_is_waited_for_by_nobody() {
    let (builder, records) = builder(&talking());
    let durable = scripted(true, |_| Err(SinkError::Other("read-only".into())));
    let driver = builder.sink(durable).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t1"));
    let made = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    assert_eq!(
        made.report().await.unwrap().completeness,
        Completeness::Complete
    );
    find_event(&records, event::SINK_FAILED);
}

#[tokio::test]
async fn one_sink_can_be_durable() {
    let (builder, _records) = builder(&Fake::silent());
    let builder = builder
        .sink(scripted(true, |_| Ok(())))
        .sink(scripted(true, |_| Ok(())));
    assert!(matches!(builder.build(), Err(DriverError::TwoDurableSinks)));
}

#[tokio::test]
async fn a_sink_is_told_the_run_first_and_the_end_last() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let theirs = events.clone();
    let (builder, _records) = builder(&Fake::silent());
    let run_id = builder.run_id().to_string();
    let all = scripted(false, move |event| {
        theirs.lock().unwrap().push(event.clone());
        Ok(())
    });
    let driver = builder
        .sink(all)
        .implementation("frame", "9")
        .session("s1")
        .build()
        .unwrap();
    driver.load_manifest(manifest()).await.unwrap();
    driver.shutdown().await;
    let events = events.lock().unwrap();
    let SinkEvent::Run(run) = &events[0] else {
        panic!("{:?}", events[0])
    };
    assert_eq!(run.run_id, run_id);
    assert_eq!(
        (run.driver.name.as_str(), run.driver.version.as_str()),
        ("frame", "9")
    );
    assert_eq!(run.session.as_ref().unwrap().id, "s1");
    assert!(matches!(events.last(), Some(SinkEvent::End(_))));
    let instances = events.iter().filter_map(|e| match e {
        SinkEvent::Instance(info) => Some(info),
        _ => None,
    });
    assert!(instances.last().unwrap().ended_at.is_some());
}

#[test]
fn a_run_without_a_shutdown_gives_its_records_and_is_not_finished() {
    struct OpenOnDrop(Gate);
    impl Drop for OpenOnDrop {
        fn drop(&mut self) {
            self.0.open();
        }
    }
    let gone = Gate::default();
    let theirs = OpenOnDrop(gone.clone());
    let (builder, records) = builder(&Fake::silent());
    let last = scripted(false, move |event| {
        let _ = &theirs;
        assert!(!matches!(event, SinkEvent::End(_)));
        Ok(())
    });
    let driver = builder.sink(last).build().unwrap();
    driver.wait(driver.load_manifest(manifest())).unwrap();
    drop(driver);
    // Sinks are closed all the same.
    gone.pass();
    assert!(records.wait_for(Duration::from_secs(5), |all| !all.is_empty()));
    assert!(
        !records
            .all()
            .iter()
            .any(|r| r.event_name.as_deref() == Some("sink.failed"))
    );
}

#[tokio::test]
async fn what_a_sink_that_hangs_had_not_taken_counts_as_lost() {
    let gate = Gate::default();
    let theirs = gate.clone();
    let (builder, _records) = builder(&talking());
    let stuck = scripted(false, move |_| {
        theirs.pass();
        Ok(())
    });
    let driver = builder.sink(stuck).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t1"));
    let made = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    made.result.unwrap();
    let losses = driver.shutdown().await;
    gate.open();
    let loss = losses.iter().find(|loss| loss.error.is_some()).unwrap();
    // At least the test's begin, the call's two ends, and what it said.
    assert!(loss.lost_records >= 4, "{loss:?}");
}
