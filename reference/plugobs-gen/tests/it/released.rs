//! What a released version of the component package says never changes
//! (OBS-VER-10).

use std::collections::BTreeSet;
use std::path::Path;

use wit_component::WitPrinter;
use wit_parser::Resolve;

use crate::record::root;

/// The package in `wit/` as one text without comments, always of the same form,
/// and its version.
fn package() -> (String, String) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let version = resolve.packages[package].name.version.clone().unwrap();
    let mut printer = WitPrinter::default();
    printer.emit_docs(false);
    printer.print(&resolve, package, &[]).unwrap();
    (printer.output.to_string(), version.to_string())
}

/// Each type, function, import and export, with all of its members and the
/// interface or world in which it stands.
fn items(text: &str) -> BTreeSet<(String, String)> {
    let mut items = BTreeSet::new();
    let mut of = String::new();
    for part in text.split("\n\n") {
        let mut lines: Vec<_> = part.lines().filter(|line| *line != "}").collect();
        // A line that is not indented opens what the following ones are in.
        while let Some(line) = lines.first().filter(|line| !line.starts_with(' ')) {
            (*line).clone_into(&mut of);
            lines.remove(0);
        }
        if !lines.is_empty() {
            items.insert((of.clone(), lines.join("\n")));
        }
    }
    items
}

/// What is in the first text, and not or otherwise in the second.
fn lost(frozen: &str, now: &str) -> Vec<(String, String)> {
    let now = items(now);
    let frozen = items(frozen).into_iter();
    frozen.filter(|item| !now.contains(item)).collect()
}

fn frozen(version: &str) -> Option<String> {
    let path = Path::new("wit/baseline").join(format!("{version}.wit"));
    std::fs::read_to_string(root().join(path)).ok()
}

#[test]
fn no_item_of_a_frozen_package_changes() {
    let (now, version) = package();
    for (of, item) in items(&now) {
        // Its first version is 0.1.0, and says so everywhere.
        assert!(
            item.trim_start().starts_with("@since(version = "),
            "{of}: {item}"
        );
    }
    let frozen = frozen(&version).unwrap_or_else(|| {
        panic!("freeze it: write what follows to wit/baseline/{version}.wit\n{now}")
    });
    let lost = lost(&frozen, &now);
    assert!(
        lost.is_empty(),
        "the package {version} is frozen, and these items of it are gone or changed; \
         make a new version of the package:\n{lost:#?}"
    );
}

#[test]
fn a_change_is_seen() {
    let (now, _) = package();
    assert!(items(&now).len() > 30);
    for (from, to) in [
        ("    severity-number: option<u8>,\n", ""),
        (
            "severity-number: option<u8>",
            "severity-number: option<u32>",
        ),
        (
            "    message: string,\n",
            "    message: string,\n    more: string,\n",
        ),
        (
            "enabled: func(severity-number: u8) -> bool",
            "enabled: func(level: u8) -> bool",
        ),
        (
            "    int(s64),\n    double(f64),",
            "    double(f64),\n    int(s64),",
        ),
        ("  import logging;\n", ""),
    ] {
        let other = now.replacen(from, to, 1);
        assert_ne!(other, now, "{from}");
        assert_eq!(lost(&now, &other).len(), 1, "{from} → {to}");
    }
    // What is added is no change.
    let more = now.replacen(
        "interface logging {\n",
        "interface logging {\n  more: func();\n\n",
        1,
    );
    assert_ne!(more, now);
    assert_eq!(lost(&now, &more), []);
}
