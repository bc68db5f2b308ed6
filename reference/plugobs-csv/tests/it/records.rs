//! What the plugin says while it works: which records, for whom, and whose they are.

use plugobs_core::Record;
use plugobs_core::registry::{channel, event, metadata};
use plugobs_proto::pact::v2;

use crate::plugin::{CALL_ID, INSTANCE_ID, Plugin, TEST_RUN_ID, compare};

fn on<'a>(records: &'a [Record], channel: &'a str) -> impl Iterator<Item = &'a Record> {
    records
        .iter()
        .filter(move |record| record.channel == channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mismatch_is_told_to_the_reader_of_the_test_result() {
    let plugin = Plugin::start();
    let response = compare(&plugin, "orders").await;
    let records = plugin.stop();

    let told: Vec<_> = on(&records, channel::USER).collect();
    let messages: Vec<_> = told.iter().map(|record| record.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "row:3, column:Amount: 'on request' is not a decimal number (at least one digit behind a decimal point)",
            "row:4, column:Placed: '2024-02-30 11:00:00' is not of the form `yyyy-MM-dd HH:mm:ss`: \
             there is no such day in that month",
        ]
    );
    for record in &told {
        assert_eq!(record.plugin_instance_id.as_deref(), Some(INSTANCE_ID));
        assert_eq!(record.test_run_id.as_deref(), Some(TEST_RUN_ID));
        assert_eq!(record.call_id.as_deref(), Some(CALL_ID));
    }
    let last = told[1];
    let position = response
        .metadata()
        .get(metadata::PLUGIN_LOG_SEQUENCE)
        .unwrap();
    assert_eq!(
        position.to_str().unwrap(),
        format!("{}:{}", last.epoch.unwrap(), last.sequence.unwrap()),
        "nothing was said after the last mismatch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_belongs_to_the_call_and_grows_with_the_level() {
    let operational = async |level: &str| {
        let plugin = Plugin::start_at(level);
        compare(&plugin, "orders").await;
        plugin.stop()
    };
    let silent = operational("ERROR").await;
    assert_eq!(on(&silent, channel::OPERATIONAL).count(), 0);
    assert_eq!(
        on(&silent, channel::USER).count(),
        2,
        "levels do not filter user messages"
    );

    let records = operational("DEBUG").await;
    for record in on(&records, channel::OPERATIONAL) {
        assert!(record.target.starts_with("plugobs_csv"), "{record:?}");
    }
    let of_engine: Vec<_> = on(&records, channel::OPERATIONAL)
        .filter(|record| record.target.starts_with("plugobs_csv::compare"))
        .collect();
    let amount = of_engine[0];
    assert!(
        amount
            .message
            .starts_with("'on request' is not a decimal number")
    );
    assert_eq!(
        amount.attribute("place").and_then(|value| value.as_str()),
        Some("row:3, column:Amount")
    );
    for record in of_engine {
        assert_eq!(record.test_run_id.as_deref(), Some(TEST_RUN_ID));
        assert_eq!(record.call_id.as_deref(), Some(CALL_ID));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_milestones_are_said_in_order() {
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    client
        .init_plugin(v2::InitPluginRequest::default())
        .await
        .unwrap();
    let records = plugin.stop();
    let events: Vec<_> = on(&records, channel::LIFECYCLE)
        .filter_map(|record| record.event_name.as_deref())
        .collect();
    assert_eq!(
        events,
        [
            event::PLUGIN_STARTED,
            event::PLUGIN_INIT_RECEIVED,
            event::PLUGIN_CATALOGUE_REGISTERED,
            event::PLUGIN_READY,
            event::PLUGIN_STOPPING,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_stays_open_does_not_keep_the_plugin() {
    let plugin = Plugin::start();
    // An answer tells that the plugin is past its start and heeds the termination signal.
    let mut client = plugin.client().await;
    client
        .update_catalogue(v2::Catalogue::default())
        .await
        .unwrap();
    let _silent = std::net::TcpStream::connect(plugin.address()).unwrap();
    let records = plugin.stop();
    let last = records.last().unwrap();
    assert_eq!(last.event_name.as_deref(), Some(event::PLUGIN_STOPPING));
}
