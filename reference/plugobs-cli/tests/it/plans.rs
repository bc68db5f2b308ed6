//! Plans: what is read, what is refused and with which words, and that the
//! reader and the schema agree.

use std::path::Path;

use jsonschema::{Registry, Validator};
use plugobs_cli::Exit;
use plugobs_cli::plan::{self, Expect, Operation, Origin, Program};
use serde_json::{Value, json};

use crate::support::{plugobs, repository};

fn schema() -> Validator {
    let load = |name: &str| -> Value {
        let path = repository().join("schemas").join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let mut registry = Registry::new();
    for name in ["record.schema.json", "registries.schema.json"] {
        let schema = load(name);
        let id = schema["$id"].as_str().unwrap().to_owned();
        registry = registry.add(id, schema).unwrap();
    }
    jsonschema::options()
        .with_registry(&registry.prepare().unwrap())
        .offline()
        .build(&load("plan.schema.json"))
        .unwrap()
}

/// A plan with every member that there is.
fn full() -> Value {
    json!({
        "$schema": "https://plugin-observability.example/schemas/0.1/plan.schema.json",
        "x-note": "for people",
        "plan": 1,
        "session": "nightly",
        "parallel": 2,
        "plugins": [
            { "id": "a", "name": "csv", "version": "1.2.3" },
            { "id": "b.2", "name": "csv", "dir": "plugins/csv" },
            { "id": "c", "name": "csv", "command": ["plugobs", "csv-plugin"], "interfaceVersion": 1 },
            { "id": "d", "name": "csv", "command": ["./bin/csv"], "x-why": 0 }
        ],
        "tests": [{
            "id": "suite::test",
            "name": "a test",
            "suite": "suite",
            "calls": [
                { "plugin": "a", "operation": "configure", "contentType": "text/csv", "config": {} },
                {
                    "plugin": "a", "operation": "compare", "contentType": "text/csv",
                    "expected": { "text": "a\n1\n" }, "actual": { "file": "actual.csv" },
                    "allowUnexpectedKeys": true, "config": { "file": "config.json" },
                    "rules": { "$.a": [{ "type": "integer" }, { "type": "regex", "values": { "regex": "1" } }] },
                    "expect": "mismatch", "timeoutMs": 250
                },
                {
                    "plugin": "a", "operation": "compare", "contentType": "text/csv",
                    "useConfigured": true, "actual": { "text": "" }, "rules": { "file": "rules.json" }
                },
                {
                    "plugin": "a", "operation": "generate", "contentType": "text/csv",
                    "contents": { "text": "a" }, "generators": { "$.a": { "type": "Uuid" } }
                },
                { "plugin": "a", "operation": "generate", "useConfigured": true, "expect": "match" },
                {
                    "plugin": "c", "operation": "match_field", "key": "csv", "path": "", "rule": { "type": "type" },
                    "expectedValue": null, "actualValue": 1, "expect": "error"
                },
                {
                    "plugin": "d", "operation": "generate_field", "key": "csv", "path": "$.a",
                    "rule": { "type": "Uuid" }, "exampleValue": "x", "config": {}
                }
            ]
        }]
    })
}

/// Writes the plan beside the files that [`full`] names.
fn write(folder: &Path, plan: &Value) -> std::path::PathBuf {
    std::fs::write(folder.join("actual.csv"), "a\n2\n").unwrap();
    std::fs::write(folder.join("config.json"), "{\"csvHeaders\": true}").unwrap();
    std::fs::write(
        folder.join("rules.json"),
        "{\"$.b\": [{\"type\": \"type\"}]}",
    )
    .unwrap();
    let path = folder.join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    path
}

fn read(plan: &Value) -> Result<plan::Plan, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), plan);
    plan::read(&path).map_err(|error| {
        // The folder's name is another each time.
        error
            .to_string()
            .replace(path.parent().unwrap().to_str().unwrap(), "DIR")
    })
}

#[test]
fn every_member_is_read() {
    let plan = read(&full()).unwrap();
    assert_eq!(plan.session.as_deref(), Some("nightly"));
    assert_eq!(plan.parallel, 2);
    assert_eq!(plan.plugins[0].origin, Origin::Installed);
    assert_eq!(plan.plugins[0].version.as_deref(), Some("1.2.3"));
    assert!(matches!(&plan.plugins[1].origin, Origin::Folder(f) if f.ends_with("plugins/csv")));
    let Origin::Command {
        program,
        args,
        interface_version,
    } = &plan.plugins[2].origin
    else {
        panic!("{:?}", plan.plugins[2]);
    };
    assert_eq!((program, *interface_version), (&Program::This, 1));
    assert_eq!(args, &["csv-plugin"]);
    assert!(matches!(
        &plan.plugins[3].origin,
        Origin::Command { program: Program::Path(path), interface_version: 2, .. }
            if path.is_absolute() && path.ends_with("bin/csv")
    ));

    let [test] = &plan.tests[..] else { panic!() };
    assert_eq!(test.id.as_deref(), Some("suite::test"));
    assert_eq!(test.suite.as_deref(), Some("suite"));
    let Operation::Compare(compare) = &test.calls[1].operation else {
        panic!()
    };
    assert_eq!(
        compare.expected.as_ref().unwrap().content.as_deref(),
        Some(&b"a\n1\n"[..])
    );
    assert_eq!(compare.actual.content.as_deref(), Some(&b"a\n2\n"[..]));
    assert_eq!(compare.config.as_ref().unwrap()["csvHeaders"], true);
    let rules = &compare.rules.as_ref().unwrap()["$.a"];
    assert_eq!(
        (rules[0].kind.as_str(), &rules[1].values["regex"]),
        ("integer", &json!("1"))
    );
    assert_eq!(test.calls[1].expect, Expect::Mismatch);
    assert_eq!(test.calls[1].timeout.unwrap().as_millis(), 250);
    let Operation::Compare(compare) = &test.calls[2].operation else {
        panic!()
    };
    assert!(compare.use_configured && compare.expected.is_none());
    assert_eq!(compare.rules.as_ref().unwrap()["$.b"][0].kind, "type");
    assert_eq!(test.calls[5].plugin, 2);
}

#[test]
fn without_a_number_all_tests_run_at_once() {
    let mut plan = full();
    plan.as_object_mut().unwrap().remove("parallel");
    let second = json!({ "name": "b", "calls": plan["tests"][0]["calls"] });
    plan["tests"].as_array_mut().unwrap().push(second);
    assert_eq!(read(&plan).unwrap().parallel, 2);
}

#[test]
fn the_plans_of_this_repository_are_read() {
    let folder = repository().join("conformance/fixtures/plans");
    let mut plans = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text = std::fs::read(&path).unwrap();
            let value: Value = serde_json::from_slice(&text).unwrap();
            assert!(schema().is_valid(&value), "{}", path.display());
            plan::read(&path).unwrap();
            plans += 1;
        }
    }
    assert!(plans > 0);
}

/// Sets the value at a JSON pointer; without one, removes it.
fn change(plan: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = plan.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(object), Some(value)) => {
            object.insert(name.to_owned(), value);
        }
        (Value::Object(object), None) => {
            assert!(object.remove(name).is_some(), "{pointer}");
        }
        (Value::Array(list), Some(value)) => list[name.parse::<usize>().unwrap()] = value,
        (parent, _) => panic!("{pointer}: {parent}"),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Schema {
    /// The schema refuses it too.
    Refuses,
    /// No schema can say it.
    CannotSay,
}
use Schema::{CannotSay, Refuses};

#[test]
fn what_is_wrong_is_named_with_its_place() {
    const COMPARE: &str = "/tests/0/calls/1";
    let cases: Vec<(&str, Option<Value>, Schema, &str)> = vec![
        (
            "/plan",
            None,
            Refuses,
            "$: the member \"plan\" is missing; it is the version of the plan's form, 1",
        ),
        (
            "/plan",
            Some(json!(2)),
            Refuses,
            "$.plan: this program reads plans with \"plan\": 1",
        ),
        (
            "/plugin",
            Some(json!([])),
            Refuses,
            "$: there is no member \"plugin\" here; known are $schema, parallel, plan, plugins, session, tests",
        ),
        (
            "/session",
            Some(json!("")),
            Refuses,
            "$.session: it is empty",
        ),
        (
            "/parallel",
            Some(json!(0)),
            Refuses,
            "$.parallel: 0 is not in 1 to 1024",
        ),
        (
            "/parallel",
            Some(json!(1.5)),
            Refuses,
            "$.parallel: 1.5 is not in 1 to 1024",
        ),
        (
            "/parallel",
            Some(json!("2")),
            Refuses,
            "$.parallel: a whole number is wanted here, and a text was found",
        ),
        (
            "/plugins",
            Some(json!([])),
            Refuses,
            "$.plugins: it is empty",
        ),
        (
            "/plugins",
            Some(json!({})),
            Refuses,
            "$.plugins: a list is wanted here, and an object was found",
        ),
        (
            "/plugins/0/id",
            None,
            Refuses,
            "$.plugins[0]: the member \"id\" is missing; it is what calls name the instance by",
        ),
        (
            "/plugins/0/id",
            Some(json!("a b")),
            Refuses,
            "$.plugins[0].id: \"a b\" is no ID; use 1 to 64 letters, digits, \".\", \"_\" and \"-\"",
        ),
        (
            "/plugins/1/id",
            Some(json!("a")),
            CannotSay,
            "$.plugins[1].id: \"a\" stands at $.plugins[0].id already; give each its own",
        ),
        (
            "/plugins/1/command",
            Some(json!(["x"])),
            Refuses,
            "$.plugins[1].command: \"dir\" and \"command\" cannot stand together; leave one out",
        ),
        (
            "/plugins/1/interfaceVersion",
            Some(json!(1)),
            Refuses,
            "$.plugins[1]: \"interfaceVersion\" needs \"command\" beside it",
        ),
        (
            "/plugins/2/interfaceVersion",
            Some(json!(3)),
            Refuses,
            "$.plugins[2].interfaceVersion: 3 is not in 1 to 2",
        ),
        (
            "/plugins/2/command",
            Some(json!([])),
            Refuses,
            "$.plugins[2].command: it is empty",
        ),
        (
            "/plugins/2/command",
            Some(json!(["no-such-program-anywhere"])),
            CannotSay,
            "$.plugins[2].command[0]: no program \"no-such-program-anywhere\" is on PATH; a path with a / in it is relative to the plan",
        ),
        (
            "/tests",
            None,
            Refuses,
            "$: the member \"tests\" is missing; it is the list of tests",
        ),
        (
            "/tests/0/id",
            Some(json!("a test")),
            Refuses,
            "$.tests[0].id: character ' ' at byte 1 is not allowed; use printable ASCII without space, quote, comma or backslash",
        ),
        (
            "/tests/0/name",
            Some(json!(null)),
            Refuses,
            "$.tests[0].name: a text is wanted here, and null was found",
        ),
        (
            "/tests/0/call",
            Some(json!([])),
            Refuses,
            "$.tests[0]: there is no member \"call\" here; known are calls, id, name, suite",
        ),
        (
            "/tests/0/calls",
            Some(json!([])),
            Refuses,
            "$.tests[0].calls: it is empty",
        ),
        (
            "/tests/0/calls/1/plugin",
            Some(json!("z")),
            CannotSay,
            "$.tests[0].calls[1].plugin: \"z\" is none of a, b.2, c, d",
        ),
        (
            "/tests/0/calls/1/operation",
            Some(json!("match")),
            Refuses,
            "$.tests[0].calls[1].operation: \"match\" is none of configure, compare, generate, match_field, generate_field",
        ),
        (
            "/tests/0/calls/1/operation",
            None,
            Refuses,
            "$.tests[0].calls[1]: the member \"operation\" is missing; it is what the plugin is to do",
        ),
        (
            "/tests/0/calls/1/contentType",
            None,
            Refuses,
            "$.tests[0].calls[1]: the member \"contentType\" is missing; it is the content type, such as text/csv",
        ),
        (
            "/tests/0/calls/1/expected",
            None,
            Refuses,
            "$.tests[0].calls[1]: the member \"expected\" is missing; it is the expected body; or let \"useConfigured\": true take it from a configure call",
        ),
        (
            "/tests/0/calls/1/actual",
            None,
            Refuses,
            "$.tests[0].calls[1]: the member \"actual\" is missing; it is the actual body",
        ),
        (
            "/tests/0/calls/1/actual",
            Some(json!("a")),
            Refuses,
            "$.tests[0].calls[1].actual: an object is wanted here, and a text was found",
        ),
        (
            "/tests/0/calls/1/actual",
            Some(json!({})),
            Refuses,
            "$.tests[0].calls[1].actual: the member \"file\" is missing; it is a path relative to the plan; or give a short body as \"text\"",
        ),
        (
            "/tests/0/calls/1/actual/text",
            Some(json!("a")),
            Refuses,
            "$.tests[0].calls[1].actual: \"file\" and \"text\" cannot stand together; leave one out",
        ),
        (
            "/tests/0/calls/1/actual/x-note",
            Some(json!("a")),
            Refuses,
            "$.tests[0].calls[1].actual: there is no member \"x-note\" here; known are file, text",
        ),
        (
            "/tests/0/calls/1/actual/file",
            Some(json!("none.csv")),
            CannotSay,
            "$.tests[0].calls[1].actual.file: cannot read DIR/none.csv: No such file or directory (os error 2); files are relative to the plan",
        ),
        (
            "/tests/0/calls/1/config/file",
            Some(json!("actual.csv")),
            CannotSay,
            "$.tests[0].calls[1].config.file: DIR/actual.csv is not a JSON object: expected value at line 1 column 1",
        ),
        (
            "/tests/0/calls/1/allowUnexpectedKeys",
            Some(json!(1)),
            Refuses,
            "$.tests[0].calls[1].allowUnexpectedKeys: true or false is wanted here, and a number was found",
        ),
        (
            "/tests/0/calls/1/rules/$.a",
            Some(json!([])),
            Refuses,
            "$.tests[0].calls[1].rules[\"$.a\"]: it is empty",
        ),
        (
            "/tests/0/calls/1/rules/$.a/0",
            Some(json!({ "kind": "integer" })),
            Refuses,
            "$.tests[0].calls[1].rules[\"$.a\"][0]: the member \"type\" is missing; it is such as regex or integer",
        ),
        (
            "/tests/0/calls/1/rules/$.a/0/value",
            Some(json!(1)),
            Refuses,
            "$.tests[0].calls[1].rules[\"$.a\"][0]: there is no member \"value\" here; known are type, values",
        ),
        (
            "/tests/0/calls/1/rules/file",
            Some(json!([{ "type": "type" }])),
            Refuses,
            "$.tests[0].calls[1].rules.file: \"file\" and \"other members\" cannot stand together; leave one out",
        ),
        (
            "/tests/0/calls/1/expect",
            Some(json!("ok")),
            Refuses,
            "$.tests[0].calls[1].expect: \"ok\" is none of match, mismatch, error",
        ),
        (
            "/tests/0/calls/1/timeoutMs",
            Some(json!(0)),
            Refuses,
            "$.tests[0].calls[1].timeoutMs: 0 is not in 1 to 86400000",
        ),
        (
            "/tests/0/calls/1/generators",
            Some(json!({})),
            Refuses,
            "$.tests[0].calls[1]: there is no member \"generators\" here; known are actual, allowUnexpectedKeys, config, contentType, expect, expected, operation, plugin, rules, timeoutMs, useConfigured",
        ),
        (
            "/tests/0/calls/0/rules",
            Some(json!({})),
            Refuses,
            "$.tests[0].calls[0]: there is no member \"rules\" here; known are config, contentType, expect, operation, plugin, timeoutMs",
        ),
        (
            "/tests/0/calls/2/useConfigured",
            Some(json!(false)),
            Refuses,
            "$.tests[0].calls[2].useConfigured: true is all that can stand here; leave the member out otherwise",
        ),
        (
            "/tests/0/calls/2/plugin",
            Some(json!("c")),
            CannotSay,
            "$.tests[0].calls[2]: no configure call of this plugin stands before it in the test; add one, or leave \"useConfigured\" out",
        ),
        (
            "/tests/0/calls/3/contentType",
            None,
            Refuses,
            "$.tests[0].calls[3]: the member \"contentType\" is missing; it is the type of \"contents\"",
        ),
        (
            "/tests/0/calls/3/contents",
            None,
            Refuses,
            "$.tests[0].calls[3]: the member \"contents\" is missing; it is the body to generate from; or let \"useConfigured\": true take it from a configure call",
        ),
        (
            "/tests/0/calls/3/generators/$.a",
            Some(json!([])),
            Refuses,
            "$.tests[0].calls[3].generators[\"$.a\"]: an object is wanted here, and a list was found",
        ),
        (
            "/tests/0/calls/5/actualValue",
            None,
            Refuses,
            "$.tests[0].calls[5]: the member \"actualValue\" is missing; it is the value that is",
        ),
        (
            "/tests/0/calls/5/key",
            Some(json!("")),
            Refuses,
            "$.tests[0].calls[5].key: it is empty",
        ),
    ];
    let schema = schema();
    assert!(schema.is_valid(&full()));
    assert!(full().pointer(COMPARE).is_some());
    for (pointer, value, by_schema, expected) in cases {
        let mut plan = full();
        change(&mut plan, pointer, value);
        let error = read(&plan).unwrap_err();
        assert_eq!(error, format!("DIR/plan.json: {expected}"), "{pointer}");
        assert_eq!(
            schema.is_valid(&plan),
            by_schema == CannotSay,
            "{pointer}: {plan}"
        );
    }
}

#[test]
fn a_key_cannot_forge_a_line() {
    let mut plan = full();
    plan["tests"][0]["calls"][1]["rules"] = json!({ "a\n$: fine\u{1b}[2J": 3 });
    let error = read(&plan).unwrap_err();
    assert_eq!(error.lines().count(), 1, "{error:?}");
    assert!(!error.contains('\u{1b}'), "{error:?}");
    plan["\u{202e}x\ny"] = json!(1);
    let error = read(&plan).unwrap_err();
    assert!(!error.contains(['\u{202e}', '\n']), "{error:?}");
}

#[test]
fn text_that_is_no_plan_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let ran = plugobs(["run", path.to_str().unwrap()]).expect(Exit::NotDone);
        assert_eq!(ran.out, "");
        ran.err
    };
    assert!(refused("{\"plan\": 1,\n oops}").contains("line 2 column 2"));
    assert!(refused("[]").contains("an object is expected"));
    assert!(refused("{\"plan\": 1, \"plan\": 1}").contains("duplicate member \"plan\""));
    assert!(refused("").contains("is not a plan's JSON"));
    std::fs::remove_file(&path).unwrap();
    let ran = plugobs(["run", path.to_str().unwrap()]).expect(Exit::NotDone);
    assert!(
        ran.err.starts_with("plugobs: cannot read the plan "),
        "{}",
        ran.err
    );
    // Nothing was started, so nothing was left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
