//! Images with labels: built in, CIFAR's files, or folders.

mod augment;
mod cifar;
mod decode;
mod folder;
pub(crate) mod stream;
mod synthetic;

use crate::settings::Settings;
use birkhoff::instance::rng;
use birkhoff::{Error, Permutation, Result};
use birkhoff_programs::experiment::sha256;
use tch::{Device, Kind, Tensor};

pub use crate::source::Source;
use folder::Folder;
pub use folder::Unreadable;

/// Images in memory.
#[derive(Debug)]
pub struct Images {
    /// count × 3 × height × width, one byte a value.
    pub pixels: Tensor,
    /// count, i64.
    pub labels: Tensor,
}

impl Images {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.numel()
    }

    /// Whether there are none: no file of the batch is an image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images at the given places.
    fn select(&self, places: &[i64]) -> Images {
        let index = Tensor::from_slice(places).to_device(self.labels.device());
        Images { pixels: self.pixels.index_select(0, &index), labels: self.labels.index_select(0, &index) }
    }

    fn to_device(&self, device: Device) -> Images {
        Images { pixels: self.pixels.to_device(device), labels: self.labels.to_device(device) }
    }
}

/// Training and test images, with the colours' mean and deviation.
#[derive(Debug)]
pub struct Data {
    /// Number of classes.
    pub classes: usize,
    batch_size: usize,
    rng_seed: u64,
    augmentation: bool,
    device: Device,
    mean: Tensor,
    deviation: Tensor,
    images: Store,
    digest: String,
}

#[derive(Debug)]
enum Store {
    Memory { train: Images, test: Images },
    Folder(Folder),
}

/// Batches on their way, or why they do not come. One of files that are all no images is empty, and keeps its place.
pub type Batches<'a> = Box<dyn Iterator<Item = Result<Images>> + 'a>;

/// Streams of random numbers, apart from those of the shuffles (0, 1, …).
const SUBSET: u64 = 1 << 40;
const ORDER: u64 = 1 << 41;
const STEP: u64 = 1 << 42;

/// The subset of the training images is the same for every seed of a run, so that runs are compared on the same images.
const SUBSET_SEED: u64 = 0;

/// Images a test batch.
const TEST_BATCH: usize = 500;

impl Data {
    /// Reads or makes what the settings say.
    ///
    /// # Errors
    /// What is wrong with the files; [`Error::Argument`] when there are fewer images than a batch.
    pub fn open(settings: &Settings, device: Device) -> Result<Self> {
        let folder = || settings.data_dir.clone().unwrap_or_default();
        let (classes, mut images, mean, deviation) = match settings.data {
            Source::Synthetic => (10, synthetic::make(), [0.5; 3], [0.25; 3]),
            Source::Cifar10 => {
                (10, cifar::read(&folder(), cifar::TEN)?, [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
            }
            Source::Cifar100 => {
                (100, cifar::read(&folder(), cifar::HUNDRED)?, [0.5071, 0.4866, 0.4409], [0.2673, 0.2564, 0.2762])
            }
            Source::Folder => {
                let folder = Folder::open(settings)?;
                (folder.classes, Store::Folder(folder), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
            }
        };
        let digest = match &images {
            Store::Memory { train, test } => sha256(format!("{} {}", digest(train)?, digest(test)?).as_bytes()),
            Store::Folder(folder) => folder.digest.clone(),
        };
        if let Store::Memory { train, test } = &mut images {
            if let Some(places) = subset(settings.train_images, train.len())? {
                *train = train.select(&places.into_iter().map(|place| place as i64).collect::<Vec<_>>());
            }
            if settings.test_images > 0 {
                let count = settings.test_images.min(test.len()) as i64;
                *test = test.select(&(0..count).collect::<Vec<_>>());
            }
            (*train, *test) = (train.to_device(device), test.to_device(device));
        }
        let by_channel =
            |values: [f64; 3]| Tensor::from_slice(&values).to_kind(Kind::Float).view([1, 3, 1, 1]).to_device(device);
        let data = Data {
            classes,
            batch_size: settings.batch_size,
            rng_seed: settings.rng_seed,
            augmentation: !settings.no_augmentation,
            device,
            mean: by_channel(mean),
            deviation: by_channel(deviation),
            images,
            digest,
        };
        if data.steps() == 0 {
            let cause = format!("is {}, more than the {} training images", data.batch_size, data.train_len());
            return Err(Error::argument("batch_size", cause));
        }
        Ok(data)
    }

    fn train_len(&self) -> usize {
        match &self.images {
            Store::Memory { train, .. } => train.len(),
            Store::Folder(folder) => folder.train.len(),
        }
    }

    /// Steps an epoch; images that do not fill a batch wait for the next epoch.
    pub fn steps(&self) -> usize {
        self.train_len() / self.batch_size
    }

    /// The sha256 of all images, of a folder's names: two sets of images differ in it.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Files of the batches so far that are no images.
    pub fn unreadable(&self) -> Unreadable {
        match &self.images {
            Store::Memory { .. } => Unreadable::new(),
            Store::Folder(folder) => folder.unreadable(),
        }
    }

    /// Adds files that an earlier session found to be no images.
    pub fn add_unreadable(&self, files: Unreadable) {
        if let Store::Folder(folder) = &self.images {
            folder.add_unreadable(files);
        }
    }

    /// What is wrong when none of the files of a part ("training", "test") is an image.
    pub fn nothing_to_see(&self, part: &str) -> Error {
        let first = self.unreadable().into_iter().next();
        let first = first.map_or(String::new(), |(file, cause)| format!("; the first: {file}: {cause}"));
        Error::Breakdown(format!("none of the {part} images can be decoded{first}"))
    }

    /// The training batches of an epoch from the one numbered `first` on, in the epoch's own order, augmented.
    ///
    /// Order and augmentation depend on the seed, the epoch and the step alone, so that a resumed run sees what an
    /// uninterrupted one does.
    pub fn train_batches(&self, epoch: usize, first: usize) -> Batches<'_> {
        let order = Permutation::random(self.train_len(), &mut rng(self.rng_seed, ORDER + epoch as u64));
        let steps = self.steps();
        match &self.images {
            Store::Folder(folder) => {
                let seed = (self.rng_seed, STEP + (epoch * self.train_len()) as u64);
                folder.train_batches(order.image(), self.batch_size, first..steps, self.augmentation.then_some(seed))
            }
            Store::Memory { train, .. } => Box::new((first..steps).map(move |step| {
                let places = &order.image()[step * self.batch_size..][..self.batch_size];
                let mut batch = train.select(&places.iter().map(|&place| place as i64).collect::<Vec<_>>());
                if self.augmentation {
                    let number = STEP + (epoch * steps + step) as u64;
                    batch.pixels = augment::crop_and_flip(&batch.pixels, &mut rng(self.rng_seed, number));
                }
                Ok(batch)
            })),
        }
    }

    /// The test images, in order.
    pub fn test_batches(&self) -> Batches<'_> {
        match &self.images {
            Store::Folder(folder) => folder.test_batches(self.batch_size),
            Store::Memory { test, .. } => Box::new((0..test.len()).step_by(TEST_BATCH).map(move |start| {
                let length = TEST_BATCH.min(test.len() - start) as i64;
                let part = |tensor: &Tensor| tensor.narrow(0, start as i64, length);
                Ok(Images { pixels: part(&test.pixels), labels: part(&test.labels) })
            })),
        }
    }

    /// Bytes to colours of mean 0 and deviation 1, on the device.
    pub fn normalize(&self, pixels: &Tensor) -> Tensor {
        let pixels = pixels.to_device(self.device).to_kind(Kind::Float) / 255.0;
        (pixels - &self.mean) / &self.deviation
    }
}

/// The places of the training images that are learned, of so many; `None` is all of them.
fn subset(wanted: usize, count: usize) -> Result<Option<Vec<usize>>> {
    if wanted > count {
        return Err(Error::argument("train_images", format!("is {wanted}, but there are {count} images")));
    }
    let places = || Permutation::random(count, &mut rng(SUBSET_SEED, SUBSET)).image()[..wanted].to_vec();
    Ok((wanted > 0).then(places))
}

/// The sha256 of the pixels and of the labels of images in memory.
fn digest(Images { pixels, labels }: &Images) -> Result<String> {
    let hash = |tensor: &Tensor| Vec::<u8>::try_from(&tensor.flatten(0, -1)).map(|bytes| sha256(&bytes));
    let broken = |error: tch::TchError| Error::Breakdown(format!("the images cannot be copied: {error}"));
    Ok(format!("{} {}", hash(pixels).map_err(broken)?, hash(labels).map_err(broken)?))
}
