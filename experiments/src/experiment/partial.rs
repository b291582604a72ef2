//! The folder beside a run while it is made, `results/x.partial` for `results/x`: everything that is not finished is in
//! it, and nothing else is.
//!
//! It has a `lock`, held by the processes that are at work; the journal of what is done; `made`, the results so far;
//! and, for the moment in which these take the place of an older run, that run as `replaced`. A killed process leaves
//! the folder behind, and the next one that holds the lock alone finds in it how far the other was.

use super::files::{delete_files, is_plain_file, names_in};
use super::ownership::{Standing, examine};
use birkhoff::error::{Error, Result};
use birkhoff::io::no_folder;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What the lock says: by this a folder is known to be ours.
const MARK: &str =
    "birkhoff makes an experiment here, or was stopped while it did: the same command goes on with it.\n";

const LOCK: &str = "lock";
const MADE: &str = "made";
const REPLACED: &str = "replaced";

/// Times that a lock is sought anew because another process has just removed it.
const ATTEMPTS: usize = 100;

/// An unfinished run's folder, locked. It vanishes with the last of its holders, unless there is something in it.
#[derive(Debug)]
pub(super) struct Partial {
    folder: PathBuf,
    lock: File,
}

/// Who else may be at work in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// Nobody.
    None,
    /// Others that do parts.
    Others,
}

impl Partial {
    /// Makes the folder, or goes on with it.
    ///
    /// # Errors
    /// [`Error::File`] when another process is at work there, or the folder is none of ours or cannot be made.
    pub(super) fn open(folder: PathBuf, company: Company) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(no_folder(&folder, folder.parent().unwrap_or(&folder), &error));
                }
                _ if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) => {
                    return Err(Error::file(&folder, "is there, and is no folder"));
                }
                _ => {}
            }
            check_ours(&folder)?;
            let path = folder.join(LOCK);
            match OpenOptions::new().read(true).append(true).create(true).open(&path) {
                // Its last holder has just removed the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&path, error)),
                Ok(lock) => {
                    take(&lock, company, &folder)?;
                    if is_at(&lock, &path) {
                        let partial = Partial { folder, lock };
                        partial.mark().map_err(|error| Error::io(path, error))?;
                        return Ok(partial);
                    }
                }
            }
        }
        Err(Error::file(&folder, "is removed by another process again and again"))
    }

    /// Marks the folder as ours, for those who find it when we were killed.
    fn mark(&self) -> io::Result<()> {
        let mut text = String::new();
        (&self.lock).take(MARK.len() as u64).read_to_string(&mut text)?;
        if text == MARK {
            return Ok(());
        }
        // Several shards may do so at once, and then it stands there twice.
        self.lock.set_len(0)?;
        (&self.lock).write_all(MARK.as_bytes())
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the results are while they are made.
    pub(super) fn made(&self) -> PathBuf {
        self.folder.join(MADE)
    }

    /// Where an older run is while the new one takes its place.
    pub(super) fn replaced(&self) -> PathBuf {
        self.folder.join(REPLACED)
    }

    /// Puts right what a killed process has left: an older run that it had just taken away from `target` comes back,
    /// one that it had replaced is deleted, and so is what it had made. Then, what is at `target`.
    ///
    /// # Errors
    /// [`Error::File`] when something that is no run of `program` lies at one of these places: it is left alone.
    pub(super) fn recover(&self, target: &Path, program: &str) -> Result<Standing> {
        let replaced = self.replaced();
        let standing = match (examine(target, program)?, examine(&replaced, program)?) {
            (standing, Standing::Nothing) => standing,
            (Standing::Run(run), Standing::Run(older)) => {
                older.delete()?;
                Standing::Run(run)
            }
            (standing, Standing::Empty) => {
                fs::remove_dir(&replaced).map_err(|error| Error::io(&replaced, error))?;
                standing
            }
            (standing, Standing::Run(older)) => {
                if matches!(standing, Standing::Empty) {
                    fs::remove_dir(target).map_err(|error| Error::io(target, error))?;
                }
                fs::rename(&replaced, target).map_err(|error| Error::io(&replaced, error))?;
                Standing::Run(older.at(target))
            }
        };
        self.clear_made()?;
        Ok(standing)
    }

    /// Deletes the results so far, plain files all of them.
    pub(super) fn clear_made(&self) -> Result<()> {
        let made = self.made();
        if fs::symlink_metadata(&made).is_err() {
            return Ok(());
        }
        let names = names_in(&made)?;
        if let Some(name) = names.iter().find(|name| !is_plain_file(&made.join(name))) {
            return Err(Error::file(&made, format!("holds {name}, which no run has made")));
        }
        delete_files(&made, names)?;
        fs::remove_dir(&made).map_err(|error| Error::io(&made, error))
    }
}

impl Drop for Partial {
    /// The last holder removes the lock, and with it the folder if that is all there was. Where it could not put
    /// something right, the lock says to the next one that this is ours.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
        let path = self.folder.join(LOCK);
        let alone = !matches!(self.lock.try_lock(), Err(TryLockError::WouldBlock));
        let unfinished = [MADE, REPLACED].iter().any(|name| fs::symlink_metadata(self.folder.join(name)).is_ok());
        if alone && !unfinished && is_at(&self.lock, &path) {
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Refuses a folder with things called as ours are that are not ours.
fn check_ours(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join(LOCK)).unwrap_or_default();
    if lock.starts_with(MARK.as_bytes()) {
        return Ok(());
    }
    let foreign = match MARK.as_bytes().starts_with(&lock) {
        // Before it is marked, there is nothing in it.
        true => [MADE, REPLACED].into_iter().find(|name| fs::symlink_metadata(folder.join(name)).is_ok()),
        false => Some(LOCK),
    };
    match foreign {
        Some(name) => Err(Error::file(folder.join(name), "is nothing that this program has made, and lies in its way")),
        None => Ok(()),
    }
}

/// Takes the lock.
fn take(lock: &File, company: Company, folder: &Path) -> Result<()> {
    let taken = match company {
        Company::None => lock.try_lock(),
        Company::Others => lock.try_lock_shared(),
    };
    match taken {
        Err(TryLockError::WouldBlock) => {
            Err(Error::file(folder, "another process is at work on this run: wait for it, or choose another folder"))
        }
        // There are file systems without locks: then nothing keeps two processes apart.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Whether the open file is still the one at `path`.
#[cfg(unix)]
fn is_at(lock: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    lock.metadata().and_then(|open| Ok(same(open, fs::symlink_metadata(path)?))).unwrap_or(false)
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
