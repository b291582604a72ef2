//! Folders of JPEG and PNG images, as ImageNet is laid out: streamed by threads that keep a few batches ahead.
//!
//! A batch is a list of files, whether or not they are images: what cannot be decoded is counted, named and left out of
//! its batch, and no other image takes its place. So the order of all others does not depend on it.

use super::decode::{centre_crop, random_crop, read};
use super::stream::in_order;
use super::{Batches, Images, subset};
use crate::settings::Settings;
use birkhoff::instance::rng;
use birkhoff::{Error, Result};
use birkhoff_programs::experiment::sha256;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tch::Tensor;

/// Images of train/CLASS and val/CLASS (or test/CLASS).
#[derive(Debug)]
pub(super) struct Folder {
    pub classes: usize,
    pub train: Part,
    test: Part,
    /// The sha256 of what was found: see [`describe`].
    pub digest: String,
    side: u32,
    workers: usize,
    prefetch: usize,
    unreadable: Mutex<Unreadable>,
}

/// Files that are no images, by their path in the folder, each with what is wrong with it.
pub type Unreadable = BTreeMap<String, String>;

/// The images to train with, or to test with.
#[derive(Debug, Clone)]
pub(super) struct Part {
    root: Arc<PathBuf>,
    entries: Arc<Vec<Entry>>,
}

/// A file, by its path in the folder, and its class.
#[derive(Debug, Clone)]
struct Entry {
    file: PathBuf,
    label: i64,
}

impl Part {
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

/// A batch as it comes from a thread.
type Loaded = Result<(Images, Vec<(String, String)>)>;

impl Folder {
    /// Lists the files; nothing is decoded yet. What is hidden (`.name`) is passed over.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] when a part is missing, a class has no images to learn from, or is not in both.
    pub fn open(settings: &Settings) -> Result<Self> {
        let root = settings.data_dir.clone().unwrap_or_default();
        let test_folder = ["val", "test"].into_iter().find(|name| root.join(name).is_dir());
        let test_folder = test_folder.ok_or_else(|| Error::file(&root, "has no folder val or test"))?;
        let classes = names_in(&root.join("train"), is_folder)?;
        if let Some(other) = names_in(&root.join(test_folder), is_folder)?.iter().find(|&name| !classes.contains(name))
        {
            return Err(Error::file(root.join(test_folder).join(other), "is a class without training images"));
        }
        let (mut train, mut test) = (images_in(&root, "train", &classes)?, images_in(&root, test_folder, &classes)?);
        let digest = sha256(describe(&root, &[&train, &test])?.as_bytes());
        if let Some(places) = subset(settings.train_images, train.len())? {
            train = places.into_iter().map(|place| train[place].clone()).collect();
        }
        if settings.test_images > 0 {
            test.truncate(settings.test_images);
        }
        let root = Arc::new(root);
        let part = |entries: Vec<Entry>| Part { root: root.clone(), entries: Arc::new(entries) };
        Ok(Folder {
            classes: classes.len(),
            train: part(train),
            test: part(test),
            digest,
            side: settings.image_size as u32,
            workers: settings.workers,
            prefetch: settings.prefetch,
            unreadable: Mutex::default(),
        })
    }

    /// Files of the batches so far that are no images.
    pub fn unreadable(&self) -> Unreadable {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds files that an earlier session found to be no images.
    pub fn add_unreadable(&self, files: impl IntoIterator<Item = (String, String)>) {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
    }

    /// Batches `steps` of the training images in the given order; `seed` and stream of the augmentation, `None` for
    /// centre crops.
    pub fn train_batches(
        &self,
        order: &[usize],
        batch_size: usize,
        steps: Range<usize>,
        seed: Option<(u64, u64)>,
    ) -> Batches<'_> {
        let jobs = steps.map(|step| order[step * batch_size..][..batch_size].to_vec()).collect();
        self.stream(&self.train, jobs, seed)
    }

    pub fn test_batches(&self, batch_size: usize) -> Batches<'_> {
        let places: Vec<usize> = (0..self.test.len()).collect();
        self.stream(&self.test, places.chunks(batch_size).map(<[usize]>::to_vec).collect(), None)
    }

    fn stream(&self, part: &Part, jobs: Vec<Vec<usize>>, seed: Option<(u64, u64)>) -> Batches<'_> {
        let (part, side) = (part.clone(), self.side);
        let make = move |job: usize, jobs: &[Vec<usize>]| load(&part, &jobs[job], side, seed);
        let stream = in_order(jobs.len(), self.workers, self.prefetch, move |job| make(job, &jobs));
        match stream {
            Err(error) => Box::new(std::iter::once(Err(error))),
            Ok(stream) => Box::new(stream.map(|loaded| {
                let (images, unreadable) = loaded??;
                self.add_unreadable(unreadable);
                Ok(images)
            })),
        }
    }
}

/// The images at `places`, and those that are none.
fn load(part: &Part, places: &[usize], side: u32, seed: Option<(u64, u64)>) -> Loaded {
    let (mut pixels, mut labels, mut unreadable) = (vec![], vec![], vec![]);
    for &place in places {
        let Entry { file, label } = &part.entries[place];
        let image = match (read(&part.root.join(file))?, seed) {
            (Ok(image), Some((seed, stream))) => random_crop(&image, side, &mut rng(seed, stream + place as u64)),
            (Ok(image), None) => centre_crop(&image, side),
            (Err(cause), _) => {
                unreadable.push((file.to_string_lossy().into_owned(), cause));
                continue;
            }
        };
        for channel in 0..3 {
            pixels.extend(image.pixels().map(|pixel| pixel[channel]));
        }
        labels.push(*label);
    }
    let size = [labels.len() as i64, 3, i64::from(side), i64::from(side)];
    Ok((Images { pixels: Tensor::from_slice(&pixels).view(size), labels: Tensor::from_slice(&labels) }, unreadable))
}

/// How many files' sizes are asked for.
const SIZES: usize = 1000;

/// What tells two sets of images apart without reading them: the names of all, the sizes of some thousand.
fn describe(root: &Path, parts: &[&[Entry]]) -> Result<String> {
    let mut text = String::new();
    for entries in parts {
        for (place, Entry { file, label }) in entries.iter().enumerate() {
            text += &format!("{label} {}\n", file.display());
            if place.is_multiple_of(entries.len().div_ceil(SIZES)) {
                let path = root.join(file);
                let found = std::fs::metadata(&path).map_err(|error| Error::io(&path, error))?;
                text += &format!("{}\n", found.len());
            }
        }
    }
    Ok(text)
}

/// What is in a folder, sorted, but for hidden names and what is not `wanted`.
fn names_in(folder: &Path, wanted: impl Fn(&DirEntry) -> bool) -> Result<Vec<OsString>> {
    let failed = |error| Error::io(folder, error);
    let mut entries =
        std::fs::read_dir(folder).map_err(failed)?.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".") && wanted(entry));
    let mut names: Vec<OsString> = entries.iter().map(DirEntry::file_name).collect();
    names.sort();
    Ok(names)
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.path().is_dir()
}

fn images_in(root: &Path, part: &str, classes: &[OsString]) -> Result<Vec<Entry>> {
    let mut found = vec![];
    for (label, class) in classes.iter().enumerate() {
        let folder = Path::new(part).join(class);
        let place = root.join(&folder);
        if place.is_dir() {
            let names = names_in(&place, is_image)?;
            if part == "train" && names.is_empty() {
                return Err(Error::file(place, format!("has no images ({EXTENSIONS})")));
            }
            found.extend(names.into_iter().map(|name| Entry { file: folder.join(name), label: label as i64 }));
        }
    }
    if found.is_empty() {
        return Err(Error::file(root.join(part), format!("has no images ({EXTENSIONS} in one folder a class)")));
    }
    Ok(found)
}

const EXTENSIONS: &str = ".jpg, .jpeg, .JPEG or .png";

fn is_image(entry: &DirEntry) -> bool {
    let path = entry.path();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| ["jpg", "jpeg", "png"].contains(&extension.as_str()))
        && entry.file_type().is_ok_and(|found| found.is_file() || found.is_symlink())
}
