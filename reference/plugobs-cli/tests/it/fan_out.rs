//! Many tests at once on one instance, with tasks, threads, and work that
//! outlives its call: is every record under the right test and the right call?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures_util::future::join_all;
use plugobs_core::{Record, Severity};
use plugobs_driver::interface::{Body, CompareContents, GenerateContents, Request};
use plugobs_driver::{CallOptions, Driver, Manifest, Plugin, TestRun};
use plugobs_host_grpc::GrpcHost;
use plugobs_runfile::check::Code;
use plugobs_runfile::{RunFolder, RunOptions, check};

use crate::support::Runs;

const TESTS: usize = 64;
/// Calls that each test makes, one after another; in each round all tests' calls
/// are under way at the same time.
const ROUNDS: usize = 3;
/// How each call says something, once.
const WAYS: [&str; 11] = [
    "handler",
    "log",
    "after",
    "user",
    "task",
    "blocking",
    "thread",
    "thread-in-thread",
    "span",
    "scope",
    "outliving",
];

/// What a call's records have to name: by its token, its test run and its call.
type Truth = BTreeMap<String, (String, String)>;

#[test]
fn every_record_of_64_tests_at_once_names_its_test_and_call() {
    let runs = Runs::new();
    let builder = Driver::builder()
        .level(Severity::INFO)
        .transport(GrpcHost::new());
    let sink = RunFolder::create(runs.path(), builder.run_id(), RunOptions::default()).unwrap();
    let folder = sink.path().to_owned();
    let driver = builder.sink(sink).build().unwrap();
    let truth = Mutex::new(Truth::new());
    let instance = driver.wait(async {
        let plugin = driver.load_manifest(manifest()).await.unwrap();
        let tests = (0..TESTS).map(|test| run_test(&driver, &plugin, test, &truth));
        join_all(tests).await;
        // For no test: whatever wakes work up does not own it.
        let open = Request::GenerateContents(Box::new(GenerateContents {
            contents: Body::default(),
            generators: BTreeMap::new(),
            plugin_configuration: None,
            test_mode: 0,
            content_for: 0,
        }));
        let opened = plugin.call(open, CallOptions::default()).await;
        opened.result.as_ref().unwrap();
        opened.report().await.unwrap();
        let losses = driver.shutdown().await;
        assert!(
            losses.iter().all(|loss| loss.lost_records == 0),
            "{losses:?}"
        );
        plugin.instance_id().to_string()
    });

    let reader = RunFolder::open(&folder).unwrap();
    let records: Vec<_> = reader
        .records()
        .map(|entry| entry.unwrap().record.unwrap())
        .collect();
    every_record_is_right(&records, &truth.into_inner().unwrap(), &instance);
    let report = check(&reader).unwrap();
    assert!(report.sound, "{report:#?}");
    assert_eq!(report.count(Code::Unsequenced), 0, "all came on the stream");
}

/// Makes a test's calls, and notes what their records have to say.
async fn run_test(driver: &Driver, plugin: &Plugin, number: usize, truth: &Mutex<Truth>) {
    let test = driver.begin_test(TestRun::named(format!("test {number}")));
    for round in 0..ROUNDS {
        let token = format!("{number}-{round}");
        let body = Body {
            content_type: "text/plain".to_owned(),
            content: Some(token.clone().into()),
            ..Body::default()
        };
        let compare = Request::CompareContents(Box::new(CompareContents {
            actual: body,
            ..CompareContents::default()
        }));
        let returned = plugin.call(compare, CallOptions::for_test(&test)).await;
        returned.result.as_ref().unwrap();
        let ids = (test.id().to_owned(), returned.call_id.to_string());
        truth.lock().unwrap().insert(token, ids);
    }
    test.end("passed").await;
}

fn every_record_is_right(records: &[Record], truth: &Truth, instance: &str) {
    assert_eq!(truth.len(), TESTS * ROUNDS);
    let mut said = BTreeSet::new();
    let mut wrong = Vec::new();
    for record in records {
        let Some(rest) = record.message.strip_prefix("fan ") else {
            continue;
        };
        let (token, how) = rest.split_once(' ').unwrap();
        let (test, call) = &truth[token];
        let right = record.plugin_instance_id.as_deref() == Some(instance)
            && record.test_run_id.as_deref() == Some(test.as_str())
            && record.call_id.as_deref() == Some(call.as_str())
            && record.epoch.is_some()
            && record.sequence.is_some();
        if !right {
            wrong.push(record);
        }
        assert!(said.insert((token, how)), "{rest} stands twice");
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong, such as {:#?}",
        wrong.len(),
        wrong[0]
    );
    let expected: BTreeSet<_> = truth
        .keys()
        .flat_map(|token| WAYS.map(|how| (token.as_str(), how)))
        .collect();
    assert_eq!(said.len(), TESTS * ROUNDS * WAYS.len());
    assert_eq!(said, expected);
}

fn manifest() -> Manifest {
    let program = fan_out_program();
    Manifest {
        name: "fan-out".to_owned(),
        version: semver::Version::new(0, 1, 0),
        interface_version: 2,
        executable_type: "exec".to_owned(),
        folder: program.parent().unwrap().to_owned(),
        entry_point: program.to_str().unwrap().to_owned(),
        args: vec![TESTS.to_string()],
        minimum_required_version: None,
        plugin_config: serde_json::Map::new(),
    }
}

/// The plugin is an example of this crate: Cargo builds it with the tests, and
/// puts it beside the folder of the tests' own program.
pub(crate) fn fan_out_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/fan-out");
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let built = changed(&program).ok();
    // Cargo leaves examples alone when only some tests are asked for, and an old
    // one would prove nothing.
    let sources = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let mut sources = sources.split_whitespace().skip(1);
    let is_new = built.is_some_and(|built| {
        sources.all(|source| changed(Path::new(source)).is_ok_and(|changed| changed <= built))
    });
    assert!(
        is_new,
        "{} is missing or old; build it with `cargo build -p plugobs-cli --example fan-out`",
        program.display()
    );
    program
}
