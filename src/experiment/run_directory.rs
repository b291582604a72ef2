//! A folder of results that is there complete or not at all.

use super::journal::{Journal, Part};
use crate::error::{Error, Result};
use crate::io::write_atomically;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that makes a folder one of ours, and the last that is written.
pub(super) const MANIFEST: &str = "manifest.json";

/// A temporary folder that takes the place of its target when it is finished, and vanishes when it is not.
#[derive(Debug)]
pub struct RunDirectory {
    target: PathBuf,
    temporary: TempDir,
    program: &'static str,
    configuration: String,
    part: Part,
}

impl RunDirectory {
    /// A temporary folder beside `target`, whose parents are made.
    ///
    /// # Errors
    /// [`Error::File`] when `target` cannot be written, or holds something that is no older run: it is never deleted.
    pub fn create(target: &Path) -> Result<Self> {
        check_replaceable(target)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let refuse = |error: std::io::Error| {
            Error::file(target, format!("the folder {} cannot be written to: {}", parent.display(), error.kind()))
        };
        std::fs::create_dir_all(parent).map_err(refuse)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".birkhoff-").suffix(".tmp");
        // Temporary folders are private by default, but this one becomes the output.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = builder.tempdir_in(parent).map_err(refuse)?;
        let (program, configuration, part) = ("", String::new(), Part::Whole);
        Ok(RunDirectory { target: target.to_path_buf(), temporary, program, configuration, part })
    }

    /// With a journal for this configuration, of which this process does a part.
    #[must_use]
    pub fn resumable(self, program: &'static str, configuration: String, part: Part) -> Self {
        RunDirectory { program, configuration, part, ..self }
    }

    /// Where the results will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where the journal is while the run is made.
    pub fn partial(&self) -> PathBuf {
        let mut name = self.target.as_os_str().to_os_string();
        name.push(".partial");
        name.into()
    }

    /// What of the experiment is done here.
    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// What is done already.
    pub(super) fn journal(&self) -> Result<Journal> {
        Journal::open(&self.partial(), self.program, &self.configuration, self.part)
    }

    /// Where a file of the run is while the run is made.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
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
        let failed = |error| Error::io(self.temporary.path(), error);
        let entries = std::fs::read_dir(self.temporary.path()).map_err(failed)?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        names.sort();
        Ok(names)
    }

    /// Puts the folder in the place of its target; an older run is deleted only then, and the journal after it.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when something else has come to lie there.
    pub fn finish(self) -> Result<()> {
        let partial = self.partial();
        let RunDirectory { target, temporary, .. } = self;
        let failed = |error| Error::io(&target, error);
        check_replaceable(&target)?;
        let older = temporary.path().with_extension("old");
        let replaces = target.exists();
        if replaces {
            std::fs::rename(&target, &older).map_err(failed)?;
        }
        let made = temporary.keep();
        if let Err(error) = std::fs::rename(&made, &target) {
            if replaces {
                let _ = std::fs::rename(&older, &target);
            }
            let _ = std::fs::remove_dir_all(&made);
            return Err(failed(error));
        }
        if replaces {
            std::fs::remove_dir_all(&older).map_err(|error| Error::io(&older, error))?;
        }
        if partial.is_dir() {
            std::fs::remove_dir_all(&partial).map_err(|error| Error::io(&partial, error))?;
        }
        Ok(())
    }
}

/// Only nothing, an empty folder, or an older run may be replaced.
fn check_replaceable(target: &Path) -> Result<()> {
    match std::fs::symlink_metadata(target) {
        Err(_) if target.file_name().is_none() => Err(Error::file(target, "names no folder")),
        Err(_) => Ok(()),
        Ok(found) if !found.is_dir() => Err(Error::file(target, "is there, and is no folder")),
        Ok(_) => {
            let mut entries = std::fs::read_dir(target).map_err(|error| Error::io(target, error))?;
            if target.join(MANIFEST).is_file() || entries.next().is_none() {
                return Ok(());
            }
            Err(Error::file(target, format!("is a folder with other things in it: it has no {MANIFEST}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_replaces_an_older_one_only_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/results");
        let run = |text: &str| {
            let run = RunDirectory::create(&target).unwrap();
            run.write(MANIFEST, text.as_bytes()).unwrap();
            run
        };
        run("1").finish().unwrap();
        let text = || std::fs::read_to_string(target.join(MANIFEST)).unwrap();
        drop(run("2"));
        assert_eq!(text(), "1");
        run("3").finish().unwrap();
        assert_eq!(text(), "3");
        assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_run_is_never_deleted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let message = RunDirectory::create(folder.path()).unwrap_err().to_string();
        assert!(message.contains("no manifest.json"), "{message}");
        let message = RunDirectory::create(&folder.path().join("thesis.tex")).unwrap_err().to_string();
        assert!(message.contains("no folder"), "{message}");
    }
}
