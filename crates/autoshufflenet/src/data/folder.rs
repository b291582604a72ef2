//! Folders of JPEG and PNG images, as ImageNet is laid out: streamed by worker threads that keep a few batches ahead.

use super::{Batches, Images};
use crate::settings::Settings;
use birkhoff::instance::rng;
use birkhoff::{Error, Result};
use image::imageops::{FilterType, crop_imm, flip_horizontal_in_place, resize};
use image::{ImageReader, Limits, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tch::Tensor;

/// A file and its class.
pub type Entry = (PathBuf, i64);

/// Images of train/CLASS and val/CLASS (or test/CLASS).
#[derive(Debug)]
pub struct Folder {
    /// Names of the classes, sorted; the label is the place.
    pub classes: Vec<String>,
    /// Training images.
    pub train: Arc<Vec<Entry>>,
    test: Arc<Vec<Entry>>,
    side: u32,
    workers: usize,
    prefetch: usize,
    unreadable: Arc<Mutex<Unreadable>>,
}

/// Files that could not be decoded; each counts once however often it is met.
#[derive(Debug, Default)]
struct Unreadable {
    files: std::collections::BTreeMap<PathBuf, String>,
}

/// An image of more pixels than this is not decoded: a small file can claim any size.
const LARGEST_SIDE: u32 = 20_000;
/// Bytes that decoding one image may take.
const LARGEST_ALLOCATION: u64 = 1 << 29;

impl Folder {
    /// Lists the files; nothing is decoded yet.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] when a part is missing or has no images, or a class is not in both.
    pub fn open(settings: &Settings) -> Result<Self> {
        let root = settings.data_dir.clone().unwrap_or_default();
        let train_folder = root.join("train");
        let test_folder = ["val", "test"].map(|name| root.join(name)).into_iter().find(|folder| folder.is_dir());
        let test_folder = test_folder.ok_or_else(|| Error::file(&root, "has no folder val or test"))?;
        let classes: Vec<String> = folders_in(&train_folder)?;
        if let Some(other) = folders_in(&test_folder)?.iter().find(|class| !classes.contains(class)) {
            return Err(Error::file(test_folder.join(other), "is a class without training images"));
        }
        let mut test = images_in(&test_folder, &classes)?;
        if settings.test_images > 0 {
            test.truncate(settings.test_images);
        }
        Ok(Folder {
            train: Arc::new(images_in(&train_folder, &classes)?),
            test: Arc::new(test),
            classes,
            side: settings.image_size as u32,
            workers: settings.workers,
            prefetch: settings.prefetch,
            unreadable: Arc::default(),
        })
    }

    /// Number of files that could not be decoded so far, and the first with its error.
    pub fn unreadable(&self) -> Option<(usize, String)> {
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, cause) = unreadable.files.first_key_value()?;
        Some((unreadable.files.len(), format!("{}: {cause}", path.display())))
    }

    /// Batches `steps` of the training images in the given order; `seed` and stream of the augmentation, `None` for centre crops.
    pub(super) fn train_batches(
        &self,
        order: &[usize],
        batch_size: usize,
        steps: Range<usize>,
        seed: Option<(u64, u64)>,
    ) -> Batches<'_> {
        let jobs = steps.map(|step| order[step * batch_size..][..batch_size].to_vec()).collect();
        self.stream(self.train.clone(), jobs, seed)
    }

    pub(super) fn test_batches(&self, batch_size: usize) -> Batches<'_> {
        let places: Vec<usize> = (0..self.test.len()).collect();
        self.stream(self.test.clone(), places.chunks(batch_size).map(<[usize]>::to_vec).collect(), None)
    }

    /// Batch i is made by worker i mod workers, and waits in that worker's channel: the order is the jobs', and at
    /// most workers·(prefetch + 1) batches are in memory.
    fn stream(&self, entries: Arc<Vec<Entry>>, jobs: Vec<Vec<usize>>, seed: Option<(u64, u64)>) -> Batches<'_> {
        let jobs = Arc::new(jobs);
        let stop = Arc::new(AtomicBool::new(false));
        let workers = (0..self.workers).map(|worker| {
            let (sender, receiver) = sync_channel(self.prefetch);
            let (entries, jobs, stop) = (entries.clone(), jobs.clone(), stop.clone());
            let (unreadable, side, step) = (self.unreadable.clone(), self.side, self.workers);
            std::thread::spawn(move || {
                for job in jobs.iter().skip(worker).step_by(step) {
                    if stop.load(Ordering::Relaxed)
                        || sender.send(decode(&entries, job, side, seed, &unreadable)).is_err()
                    {
                        return;
                    }
                }
            });
            receiver
        });
        Box::new(Stream { receivers: workers.collect(), next: 0, left: jobs.len(), stop })
    }
}

struct Stream {
    receivers: Vec<Receiver<Option<Images>>>,
    next: usize,
    left: usize,
    stop: Arc<AtomicBool>,
}

impl Iterator for Stream {
    type Item = Images;
    fn next(&mut self) -> Option<Images> {
        while self.left > 0 {
            let batch = self.receivers[self.next].recv().ok()?;
            self.next = (self.next + 1) % self.receivers.len();
            self.left -= 1;
            if batch.is_some() {
                return batch;
            }
        }
        None
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The images that can be read among `places`; `None` if none can.
fn decode(
    entries: &[Entry],
    places: &[usize],
    side: u32,
    seed: Option<(u64, u64)>,
    unreadable: &Mutex<Unreadable>,
) -> Option<Images> {
    let (mut pixels, mut labels) = (vec![], vec![]);
    for &place in places {
        let (path, label) = &entries[place];
        match read(path) {
            Ok(image) => {
                let image = match seed {
                    Some((rng_seed, stream)) => random_crop(&image, side, &mut rng(rng_seed, stream + place as u64)),
                    None => centre_crop(&image, side),
                };
                for channel in 0..3 {
                    pixels.extend(image.pixels().map(|pixel| pixel[channel]));
                }
                labels.push(*label);
            }
            Err(cause) => {
                let mut unreadable = unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                unreadable.files.insert(path.clone(), cause.replace('\n', " "));
            }
        }
    }
    let (count, side) = (labels.len() as i64, i64::from(side));
    let images = || Images {
        pixels: Tensor::from_slice(&pixels).view([count, 3, side, side]),
        labels: Tensor::from_slice(&labels),
    };
    (count > 0).then(images)
}

fn read(path: &Path) -> std::result::Result<RgbImage, String> {
    let mut reader =
        ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LARGEST_SIDE), Some(LARGEST_SIDE));
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| error.to_string())?.into_rgb8();
    if image.width() == 0 || image.height() == 0 {
        return Err("has no pixels".to_string());
    }
    Ok(image)
}

/// A random window of 8 to 100 % of the area and 3:4 to 4:3 in shape, resized to the side, flipped with probability ½: the crop
/// that ImageNet networks are trained with (Szegedy et al. 2015).
fn random_crop(image: &RgbImage, side: u32, rng: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = image.dimensions();
    let area = f64::from(width) * f64::from(height);
    let mut window = None;
    for _ in 0..10 {
        let area = area * rng.random_range(0.08..1.0);
        let ratio = rng.random_range((3f64 / 4.0).ln()..(4f64 / 3.0).ln()).exp();
        let (w, h) = ((area * ratio).sqrt().round() as u32, (area / ratio).sqrt().round() as u32);
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            window = Some((rng.random_range(0..=width - w), rng.random_range(0..=height - h), w, h));
            break;
        }
    }
    let flipped = rng.random_bool(0.5);
    let Some((x, y, w, h)) = window else { return centre_crop(image, side) };
    let mut cropped = resize(&*crop_imm(image, x, y, w, h), side, side, FilterType::Triangle);
    if flipped {
        flip_horizontal_in_place(&mut cropped);
    }
    cropped
}

/// The middle 7/8 of the shorter side, as a square, resized to the side.
fn centre_crop(image: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let window = (width.min(height) * 7 / 8).max(1);
    let (x, y) = ((width - window) / 2, (height - window) / 2);
    resize(&*crop_imm(image, x, y, window, window), side, side, FilterType::Triangle)
}

fn sorted_names(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io(folder, error);
    let entries = std::fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn folders_in(folder: &Path) -> Result<Vec<String>> {
    let folders = sorted_names(folder)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
}

fn images_in(folder: &Path, classes: &[String]) -> Result<Vec<Entry>> {
    let mut found = vec![];
    for (label, class) in classes.iter().enumerate() {
        let folder = folder.join(class);
        if folder.is_dir() {
            let images = sorted_names(&folder)?.into_iter().filter(|path| is_image(path));
            found.extend(images.map(|path| (path, label as i64)));
        }
    }
    if found.is_empty() {
        return Err(Error::file(folder, "has no images (.jpg, .jpeg, .JPEG or .png in one folder a class)"));
    }
    Ok(found)
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| ["jpg", "jpeg", "png"].contains(&extension.as_str()))
}
