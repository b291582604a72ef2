//! Whether two paths lead to the same file, whatever they are called.

use super::place::{Place, is_character_device};
use super::text::is_standard_stream;
use std::fs::{self, Metadata};
use std::path::Path;

impl Place {
    /// Whether what is written to one would spoil what is written to the other.
    pub fn is_same(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::StandardOutput, Place::StandardOutput) => true,
            (Place::File(a), Place::File(b)) if a == b => true,
            _ => self.identity().is_some_and(|identity| Some(identity) == other.identity()),
        }
    }

    /// Whether it is the file that is read as `input`, `-` being what standard input was redirected from.
    pub fn is_read_as(&self, input: &Path) -> bool {
        let input = if is_standard_stream(input) { Path::new("/dev/stdin") } else { input };
        fs::canonicalize(input).is_ok_and(|input| self.is_same(&Place::File(input)))
    }

    /// What tells files apart. Terminals and `/dev/null` may be written to twice: they have none.
    fn identity(&self) -> Option<Identity> {
        let path = match self {
            Place::StandardOutput => Path::new("/dev/stdout"),
            Place::Stream(path) | Place::File(path) => path,
        };
        let found = fs::metadata(path).ok()?;
        if is_character_device(found.file_type()) { None } else { identity(path, &found) }
    }
}

/// Device and number of a file.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(_: &Path, found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
type Identity = std::path::PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_under_every_name_that_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        fs::create_dir(name("inner")).unwrap();
        fs::write(name("there"), "").unwrap();
        let same = |a: &str, b: &str| Place::of(&name(a)).unwrap().is_same(&Place::of(&name(b)).unwrap());
        for file in ["there", "new"] {
            assert!(same(file, &format!("./{file}")) && same(file, &format!("inner/../{file}")), "{file}");
        }
        assert!(!same("there", "new") && !same("new", "inner/new"));
        assert!(Place::of(&name("there")).unwrap().is_read_as(&name("inner/../there")));
        assert!(!Place::of(&name("new")).unwrap().is_read_as(&name("new")), "nothing can be read there");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_the_file_that_they_point_at_or_would_make() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        fs::write(name("there"), "").unwrap();
        fs::hard_link(name("there"), name("hard")).unwrap();
        fs::create_dir(name("inner")).unwrap();
        symlink("there", name("soft")).unwrap();
        symlink("inner/new", name("dangling")).unwrap();
        symlink("dangling", name("twice")).unwrap();
        symlink("circle", name("circle")).unwrap();
        let same = |a: &str, b: &str| Place::of(&name(a)).unwrap().is_same(&Place::of(&name(b)).unwrap());
        assert!(same("soft", "there") && same("hard", "there") && same("twice", "inner/new"));
        assert!(!same("dangling", "there"));
        assert!(Place::of(&name("circle")).unwrap_err().to_string().contains("in a circle"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn standard_output_has_many_names_and_what_vanishes_may_vanish_twice() {
        let place = |name: &str| Place::of(Path::new(name)).unwrap();
        assert!(place("/dev/fd/1").is_same(&place("-")) && place("/dev/stdout").is_same(&place("-")));
        assert!(!place("/dev/null").is_same(&place("/dev/null")));
    }
}
