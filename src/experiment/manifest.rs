//! The manifest: where a run's numbers come from, and what each column means.

use super::config::Experiment;
use super::run_directory::{MANIFEST, RunDirectory};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

/// Columns of the CSV files, with what they mean and their unit.
const COLUMNS: [(&str, &[(&str, &str)]); 3] = [
    (
        "trials.csv",
        &[
            ("rho", "correlation of the two graphs' edges, 0 to 1"),
            ("trial", "number of the instance at this correlation, from 0; every method sees the same one"),
            ("method", "method of birkhoff::recovery"),
            ("status", "ok, or what went wrong"),
            ("node_correctness", "share of vertices matched to their true partner, 0 to 1"),
            ("edge_correctness", "share of A's edges kept, 0 to 1; empty without edges"),
            ("truth_edge_correctness", "share of A's edges that the hidden permutation keeps, 0 to 1"),
            (
                "value",
                "squared Frobenius norm of AX - XB at the answer; 2 for each pair of vertices that is an edge in one graph only",
            ),
            ("truth_value", "the same at the hidden permutation"),
            ("lower_bound", "proved: no permutation has a smaller value; empty if unknown"),
            ("proved_optimal", "whether value = lower_bound"),
            ("penalty", "l1-l2 penalty of X before rounding, 0 to 2(n - sqrt n)"),
            ("certified", "whether T2 or T3 proves X's rounding unique"),
            ("iterations", "steps of the method, the relaxation's included"),
            ("lap_calls", "linear assignments solved"),
        ],
    ),
    (
        "timings.csv",
        &[
            ("rho", "as in trials.csv"),
            ("trial", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("seconds", "wall-clock seconds of one run, while other trials ran on the other threads"),
        ],
    ),
    (
        "summary.csv",
        &[
            ("rho", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("trials", "runs with status ok"),
            ("failed", "other runs; they are in no mean"),
            ("node_correctness", "mean over the trials, 0 to 1"),
            ("node_correctness_low", "lower end of its 95 % bootstrap percentile interval"),
            ("node_correctness_high", "upper end"),
            ("edge_correctness", "mean over the trials, 0 to 1"),
            ("truth_edge_correctness", "mean over the trials, 0 to 1"),
        ],
    ),
];

/// Writes `manifest.json`, the last file of a run: it holds the sha256 of all others.
pub(super) fn write(directory: &RunDirectory, experiment: &Experiment) -> Result<()> {
    let mut files = serde_json::Map::new();
    for name in directory.files()? {
        let path = directory.path(&name);
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        files.insert(name, json!({ "bytes": bytes.len(), "sha256": sha256(&bytes) }));
    }
    let columns: serde_json::Map<String, Value> = COLUMNS
        .iter()
        .map(|(file, columns)| {
            let columns: serde_json::Map<String, Value> =
                columns.iter().map(|(name, what)| (name.to_string(), json!(what))).collect();
            (file.to_string(), Value::Object(columns))
        })
        .collect();
    let mut manifest = provenance("graph_matching", env!("CARGO_PKG_VERSION"));
    manifest.extend(object(json!({
        "threads": rayon::current_num_threads(),
        "rng_seed": experiment.rng_seed,
        "trials_per_level": experiment.trials,
        "interval": "95 %, bootstrap percentile over trials",
        "columns": columns,
        "files": files,
    })));
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::file(MANIFEST, error.to_string()))?;
    directory.write(MANIFEST, (text + "\n").as_bytes())
}

/// Where a program's numbers come from: its version and commit, compiler, command line and processor.
pub fn provenance(program: &str, version: &str) -> serde_json::Map<String, Value> {
    object(json!({
        "program": program,
        "version": version,
        "commit": said_by("git", &["rev-parse", "HEAD"]),
        "uncommitted_changes": said_by("git", &["status", "--porcelain", "--untracked-files=no"]).map(|changes| !changes.is_empty()),
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
