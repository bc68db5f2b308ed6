//! Plugins are found by the deployed rules (OBS-NEG-30).

use std::fs;
use std::path::Path;

use plugobs_core::registry::FailureCode;
use plugobs_driver::manifest::{Manifest, ManifestError};
use plugobs_driver::{Driver, PluginSource};

fn install(root: &Path, folder: &str, manifest: &str) {
    let folder = root.join(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pact-plugin.json"), manifest).unwrap();
}

fn manifest(name: &str, version: &str, more: &str) -> String {
    format!(
        r#"{{"manifestVersion":1,"pluginInterfaceVersion":2,"name":"{name}","version":"{version}",
            "executableType":"exec","entryPoint":"run","unknown":[1]{more}}}"#
    )
}

#[test]
fn the_highest_version_or_the_one_asked_for() {
    let root = tempfile::tempdir().unwrap();
    for version in ["0.9.0", "0.10.0", "0.10.0-beta.1"] {
        install(
            root.path(),
            &format!("csv-{version}"),
            &manifest("csv", version, ""),
        );
    }
    install(root.path(), "other-7.0.0", &manifest("other", "7.0.0", ""));
    // A broken neighbour and a stray file harm nobody.
    install(root.path(), "broken-1.0.0", "{");
    fs::write(root.path().join("README"), "hello").unwrap();
    let source = PluginSource::folder(root.path());
    assert_eq!(
        source.find("csv", None).unwrap().version.to_string(),
        "0.10.0"
    );
    assert_eq!(
        source
            .find("csv", Some("0.9.0"))
            .unwrap()
            .version
            .to_string(),
        "0.9.0"
    );
    let error = source.find("csv", Some("2.0.0")).unwrap_err().to_string();
    assert!(
        error.contains("2.0.0") && error.contains("csv 0.9.0"),
        "{error}"
    );
    assert!(matches!(
        source.find("broken", None),
        Err(ManifestError::Invalid { .. })
    ));
}

#[test]
fn every_member_is_read() {
    let root = tempfile::tempdir().unwrap();
    let more = format!(
        r#","entryPoints":{{"{}":"here","plan9":"there"}},"args":["-v"],"pluginConfig":{{"k":1}},
            "minimumRequiredVersion":"1.0","dependencies":[{{"name":"x","dependencyType":"Plugin"}}]"#,
        std::env::consts::OS
    );
    install(root.path(), "csv-1.0.0", &manifest("csv", "1.0.0", &more));
    let manifest = Manifest::read(&root.path().join("csv-1.0.0")).unwrap();
    assert_eq!(manifest.entry_point, "here");
    assert_eq!(manifest.args, ["-v"]);
    assert_eq!(manifest.interface_version, 2);
    assert_eq!(manifest.plugin_config["k"], 1);
    assert!(manifest.folder.is_absolute());
}

#[tokio::test]
async fn what_is_wrong_with_a_manifest_is_named() {
    let root = tempfile::tempdir().unwrap();
    let incomplete = r#"{"name":"incomplete","version":"1.0.0","executableType":"exec"}"#;
    install(root.path(), "incomplete-1.0.0", incomplete);
    let future = manifest("future", "1.0.0", "").replace(
        "\"pluginInterfaceVersion\":2",
        "\"pluginInterfaceVersion\":3",
    );
    install(root.path(), "future-1.0.0", &future);
    let source = PluginSource::folder(root.path());
    let driver = Driver::builder().plugins(source).build().unwrap();
    for (name, code, field) in [
        ("nowhere", FailureCode::PluginNotFound, None),
        (
            "incomplete",
            FailureCode::ManifestInvalid,
            Some("entryPoint"),
        ),
        (
            "future",
            FailureCode::UnsupportedInterface,
            Some("pluginInterfaceVersion"),
        ),
    ] {
        let failure = driver.load(name, None).await.err().unwrap();
        assert_eq!(failure.code(), code, "{failure}");
        assert_eq!(failure.report().field.as_deref(), field);
        assert_eq!(failure.report().stage, "find");
        assert!(!failure.report().action.is_empty());
    }
}

#[test]
fn a_folder_that_is_not_there_holds_no_plugins() {
    let root = tempfile::tempdir().unwrap();
    let source = PluginSource::folder(root.path().join("none"));
    assert!(matches!(
        source.find("csv", None),
        Err(ManifestError::NotFound { .. })
    ));
}
