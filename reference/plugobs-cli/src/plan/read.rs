//! Reads a plan. It takes what `schemas/plan.schema.json` takes, and besides
//! checks what no schema can say: that IDs are distinct and lead somewhere, and
//! that files are there. A test holds it against the schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plugobs_core::ids::check_test_run_id;
use plugobs_core::json::strict;
use serde_json::Value;

use super::error::{PlanError, Problem};
use super::node::{self, Node};
use super::{Origin, Plan, PlannedPlugin, PlannedTest, Program, call};

/// More tests at a time than this only take turns.
const MAX_PARALLEL: u64 = 1024;

/// How a plan names the program that runs it.
const THIS_PROGRAM: &str = "plugobs";

/// Reads the plan at `path` with all files that it names.
///
/// # Errors
/// The first thing that is wrong, with its place in the plan.
pub fn read(path: &Path) -> Result<Plan, PlanError> {
    let text = std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let object = strict::object(&text).map_err(|rejection| PlanError::Json {
        path: path.to_owned(),
        rejection: Box::new(rejection),
    })?;
    let of = node::Origin {
        plan: path,
        folder: path.parent().unwrap_or(Path::new("")),
    };
    plan(Node {
        of,
        at: "$".to_owned(),
        value: &Value::Object(object),
    })
}

fn plan(node: Node<'_>) -> Result<Plan, PlanError> {
    let folder = node.of.folder;
    let mut members = node.members()?;
    // The version first: a later one may have any other members.
    let version = members.need("plan", "the version of the plan's form, 1")?;
    if version.value.as_u64() != Some(1) {
        return Err(version.fail(Problem::Version));
    }
    if let Some(schema) = members.get("$schema") {
        schema.any_text()?;
    }
    let session = members.text("session")?;
    let listed = members
        .need("plugins", "the list of instances to start")?
        .list()?;
    let mut ids = Ids::default();
    let mut plugins = Vec::new();
    for node in listed {
        plugins.push(plugin(node, &mut ids)?);
    }
    let listed = members.need("tests", "the list of tests")?.list()?;
    let mut ids = Ids::default();
    let mut tests = Vec::new();
    for node in listed {
        tests.push(test(node, &plugins, &mut ids)?);
    }
    let parallel = match members.get("parallel") {
        Some(node) => usize::try_from(node.number(1, MAX_PARALLEL)?).unwrap_or(1),
        None => tests.len(),
    };
    members.finish()?;
    Ok(Plan {
        folder: absolute(folder),
        session,
        plugins,
        tests,
        parallel,
    })
}

/// IDs, each with the place where it stands first.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    fn add(&mut self, id: &str, node: &Node<'_>) -> Result<(), PlanError> {
        match self.0.insert(id.to_owned(), node.at.clone()) {
            None => Ok(()),
            Some(first) => Err(node.fail(Problem::Twice {
                id: id.to_owned(),
                first,
            })),
        }
    }
}

fn plugin(node: Node<'_>, ids: &mut Ids) -> Result<PlannedPlugin, PlanError> {
    let mut members = node.members()?;
    let id = members.need("id", "what calls name the instance by")?;
    let text = id.any_text()?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !(1..=64).contains(&text.len()) || !text.bytes().all(allowed) {
        return Err(id.fail(Problem::PluginId {
            found: text.to_owned(),
        }));
    }
    ids.add(text, &id)?;
    let name = members.need("name", "the plugin's name by its manifest")?;
    let name = name.text()?.to_owned();
    let version = members.text("version")?;
    let dir = members.get("dir");
    let command = members.get("command");
    let interface = members.get("interfaceVersion");
    let origin = match (dir, command) {
        (Some(_), Some(command)) => {
            return Err(command.fail(Problem::Together {
                member: "dir",
                other: "command",
            }));
        }
        (None, Some(node)) => command_of(&node, interface)?,
        (_, None) if interface.is_some() => {
            return Err(members.node.fail(Problem::Alone {
                member: "interfaceVersion",
                other: "command",
            }));
        }
        (Some(dir), None) => Origin::Folder(dir.of.folder.join(dir.text()?)),
        (None, None) => Origin::Installed,
    };
    members.finish()?;
    Ok(PlannedPlugin {
        id: text.to_owned(),
        name,
        version,
        origin,
    })
}

fn command_of(node: &Node<'_>, interface: Option<Node<'_>>) -> Result<Origin, PlanError> {
    let words = node.list()?;
    let mut args = Vec::new();
    for word in &words {
        args.push(word.any_text()?.to_owned());
    }
    let named = args.remove(0);
    let program = match named.as_str() {
        "" => return Err(words[0].fail(Problem::Empty)),
        THIS_PROGRAM => Program::This,
        path if path.contains('/') => Program::Path(absolute(&node.of.folder.join(path))),
        name => Program::Path(on_path(name).ok_or_else(|| {
            words[0].fail(Problem::NotOnPath {
                program: name.to_owned(),
            })
        })?),
    };
    let interface_version = match interface {
        None => 2,
        Some(node) if node.number(1, 2)? == 1 => 1,
        Some(_) => 2,
    };
    Ok(Origin::Command {
        program,
        args,
        interface_version,
    })
}

/// Relative to the current folder as it is now.
fn absolute(path: &Path) -> PathBuf {
    // A plan that is named without a folder has an empty one.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The first file of that name in a folder of PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| absolute(&folder.join(name)))
        .find(|program| program.is_file())
}

fn test(
    node: Node<'_>,
    plugins: &[PlannedPlugin],
    ids: &mut Ids,
) -> Result<PlannedTest, PlanError> {
    let mut members = node.members()?;
    let id = match members.get("id") {
        None => None,
        Some(node) => {
            let id = node.any_text()?;
            check_test_run_id(id).map_err(|rejection| {
                let rejection = Box::new(rejection);
                node.fail(Problem::TestRunId { rejection })
            })?;
            ids.add(id, &node)?;
            Some(id.to_owned())
        }
    };
    let name = members.need("name", "the test's name")?;
    let name = name.text()?.to_owned();
    let suite = members.text("suite")?;
    let listed = members
        .need("calls", "the list of the test's calls")?
        .list()?;
    let mut calls = Vec::new();
    for node in listed {
        let call = call::read(node, plugins, &calls)?;
        calls.push(call);
    }
    members.finish()?;
    Ok(PlannedTest {
        id,
        name,
        suite,
        calls,
    })
}
