//! Images with labels: built in, CIFAR's files, or folders.

mod augment;
mod cifar;
mod folder;
mod synthetic;

use crate::settings::Settings;
use birkhoff::instance::rng;
use birkhoff::{Error, Permutation, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

pub use folder::Folder;

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Ten classes of blurred patterns, 32 × 32, made from a seed: for trying out.
    Synthetic,
    /// CIFAR-10's binary files.
    Cifar10,
    /// CIFAR-100's binary files, fine labels.
    Cifar100,
    /// train/CLASS/image and val/CLASS/image, as ImageNet is laid out.
    Folder,
}

/// Images in memory.
#[derive(Debug)]
pub struct Images {
    /// count × 3 × height × width, one byte a value.
    pub pixels: Tensor,
    /// count, i64.
    pub labels: Tensor,
}

impl Images {
    fn len(&self) -> usize {
        self.labels.numel()
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
}

#[derive(Debug)]
enum Store {
    Memory { train: Images, test: Images },
    Folder(Folder),
}

/// Batches on their way.
pub type Batches<'a> = Box<dyn Iterator<Item = Images> + 'a>;

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
                (folder.classes.len(), Store::Folder(folder), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
            }
        };
        if let Store::Memory { train, test } = &mut images {
            if settings.train_images > train.len() {
                let cause = format!("is {}, but there are {} images", settings.train_images, train.len());
                return Err(Error::argument("train_images", cause));
            }
            if settings.train_images > 0 {
                let order = Permutation::random(train.len(), &mut rng(SUBSET_SEED, SUBSET));
                let places: Vec<i64> =
                    order.image()[..settings.train_images].iter().map(|&place| place as i64).collect();
                *train = train.select(&places);
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

    /// Images that could not be read so far, with the first of them and its error.
    pub fn unreadable(&self) -> Option<(usize, String)> {
        match &self.images {
            Store::Memory { .. } => None,
            Store::Folder(folder) => folder.unreadable(),
        }
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
                batch
            })),
        }
    }

    /// The test images, in order.
    pub fn test_batches(&self) -> Batches<'_> {
        match &self.images {
            Store::Folder(folder) => folder.test_batches(self.batch_size),
            Store::Memory { test, .. } => Box::new((0..test.len()).step_by(TEST_BATCH).map(move |start| {
                let length = TEST_BATCH.min(test.len() - start) as i64;
                Images {
                    pixels: test.pixels.narrow(0, start as i64, length),
                    labels: test.labels.narrow(0, start as i64, length),
                }
            })),
        }
    }

    /// Bytes to colours of mean 0 and deviation 1, on the device.
    pub fn normalize(&self, pixels: &Tensor) -> Tensor {
        let pixels = pixels.to_device(self.device).to_kind(Kind::Float) / 255.0;
        (pixels - &self.mean) / &self.deviation
    }
}
