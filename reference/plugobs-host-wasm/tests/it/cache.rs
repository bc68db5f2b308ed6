//! Compiled components in a folder: read where this user wrote them, and never
//! else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use plugobs_core::registry::{attribute, event};
use plugobs_driver::sink::memory::MemorySink;
use plugobs_driver::{CallOptions, Driver};
use plugobs_host_wasm::WasmHost;
use serde_json::json;

use crate::support::{command, find_event, manifest};

const SCRIPTED: &str = "scripted-guest.wasm";

/// What a driver that has compiled nothing yet says of the cache in `folder`,
/// and why. The component works in any case.
async fn start(folder: &Path, component: &str) -> (String, String) {
    let (sink, records) = MemorySink::new(1_000);
    let host = WasmHost::new().cache(folder);
    let driver = Driver::builder()
        .transport(host)
        .sink(sink)
        .build()
        .unwrap();
    let plugin = driver.load_manifest(manifest(component)).await.unwrap();
    if component == SCRIPTED {
        let said = command(&plugin, CallOptions::default(), "say", json!({})).await;
        said.unwrap();
    }
    let spawned = find_event(&records, event::INSTANCE_SPAWNED);
    driver.shutdown().await;
    let text = |key| {
        let value = spawned.attribute(key).and_then(|value| value.as_str());
        value.unwrap_or_default().to_owned()
    };
    (
        text(attribute::COMPONENT_CACHE),
        text(attribute::COMPONENT_CACHE_PROBLEM),
    )
}

async fn start_scripted(folder: &Path) -> (String, String) {
    start(folder, SCRIPTED).await
}

#[track_caller]
fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().collect();
    let [file] = files.try_into().unwrap();
    file.unwrap().path()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn miss() -> (String, String) {
    ("miss".to_owned(), String::new())
}

fn hit() -> (String, String) {
    ("hit".to_owned(), String::new())
}

#[tokio::test]
async fn what_one_run_compiled_the_next_one_reads() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a/cache");
    assert_eq!(start_scripted(&folder).await, miss());
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&only_file(&folder)), 0o600);
    assert_eq!(start_scripted(&folder).await, hit());
    // Another component has a file of its own.
    let other = "plugobs-csv-component.wasm";
    assert_eq!(start(&folder, other).await, miss());
    assert_eq!(start(&folder, other).await, hit());
}

#[tokio::test]
async fn a_file_that_is_not_to_be_trusted_is_refused_and_replaced() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cache");
    start_scripted(&folder).await;
    let file = only_file(&folder);
    let original = fs::read(&file).unwrap();
    let changed = |at: usize| {
        let mut bytes = original.clone();
        bytes[at] ^= 1;
        bytes
    };
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, &original).unwrap();
    let other_code = changed(original.len() - 1);
    let other_component = changed(20);
    let other_compiler = changed(60);
    let spoil: [(&str, &dyn Fn()); 7] = [
        ("others can write", &|| set_mode(&file, 0o620)),
        ("others can write", &|| set_mode(&file, 0o602)),
        ("not what this driver compiled", &|| {
            fs::write(&file, &other_code).unwrap();
        }),
        ("not what this driver compiled", &|| {
            fs::write(&file, &other_component).unwrap();
        }),
        ("not what this driver compiled", &|| {
            fs::write(&file, &other_compiler).unwrap();
        }),
        ("not what this driver compiled", &|| {
            fs::write(&file, &original[..40]).unwrap();
        }),
        ("symbolic links", &|| {
            fs::remove_file(&file).unwrap();
            symlink(&elsewhere, &file).unwrap();
        }),
    ];
    for (n, (why, spoil)) in spoil.into_iter().enumerate() {
        spoil();
        let (result, problem) = start_scripted(&folder).await;
        assert_eq!(result, "refused", "{n}: {problem}");
        assert!(problem.contains(why), "{n}: {problem}");
        assert!(problem.contains(file.to_str().unwrap()), "{n}: {problem}");
        // It has been written anew.
        assert_eq!(start_scripted(&folder).await, hit(), "{n}");
        assert_eq!(fs::read(&file).unwrap().len(), original.len());
    }
    // Where the link led is as it was.
    assert_eq!(fs::read(&elsewhere).unwrap(), original);
}

#[tokio::test]
async fn a_folder_that_others_can_write_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cache");
    start_scripted(&folder).await;
    set_mode(&folder, 0o770);
    let (result, problem) = start_scripted(&folder).await;
    assert_eq!(result, "refused");
    assert!(problem.contains("0770"), "{problem}");
    // Nor is one that cannot be one.
    let (result, problem) = start_scripted(&only_file(&folder)).await;
    assert_eq!(result, "refused");
    assert!(problem.contains("File exists"), "{problem}");
}
