//! Running the command, and where its runs are left.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anstream::StripStream;
use plugobs_cli::{Exit, Io, run};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_plugobs");

/// The program as a person starts it, who has set nothing that changes it.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for name in [
        // Cargo sets it for its tests, too.
        "CARGO_PKG_NAME",
        "PLUGOBS_LEVEL",
        "LOG_LEVEL",
        "RUST_LOG",
        "PACT_PLUGIN_DIR",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        // Where it is set, a terminal is taken to show colours whatever `TERM` says.
        "CI",
    ] {
        command.env_remove(name);
    }
    command
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Its output, where it ended as it should.
    #[track_caller]
    pub(crate) fn expect(self, exit: Exit) -> Self {
        assert_eq!(self.exit, exit, "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }
}

/// Runs the command in this process, without colours.
pub(crate) fn plugobs<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Ran {
    let (mut out, mut err) = (StripStream::new(Vec::new()), StripStream::new(Vec::new()));
    let args = args.into_iter().map(Into::into);
    let exit = run(
        std::iter::once(OsString::from("plugobs")).chain(args),
        &mut Io {
            out: &mut out,
            err: &mut err,
            width: None,
            program: Some(PathBuf::from(PROGRAM)),
            called: "plugobs".to_owned(),
        },
    );
    let text = |stream: StripStream<Vec<u8>>| String::from_utf8(stream.into_inner()).unwrap();
    Ran {
        exit,
        out: text(out),
        err: text(err),
    }
}

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
}

/// A folder for runs: a temporary one, or below `PLUGOBS_KEEP_RUNS`, where CI
/// holds every run folder that tests leave against the schemas. What a test
/// damages has to be elsewhere.
pub(crate) struct Runs {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Runs {
    pub(crate) fn new() -> Self {
        let (folder, temporary) = match env::var_os("PLUGOBS_KEEP_RUNS") {
            Some(kept) => {
                let folder = tempfile::Builder::new().prefix("cli-").tempdir_in(kept);
                (folder.unwrap().keep(), None)
            }
            None => {
                let folder = tempfile::tempdir().unwrap();
                (folder.path().to_owned(), Some(folder))
            }
        };
        Self {
            folder,
            _temporary: temporary,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn text(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    /// The only run folder in it.
    #[track_caller]
    pub(crate) fn only_run(&self) -> PathBuf {
        let runs: Vec<_> = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("run.json").exists())
            .collect();
        let [run] = runs.try_into().unwrap();
        run
    }
}

/// A plan of this repository.
pub(crate) fn fixture_plan(name: &str) -> String {
    let path = repository().join("conformance/fixtures/plans").join(name);
    path.to_str().unwrap().to_owned()
}

/// Carries out the demo's plan, at DEBUG; one of its two tests fails.
pub(crate) fn demo_run(runs: &Runs) -> PathBuf {
    let plan = fixture_plan("demo.json");
    plugobs(["run", &plan, "--level", "debug", "--out", runs.text()]).expect(Exit::Found);
    runs.only_run()
}

/// A copy of a run folder that a test may damage. It bears the same name.
pub(crate) fn copy_of(run: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(run.file_name().unwrap());
    copy_folder(run, &copy);
    (folder, copy)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A run's records, as its file has them.
pub(crate) fn records(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("records.ndjson")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}
