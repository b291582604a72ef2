//! CIFAR-10 and CIFAR-100 in their official binary form (Krizhevsky 2009): records of labels and 3072 bytes, channel by
//! channel, row by row.

use super::{Images, Store};
use birkhoff::{Error, Result};
use std::path::{Path, PathBuf};
use tch::Tensor;

const PIXELS: usize = 3 * 32 * 32;

/// One of the two data sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    folder: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    /// Records of a training file, and of the test file.
    records: [usize; 2],
    /// Bytes of labels before the pixels; the last one counts.
    labels: usize,
    classes: u8,
}

pub(super) const TEN: Layout = Layout {
    folder: "cifar-10-batches-bin",
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: "test_batch.bin",
    records: [10_000, 10_000],
    labels: 1,
    classes: 10,
};

pub(super) const HUNDRED: Layout = Layout {
    folder: "cifar-100-binary",
    train: &["train.bin"],
    test: "test.bin",
    records: [50_000, 10_000],
    labels: 2,
    classes: 100,
};

/// Reads all files; `folder` is where they are, or where their official folder is.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] naming the file: missing, of a wrong size, or with a label that there is not.
pub(super) fn read(folder: &Path, layout: Layout) -> Result<Store> {
    let inner = folder.join(layout.folder);
    let folder = if inner.is_dir() { inner } else { folder.to_path_buf() };
    let train: Vec<PathBuf> = layout.train.iter().map(|name| folder.join(name)).collect();
    Ok(Store::Memory {
        train: read_files(&train, layout, layout.records[0])?,
        test: read_files(&[folder.join(layout.test)], layout, layout.records[1])?,
    })
}

fn read_files(paths: &[PathBuf], layout: Layout, records: usize) -> Result<Images> {
    let mut pixels = Vec::with_capacity(paths.len() * records * PIXELS);
    let mut labels = Vec::with_capacity(paths.len() * records);
    for path in paths {
        read_file(path, layout, records, &mut pixels, &mut labels)?;
    }
    let size = [labels.len() as i64, 3, 32, 32];
    Ok(Images { pixels: Tensor::from_slice(&pixels).view(size), labels: Tensor::from_slice(&labels) })
}

fn read_file(path: &Path, layout: Layout, records: usize, pixels: &mut Vec<u8>, labels: &mut Vec<i64>) -> Result<()> {
    let expected = records * (layout.labels + PIXELS);
    // Asked first: a wrong file may be huge.
    let size = std::fs::metadata(path).map_err(|error| Error::io(path, error))?.len();
    if size != expected as u64 {
        let cause = format!("has {size} bytes, but {expected} ({records} records) make this part of {}", layout.folder);
        return Err(Error::file(path, cause));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
    if bytes.len() != expected {
        return Err(Error::file(path, "changes while it is read"));
    }
    for (record, bytes) in bytes.chunks_exact(layout.labels + PIXELS).enumerate() {
        let label = bytes[layout.labels - 1];
        if label >= layout.classes {
            let cause = format!("record {record}: label {label}, but there are {} classes", layout.classes);
            return Err(Error::file(path, cause));
        }
        labels.push(i64::from(label));
        pixels.extend_from_slice(&bytes[layout.labels..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: Layout =
        Layout { folder: "tiny", train: &["a.bin", "b.bin"], test: "t.bin", records: [2, 1], labels: 2, classes: 3 };

    fn record(label: u8, pixel: u8) -> Vec<u8> {
        [vec![9, label], vec![pixel; PIXELS]].concat()
    }

    fn write(folder: &Path) {
        std::fs::write(folder.join("a.bin"), [record(0, 10), record(1, 11)].concat()).unwrap();
        std::fs::write(folder.join("b.bin"), [record(2, 12), record(0, 13)].concat()).unwrap();
        std::fs::write(folder.join("t.bin"), record(1, 14)).unwrap();
    }

    #[test]
    fn records_are_read_in_order_from_the_folder_or_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("tiny");
        std::fs::create_dir(&inner).unwrap();
        write(&inner);
        for folder in [folder.path(), &inner] {
            let Store::Memory { train, test } = read(folder, TINY).unwrap() else { unreachable!() };
            assert_eq!(Vec::<i64>::try_from(&train.labels).unwrap(), [0, 1, 2, 0]);
            assert_eq!(train.pixels.size(), [4, 3, 32, 32]);
            assert_eq!(train.pixels.int64_value(&[2, 1, 5, 5]), 12);
            assert_eq!((test.labels.int64_value(&[0]), test.pixels.int64_value(&[0, 2, 31, 31])), (1, 14));
        }
    }

    #[test]
    fn broken_files_are_named_with_their_cause() {
        let folder = tempfile::tempdir().unwrap();
        let message = |change: &dyn Fn(&Path)| {
            write(folder.path());
            change(folder.path());
            read(folder.path(), TINY).unwrap_err().to_string()
        };
        let truncated = message(&|folder| std::fs::write(folder.join("b.bin"), &record(0, 0)[..100]).unwrap());
        assert!(truncated.contains("b.bin") && truncated.contains("100 bytes"), "{truncated}");
        let long = message(&|folder| std::fs::write(folder.join("t.bin"), [record(0, 0), vec![0]].concat()).unwrap());
        assert!(long.contains("t.bin") && long.contains("3075 bytes"), "{long}");
        let label =
            message(&|folder| std::fs::write(folder.join("a.bin"), [record(0, 0), record(3, 0)].concat()).unwrap());
        assert!(label.contains("a.bin") && label.contains("record 1: label 3"), "{label}");
        let missing = message(&|folder| std::fs::remove_file(folder.join("a.bin")).unwrap());
        assert!(missing.contains("a.bin"), "{missing}");
    }
}
