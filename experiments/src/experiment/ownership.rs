//! Which folders may be deleted: those that are provably a run of ours, and nothing else.
//!
//! A run's manifest lists its files with their sha256. A folder is a run of a program if its manifest is that program's
//! and unchanged, and if nothing else is there but files that it lists, unchanged. It is deleted file by file, so that
//! what nobody has looked at stays.

use super::files::{delete_files, digest_of, is_plain_file, names_in};
use super::manifest::{MANIFEST, Manifest, sealed};
use birkhoff::error::{Error, Result};
use birkhoff::io::write_atomically;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// What is at a place where a run is to be.
#[derive(Debug)]
pub(super) enum Standing {
    Nothing,
    Empty,
    Run(Run),
}

/// A folder that is provably a run, as it was when it was examined.
#[derive(Debug)]
pub(super) struct Run {
    folder: PathBuf,
    /// The files that are there, the manifest last: without the others it still proves that they were ours.
    files: Vec<String>,
}

/// What is at `folder`, if all of it may be replaced by a run of `program`.
///
/// # Errors
/// [`Error::File`] naming the first thing there that is not provably of an earlier run.
pub(super) fn examine(folder: &Path, program: &str) -> Result<Standing> {
    let refuse = |cause: String| Err(Error::file(folder, cause));
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        Err(error) => return Err(Error::io(folder, error)),
        Ok(found) if !found.is_dir() => return refuse("is there, and is no folder".into()),
        Ok(_) => {}
    }
    let names = names_in(folder)?;
    let Some(first) = names.iter().find(|name| *name != MANIFEST).or(names.first()) else { return Ok(Standing::Empty) };
    if !names.contains(MANIFEST) {
        return refuse(format!("is a folder with other things in it, {first} for one: it has no {MANIFEST}"));
    }
    let manifest = Manifest::read(&folder.join(MANIFEST))?;
    let Some(manifest) = manifest else {
        return refuse(format!(
            "is a folder with other things in it: {MANIFEST} is not one of {program}, or was changed"
        ));
    };
    if manifest.program != program {
        return refuse(format!("holds a run of {}, which {program} does not replace", manifest.program));
    }
    let mut files = Vec::new();
    for name in names.into_iter().filter(|name| name != MANIFEST) {
        let path = folder.join(&name);
        let Some(digest) = manifest.files.get(&name).filter(|_| is_plain_file(&path)) else {
            return refuse(format!("holds {name}, which no run of {program} has written"));
        };
        if digest_of(&path)? != *digest {
            return refuse(format!("holds {name}, which is not as a run of {program} has written it"));
        }
        files.push(name);
    }
    files.push(MANIFEST.to_string());
    Ok(Standing::Run(Run { folder: folder.to_path_buf(), files }))
}

impl Run {
    /// Its files with their metadata.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, Metadata)> {
        self.files.iter().filter_map(|name| Some((name.as_str(), fs::metadata(self.folder.join(name)).ok()?)))
    }

    /// The same run, moved.
    pub(super) fn at(self, folder: &Path) -> Self {
        Run { folder: folder.to_path_buf(), ..self }
    }

    /// Deletes its files, then the folder.
    ///
    /// # Errors
    /// [`Error::Io`], also when something has been put into the folder since it was examined: that stays.
    pub(super) fn delete(self) -> Result<()> {
        delete_files(&self.folder, &self.files)?;
        fs::remove_dir(&self.folder).map_err(|error| Error::io(&self.folder, error))
    }
}

/// Files of ours in a folder that others may use as well: no other file is replaced than those that the manifest there
/// lists, unchanged.
#[derive(Debug)]
pub(crate) struct LooseFiles {
    folder: PathBuf,
    program: &'static str,
    /// Ours, as they are there.
    files: BTreeSet<String>,
}

impl LooseFiles {
    /// Those of `program` in `folder`, where it is to write the files `names` and a manifest.
    ///
    /// # Errors
    /// [`Error::File`] naming the first of them that is there and not provably ours.
    pub(crate) fn open(folder: &Path, program: &'static str, names: &[&str]) -> Result<Self> {
        let is_there = |name: &str| fs::symlink_metadata(folder.join(name)).is_ok();
        let refuse = |name: &str| {
            let cause = format!("is there already, and not as {program} has written it: it is not replaced");
            Error::file(folder.join(name), cause)
        };
        let mut files = BTreeSet::new();
        if is_there(MANIFEST) {
            let manifest = Manifest::read(&folder.join(MANIFEST))?.filter(|manifest| manifest.program == program);
            for (name, digest) in manifest.ok_or_else(|| refuse(MANIFEST))?.files {
                let path = folder.join(&name);
                if is_plain_file(&path) && digest_of(&path)? == digest {
                    files.insert(name);
                }
            }
        }
        match names.iter().find(|name| is_there(name) && !files.contains(**name)) {
            Some(name) => Err(refuse(name)),
            None => Ok(LooseFiles { folder: folder.to_path_buf(), program, files }),
        }
    }

    /// Writes the manifest, when the files `names` are written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn list(mut self, names: &[&str], mut manifest: Map<String, Value>) -> Result<()> {
        self.files.extend(names.iter().map(|name| name.to_string()));
        let entry = |name: &String| Ok((name.clone(), json!({ "sha256": digest_of(&self.folder.join(name))? })));
        let files = self.files.iter().map(entry).collect::<Result<Map<_, _>>>()?;
        manifest.extend([("program".to_string(), json!(self.program)), ("files".to_string(), Value::Object(files))]);
        let text = sealed(manifest)?;
        write_atomically(&self.folder.join(MANIFEST), |file| file.write_all(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::sha256;
    use super::*;
    use tempfile::TempDir;

    /// A run of `program` with two files.
    fn run(program: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Map::new();
        for (name, text) in [("a.csv", "1\n"), ("b.svg", "<svg/>")] {
            fs::write(folder.path().join(name), text).unwrap();
            files.insert(name.into(), json!({ "bytes": text.len(), "sha256": sha256(text.as_bytes()) }));
        }
        let manifest = json!({ "program": program, "files": files });
        fs::write(folder.path().join(MANIFEST), sealed(manifest.as_object().unwrap().clone()).unwrap()).unwrap();
        folder
    }

    fn message(folder: &Path) -> String {
        examine(folder, "program").unwrap_err().to_string()
    }

    #[test]
    fn a_run_is_deleted_with_its_folder() {
        let folder = run("program");
        let Standing::Run(run) = examine(folder.path(), "program").unwrap() else { panic!("no run") };
        assert_eq!(run.files().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["a.csv", "b.svg", MANIFEST]);
        run.delete().unwrap();
        assert!(!folder.path().exists());
        assert!(matches!(examine(folder.path(), "program").unwrap(), Standing::Nothing));
        fs::create_dir(folder.path()).unwrap();
        assert!(matches!(examine(folder.path(), "program").unwrap(), Standing::Empty));
    }

    #[test]
    fn a_run_that_is_deleted_in_part_is_one_still() {
        let folder = run("program");
        fs::remove_file(folder.path().join("a.csv")).unwrap();
        assert!(matches!(examine(folder.path(), "program").unwrap(), Standing::Run(_)));
    }

    #[test]
    fn whatever_is_not_provably_ours_is_named() {
        type Change<'a> = &'a dyn Fn(&Path);
        let foreign: [(&str, Change); 7] = [
            ("holds notes.txt, which no run of program", &|at| fs::write(at.join("notes.txt"), "").unwrap()),
            ("holds .hidden, which no run", &|at| fs::write(at.join(".hidden"), "").unwrap()),
            ("holds inner, which no run", &|at| fs::create_dir(at.join("inner")).unwrap()),
            ("holds a.csv, which is not as", &|at| fs::write(at.join("a.csv"), "2\n").unwrap()),
            ("holds a.csv, which no run", &|at| {
                fs::remove_file(at.join("a.csv")).unwrap();
                fs::create_dir(at.join("a.csv")).unwrap();
            }),
            ("b.svg for one: it has no manifest.json", &|at| {
                fs::remove_file(at.join(MANIFEST)).unwrap();
                fs::remove_file(at.join("a.csv")).unwrap();
            }),
            ("was changed", &|at| {
                let text = fs::read_to_string(at.join(MANIFEST)).unwrap();
                fs::write(at.join(MANIFEST), text.replacen('{', "{\n  \"note\": \"mine\",", 1)).unwrap();
            }),
        ];
        for (expected, change) in foreign {
            let folder = run("program");
            change(folder.path());
            let message = message(folder.path());
            assert!(message.contains(expected), "{message}");
        }
        assert!(message(run("another").path()).contains("a run of another"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(message(file.path()).contains("is no folder"));
    }

    #[test]
    fn other_peoples_manifests_are_none_of_ours() {
        for text in
            ["", "[]", "{}", "{\"name\": \"web app\", \"icons\": []}", "{\"program\": \"program\", \"files\": 3}"]
        {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(MANIFEST), text).unwrap();
            fs::write(folder.path().join("index.html"), "").unwrap();
            let message = message(folder.path());
            assert!(message.contains("is not one of program") || message.contains("holds index.html"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = run("program");
        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(folder.path().join("a.csv"), elsewhere.path().join("a.csv")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("a.csv"), folder.path().join("a.csv")).unwrap();
        assert!(message(folder.path()).contains("holds a.csv, which no run"));
    }

    #[test]
    fn loose_files_are_replaced_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let open = |names: &[&str]| LooseFiles::open(folder.path(), "program", names);
        put("mine", "");
        let first = open(&["a", "b"]).unwrap();
        ["a", "b"].into_iter().for_each(|name| put(name, "1"));
        first.list(&["a", "b"], Map::new()).unwrap();
        // What is not written anew stays ours.
        let second = open(&["a", "c"]).unwrap();
        ["a", "c"].into_iter().for_each(|name| put(name, "2"));
        second.list(&["a", "c"], Map::new()).unwrap();
        assert!(open(&["a", "b", "c"]).is_ok());
        assert!(open(&["b", "mine"]).unwrap_err().to_string().contains("mine: is there already"));
        put("b", "my own");
        assert!(open(&["a"]).is_ok() && open(&["a", "b"]).unwrap_err().to_string().contains("b: is there already"));
        let message = LooseFiles::open(folder.path(), "another", &["new"]).unwrap_err().to_string();
        assert!(message.contains("manifest.json: is there already, and not as another"), "{message}");
    }

    #[test]
    fn what_comes_in_between_stays() {
        let folder = run("program");
        let Standing::Run(run) = examine(folder.path(), "program").unwrap() else { panic!("no run") };
        fs::write(folder.path().join("late.txt"), "").unwrap();
        assert!(run.delete().is_err());
        assert_eq!(names_in(folder.path()).unwrap().into_iter().collect::<Vec<_>>(), ["late.txt"]);
    }
}
