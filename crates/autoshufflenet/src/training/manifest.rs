//! The manifest of a run: where its numbers come from, and the sha256 of every file. The last that a run writes.

use super::files::{FILES, MANIFEST};
use crate::settings::Settings;
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use birkhoff_programs::experiment::manifest::provenance;
use birkhoff_programs::experiment::sha256;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Device;

const PROGRAM: &str = "autoshufflenet";

/// A file as a manifest lists it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    bytes: u64,
    sha256: String,
}

impl Listed {
    fn of(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        Ok(Listed { bytes: bytes.len() as u64, sha256: sha256(&bytes) })
    }

    /// Whether this is that file, to the byte. A link is none, wherever it leads.
    pub fn is(&self, path: &Path) -> bool {
        let found = std::fs::symlink_metadata(path);
        found.is_ok_and(|found| found.is_file() && found.len() == self.bytes)
            && Self::of(path).is_ok_and(|of| of == *self)
    }
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct Manifest {
    program: String,
    files: BTreeMap<String, Listed>,
}

/// The files that the manifest in a folder lists; `None` when there is no manifest of this program.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub(super) fn read(folder: &Path) -> Result<Option<BTreeMap<String, Listed>>> {
    let path = folder.join(MANIFEST);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
    let manifest = serde_json::from_slice::<Manifest>(&bytes).ok().filter(|manifest| manifest.program == PROGRAM);
    Ok(manifest.map(|manifest| manifest.files))
}

/// Writes the manifest of what is in the run's folder.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn write(settings: &Settings, device: Device) -> Result<()> {
    let folder = &settings.output_dir;
    let there = FILES.into_iter().filter(|name| folder.join(name).is_file());
    let files = there.map(|name| Ok((name, Listed::of(&folder.join(name))?))).collect::<Result<BTreeMap<_, _>>>()?;
    let mut manifest = provenance(PROGRAM, env!("CARGO_PKG_VERSION"));
    manifest.insert("command".to_string(), json!(std::env::args().map(without_place).collect::<Vec<_>>()));
    manifest.insert("libtorch".to_string(), json!("2.11.0"));
    manifest.insert("device".to_string(), json!(format!("{device:?}")));
    manifest.insert("threads".to_string(), json!(tch::get_num_threads()));
    manifest.insert("rng_seed".to_string(), json!(settings.rng_seed));
    manifest.insert("files".to_string(), json!(files));
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::file(folder, error.to_string()))?;
    write_atomically(&folder.join(MANIFEST), |file| writeln!(file, "{text}"))
}

/// An argument as it may be published: of an absolute path the last part alone, for the rest says where its user keeps
/// things.
fn without_place(argument: String) -> String {
    let (flag, value) = argument.split_once('=').map_or(("", argument.as_str()), |(flag, value)| (flag, value));
    if !Path::new(value).is_absolute() {
        return argument;
    }
    let name = Path::new(value).file_name().unwrap_or_default().to_string_lossy();
    if flag.is_empty() { name.into_owned() } else { format!("{flag}={name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_no_place_of_its_user() {
        let published = ["/home/me/bin/autoshufflenet", "--data-dir=/home/me/cifar", "runs/a", "--epochs", "/"];
        let published = published.map(|argument| without_place(argument.to_string()));
        assert_eq!(published, ["autoshufflenet", "--data-dir=cifar", "runs/a", "--epochs", ""]);
    }
}
