//! Plain files: what is in a folder, what a file's sha256 is, and how files are deleted.

use birkhoff::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

/// The sha256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sha256 of a file.
pub(super) fn digest_of(path: &Path) -> Result<String> {
    Ok(sha256(&fs::read(path).map_err(|error| Error::io(path, error))?))
}

/// Deletes plain files; one that is gone already is no error.
pub(super) fn delete_files(folder: &Path, names: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<()> {
    for path in names.into_iter().map(|name| folder.join(name)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// The names of what is in a folder. One that is not Unicode is shown as well as it can be, and so is none of ours.
pub(super) fn names_in(folder: &Path) -> Result<BTreeSet<String>> {
    let failed = |error| Error::io(folder, error);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect::<io::Result<_>>().map_err(failed)
}

/// A file, and no link to one.
pub(super) fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
