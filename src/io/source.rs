//! Where bytes come from: a file or standard input, unpacked where gzip has compressed it.

use super::text::{is_standard_stream, source_name};
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bytes that a compressed file may unpack to: 2³¹.
///
/// A megabyte of gzip can hold a gigabyte; without a limit, a file of a few megabytes would take all memory. Whoever
/// has more data unpacks it first: what lies on the disk has no limit.
pub const MAX_UNPACKED: u64 = 1 << 31;

const GZIP: &[u8] = b"\x1f\x8b";

/// All bytes of a file, or of standard input for `-`, unpacked if need be; and what messages call it.
pub(super) fn read_source(path: &Path) -> Result<(PathBuf, Vec<u8>)> {
    let name = source_name(path, "<stdin>");
    let bytes = if is_standard_stream(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| Error::io(name, error))?;
    let bytes = if bytes.starts_with(GZIP) { unpacked(name, &bytes, MAX_UNPACKED)? } else { bytes };
    Ok((name.to_path_buf(), bytes))
}

fn unpacked(name: &Path, bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    at_most(MultiGzDecoder::new(bytes), limit)
        .map_err(|cause| Error::file(name, format!("compressed by gzip, {cause}")))
}

/// All that `packed` unpacks to, unless that is more than `limit` bytes.
pub(super) fn at_most(packed: impl Read, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    packed.take(limit + 1).read_to_end(&mut bytes).map_err(|error| format!("but broken: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("unpacks to more than {limit} bytes: unpack it first if that is meant"));
    }
    Ok(bytes)
}

/// `path` without the extension `.gz`: its own extension says what is in it.
pub(super) fn without_gz(path: &Path) -> PathBuf {
    let is_gz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if is_gz { path.with_extension("") } else { path.to_path_buf() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_whatever_the_file_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.edges");
        // Two members in a row are one file, as `cat a.gz b.gz` makes them.
        fs::write(&path, [packed(b"a b\n"), packed(b"b c\n")].concat()).unwrap();
        assert_eq!(read_source(&path).unwrap().1, b"a b\nb c\n");
    }

    #[test]
    fn broken_gzip_and_bombs_are_refused() {
        let name = Path::new("a.gz");
        let whole = packed(&[b'x'; 1000]);
        assert_eq!(unpacked(name, &whole, 1000).unwrap().len(), 1000);
        let bomb = unpacked(name, &whole, 999).unwrap_err().to_string();
        assert!(bomb.starts_with("a.gz: compressed by gzip, unpacks to more than 999 bytes"), "{bomb}");
        let broken = unpacked(name, &whole[..whole.len() - 9], 1000).unwrap_err().to_string();
        assert!(broken.starts_with("a.gz: compressed by gzip, but broken: "), "{broken}");
    }

    #[test]
    fn the_extension_before_gz_counts() {
        assert_eq!(without_gz(Path::new("x/a.b.mtx.GZ")), Path::new("x/a.b.mtx"));
        assert_eq!(without_gz(Path::new("a.mtx")), Path::new("a.mtx"));
    }
}
