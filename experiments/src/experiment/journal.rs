//! What is done of a running experiment, kept on disk: a stopped one goes on where it was, and shards come together.
//!
//! The journal lies in the folder beside the results, `results/x.partial`. Each process appends to a file of its own
//! there, `jobs.jsonl` or `jobs-1-of-3.jsonl`: a first line, the [`Key`], that says what it belongs to, then one line a
//! finished job. A line that was cut off by a crash counts as not done. Results always pass through such a line, so
//! that a resumed run has the bytes of one in a single go.

use super::files::{is_plain_file, sha256};
use birkhoff::error::{Error, Result};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
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

/// What all jobs of a journal have in common: results of different programs or configurations are never mixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    program: String,
    version: String,
    /// Of the library's sources: any change in them may change results.
    sources: String,
    configuration: String,
}

impl Key {
    /// The key of this program's results for a configuration.
    pub(super) fn new(program: &str, configuration: &str) -> Self {
        Key {
            program: program.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            sources: env!("BIRKHOFF_SOURCES").to_string(),
            configuration: sha256(configuration.as_bytes()),
        }
    }

    /// The first line of a journal.
    fn line(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_string(self)?.into_bytes())
    }

    /// Why a journal that begins with another line is not gone on with.
    fn difference(&self, line: &[u8]) -> String {
        let begun = match serde_json::from_slice::<Key>(line) {
            Ok(other) if (&other.version, &other.sources) != (&self.version, &self.sources) => format!(
                "by another version of the program ({}, sources {}; this is {}, {}): go on with that one",
                other.version, other.sources, self.version, self.sources
            ),
            Ok(other) if other.program != self.program => format!("by another program: go on with {}", other.program),
            Ok(_) => "with another configuration: go on with that one".to_string(),
            Err(_) => "by another version of the program: go on with that one".to_string(),
        };
        format!("was begun {begun}, or delete its folder to begin anew")
    }
}

#[derive(Serialize, Deserialize)]
struct Line<R> {
    job: usize,
    result: R,
}

/// The finished jobs, and where the next ones are written down.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    /// This process's own file.
    path: PathBuf,
    key: Key,
    done: BTreeMap<usize, Vec<u8>>,
    file: Mutex<Option<File>>,
}

impl Journal {
    /// Reads what any process has done of this in `folder`.
    ///
    /// # Errors
    /// [`Error::File`] when a journal there has another key, or another process does the same shard.
    pub(super) fn open(folder: &Path, key: Key, part: Part) -> Result<Self> {
        let done = read_all(folder, &key)?;
        let path = folder.join(part.file_name());
        let mut journal = Journal { folder: folder.to_path_buf(), path, key, done, file: Mutex::new(None) };
        if let Part::Shard { .. } = part {
            // Of two shards that begin at once with different keys, one at least sees the other's.
            let file = journal.begin().map_err(|error| Error::io(&journal.path, error))?;
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                return Err(Error::file(&journal.path, "another process does this shard"));
            }
            journal.done = read_all(folder, &journal.key).inspect_err(|_| journal.forget())?;
            journal.file = Mutex::new(Some(file));
        }
        Ok(journal)
    }

    /// The result of a job that is done.
    pub(super) fn result<R: DeserializeOwned>(&self, job: usize) -> Option<R> {
        let line: Line<R> = serde_json::from_slice(self.done.get(&job)?).ok()?;
        Some(line.result)
    }

    /// Writes a result down, and returns it as it will be read.
    pub(super) fn record<R: Serialize + DeserializeOwned>(&self, job: usize, result: R) -> Result<R> {
        let refuse = |error: serde_json::Error| Error::file(&self.path, error.to_string());
        let mut text = serde_json::to_string(&Line { job, result }).map_err(refuse)?;
        let line: Line<R> = serde_json::from_str(&text).map_err(refuse)?;
        text.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let open = file.take().map_or_else(|| self.begin(), Ok);
        let written = open.and_then(|mut open| open.write_all(text.as_bytes()).map(|()| open));
        // After a failure the next line begins anew.
        *file = Some(written.map_err(|error| Error::io(&self.path, error))?);
        Ok(line.result)
    }

    /// The file, with its key, at the start of a line.
    fn begin(&self) -> io::Result<File> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        let before = fs::read(&self.path)?;
        let mut key = self.key.line()?;
        key.push(b'\n');
        if key.starts_with(&before) {
            // It is new, or was cut off before there was a job in it.
            file.write_all(&key[before.len()..])?;
        } else if before.last() != Some(&b'\n') {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }

    /// Deletes the own file if there is no job in it.
    fn forget(&self) {
        let key = self.key.line().unwrap_or_default();
        if fs::read(&self.path).is_ok_and(|text| text.trim_ascii_end() == key) {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Deletes the journals of this key, whosever they are, when the results are there.
    pub(super) fn delete(&self) -> Result<()> {
        let key = self.key.line().unwrap_or_default();
        for path in journals(&self.folder)? {
            let is_ours = fs::read(&path).is_ok_and(|text| lines(&text).next() == Some(&key));
            if is_ours {
                fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
            }
        }
        Ok(())
    }
}

/// The lines of all journals in a folder, by job.
fn read_all(folder: &Path, key: &Key) -> Result<BTreeMap<usize, Vec<u8>>> {
    let mut done = BTreeMap::new();
    let first = key.line().map_err(|error| Error::io(folder, error))?;
    for path in journals(folder)? {
        let text = fs::read(&path).map_err(|error| Error::io(&path, error))?;
        // Cut off in its first line, it has no job.
        if first.starts_with(&text) {
            continue;
        }
        let mut lines = lines(&text);
        if let Some(line) = lines.next().filter(|line| *line != first) {
            return Err(Error::file(&path, key.difference(line)));
        }
        for line in lines {
            if let Ok(Line::<IgnoredAny> { job, .. }) = serde_json::from_slice(line) {
                done.insert(job, line.to_vec());
            }
        }
    }
    Ok(done)
}

/// Bytes, because a line may have been cut off within a character.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// The journals in a folder, in the order of their names.
fn journals(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| Error::io(folder, error))?;
    let is_journal = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jsonl") && is_plain_file(path);
    let mut journals: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).filter(is_journal).collect();
    journals.sort();
    Ok(journals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, configuration: &str, part: Part) -> Result<Journal> {
        Journal::open(folder, Key::new("test", configuration), part)
    }

    #[test]
    fn what_was_written_down_is_read_again_wherever_its_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let open = |configuration| open(folder.path(), configuration, Part::Whole);
        let result = (0.1 + 0.2, Some(f64::MIN_POSITIVE), "x\nρ₅₀ 🦀".to_string());
        let journal = open("a").unwrap();
        assert_eq!(journal.record(3, result.clone()).unwrap(), result);
        journal.record(4, result.clone()).unwrap();
        let path = folder.path().join("jobs.jsonl");
        let text = fs::read(&path).unwrap();
        let [first, second, third, _] = lines(&text).collect::<Vec<_>>()[..] else { panic!("three lines") };
        assert_eq!(second.len(), third.len());
        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();
            let journal = open("a").unwrap();
            let whole = |lines: usize| cut >= first.len() + lines * (second.len() + 1);
            let expected = |job: usize| whole(job - 2).then(|| result.clone());
            assert_eq!([3, 4].map(|job| journal.result(job)), [3, 4].map(expected), "cut at {cut}");
            journal.record(5, result.clone()).unwrap();
            let journal = open("a").unwrap();
            assert_eq!([3, 4].map(|job| journal.result(job)), [3, 4].map(expected), "cut at {cut}, then written");
            assert_eq!(journal.result(5), Some(result.clone()), "cut at {cut}");
        }
        assert!(open("b").unwrap_err().to_string().contains("with another configuration"));
    }

    #[test]
    fn jobs_of_another_version_or_program_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path(), "a", Part::Whole).unwrap().record(0, 1.0).unwrap();
        let key = Key::new("test", "a");
        let message = |key| Journal::open(folder.path(), key, Part::Whole).unwrap_err().to_string();
        let sources = message(Key { sources: "0123".into(), ..key.clone() });
        assert!(sources.contains("by another version") && sources.contains("this is 0.1.0, 0123"), "{sources}");
        assert!(message(Key { version: "0.0.9".into(), ..key.clone() }).contains("by another version"));
        assert!(message(Key { program: "other".into(), ..key }).contains("go on with test"));
        fs::write(folder.path().join("jobs.jsonl"), "{\"program\":\"test\",\"version\":\"0.1.0\"}\n").unwrap();
        assert!(message(Key::new("test", "a")).contains("by another version"), "a key of older versions");
    }

    #[test]
    fn a_shard_is_done_by_one_process_and_beside_none_of_another_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let shard = |number| Part::Shard { number, of: 2 };
        let one = open(folder.path(), "a", shard(1)).unwrap();
        assert!(
            open(folder.path(), "a", shard(1)).unwrap_err().to_string().contains("another process does this shard")
        );
        assert!(open(folder.path(), "b", shard(2)).unwrap_err().to_string().contains("with another configuration"));
        assert!(!folder.path().join("jobs-2-of-2.jsonl").exists(), "a refused shard leaves nothing");
        one.record(0, 1.0).unwrap();
        open(folder.path(), "a", shard(2)).unwrap().record(1, 2.0).unwrap();
        fs::write(folder.path().join("notes.jsonl.txt"), "").unwrap();
        let merge = open(folder.path(), "a", Part::Merge).unwrap();
        assert_eq!([0, 1].map(|job| merge.result::<f64>(job)), [Some(1.0), Some(2.0)]);
        merge.delete().unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.jsonl.txt"], "nothing else is deleted");
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
