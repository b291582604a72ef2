//! Inputs that fuzzing found to reach something, or to break it once: each must be answered as the fuzz targets demand.
//!
//! `scripts/fuzz` finds them; a folder of tests/corpus belongs to the target of its name.

#[path = "../fuzz/assignments.rs"]
mod assignments;
#[path = "../fuzz/checkpoints.rs"]
mod checkpoints;
#[path = "../fuzz/draws.rs"]
mod draws;
#[path = "../examples/small_problems/enumeration.rs"]
mod enumeration;
#[path = "../examples/small_problems/exact.rs"]
mod exact;
#[allow(dead_code, reason = "the program uses more of it")]
#[path = "../examples/small_problems/judge.rs"]
mod judge;
#[path = "../examples/small_problems/problem.rs"]
mod problem;
#[path = "../fuzz/readers.rs"]
mod readers;
#[path = "../fuzz/recoveries.rs"]
mod recoveries;

use std::fs;
use std::path::{Path, PathBuf};

/// What of an input may be committed.
const LARGEST: usize = 10_000;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn replay(target: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let inputs = entries(&folder);
    assert!(!inputs.is_empty(), "{target} has no inputs");
    for path in inputs {
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() <= LARGEST, "{} is too large to be kept", path.display());
        // Told by the test's output when the next line panics.
        println!("{}", path.display());
        match target {
            "assignments" => assignments::assignments(&bytes),
            "checkpoint" => checkpoints::checkpoint(&bytes),
            "recovery" => recoveries::recovery(&bytes),
            reader => readers::read(reader, &bytes),
        }
    }
}

#[test]
fn every_reader_answers_what_fuzzing_found() {
    readers::READERS.iter().for_each(|(target, _)| replay(target));
}

#[test]
fn assignments_are_right_on_what_fuzzing_found() {
    replay("assignments");
}

#[test]
fn checkpoints_that_fuzzing_made_up_are_refused_or_gone_on_from() {
    replay("checkpoint");
}

#[test]
fn recoveries_claim_nothing_false_on_what_fuzzing_found() {
    replay("recovery");
}

#[test]
fn every_folder_of_the_corpus_belongs_to_a_target_and_every_target_has_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str, end: &str| -> Vec<String> {
        let names =
            entries(&root.join(folder)).into_iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_string());
        names.map(|name| name.trim_end_matches(end).to_string()).collect()
    };
    let targets = names("fuzz/fuzz_targets", ".rs");
    assert_eq!(names("tests/corpus", ""), targets);
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    assert!(targets.iter().all(|target| manifest.contains(&format!("name = \"{target}\""))));
    let others = ["assignments", "checkpoint", "recovery"];
    let readers = targets.iter().filter(|target| !others.contains(&target.as_str()));
    assert!(readers.eq(readers::READERS.map(|(name, _)| name).iter().collect::<std::collections::BTreeSet<_>>()));
}
