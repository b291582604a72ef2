//! What is done of a running experiment, kept on disk: a stopped one goes on where it was, and shards come together.
//!
//! The journal is a folder beside the results, `results/x.partial`. Each process appends to a file of its own there, `jobs.jsonl` or
//! `jobs-1-of-3.jsonl`: a first line that says which configuration it belongs to, then one line a finished job. A line that was cut
//! off by a crash counts as not done. Results always pass through such a line, so that a resumed run has the bytes of one in a single go.

use super::manifest::sha256;
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Which jobs of an experiment this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// All that are not done yet; then the results are written.
    #[default]
    Whole,
    /// Every `of`-th job from `number` on; the results are left to [`Part::Merge`].
    Shard {
        /// From 1 on.
        number: usize,
        /// How many shards there are.
        of: usize,
    },
    /// None: all must be done. The results are written.
    Merge,
}

impl Part {
    /// Whether a job, counted from 0, is this process's own.
    pub(super) fn has(self, job: usize) -> bool {
        match self {
            Part::Whole => true,
            Part::Shard { number, of } => job % of == number - 1,
            Part::Merge => false,
        }
    }

    fn file_name(self) -> String {
        match self {
            Part::Shard { number, of } => format!("jobs-{number}-of-{of}.jsonl"),
            Part::Whole | Part::Merge => "jobs.jsonl".to_string(),
        }
    }
}

impl FromStr for Part {
    type Err = String;

    /// Reads `2/5`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if 1 <= number && number <= of => Ok(Part::Shard { number, of }),
            _ => Err("must be k/m with 1 <= k <= m".to_string()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    program: String,
    version: String,
    configuration: String,
}

#[derive(Serialize, Deserialize)]
struct Line<R> {
    job: usize,
    result: R,
}

/// The finished jobs, and where the next ones are written down.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    done: BTreeMap<usize, String>,
    file: Mutex<Option<File>>,
    head: String,
}

impl Journal {
    /// Reads what any process has done of this configuration.
    pub(super) fn open(folder: &Path, program: &str, configuration: &str, part: Part) -> Result<Self> {
        let head = Head {
            program: program.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            configuration: sha256(configuration.as_bytes()),
        };
        let path = folder.join(part.file_name());
        let head = serde_json::to_string(&head).map_err(|error| Error::file(&path, error.to_string()))?;
        let mut done = BTreeMap::new();
        if folder.is_dir() {
            let failed = |error| Error::io(folder, error);
            let mut names =
                std::fs::read_dir(folder).map_err(failed)?.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
            names.sort_by_key(std::fs::DirEntry::file_name);
            for file in names.iter().map(std::fs::DirEntry::path) {
                if file.extension().is_none_or(|extension| extension != "jsonl") {
                    continue;
                }
                let text = std::fs::read_to_string(&file).map_err(|error| Error::io(&file, error))?;
                let mut lines = text.lines();
                if lines.next().is_some_and(|first| first != head) {
                    let cause = "was begun with another configuration or version: delete its folder to begin anew";
                    return Err(Error::file(&file, cause));
                }
                for line in lines {
                    if let Ok(Line::<serde::de::IgnoredAny> { job, .. }) = serde_json::from_str(line) {
                        done.insert(job, line.to_string());
                    }
                }
            }
        }
        Ok(Journal { path, done, file: Mutex::new(None), head })
    }

    /// The result of a job that is done.
    pub(super) fn result<R: DeserializeOwned>(&self, job: usize) -> Option<R> {
        let line: Line<R> = serde_json::from_str(self.done.get(&job)?).ok()?;
        Some(line.result)
    }

    /// Writes a result down, and returns it as it will be read.
    pub(super) fn record<R: Serialize + DeserializeOwned>(&self, job: usize, result: R) -> Result<R> {
        let refuse = |error: serde_json::Error| Error::file(&self.path, error.to_string());
        let text = serde_json::to_string(&Line { job, result }).map_err(refuse)?;
        let line: Line<R> = serde_json::from_str(&text).map_err(refuse)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match &mut *file {
            Some(open) => writeln!(open, "{text}"),
            None => self.create().and_then(|open| writeln!(file.insert(open), "{text}")),
        };
        written.map_err(|error| Error::io(&self.path, error))?;
        Ok(line.result)
    }

    /// The file, with its head, at the start of a line.
    fn create(&self) -> std::io::Result<File> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let before = std::fs::read(&self.path).unwrap_or_default();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        match before.last() {
            None => writeln!(file, "{}", self.head)?,
            Some(b'\n') => {}
            Some(_) => writeln!(file)?,
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_is_read_again_and_a_line_that_was_cut_off_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = |configuration| Journal::open(folder.path(), "test", configuration, Part::Whole);
        let journal = open("a").unwrap();
        let result = (0.1 + 0.2, Some(f64::MIN_POSITIVE), "x\ny".to_string());
        assert_eq!(journal.record(3, result.clone()).unwrap(), result);
        journal.record(4, result.clone()).unwrap();
        let path = folder.path().join("jobs.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 5]).unwrap();

        let journal = open("a").unwrap();
        assert_eq!(journal.result(3), Some(result.clone()));
        assert_eq!(journal.result::<(f64, Option<f64>, String)>(4), None);
        journal.record(4, result.clone()).unwrap();
        assert_eq!(open("a").unwrap().result(4), Some(result));
        assert!(open("b").unwrap_err().to_string().contains("another configuration"));
    }

    #[test]
    fn shards_share_the_jobs_out() {
        let shards: Vec<Part> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).to_vec();
        assert!((0..20).all(|job| shards.iter().filter(|shard| shard.has(job)).count() == 1));
        for wrong in ["0/3", "4/3", "1", "a/b", ""] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
