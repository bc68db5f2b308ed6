//! Stories of tests.

use plugobs_view::{Look, story};

use crate::support::*;

fn of(run: &Run, test: &str, look: &Look) -> String {
    let text = story(&run.reader().story(test).unwrap(), look);
    run.steady(&text)
}

#[test]
fn a_failing_test() {
    insta::assert_snapshot!(of(&run(), FAILING, &PLAIN));
}

#[test]
fn a_failing_test_on_a_narrow_terminal() {
    let text = of(&run(), FAILING, &TERMINAL);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_test_of_a_plugin_that_leaves_no_records() {
    insta::assert_snapshot!(of(&run(), PASSING, &PLAIN));
}

#[test]
fn a_test_that_is_not_in_the_run() {
    let text = of(&run(), "no_such_test", &PLAIN);
    insta::assert_snapshot!(text, @"no_such_test  is not in this run");
}

#[test]
fn a_test_whose_driver_died() {
    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    run.tell(test(FAILING, None));
    run.record(call(
        510_000,
        plugobs_core::registry::event::CALL_BEGIN,
        CALL,
        FAILING,
    ));
    run.record(log(511_000, plugobs_core::Severity::INFO, "comparing"));
    let root = run.killed();
    let reader = plugobs_runfile::RunFolder::open(&root.path().join(RUN)).unwrap();
    insta::assert_snapshot!(story(&reader.story(FAILING).unwrap(), &PLAIN));
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let run = run();
    for width in [None, Some(80)] {
        let look = Look {
            colour: true,
            width,
        };
        let coloured = of(&run, FAILING, &look);
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31m") || coloured.contains("\u{1b}[31m"));
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        let look = Look {
            colour: false,
            width,
        };
        let trimmed = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(trimmed(&plain), trimmed(&of(&run, FAILING, &look)));
    }
}

#[test]
fn records_of_one_epoch_are_in_the_order_of_their_sequence() {
    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    let mut records = Vec::new();
    for (sequence, message) in [(3, "third"), (1, "first"), (2, "second")] {
        let mut record = log(511_000, plugobs_core::Severity::INFO, message);
        (record.epoch, record.sequence) = (Some(7), Some(sequence));
        records.push(record);
    }
    run.tell(plugobs_driver::sink::SinkEvent::Records(records.into()));
    let text = of(&run, FAILING, &PLAIN);
    let at = |word| text.find(word).unwrap();
    assert!(
        at("first") < at("second") && at("second") < at("third"),
        "{text}"
    );
}

#[test]
fn events_of_one_epoch_are_in_the_order_of_their_sequence() {
    use plugobs_core::registry::{channel, event};

    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    // The plugin's clock was set back between the two.
    let events = [
        (1, 600_000, event::PLUGIN_READY),
        (2, 511_000, event::PLUGIN_STOPPING),
    ];
    let records: Vec<_> = events
        .into_iter()
        .map(|(sequence, micros, name)| {
            let mut record = log(micros, plugobs_core::Severity::INFO, "");
            record.channel = channel::LIFECYCLE.into();
            record.event_name = Some(name.into());
            (record.epoch, record.sequence) = (Some(7), Some(sequence));
            record
        })
        .collect();
    run.tell(plugobs_driver::sink::SinkEvent::Records(records.into()));
    let text = of(&run, FAILING, &PLAIN);
    let at = |word| text.find(word).unwrap();
    assert!(
        at(event::PLUGIN_READY) < at(event::PLUGIN_STOPPING),
        "{text}"
    );
}
