//! Where a path leads when something is written there.

use super::text::is_standard_stream;
use crate::error::{Error, Result};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// Links followed before a loop is suspected, as Linux does.
const MOST_LINKS: usize = 40;

/// What is behind the path of an output.
#[derive(Debug)]
pub enum Place {
    /// `-`, `/dev/stdout` and all other names that it has.
    StandardOutput,
    /// A pipe, a terminal, `/dev/null`, an open file descriptor: written to as it is, never replaced by a file.
    Stream(PathBuf),
    /// A file that is there or may be made, all links followed.
    File(PathBuf),
}

impl Place {
    /// Where `path` leads.
    ///
    /// # Errors
    /// [`Error::File`] when that is a folder, a block device or a socket, or cannot be found out.
    pub fn of(path: &Path) -> Result<Self> {
        if is_standard_stream(path) {
            return Ok(Place::StandardOutput);
        }
        let target = follow(path)?;
        let found = fs::metadata(&target);
        match (descriptor(&target), found) {
            (Some(_), Err(_)) => Err(Error::file(path, "is no file descriptor that is open")),
            (Some(1), Ok(_)) => Ok(Place::StandardOutput),
            (Some(_), Ok(_)) => Ok(Place::Stream(target)),
            (None, Ok(found)) => match unwritable(found.file_type()) {
                Some(cause) => Err(Error::file(path, cause)),
                None if found.is_file() => Ok(Place::File(target)),
                None => Ok(Place::Stream(target)),
            },
            (None, Err(_)) if ends_as_a_folder(path) => Err(Error::file(path, "is called as a folder is")),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Place::File(target)),
            (None, Err(error)) => Err(Error::io(path, error)),
        }
    }
}

/// The path without links, `.` and `..`: that of the file that would be opened or made. What is not there yet is
/// followed as well, if its folder is there: a link that points at nothing leads to where it points.
///
/// # Errors
/// [`Error::File`] when the folder is not there, or the path names no file, or links lead in a circle.
pub fn follow(path: &Path) -> Result<PathBuf> {
    let mut at = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Some(name) = at.file_name() else {
            return fs::canonicalize(&at).map_err(|_| Error::file(path, "names no file"));
        };
        let folder = folder_of(&at);
        let folder = canonical_folder(folder).map_err(|error| no_folder(path, folder, &error))?;
        at = folder.join(name);
        // What a descriptor is open on has no path, or one that may not be trusted.
        match fs::read_link(&at).ok().filter(|_| descriptor(&at).is_none()) {
            Some(to) => at = folder.join(to),
            None => return Ok(at),
        }
    }
    Err(Error::file(path, "is a link that leads in a circle"))
}

fn canonical_folder(folder: &Path) -> io::Result<PathBuf> {
    let canonical = fs::canonicalize(folder)?;
    if canonical.is_dir() { Ok(canonical) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// The folder that `path` lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The error for a path whose folder does not take it.
pub fn no_folder(path: &Path, folder: &Path, error: &io::Error) -> Error {
    Error::file(path, format!("the folder {} cannot be written to: {}", folder.display(), error.kind()))
}

/// The number of the file descriptor that `path`, whose folder is canonical, names: `/proc/4711/fd/1` on Linux,
/// `/dev/fd/1` elsewhere.
fn descriptor(path: &Path) -> Option<u32> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = path.parent()?;
    let is_process = |process: &str| process.parse() == Ok(std::process::id());
    let of_process = folder.strip_prefix("/proc").ok()?.to_str().and_then(|inside| inside.strip_suffix("/fd"));
    (folder == Path::new("/dev/fd") || of_process.is_some_and(is_process)).then_some(number)
}

fn ends_as_a_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|&last| std::path::is_separator(char::from(last)))
}

/// Why nothing is written to this kind of file.
fn unwritable(kind: FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_block_device() {
            return Some("is a block device, and what is on it would be lost");
        }
        if kind.is_socket() {
            return Some("is a socket, not a file that can be written");
        }
    }
    kind.is_dir().then_some("is a folder, not a file that can be written")
}

/// Whether it is a terminal, `/dev/null` or the like.
pub(super) fn is_character_device(kind: FileType) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_char_device(&kind);
    #[cfg(not(unix))]
    return !kind.is_file() && !kind.is_dir();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn streams_are_told_from_files() {
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/fd/1"] {
            let place = Place::of(Path::new(name)).unwrap();
            assert!(matches!(place, Place::StandardOutput), "{name}");
        }
        assert!(matches!(Place::of(Path::new("/dev/null")).unwrap(), Place::Stream(_)));
        // A descriptor on a regular file is no file to be replaced.
        use std::os::fd::AsRawFd;
        let file = tempfile::tempfile().unwrap();
        let open = PathBuf::from(format!("/dev/fd/{}", file.as_raw_fd()));
        assert!(matches!(Place::of(&open).unwrap(), Place::Stream(_)));
        drop(file);
        assert!(Place::of(&PathBuf::from("/dev/fd/987654")).unwrap_err().to_string().contains("no file descriptor"));
    }
}
