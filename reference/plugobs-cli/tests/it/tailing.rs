//! A run followed while it goes on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use plugobs_cli::Exit;
use plugobs_driver::{CallOptions, Driver, Manifest, TestRun, interface};
use plugobs_host_grpc::GrpcHost;
use plugobs_runfile::{RunFolder, RunOptions};
use serde_json::Value;

use crate::support::{Runs, copy_of, demo_run, plugobs, program, records};

struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
    lines: Vec<Value>,
}

impl Tail {
    fn start(run: &Path, args: &[&str]) -> Self {
        let mut child = program()
            .args(["tail", "--json", run.to_str().unwrap()])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            out,
            lines: Vec::new(),
        }
    }

    /// Reads on until this event of this test comes.
    fn wait_for(&mut self, event: &str, test: &str) {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.out.read_line(&mut line).unwrap(),
                0,
                "it ended before {event}"
            );
            let record: Value = serde_json::from_str(&line).unwrap();
            let is = record["eventName"] == event && record["testRunId"] == test;
            self.lines.push(record);
            if is {
                return;
            }
        }
    }

    /// Reads to the end, which comes by itself.
    fn finish(mut self) -> Vec<Value> {
        for line in self.out.lines() {
            self.lines
                .push(serde_json::from_str(&line.unwrap()).unwrap());
        }
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        self.lines
    }
}

fn csv() -> Manifest {
    let program = Path::new(env!("CARGO_BIN_EXE_plugobs"));
    Manifest {
        name: "plugobs-csv".to_owned(),
        version: semver::Version::new(0, 1, 0),
        interface_version: 2,
        executable_type: "exec".to_owned(),
        folder: program.parent().unwrap().to_owned(),
        entry_point: program.to_str().unwrap().to_owned(),
        args: vec!["csv-plugin".to_owned()],
        minimum_required_version: None,
        plugin_config: serde_json::Map::new(),
    }
}

#[test]
fn records_come_while_the_run_goes_on_and_it_ends_with_the_run() {
    let runs = Runs::new();
    let builder = Driver::builder().transport(GrpcHost::new());
    let sink = RunFolder::create(runs.path(), builder.run_id(), RunOptions::default()).unwrap();
    let run = sink.path().to_owned();
    let driver = builder.sink(sink).build().unwrap();
    let plugin = driver.wait(driver.load_manifest(csv())).unwrap();
    let test = driver.begin_test(TestRun::new("first"));

    let mut all = Tail::start(&run, &[]);
    let mut of_second = Tail::start(&run, &["--test", "second"]);
    all.wait_for("test.begin", "first");
    let request = interface::Request::ConfigureInteraction {
        content_type: "text/csv".to_owned(),
        contents_config: serde_json::Map::new(),
    };
    let returned = driver.wait(plugin.call(request, CallOptions::for_test(&test)));
    returned.result.as_ref().unwrap();
    all.wait_for("call.logs_complete", "first");
    driver.wait(test.end("passed"));
    all.wait_for("test.end", "first");
    // A test that begins after it was asked for.
    let test = driver.begin_test(TestRun::new("second"));
    of_second.wait_for("test.begin", "second");
    driver.wait(test.end("passed"));
    driver.wait(driver.shutdown());

    let stored = records(&run);
    assert_eq!(all.finish(), stored);
    let second: Vec<_> = stored
        .into_iter()
        .filter(|r| r["testRunId"] == "second")
        .collect();
    assert_eq!(second.len(), 2);
    assert_eq!(of_second.finish(), second);
}

#[test]
fn a_finished_run_is_printed_and_that_is_all() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let tail = plugobs(["tail", run.to_str().unwrap()]).expect(Exit::Success);
    assert_eq!(tail.out.lines().count(), records(&run).len());
    assert_eq!(tail.err, "");
    let user = plugobs(["tail", run.to_str().unwrap(), "--channel", "user"]).expect(Exit::Success);
    assert_eq!(user.out.lines().count(), 2);
    assert!(
        user.out
            .lines()
            .all(|line| line.contains("  user   plugobs-csv/")),
        "{}",
        user.out
    );
}

#[test]
fn a_run_whose_driver_died_is_not_waited_for() {
    let runs = Runs::new();
    let (_folder, run) = copy_of(&demo_run(&runs));
    let manifest = std::fs::read_to_string(run.join("run.json")).unwrap();
    let manifest = manifest.replace("\"state\": \"finished\"", "\"state\": \"running\"");
    std::fs::write(run.join("run.json"), manifest).unwrap();
    let tail = plugobs(["tail", run.to_str().unwrap()]).expect(Exit::Success);
    assert!(
        tail.err.contains("the driver died before it ended the run"),
        "{}",
        tail.err
    );
    assert_eq!(tail.out.lines().count(), records(&run).len());
}
