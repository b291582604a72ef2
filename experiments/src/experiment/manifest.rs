//! The manifest: where a run's numbers come from, what each column means, and which files are its own.

use super::files::{is_plain_file, sha256};
use birkhoff::error::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Its file, the last that is written.
pub(super) const MANIFEST: &str = "manifest.json";

/// The key whose value is the sha256 of the manifest without it.
const SEAL: &str = "manifest_sha256";

/// No manifest of ours is as large.
const MOST_BYTES: u64 = 16 << 20;

/// The text of a manifest, with the sha256 of all the rest of it.
pub(super) fn sealed(mut manifest: Map<String, Value>) -> Result<String> {
    let seal = sha256(text(&manifest)?.as_bytes());
    manifest.insert(SEAL.to_string(), json!(seal));
    text(&manifest)
}

fn text(manifest: &Map<String, Value>) -> Result<String> {
    let text = serde_json::to_string_pretty(manifest).map_err(|error| Error::file(MANIFEST, error.to_string()))?;
    Ok(text + "\n")
}

/// What a manifest says of whose the files beside it are.
#[derive(Debug)]
pub(super) struct Manifest {
    pub program: String,
    /// The sha256 of each file.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest; none where it is another program's, or not as it was written. Those of older versions have no
    /// seal.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let length = std::fs::symlink_metadata(path).map_err(|error| Error::io(path, error))?.len();
        if !is_plain_file(path) || length > MOST_BYTES {
            return Ok(None);
        }
        Ok(Manifest::parse(&std::fs::read(path).map_err(|error| Error::io(path, error))?))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut manifest: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        if text(&manifest).ok()?.as_bytes() != bytes {
            return None;
        }
        if let Some(seal) = manifest.remove(SEAL)
            && seal != json!(sha256(text(&manifest).ok()?.as_bytes()))
        {
            return None;
        }
        let digest = |(name, file): (&String, &Value)| Some((name.clone(), file["sha256"].as_str()?.to_string()));
        let files = manifest.get("files")?.as_object()?.iter().map(digest).collect::<Option<_>>()?;
        Some(Manifest { program: manifest.get("program")?.as_str()?.to_string(), files })
    }
}

/// What has changed of all that is committed but results, which runs replace.
const SOURCES: [&str; 7] =
    ["status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results", ":(exclude)paper_figures"];

/// Where a program's numbers come from: its version and commit, compiler, command line and processor.
pub fn provenance(program: &str, version: &str) -> Map<String, Value> {
    object(json!({
        "program": program,
        "version": version,
        "commit": said_by("git", &["rev-parse", "HEAD"]),
        "uncommitted_changes": said_by("git", &SOURCES).map(|changes| !changes.is_empty()),
        "rustc": said_by("rustc", &["--version"]),
        "optimized": !cfg!(debug_assertions),
        "command": std::env::args().collect::<Vec<_>>(),
        "cpu": cpu(),
        "cores": std::thread::available_parallelism().ok().map(|cores| cores.get()),
    }))
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What a program prints, without the white space around it; nothing if it is not there or fails.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}

/// The processor's name, as Linux tells.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_long_as_nobody_has_touched_it() {
        let manifest = object(json!({ "program": "p", "files": { "a": { "bytes": 1, "sha256": "12" } }, "cpu": "c" }));
        for text in [sealed(manifest.clone()).unwrap(), text(&manifest).unwrap()] {
            let read = Manifest::parse(text.as_bytes()).unwrap();
            assert_eq!((read.program.as_str(), read.files["a"].as_str()), ("p", "12"));
        }
        let sealed = sealed(manifest).unwrap();
        assert!(Manifest::parse(sealed.replace("\"c\"", "\"mine\"").as_bytes()).is_none());
        assert!(Manifest::parse(sealed.trim_end().as_bytes()).is_none());
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(said_by("no-such-program-anywhere", &[]), None);
    }
}
