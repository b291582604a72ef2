//! The folder of a run: who may write into it, and what in it is whose.
//!
//! A run under way has its checkpoint there, a complete one its manifest and no checkpoint. The checkpoint comes before
//! anything of an older run goes, and goes after the manifest has come, so that a run which is killed at any moment has
//! left one of both.

use super::checkpoint::{self, Checkpoint};
use super::files::{CONFIG, FILES, MANIFEST, RESULT};
use super::manifest::{self, Listed};
use birkhoff::{Error, Result};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Nobody else writes into the folder as long as this lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The system gives the lock back when the process ends, however it does.
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes the folder if it is not there, locks it, and removes the unfinished files of a killed process.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when another process trains there.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        let folder = RunFolder { path: path.to_path_buf(), _lock: lock(path)? };
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // As `write_atomically` calls them.
            if name.starts_with(".birkhoff-") && name.ends_with(".tmp") && entry.file_type().is_ok_and(|t| t.is_file())
            {
                fs::remove_file(entry.path()).map_err(|error| Error::io(entry.path(), error))?;
            }
        }
        Ok(folder)
    }

    /// Whether this file is in this folder.
    pub fn holds(&self, file: &Path) -> bool {
        let place = |path: &Path| fs::canonicalize(path).ok();
        file.parent().is_some_and(|parent| place(parent).is_some() && place(parent) == place(&self.path))
    }

    /// Whether a run may begin here: there is no unfinished run, and every file that it would replace is that of a
    /// complete one.
    ///
    /// # Errors
    /// [`Error::File`] naming what would be lost.
    pub fn check_free(&self) -> Result<()> {
        let mut begun = None;
        if checkpoint::path(&self.path).exists() {
            // What has not learned anything has nothing to lose.
            begun = Checkpoint::read(&self.path).ok().filter(Checkpoint::is_at_start);
            if begun.is_none() {
                let place = self.path.display();
                let cause = format!("holds an unfinished run: go on with `train --resume {place}`, or remove it");
                return Err(Error::file(&self.path, cause));
            }
        }
        let own_config = begun.map(|checkpoint| checkpoint.settings.to_toml()).transpose()?;
        let listed = manifest::read(&self.path)?;
        for name in FILES.into_iter().chain([MANIFEST]) {
            let path = self.path.join(name);
            if fs::symlink_metadata(&path).is_err() {
                continue;
            }
            let is_ours = match name {
                MANIFEST => listed.is_some(),
                CONFIG if own_config.is_some() && fs::read_to_string(&path).ok() == own_config => true,
                _ => is_proved(&self.path, name, listed.as_ref()),
            };
            if !is_ours {
                let cause =
                    "is not that of a complete run, and would be replaced: choose another --output-dir, or move it";
                return Err(Error::file(path, cause));
            }
        }
        Ok(())
    }

    /// Removes what a complete run has left here, the manifest last: until then it proves that the others may go.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove_older(&self) -> Result<()> {
        let Some(listed) = manifest::read(&self.path)? else { return Ok(()) };
        let ours = FILES.into_iter().filter(|name| is_proved(&self.path, name, Some(&listed)));
        for name in ours.chain([MANIFEST]) {
            let path = self.path.join(name);
            fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        }
        Ok(())
    }
}

/// Whether the run in this folder is complete; a run is not as long as it has a checkpoint.
///
/// # Errors
/// [`Error::File`] when its settings or its result are not those that the manifest lists.
pub fn is_complete(folder: &Path) -> Result<bool> {
    if checkpoint::path(folder).exists() {
        return Ok(false);
    }
    let Some(listed) = manifest::read(folder)? else { return Ok(false) };
    match [CONFIG, RESULT].into_iter().find(|name| !is_proved(folder, name, Some(&listed))) {
        None => Ok(true),
        Some(name) => Err(Error::file(folder.join(name), "is not the file that the run's manifest lists")),
    }
}

/// Refuses to replace a file of a run by something else.
///
/// # Errors
/// [`Error::File`] when `path` is a run's checkpoint, or a file that its manifest lists.
pub fn check_is_no_run(path: &Path) -> Result<()> {
    let Ok(path) = fs::canonicalize(path) else { return Ok(()) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let listed = manifest::read(folder).unwrap_or_default();
    let is_listed = name == MANIFEST && listed.is_some() || is_proved(folder, name, listed.as_ref());
    if is_listed || path == checkpoint::path(folder) {
        return Err(Error::file(&path, "belongs to a run, and would be replaced: choose another place"));
    }
    Ok(())
}

fn is_proved(folder: &Path, name: &str, listed: Option<&BTreeMap<String, Listed>>) -> bool {
    listed.and_then(|listed| listed.get(name)).is_some_and(|listed| listed.is(&folder.join(name)))
}

/// The folder's lock, where the file system has locks.
fn lock(path: &Path) -> Result<Option<File>> {
    let Ok(folder) = File::open(path) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(Error::file(path, "another process trains in this folder")),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
