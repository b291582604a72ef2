//! A checkpoint: the parts of a search that are done, in a file.
//!
//! Text, of which the first line says what it is and has a sha256 of all others. The second line has the task, and each
//! further one a part of the search, in JSON.

use super::atomic::write_atomically;
use super::place::Place;
use super::text::shown;
use crate::checkpoint::{Keeper, Part, Task};
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const FORMAT: &str = "birkhoff checkpoint 1";

/// A first line is shorter.
const LONGEST_HEAD: u64 = 1000;

/// A part is written when the last one was so long ago, or with the next, or when the search ends.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    sha256: String,
}

/// What a checkpoint is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    /// Of the program: another one may go another way.
    version: String,
    task: Task,
}

/// Keeps the parts of a search in a file, which is there whole or not at all, and gives them to the next search.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    version: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    key: Option<Key>,
    /// What the file had, until a search takes it.
    found: Vec<Part>,
    /// How many these were.
    found_count: usize,
    /// All parts as they are written.
    lines: Vec<String>,
    /// Whether some of them are not yet.
    is_behind: bool,
    last: Option<Instant>,
    failure: Option<Error>,
}

impl CheckpointFile {
    /// The checkpoint at `path`, which need not be there; `version` names the program that searches.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where it is a stream, no checkpoint, damaged or of another version;
    /// [`Error::Parse`] where a line is not what it should be.
    pub fn open(path: &Path, version: &str) -> Result<Self> {
        let mut state = State::default();
        let Place::File(target) = Place::of(path)? else {
            return Err(Error::file(path, "is a stream, but a checkpoint is read again"));
        };
        match File::open(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(path, error)),
            Ok(file) => {
                let (key, parts) = read(path, BufReader::new(file))?;
                if key.version != version {
                    let cause = format!(
                        "is of another version of the program ({}; this is {version}): go on with that one",
                        shown(&key.version)
                    );
                    return Err(Error::file(path, cause));
                }
                state.found_count = parts.len();
                state.lines = parts.iter().map(|part| line(path, part)).collect::<Result<_>>()?;
                (state.key, state.found) = (Some(key), parts);
            }
        }
        Ok(CheckpointFile { path: path.to_path_buf(), version: version.to_string(), state: Mutex::new(state) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many parts were there at first, and how many there are.
    pub fn part_counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.found_count, state.lines.len())
    }

    /// Whether all parts are written.
    ///
    /// # Errors
    /// What [`write_atomically`] said last.
    pub fn result(&self) -> Result<()> {
        self.state().failure.take().map_or(Ok(()), Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State) {
        state.failure = self.try_write(state).err();
        state.is_behind = state.failure.is_some();
        state.last = Some(Instant::now());
    }

    fn try_write(&self, state: &State) -> Result<()> {
        let key = line(&self.path, &state.key)?;
        let body = || [&key].into_iter().chain(&state.lines);
        let mut hash = Sha256::new();
        body().for_each(|line| hash.update(line));
        let head = line(&self.path, &Head { format: FORMAT.to_string(), sha256: hexadecimal(hash) })?;
        write_atomically(&self.path, |file| {
            [&head].into_iter().chain(body()).try_for_each(|line| file.write_all(line.as_bytes()))
        })
    }
}

impl Keeper for CheckpointFile {
    fn begin(&self, task: Task) -> Result<Vec<Part>> {
        let mut state = self.state();
        if let Some(cause) = state.key.as_ref().and_then(|key| difference(&key.task, &task)) {
            return Err(Error::file(&self.path, format!("is of another search: {cause}")));
        }
        state.key = Some(Key { version: self.version.clone(), task });
        Ok(std::mem::take(&mut state.found))
    }

    fn keep(&self, part: &Part) {
        let mut state = self.state();
        match line(&self.path, part) {
            Ok(line) => state.lines.push(line),
            Err(error) => return state.failure = Some(error),
        }
        state.is_behind = true;
        if state.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.write(&mut state);
        }
    }

    fn end(&self) {
        let mut state = self.state();
        if state.is_behind {
            self.write(&mut state);
        }
    }

    fn refuse(&self, cause: String) -> Error {
        Error::file(&self.path, cause)
    }
}

/// The parts that a checkpoint has.
///
/// # Errors
/// [`Error::File`] where it is none or damaged, [`Error::Parse`] where a line is not what it should be.
pub fn parse_checkpoint(source: &Path, bytes: &[u8]) -> Result<Vec<Part>> {
    read(source, bytes).map(|(_, parts)| parts)
}

fn read(source: &Path, mut from: impl BufRead) -> Result<(Key, Vec<Part>)> {
    let refuse = |cause: &str| Error::file(source, cause);
    let mut head = vec![];
    from.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut head).map_err(|error| Error::io(source, error))?;
    if head.is_empty() {
        return Err(refuse("is empty, and no checkpoint: remove it to begin anew"));
    }
    let head: Head = serde_json::from_slice(&head).map_err(|_| refuse("is no checkpoint of a search"))?;
    if head.format != FORMAT {
        return Err(refuse(&format!("is {}, but must be {FORMAT}", shown(&head.format))));
    }
    let mut body = vec![];
    from.read_to_end(&mut body).map_err(|error| Error::io(source, error))?;
    if head.sha256 != hexadecimal(Sha256::new_with_prefix(&body)) {
        return Err(refuse("is damaged: its content has not the sha256 that its first line says"));
    }
    let mut lines = body.split_inclusive(|&byte| byte == b'\n').enumerate();
    let key = lines.next().ok_or_else(|| refuse("is damaged: it has no task"))?;
    let parts = lines.map(|line| parsed(source, line)).collect::<Result<_>>()?;
    Ok((parsed(source, key)?, parts))
}

/// A line of JSON, numbered from 0 on below the first.
fn parsed<T: DeserializeOwned>(source: &Path, (number, line): (usize, &[u8])) -> Result<T> {
    let refuse = |error: serde_json::Error| {
        Error::parse(source, number + 2, format!("column {}: no line of a checkpoint", error.column()))
    };
    serde_json::from_slice(line).map_err(refuse)
}

fn line(path: &Path, value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| Error::file(path, error.to_string()))?;
    Ok(text + "\n")
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a search has otherwise than the one that was kept.
fn difference(kept: &Task, task: &Task) -> Option<String> {
    let named = |list: &[(String, String)], name: &str| list.iter().find(|(of, _)| of == name).cloned();
    for (name, digest) in &task.inputs {
        match named(&kept.inputs, name) {
            None => return Some(format!("it has no {name}")),
            Some((_, other)) if other != *digest => return Some(format!("it has other {name}")),
            _ => {}
        }
    }
    for (name, value) in &task.settings {
        match named(&kept.settings, name) {
            None => return Some(format!("it has no {name}")),
            Some((_, other)) if other != *value => {
                return Some(format!("its {name} is {}, and not {value}", shown(&other)));
            }
            _ => {}
        }
    }
    let more = kept.inputs.iter().chain(&kept.settings).map(|(name, _)| name);
    let known = |name: &&String| task.inputs.iter().chain(&task.settings).any(|(of, _)| of == *name);
    let mut more = more.filter(|name| !known(name));
    more.next().map(|name| format!("it has {}, too", shown(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::FirstPath;
    use crate::sparse_matrix::SparseMatrix;

    fn task() -> Task {
        Task::default().with_input("graph A", [1, 2]).with_setting("rng_seed", 3)
    }

    fn parts() -> Vec<Part> {
        let x = SparseMatrix::from_rows((3, 4), || (), |(), i, row| row.push(i + 1, 1.0 / 3.0));
        let first = Some(FirstPath { x, recall: 0.1 + 0.2 });
        let part = |gain, first| Part { partners: vec![2, u32::MAX, 0], gain, steps: 5, first };
        vec![part(f64::MIN_POSITIVE, first), part(-0.0, None), part(1e300, None)]
    }

    /// A file with these parts, and its bytes.
    fn written(folder: &Path) -> (PathBuf, Vec<u8>) {
        let path = folder.join("kept");
        let file = CheckpointFile::open(&path, "1").unwrap();
        assert_eq!(file.begin(task()).unwrap(), []);
        parts().iter().for_each(|part| file.keep(part));
        file.end();
        file.result().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    }

    #[test]
    fn what_is_kept_is_given_back_to_the_bit_and_only_to_the_same_search() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = written(folder.path());
        let file = CheckpointFile::open(&path, "1").unwrap();
        assert_eq!(file.begin(task()).unwrap(), parts());
        file.end();
        assert_eq!((file.part_counts(), std::fs::read(&path).unwrap()), ((3, 3), bytes.clone()));

        let refused = |task: Task| CheckpointFile::open(&path, "1").unwrap().begin(task).unwrap_err().to_string();
        let inputs = |task: Task| task.with_setting("rng_seed", 3);
        for (other, cause) in [
            (task().with_input("layer 2 of graph A", []), "it has no layer 2 of graph A"),
            (inputs(Task::default().with_input("graph A", [1, 3])), "it has other graph A"),
            (inputs(Task::default()), "it has 'graph A', too"),
            (
                Task::default().with_input("graph A", [1, 2]).with_setting("rng_seed", 4),
                "its rng_seed is '3', and not 4",
            ),
        ] {
            let message = refused(other);
            assert_eq!(message, format!("{}: is of another search: {cause}", path.display()));
        }
        let message = CheckpointFile::open(&path, "2").unwrap_err().to_string();
        assert!(message.contains("is of another version of the program ('1'; this is 2)"), "{message}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "what is refused is left alone");
    }

    #[test]
    fn no_damage_goes_unseen() {
        let folder = tempfile::tempdir().unwrap();
        let (_, bytes) = written(folder.path());
        let source = Path::new("kept");
        assert_eq!(parse_checkpoint(source, &bytes).unwrap(), parts());
        let refused = |bytes: &[u8], what: &str| {
            let message = parse_checkpoint(source, bytes).expect_err(what).to_string();
            assert!(message.starts_with("kept:") && !message.contains(char::is_control), "{what}: {message}");
        };
        for end in 0..bytes.len() {
            refused(&bytes[..end], &format!("cut off at {end}"));
        }
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                refused(&flipped, &format!("bit {bit} of byte {place}"));
            }
        }
        refused(&[&bytes[..], b"\n"].concat(), "one byte more");
        refused(b"a b\nb c\n", "an edge list");
    }

    #[test]
    fn lines_with_the_right_sum_are_looked_at_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (_, bytes) = written(folder.path());
        let text = String::from_utf8(bytes).unwrap();
        let body = text.split_once('\n').unwrap().1;
        let summed = |body: &str| {
            let sha256 = hexadecimal(Sha256::new_with_prefix(body));
            format!("{{\"format\":\"{FORMAT}\",\"sha256\":\"{sha256}\"}}\n{body}")
        };
        assert_eq!(summed(body), text);
        for (from, to, line) in [
            ("\"width\":4", "\"width\":3", 3),
            ("[2,4294967295,0]", "[2,4294967296,0]", 3),
            ("1e+300", "1e+999", 5),
            ("\"gain\":-0.0", "\"gain\":null", 4),
            ("\"steps\":5", "\"step\":5", 3),
            ("\"version\"", "\"vision\"", 2),
        ] {
            assert!(body.contains(from), "{from}");
            let message = parse_checkpoint(Path::new("kept"), summed(&body.replacen(from, to, 1)).as_bytes());
            let message = message.unwrap_err().to_string();
            assert!(message.starts_with(&format!("kept:{line}: column ")), "{to}: {message}");
        }
    }

    #[test]
    fn what_could_not_be_written_is_written_later_or_told() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let path = inner.join("kept");
        let file = CheckpointFile::open(&path, "1").unwrap();
        file.begin(task()).unwrap();
        std::fs::remove_dir(&inner).unwrap();
        file.keep(&parts()[0]);
        file.end();
        assert!(file.result().unwrap_err().to_string().contains("inner"));
        std::fs::create_dir(&inner).unwrap();
        file.keep(&parts()[1]);
        file.end();
        file.result().unwrap();
        let found = parse_checkpoint(&path, &std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(found, parts()[..2]);
    }

    #[test]
    fn parts_that_come_soon_after_one_another_are_written_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let file = CheckpointFile::open(&path, "1").unwrap();
        file.begin(task()).unwrap();
        let count = || CheckpointFile::open(&path, "1").unwrap().part_counts().0;
        let counts: Vec<usize> = parts()
            .iter()
            .map(|part| {
                file.keep(part);
                count()
            })
            .collect();
        assert_eq!(counts, [1, 1, 1]);
        file.state().last = Instant::now().checked_sub(EVERY);
        file.keep(&parts()[0]);
        assert_eq!(count(), 4);
    }
}
