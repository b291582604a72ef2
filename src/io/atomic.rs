//! Files that are there whole or not at all.

use super::text::{is_standard_stream, source_name};
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// Writes a file so that it is there complete or not at all: `content` fills a temporary file in the same
/// folder, which is flushed to the disk and renamed to `path`.
///
/// When anything fails, a panic in `content` included, the temporary file is removed and an older file at
/// `path` stays as it was. A symbolic link is followed, so that the file it points at is replaced. `-` and
/// `/dev/stdout` mean standard output; what exists and is no regular file (a pipe, `/dev/null`) is
/// written to directly.
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("answer.txt");
/// birkhoff::io::write_atomically(&path, |file| writeln!(file, "42"))?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "42\n");
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`] when the folder cannot be written to or `path` is a folder, [`Error::Io`] when writing
/// fails; both name `path`.
pub fn write_atomically(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match destination(path)? {
        Destination::StandardOutput => fill(&mut io::stdout().lock(), content),
        Destination::Device => OpenOptions::new().write(true).open(path).and_then(|mut file| fill(&mut file, content)),
        Destination::Regular(target) => {
            let mut temporary = temporary_beside(path, &target)?;
            fill(temporary.as_file_mut(), content)
                .and_then(|()| temporary.as_file().sync_all())
                .and_then(|()| temporary.persist(&target).map_err(|failure| failure.error))
                .map(|_| sync_folder(folder_of(&target)))
        }
    }
    .map_err(|source| Error::io(source_name(path, "<stdout>"), source))
}

/// Whether [`write_atomically`] can write to `path`, asked before a long computation.
///
/// It makes a temporary file in the folder of `path` and removes it; a file at `path` is left alone.
///
/// # Errors
/// As [`write_atomically`].
pub fn check_writable(path: &Path) -> Result<()> {
    match destination(path)? {
        Destination::Regular(target) => temporary_beside(path, &target).map(drop),
        Destination::StandardOutput | Destination::Device => Ok(()),
    }
}

enum Destination {
    StandardOutput,
    /// A pipe or device: it must not be replaced by a file.
    Device,
    /// The file to replace, symbolic links followed.
    Regular(PathBuf),
}

fn destination(path: &Path) -> Result<Destination> {
    if is_standard_stream(path) || path == Path::new("/dev/stdout") {
        return Ok(Destination::StandardOutput);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::file(path, "is a folder, not a file that can be written")),
        Ok(found) if found.is_file() => {
            Ok(Destination::Regular(fs::canonicalize(path).map_err(|source| Error::io(path, source))?))
        }
        Ok(_) => Ok(Destination::Device),
        Err(_) if path.file_name().is_none() => Err(Error::file(path, "names no file")),
        Err(_) => Ok(Destination::Regular(path.to_path_buf())),
    }
}

fn fill(mut file: impl Write, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::new(&mut file);
    content(&mut buffered)?;
    buffered.flush()
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary_beside(path: &Path, target: &Path) -> Result<NamedTempFile> {
    let folder = folder_of(target);
    let mut builder = Builder::new();
    builder.prefix(".birkhoff-").suffix(".tmp");
    // Temporary files are private by default, but this one becomes the output: the umask decides, as for any file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|source| {
        // tempfile's message names its random file, which is noise here; the kind says what is wrong.
        Error::file(path, format!("the folder {} cannot be written to: {}", folder.display(), source.kind()))
    })
}

/// Makes the rename itself durable. Some file systems cannot do this; the file is complete either way.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.txt");
        fs::write(&path, "old").unwrap();
        let failure = write_atomically(&path, |file| {
            file.write_all(&[b'x'; 100_000])?;
            Err(io::Error::other("the cat pulled the plug"))
        });
        let message = failure.unwrap_err().to_string();
        assert!(message.contains("old.txt") && message.contains("the cat"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names_in(folder.path()), ["old.txt"]);
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.txt");
        let panicked = std::panic::catch_unwind(|| write_atomically(&path, |_| panic!("on purpose")));
        assert!(panicked.is_err());
        assert!(names_in(folder.path()).is_empty());
    }

    #[test]
    fn an_old_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        for text in ["a long first version", "short"] {
            write_atomically(&path, |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names_in(folder.path()), ["file.txt"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_an_error_beforehand_and_at_writing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, cause) in [
            (folder.path().join("missing/out.csv"), "not found"),
            (file.join("out.csv"), "not a directory"),
            (folder.path().to_path_buf(), "is a folder"),
            (PathBuf::from("/"), "is a folder"),
            (PathBuf::from(""), "names no file"),
        ] {
            for result in [check_writable(&path), write_atomically(&path, |_| Ok(()))] {
                let message = result.unwrap_err().to_string();
                assert!(message.contains(path.to_str().unwrap()) && message.contains(cause), "{message}");
            }
        }
    }

    #[test]
    fn asking_whether_a_path_is_writable_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old.txt");
        fs::write(&old, "old").unwrap();
        for path in [&old, &folder.path().join("new.txt"), Path::new("-"), Path::new("/dev/stdout")] {
            check_writable(path).unwrap();
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
        assert_eq!(names_in(folder.path()), ["old.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_devices_stay_devices_and_the_umask_decides_who_may_read() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

        let by_hand = folder.path().join("by hand");
        fs::write(&by_hand, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&by_hand));

        write_atomically(Path::new("/dev/null"), |out| out.write_all(b"gone")).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
