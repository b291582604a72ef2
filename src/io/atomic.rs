//! Files that are there whole or not at all.

use super::place::{Place, folder_of, is_character_device, no_folder};
use super::text::source_name;
use crate::error::{Error, Result};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;
use tempfile::{Builder, NamedTempFile};

/// Writes a file so that it is there complete or not at all: `content` fills a temporary file in the same
/// folder, which is flushed to the disk and renamed to `path`; then the folder is flushed.
///
/// When anything fails, a panic in `content` included, the temporary file is removed and an older file at `path` stays
/// as it was. A file that is replaced keeps its mode and, where the system permits it, its owner; one that must not be
/// written is not replaced. A symbolic link is followed, so that the file it points at is replaced or made. `-` and
/// `/dev/stdout` mean standard output; what exists and is no regular file (a pipe, `/dev/null`, an open descriptor
/// `/dev/fd/3`) is written to directly, and a reader of it that goes away early is no error. Of a file with several
/// hard links, only this one changes.
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
/// [`Error::File`] when the folder cannot be written to or `path` is a folder, a block device or a socket,
/// [`Error::Io`] when writing fails or the file is read-only; both name `path`.
pub fn write_atomically(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match Place::of(path)? {
        Place::StandardOutput => fill(Heard::by(io::stdout().lock()), content),
        Place::Stream(stream) => open_stream(&stream).and_then(|file| fill(Heard::by(file), content)),
        Place::File(target) => {
            let older = replaceable(path, &target)?;
            let mut temporary = temporary_beside(path, &target, older.as_ref())?;
            fill(temporary.as_file_mut(), content)
                .map(|()| older.iter().for_each(|older| keep_permissions(temporary.as_file(), older)))
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
    match Place::of(path)? {
        Place::File(target) => {
            let older = replaceable(path, &target)?;
            temporary_beside(path, &target, older.as_ref()).map(drop)
        }
        // Opening a pipe would wait for its reader.
        Place::Stream(stream) if fs::metadata(&stream).is_ok_and(|found| is_character_device(found.file_type())) => {
            open_stream(&stream).map(drop).map_err(|source| Error::io(path, source))
        }
        Place::StandardOutput | Place::Stream(_) => Ok(()),
    }
}

/// At its end, where it is a file behind a descriptor.
fn open_stream(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

/// What is to be kept of the file at `target`, if there is one. It may be replaced only if it might be written.
fn replaceable(path: &Path, target: &Path) -> Result<Option<Metadata>> {
    match OpenOptions::new().write(true).open(target).and_then(|file| file.metadata()) {
        Ok(older) => Ok(Some(older)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, error)),
    }
}

fn fill(mut file: impl Write, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::new(&mut file);
    content(&mut buffered)?;
    buffered.flush()
}

/// A stream to somebody who may have heard enough (`| head`): from then on it takes everything and passes nothing on.
struct Heard<W> {
    listener: Option<W>,
}

impl<W: Write> Heard<W> {
    fn by(listener: W) -> Self {
        Heard { listener: Some(listener) }
    }

    fn tell<T>(&mut self, otherwise: T, tell: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let Some(listener) = &mut self.listener else { return Ok(otherwise) };
        match tell(listener) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.listener = None;
                Ok(otherwise)
            }
            told => told,
        }
    }
}

impl<W: Write> Write for Heard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tell(bytes.len(), |listener| listener.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tell((), W::flush)
    }
}

const PREFIX: &str = ".birkhoff-";
const SUFFIX: &str = ".tmp";

/// A temporary file, locked as long as it is written.
fn temporary_beside(path: &Path, target: &Path, older: Option<&Metadata>) -> Result<NamedTempFile> {
    let folder = folder_of(target);
    remove_abandoned(folder);
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Temporary files are private by default, as one has to be that replaces a private file. Of a new one, the umask
    // decides.
    #[cfg(unix)]
    if older.is_none() {
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    // tempfile's message names its random file, which is noise here; the kind says what is wrong.
    let temporary = builder.tempfile_in(folder).map_err(|source| no_folder(path, folder, &source))?;
    // Where files cannot be locked, nothing will take this one for abandoned.
    let _ = temporary.as_file().try_lock();
    Ok(temporary)
}

/// Far longer than a temporary file is unlocked after it is made.
const ABANDONED: Duration = Duration::from_secs(60);

/// Removes temporary files whose writer was killed: their names are ours, nobody holds their lock, and they are not
/// new.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let is_ours =
            random.is_some_and(|random| random.len() == 6 && random.chars().all(|c| c.is_ascii_alphanumeric()));
        let is_old = || {
            let found = entry.metadata().ok().filter(Metadata::is_file)?;
            found.modified().ok()?.elapsed().ok()
        };
        if is_ours && is_old().is_some_and(|age| age >= ABANDONED) {
            let lock = OpenOptions::new().write(true).open(entry.path());
            if lock.is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Gives `file` the mode, owner and group of the `older` one, as far as the system permits it: never more rights to
/// anybody than there were.
#[cfg(unix)]
pub fn keep_permissions(file: &File, older: &Metadata) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let mut mode = older.mode() & 0o7777;
    let Ok(new) = file.metadata() else { return };
    if (new.uid(), new.gid()) != (older.uid(), older.gid())
        && fchown(file, Some(older.uid()), Some(older.gid())).is_err()
    {
        mode &= 0o777;
        if new.gid() != older.gid() && fchown(file, None, Some(older.gid())).is_err() {
            // What a group might do, another one may not.
            mode &= 0o707;
        }
    }
    // Where modes cannot be set, the private one of temporary files stays.
    let _ = file.set_permissions(fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
pub fn keep_permissions(_: &File, _: &Metadata) {}

/// Makes a rename itself durable. Some file systems cannot do this; the file is complete either way.
pub fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

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

    #[test]
    fn what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let long_ago = std::time::SystemTime::now() - 2 * ABANDONED;
        let make = |name: &str, time| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(time).unwrap();
            file
        };
        let living = make(".birkhoff-living.tmp", long_ago);
        living.lock().unwrap();
        make(".birkhoff-killed.tmp", long_ago);
        make(".birkhoff-newone.tmp", std::time::SystemTime::now());
        for other in ["killed.tmp", ".birkhoff-my notes.tmp", ".birkhoff-killed"] {
            make(other, long_ago);
        }
        write_atomically(&folder.path().join("out"), |_| Ok(())).unwrap();
        let mut names = names_in(folder.path());
        names.sort();
        let left = [".birkhoff-killed", ".birkhoff-living.tmp", ".birkhoff-my notes.tmp", ".birkhoff-newone.tmp"];
        assert_eq!(names, [&left[..], &["killed.tmp", "out"]].concat());
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error_and_everything_else_is() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(self.0.into())
            }
        }
        let write = |kind| fill(Heard::by(Broken(kind)), |file| file.write_all(&[b'x'; 100_000]));
        assert!(write(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(write(io::ErrorKind::StorageFull).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_dangling_link_makes_what_it_points_at() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for wanted in [0o600, 0o640, 0o666, 0o755] {
            let file = name("file");
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(wanted)).unwrap();
            // It is private before there is anything in it.
            write_atomically(&file, |out| {
                let temporary = names_in(folder.path()).into_iter().find(|name| name.starts_with(PREFIX)).unwrap();
                assert_eq!(mode(&folder.path().join(temporary)), 0o600);
                out.write_all(b"new")
            })
            .unwrap();
            assert_eq!((mode(&file), fs::read_to_string(&file).unwrap().as_str()), (wanted, "new"), "{wanted:o}");
        }
        fs::create_dir(name("elsewhere")).unwrap();
        symlink("elsewhere/made", name("link")).unwrap();
        check_writable(&name("link")).unwrap();
        write_atomically(&name("link"), |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(name("elsewhere/made")).unwrap(), "new");
        assert!(fs::symlink_metadata(name("link")).unwrap().is_symlink());
        symlink("nowhere/made", name("lost")).unwrap();
        let message = write_atomically(&name("lost"), |_| Ok(())).unwrap_err().to_string();
        assert!(message.contains("lost: the folder ") && message.contains("nowhere"), "{message}");
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
