//! Documents and results: references lead somewhere, and nothing is committed twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, in order; none where there is no such folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|&extension| found == extension))
}

#[test]
fn no_result_is_committed_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut twice) = (BTreeMap::new(), vec![]);
    let files = ["results", "paper_figures"].into_iter().flat_map(|folder| files_below(&root.join(folder)));
    // Timings and pictures beside results are not committed.
    let is_committed = |path: &PathBuf| has_extension(path, &["csv", "json"]) && !path.ends_with("timings.csv");
    for path in files.filter(is_committed) {
        if let Some(first) = seen.insert(fs::read(&path).unwrap(), path.clone()) {
            twice.push(format!("{} is {}", path.display(), first.display()));
        }
    }
    assert!(seen.len() > 100, "the results were found");
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

/// rustdoc checks the names in links, and not what stands behind the #.
#[test]
fn references_to_the_mathematics_lead_to_its_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/mathematics.md")).unwrap();
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|&c| c.is_alphanumeric() || c == '-').collect()
    };
    let headings: BTreeSet<String> = text
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let mut references = 0;
    for folder in ["src", "experiments/src", "crates/autoshufflenet/src"] {
        for file in files_below(&root.join(folder)).iter().filter(|file| has_extension(file, &["rs"])) {
            let text = fs::read_to_string(file).unwrap();
            for (start, found) in text.match_indices("::mathematics#") {
                let reference = text[start + found.len()..].split(')').next().unwrap();
                assert!(headings.contains(reference), "{}: #{reference} is no heading", file.display());
                references += 1;
            }
        }
    }
    assert!(references > 20, "the references were found");
}
