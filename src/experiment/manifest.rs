//! The manifest: where a run's numbers come from, and what each column means.

use super::config::Configuration;
use super::run_directory::{MANIFEST, RunDirectory};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

/// A CSV file, and its columns with what they mean and their unit.
pub type Columns = (&'static str, &'static [(&'static str, &'static str)]);

/// Writes `manifest.json`, the last file of a run: it holds the sha256 of all others.
pub(super) fn write<C: Configuration>(directory: &RunDirectory, experiment: &C) -> Result<()> {
    let mut files = serde_json::Map::new();
    for name in directory.files()? {
        let path = directory.path(&name);
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        files.insert(name, json!({ "bytes": bytes.len(), "sha256": sha256(&bytes) }));
    }
    let columns: serde_json::Map<String, Value> = C::COLUMNS
        .iter()
        .map(|(file, columns)| {
            let columns: serde_json::Map<String, Value> =
                columns.iter().map(|(name, what)| (name.to_string(), json!(what))).collect();
            (file.to_string(), Value::Object(columns))
        })
        .collect();
    let mut manifest = provenance(C::PROGRAM, env!("CARGO_PKG_VERSION"));
    manifest.extend(object(json!({
        "threads": rayon::current_num_threads(),
        "rng_seed": experiment.rng_seed(),
        "trials_per_level": experiment.trials(),
        "interval": C::INTERVAL,
        "columns": columns,
        "files": files,
    })));
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::file(MANIFEST, error.to_string()))?;
    directory.write(MANIFEST, (text + "\n").as_bytes())
}

/// What has changed of all that is committed but results, which runs replace.
const SOURCES: [&str; 7] =
    ["status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results", ":(exclude)paper_figures"];

/// Where a program's numbers come from: its version and commit, compiler, command line and processor.
pub fn provenance(program: &str, version: &str) -> serde_json::Map<String, Value> {
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

fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

/// The sha256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn the_hash_is_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(said_by("no-such-program-anywhere", &[]), None);
    }
}
