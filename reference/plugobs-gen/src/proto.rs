//! The protobuf definitions as Rust: `plugobs_proto`, and its descriptors.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::artefact::Artefact;
use crate::error::{GenError, Result};
use crate::{COMMAND, rustfmt};

const TARGET: &str = "reference/plugobs-proto/src/gen";

/// Compiles every definition under `proto/`, with the imports of Google's well-known types.
///
/// # Errors
/// A file that cannot be read, or the first error of the protobuf compiler.
pub fn descriptors(root: &Path) -> Result<FileDescriptorSet> {
    let include = root.join("proto");
    let mut files = Vec::new();
    find(&include, &mut files)?;
    // The order of a folder's entries differs between file systems.
    files.sort();
    let mut compiler = protox::Compiler::new([&include]).map_err(compile_error)?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)
        .map_err(compile_error)?;
    Ok(compiler.file_descriptor_set())
}

/// Writes messages, clients and servers of every package, and the descriptors.
///
/// # Errors
/// As [`descriptors`]; the code generator or `rustfmt` fails.
pub fn generate(descriptors: &FileDescriptorSet) -> Result<Vec<Artefact>> {
    let folder = tempfile::tempdir().map_err(GenError::io("a temporary folder"))?;
    tonic_prost_build::configure()
        // The crates that open connections choose how; this one only speaks.
        .build_transport(false)
        .codec_path("crate::codec::FrameCodec")
        // Maps in a fixed order, so that reports made of them can be compared.
        .btree_map(".")
        // The records of a batch are decoded one by one out of the batch's own buffer.
        .bytes(".plugin.observability.v1.Batch.records")
        .emit_rerun_if_changed(false)
        .out_dir(folder.path())
        .compile_fds(descriptors.clone())
        .map_err(GenError::io(folder.path()))?;

    let mut artefacts = vec![Artefact {
        path: format!("{TARGET}/descriptors.bin"),
        content: without_source(descriptors).encode_to_vec(),
    }];
    for entry in entries(folder.path())? {
        let code = fs::read_to_string(&entry).map_err(GenError::io(&entry))?;
        let package = entry
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let header = format!("// Generated from proto/ by `{COMMAND}`. Do not edit.\n\n");
        artefacts.push(Artefact::text(
            format!("{TARGET}/{}.rs", package.replace('.', "_")),
            rustfmt::format(&(header + &code))?,
        ));
    }
    artefacts.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(artefacts)
}

/// Comments and positions are for the code generator only.
fn without_source(descriptors: &FileDescriptorSet) -> FileDescriptorSet {
    let mut descriptors = descriptors.clone();
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    descriptors
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension() == Some(OsStr::new("proto")) {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(GenError::io(folder))
}

fn compile_error(error: protox::Error) -> GenError {
    GenError::Proto {
        file: error.file().unwrap_or("proto/").to_owned(),
        // The debug form has the line and the column, the display form has not.
        problem: format!("{error:?}"),
    }
}
