//! A folder of results that is there complete or not at all, and that takes the place of nothing but an older run.

use super::files::{names_in, sha256};
use super::journal::{Journal, Key, Part};
use super::manifest::{MANIFEST, sealed};
use super::ownership::{Standing, examine};
use super::partial::{Company, Partial};
use birkhoff::error::{Error, Result};
use birkhoff::io::{folder_of, follow, keep_permissions, no_folder, sync_folder, write_atomically};
use serde_json::{Map, Value, json};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A run that is made beside its target, takes its place when it is finished, and leaves nothing but its journal when
/// it is not.
#[derive(Debug)]
pub struct RunDirectory {
    /// Without links, relative to the current folder where it is below that.
    target: PathBuf,
    program: &'static str,
    part: Part,
    journal: Option<Journal>,
    partial: Partial,
}

impl RunDirectory {
    /// The folder `target` of a program, whose parents are made. What lies there is looked at, and not touched before
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Error::File`] when `target` cannot be written, is the current folder or holds it, has another process at work
    /// on it, or holds anything but one unchanged older run of this program: that is never deleted.
    pub fn create(target: &Path, program: &'static str) -> Result<Self> {
        RunDirectory::open(target, program, Part::Whole)
    }

    /// With a journal, of which this process does a part.
    pub(super) fn resumable(target: &Path, program: &'static str, key: Key, part: Part) -> Result<Self> {
        let mut directory = RunDirectory::open(target, program, part)?;
        directory.journal = Some(Journal::open(directory.partial.folder(), key, part)?);
        Ok(directory)
    }

    fn open(given: &Path, program: &'static str, part: Part) -> Result<Self> {
        let target = place(given)?;
        let mut name = target.as_os_str().to_os_string();
        name.push(".partial");
        let is_shard = matches!(part, Part::Shard { .. });
        let partial = Partial::open(name.into(), if is_shard { Company::Others } else { Company::None })?;
        let directory = RunDirectory { target, program, part, journal: None, partial };
        if is_shard {
            examine(&directory.target, program)?;
        } else {
            let standing = directory.partial.recover(&directory.target, program)?;
            check_movable(&directory.target, &standing)?;
            let made = directory.partial.made();
            fs::create_dir(&made).map_err(|error| Error::io(made, error))?;
        }
        Ok(directory)
    }

    /// Where the results will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where the journal is while the run is made.
    pub fn partial(&self) -> &Path {
        self.partial.folder()
    }

    /// What of the experiment is done here.
    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// What is done already, if that is written down.
    pub(super) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Where a file of the run is while the run is made.
    pub fn path(&self, name: &str) -> PathBuf {
        self.partial.made().join(name)
    }

    /// Writes a file of the run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomically(&self.path(name), |file| file.write_all(bytes))
    }

    /// The names of the files so far, sorted.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn files(&self) -> Result<Vec<String>> {
        Ok(names_in(&self.partial.made())?.into_iter().collect())
    }

    /// Writes the manifest, the last file of a run, with the sha256 of all others.
    pub(super) fn write_manifest(&self, mut manifest: Map<String, Value>) -> Result<()> {
        let mut files = Map::new();
        for name in self.files()? {
            let path = self.path(&name);
            let bytes = fs::read(&path).map_err(|error| Error::io(&path, error))?;
            files.insert(name, json!({ "bytes": bytes.len(), "sha256": sha256(&bytes) }));
        }
        manifest.insert("files".to_string(), Value::Object(files));
        self.write(MANIFEST, sealed(manifest)?.as_bytes())
    }

    /// Puts the results in the place of the target; an older run is deleted only then, and the journal after it.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when something else has come to lie there. Then everything is as it was, or the
    /// message says where it is.
    pub fn finish(self) -> Result<()> {
        let (target, made, replaced) = (&self.target, self.partial.made(), self.partial.replaced());
        let mut folder = None;
        match examine(target, self.program)? {
            Standing::Nothing => {}
            Standing::Empty => fs::remove_dir(target).map_err(|error| Error::io(target, error))?,
            Standing::Run(older) => {
                for (name, metadata) in older.files() {
                    keep(&made.join(name), &metadata);
                }
                folder = fs::metadata(target).ok();
                move_to(target, &replaced)?;
            }
        }
        // Nobody finds the older run by its name any more: only now is it sure what is in it.
        let older = examine(&replaced, self.program);
        let exchanged = older.and_then(|older| move_to(&made, target).map(|()| older));
        let older = exchanged.map_err(|error| bring_back(error, &replaced, target))?;
        folder.iter().for_each(|metadata| keep(target, metadata));
        sync_folder(folder_of(target));
        if let Standing::Run(older) = older {
            let left = |error| {
                Error::file(target, format!("the results are there, but something of the older ones is left: {error}"))
            };
            older.delete().map_err(left)?;
        }
        self.journal.as_ref().map_or(Ok(()), Journal::delete)
    }
}

impl Drop for RunDirectory {
    /// What is unfinished can be made again, from the journal.
    fn drop(&mut self) {
        if !matches!(self.part, Part::Shard { .. }) {
            let _ = self.partial.clear_made();
        }
    }
}

/// Gives a file or folder the permissions of the one that it replaces.
fn keep(new: &Path, older: &Metadata) {
    File::open(new).iter().for_each(|new| keep_permissions(new, older));
}

fn move_to(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .map_err(|error| Error::file(to, format!("cannot be moved there from {}: {error}", from.display())))
}

/// Moves what was replaced back to where it was, after an `error`, which is returned with the place where it has to
/// stay if it cannot be moved.
fn bring_back(error: Error, replaced: &Path, target: &Path) -> Error {
    if fs::symlink_metadata(replaced).is_err() {
        return error;
    }
    match if target.exists() { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(replaced, target) } {
        Ok(()) => error,
        Err(failure) => {
            let cause = format!(
                "{error}; what was there is now in {}, and could not be moved back: {failure}",
                replaced.display()
            );
            Error::file(target, cause)
        }
    }
}

/// Where `given` leads, its parents made.
fn place(given: &Path) -> Result<PathBuf> {
    if given.file_name().is_none() && !given.exists() {
        return Err(Error::file(given, "names no folder"));
    }
    let parent = folder_of(given);
    fs::create_dir_all(parent).map_err(|error| no_folder(given, parent, &error))?;
    let place = follow(given)?;
    if fs::symlink_metadata(&place).is_ok_and(|found| !found.is_dir()) {
        return Err(Error::file(given, "is there, and is no folder"));
    }
    let here = std::env::current_dir().and_then(fs::canonicalize).map_err(|error| Error::io(".", error))?;
    if here.starts_with(&place) {
        let cause =
            "is the current folder, or holds it, and cannot be replaced as long: start from outside, or name another";
        return Err(Error::file(given, cause));
    }
    Ok(place.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(place))
}

/// Refuses what can be seen beforehand not to let itself be replaced, or is not meant to be.
fn check_movable(target: &Path, standing: &Standing) -> Result<()> {
    if matches!(standing, Standing::Nothing) {
        return Ok(());
    }
    let metadata = |path: &Path| fs::metadata(path).map_err(|error| Error::io(path, error));
    let found = metadata(target)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::dev(&found) != std::os::unix::fs::MetadataExt::dev(&metadata(folder_of(target))?)
    {
        return Err(Error::file(target, "is where a disk is mounted, and cannot be replaced: name a folder within it"));
    }
    if found.permissions().readonly() {
        return Err(Error::file(target, "is read-only"));
    }
    if let Standing::Run(older) = standing
        && let Some((name, _)) = older.files().find(|(_, metadata)| metadata.permissions().readonly())
    {
        return Err(Error::file(target.join(name), "is read-only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const PROGRAM: &str = "program";

    /// A complete run in its folder, with one table.
    fn run(target: &Path, text: &str) -> Result<()> {
        let run = RunDirectory::create(target, PROGRAM)?;
        run.write("a.csv", text.as_bytes())?;
        complete(&run)?;
        run.finish()
    }

    fn complete(run: &RunDirectory) -> Result<()> {
        run.write_manifest([("program".to_string(), PROGRAM.into())].into_iter().collect())
    }

    fn text(target: &Path) -> String {
        fs::read_to_string(target.join("a.csv")).unwrap()
    }

    /// All that is below a folder, files with their content.
    fn listing(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                found.extend(listing(&path));
            }
            found.insert(path.clone(), fs::read(path).ok());
        }
        found
    }

    #[test]
    fn a_run_replaces_an_older_one_only_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/results");
        run(&target, "1").unwrap();
        let unfinished = RunDirectory::create(&target, PROGRAM).unwrap();
        unfinished.write("a.csv", b"2").unwrap();
        assert_eq!(text(&target), "1");
        drop(unfinished);
        assert_eq!(text(&target), "1");
        run(&target, "3").unwrap();
        assert_eq!(text(&target), "3");
        assert_eq!(names_in(target.parent().unwrap()).unwrap().len(), 1, "and leaves nothing beside it");
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        run(&empty, "4").unwrap();
        assert_eq!(text(&empty), "4");
    }

    #[test]
    fn what_is_not_ours_is_never_touched() {
        let thesis = |target: &Path| fs::write(target.join("thesis.tex"), "").unwrap();
        let web: &dyn Fn(&Path) = &|target| {
            fs::create_dir(target.join("src")).unwrap();
            fs::write(target.join("src/app.js"), "run()").unwrap();
            fs::write(target.join(MANIFEST), "{\n  \"name\": \"app\"\n}\n").unwrap();
        };
        let beside: &dyn Fn(&Path) = &|target| {
            fs::remove_dir(target).unwrap();
            run(target, "1").unwrap();
            fs::write(target.join("notes.txt"), "dear diary").unwrap();
        };
        let changed: &dyn Fn(&Path) = &|target| {
            fs::remove_dir(target).unwrap();
            run(target, "1").unwrap();
            fs::write(target.join("a.csv"), "2").unwrap();
        };
        let cases = [
            (&thesis as &dyn Fn(&Path), "thesis.tex"),
            (web, "manifest.json"),
            (beside, "notes.txt"),
            (changed, "a.csv"),
        ];
        for (make, named) in cases {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("target");
            fs::create_dir(&target).unwrap();
            make(&target);
            let before = listing(folder.path());
            let message = run(&target, "3").unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
            assert_eq!(listing(folder.path()), before, "{named}");
        }
        let folder = tempfile::tempdir().unwrap();
        for (path, cause) in
            [(folder.path().join("no/.."), "names no folder"), (PathBuf::from("/"), "the current folder")]
        {
            let message = run(&path, "1").unwrap_err().to_string();
            assert!(message.contains(cause), "{message}");
        }
        assert!(listing(folder.path()).is_empty());
    }

    #[test]
    fn what_comes_while_a_run_is_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        run(&target, "1").unwrap();
        let second = RunDirectory::create(&target, PROGRAM).unwrap();
        complete(&second).unwrap();
        fs::write(target.join("notes.txt"), "").unwrap();
        let before = listing(&target);
        assert!(second.finish().unwrap_err().to_string().contains("notes.txt"));
        assert_eq!(listing(&target), before);
        assert_eq!(names_in(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let first = RunDirectory::create(&target, PROGRAM).unwrap();
        first.write("a.csv", b"1").unwrap();
        assert!(run(&target, "2").unwrap_err().to_string().contains("another process is at work"));
        complete(&first).unwrap();
        first.finish().unwrap();
        assert_eq!(text(&target), "1");
        run(&target, "2").unwrap();
        assert_eq!(text(&target), "2");
    }

    /// A run whose process was killed, as it has left its partial folder: its destructors never ran, and its lock is
    /// free.
    fn killed(target: &Path, made: &[(&str, &str)]) -> PathBuf {
        let run = RunDirectory::create(target, PROGRAM).unwrap();
        made.iter().for_each(|(name, text)| run.write(name, text.as_bytes()).unwrap());
        let partial = run.partial().to_path_buf();
        let kept = partial.with_extension("kept");
        fs::rename(&partial, &kept).unwrap();
        drop(run);
        fs::rename(&kept, &partial).unwrap();
        partial
    }

    #[test]
    fn what_a_killed_process_left_is_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        run(&target, "1").unwrap();
        // In the midst of its results.
        killed(&target, &[("a.csv", "half"), (".birkhoff-abcdef.tmp", "")]);
        run(&target, "2").unwrap();
        assert_eq!((text(&target).as_str(), names_in(folder.path()).unwrap().len()), ("2", 1));
        // Between its two moves, the older run away: it comes back, even where somebody has made the folder anew.
        for anew in [false, true] {
            let partial = killed(&target, &[("a.csv", "new")]);
            fs::rename(&target, partial.join("replaced")).unwrap();
            if anew {
                fs::create_dir(&target).unwrap();
            }
            drop(RunDirectory::create(&target, PROGRAM).unwrap());
            assert_eq!((text(&target).as_str(), names_in(folder.path()).unwrap().len()), ("2", 1));
        }
        // While it deleted the older run.
        let other = folder.path().join("other");
        run(&other, "old").unwrap();
        fs::remove_file(other.join("a.csv")).unwrap();
        let partial = killed(&target, &[]);
        fs::rename(&other, partial.join("replaced")).unwrap();
        run(&target, "3").unwrap();
        assert_eq!((text(&target).as_str(), names_in(folder.path()).unwrap().len()), ("3", 1));
    }

    #[test]
    fn what_lies_where_unfinished_runs_do_and_is_not_ours_stays() {
        for name in ["replaced", "made", "lock"] {
            let folder = tempfile::tempdir().unwrap();
            let (target, partial) = (folder.path().join("target"), folder.path().join("target.partial"));
            fs::create_dir(&partial).unwrap();
            if name == "lock" {
                fs::write(partial.join(name), "the key of my house").unwrap();
            } else {
                fs::create_dir(partial.join(name)).unwrap();
                fs::write(partial.join(name).join("mine.txt"), "mine").unwrap();
            }
            let before = listing(folder.path());
            let message = run(&target, "1").unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
            assert_eq!(listing(folder.path()), before);
        }
        // Within a folder of ours as well.
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let partial = killed(&target, &[]);
        fs::create_dir(partial.join("replaced")).unwrap();
        fs::write(partial.join("replaced/mine.txt"), "mine").unwrap();
        assert!(run(&target, "1").unwrap_err().to_string().contains("mine.txt"));
        fs::create_dir_all(partial.join("made")).unwrap();
        fs::rename(partial.join("replaced"), partial.join("made/inner")).unwrap();
        assert!(run(&target, "1").unwrap_err().to_string().contains("holds inner"));
        assert_eq!(fs::read_to_string(partial.join("made/inner/mine.txt")).unwrap(), "mine");
    }

    #[test]
    fn a_failed_exchange_is_undone_or_says_where_the_older_run_is() {
        let folder = tempfile::tempdir().unwrap();
        let (target, replaced) = (folder.path().join("target"), folder.path().join("replaced"));
        let failure = || Error::file(&target, "no space");
        assert_eq!(bring_back(failure(), &replaced, &target).to_string(), failure().to_string());
        run(&replaced, "1").unwrap();
        bring_back(failure(), &replaced, &target);
        assert_eq!(text(&target), "1");
        run(&replaced, "2").unwrap();
        let message = bring_back(failure(), &replaced, &target).to_string();
        assert!(message.contains("no space") && message.contains(replaced.to_str().unwrap()), "{message}");
        assert_eq!((text(&target).as_str(), text(&replaced).as_str()), ("1", "2"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        symlink("real", name("latest")).unwrap();
        run(&name("latest/"), "1").unwrap();
        assert_eq!(text(&name("real")), "1");
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        set(&name("real/a.csv"), 0o600);
        set(&name("real"), 0o700);
        run(&name("latest"), "2").unwrap();
        assert_eq!((text(&name("real")).as_str(), mode(&name("real")), mode(&name("real/a.csv"))), ("2", 0o700, 0o600));
        assert!(fs::symlink_metadata(name("latest")).unwrap().is_symlink());
        assert_eq!(names_in(folder.path()).unwrap().len(), 2);
        for guarded in ["real/a.csv", "real"] {
            set(&name(guarded), 0o500);
            assert!(run(&name("latest"), "3").unwrap_err().to_string().contains("read-only"));
        }
        set(&name("real"), 0o700);
        assert_eq!(text(&name("real")), "2");
    }
}
