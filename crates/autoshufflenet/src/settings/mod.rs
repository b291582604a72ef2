//! The configuration of a training run: one TOML file, every key also a flag.

mod anew;

use crate::device::DeviceChoice;
use crate::model::{Architecture, Beginning, Stem, Version};
use crate::shuffle::ShuffleKind;
use crate::source::Source;
use birkhoff::{Error, Result};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tch::Device;

/// How the weight of the penalty grows over the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Ramp {
    /// It does not: λ at every step
    Constant,
    /// λ·t, t the share of all steps that are done
    Linear,
    /// λ·t²: a longer soft phase
    Quadratic,
}

/// How the learning rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// In a straight line to 0.
    Linear,
    /// Along half a cosine to 0.
    Cosine,
}

/// Numbers of the forward and backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    F32,
    /// bfloat16 activations and products, single-precision weights: for CUDA.
    Bf16,
}

/// Everything that decides a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Args)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Images to learn
    #[arg(long, value_enum, default_value_t = Source::Synthetic)]
    pub data: Source,
    /// Folder of the images: CIFAR's binary files, or train/CLASS/*.jpg and val/CLASS/*.jpg
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Learn a fixed random subset of so many training images; 0 is all
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub train_images: usize,
    /// Test on the first so many test images alone, for trying out; 0 is all
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub test_images: usize,
    /// Side of the images of a folder, in pixels
    #[arg(long, default_value_t = 224, value_name = "PIXELS")]
    pub image_size: usize,
    /// Threads that decode the images of a folder
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub workers: usize,
    /// Batches that each of them prepares ahead
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub prefetch: usize,

    /// Which ShuffleNet
    #[arg(long, value_enum, default_value_t = Version::V2)]
    pub model: Version,
    /// Width factor: 0.5, 1, 1.5 or 2
    #[arg(long, default_value_t = 0.5)]
    pub width: f64,
    /// Groups of v1: 3 or 8
    #[arg(long, default_value_t = 3)]
    pub groups: usize,

    /// What shuffles the channels
    #[arg(long, value_enum, default_value_t = ShuffleKind::Auto)]
    pub shuffle: ShuffleKind,
    /// Share of the manual shuffle where a learned matrix starts; the rest is noise
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub start_manual: f64,
    /// Weight λ of the penalty at its highest (kind auto); without it, what --penalty-push says
    #[arg(long, value_name = "LAMBDA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty_weight: Option<f64>,
    /// How far the penalty alone could move an entry of M over the whole run: λ follows from it
    #[arg(long, default_value_t = 5.0, value_name = "DISTANCE")]
    pub penalty_push: f64,
    /// How λ grows over the run
    #[arg(long, value_enum, default_value_t = Ramp::Linear)]
    pub penalty_ramp: Ramp,
    /// Learning rate of the matrices, as a multiple of the weights'
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub shuffle_learning_rate: f64,
    /// After each step: how often a matrix's columns and rows are scaled to sum 1, in turn
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub scaling_rounds: usize,
    /// Keep certified matrices soft until the end (without this they become permutations after the epoch)
    #[arg(long, default_value_t = false)]
    pub no_early_hardening: bool,

    /// Passes over the training images
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub epochs: usize,
    /// Images a step
    #[arg(long, default_value_t = 128, value_name = "N")]
    pub batch_size: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 0.1, value_name = "RATE")]
    pub learning_rate: f64,
    /// How it falls
    #[arg(long, value_enum, default_value_t = Schedule::Cosine)]
    pub schedule: Schedule,
    /// Epochs in which it rises first
    #[arg(long, default_value_t = 0.5, value_name = "EPOCHS")]
    pub warmup: f64,
    /// Momentum of SGD
    #[arg(long, default_value_t = 0.9)]
    pub momentum: f64,
    /// Weight decay of convolutions and the classifier; norms, biases and matrices of shuffles have none
    #[arg(long, default_value_t = 4e-5, value_name = "DECAY")]
    pub weight_decay: f64,
    /// Share of the label that is spread over all classes
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub label_smoothing: f64,
    /// Learn the images as they are, neither moved nor flipped
    #[arg(long, default_value_t = false)]
    pub no_augmentation: bool,
    /// Test after every so many epochs, and after the last; 0 is after the last alone
    #[arg(long, default_value_t = 1, value_name = "EPOCHS")]
    pub test_every: usize,
    /// Write the matrix of this shuffle, such as stage2.0, into matrices.csv: at the start and after every epoch
    #[arg(long, value_name = "SHUFFLE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_matrix: Option<String>,
    /// After rounding, pass so many batches to renew the running statistics; 0 is none
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub recalibration_batches: usize,

    /// Seed of all randomness
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    pub rng_seed: u64,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceChoice::Auto)]
    pub device: DeviceChoice,
    /// Threads of the processor; 0 is all
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Numbers of the forward and backward pass
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,
    /// Channels innermost in memory [default: for v1 and on one thread of a processor, and with bf16 on CUDA]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels_last: Option<bool>,
    /// Folder of the results
    #[arg(long, default_value = "runs/train", value_name = "DIR")]
    pub output_dir: PathBuf,
}

/// Images that any folder may have.
const MOST_IMAGES: usize = 1_000_000_000;
/// GiB of images that may wait for the network.
const MOST_AHEAD: usize = 64;

impl Default for Settings {
    /// What the flags say when none is given.
    fn default() -> Self {
        let matches = Settings::augment_args(Command::new("settings")).get_matches_from(["settings"]);
        Settings::from_arg_matches(&matches).unwrap_or_else(|error| unreachable!("every flag has a default: {error}"))
    }
}

impl Settings {
    /// The file's settings, and over them the flags that were given.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Parse`] with the line of a key that is unknown or of the wrong type; as
    /// [`Settings::validate`].
    pub fn merge(file: Option<&Path>, matches: &ArgMatches) -> Result<Self> {
        let mut table = Settings::default().to_table()?;
        table.extend(Self::given(file, matches)?);
        Self::from_table(table)
    }

    /// What the file says, and over it the flags that were given, each in the form that [`to_table`](Self::to_table)
    /// has.
    fn given(file: Option<&Path>, matches: &ArgMatches) -> Result<toml::Table> {
        let mut given = toml::Table::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
            let written: toml::Table = Self::read_toml(path, &text)?;
            let settings: Settings = Self::read_toml(path, &text)?;
            given.extend(settings.to_table()?.into_iter().filter(|(key, _)| written.contains_key(key)));
        }
        let flags = Settings::from_arg_matches(matches).map_err(|error| Error::argument("flags", error.to_string()))?;
        flags.validate_counts()?;
        given.extend(flags.to_table()?.into_iter().filter(|(key, _)| is_given(matches, key)));
        Ok(given)
    }

    fn from_table(table: toml::Table) -> Result<Self> {
        let settings: Settings =
            table.try_into().map_err(|error: toml::de::Error| Error::argument("configuration", error.message()))?;
        settings.validate()?;
        Ok(settings)
    }

    /// The settings in a TOML text; `source` names it in messages.
    ///
    /// # Errors
    /// As [`Settings::merge`].
    pub fn parse(source: &Path, text: &str) -> Result<Self> {
        let settings: Settings = Self::read_toml(source, text)?;
        settings.validate().map_err(|error| Error::file(source, error.to_string()))?;
        Ok(settings)
    }

    fn read_toml<T: DeserializeOwned>(source: &Path, text: &str) -> Result<T> {
        toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count();
            Error::parse(source, line, error.message().replace('\n', " "))
        })
    }

    fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|error| Error::argument("configuration", error.to_string()))
    }

    /// All settings as TOML.
    ///
    /// # Errors
    /// [`Error::Argument`] when a value has no form in TOML (a seed above 2⁶³).
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::argument("configuration", error.to_string()))
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the key.
    pub fn validate(&self) -> Result<()> {
        self.architecture(1).validate()?;
        let refuse = |name, cause: &str| Err(Error::argument(name, cause));
        self.validate_counts()?;
        let ahead = (self.workers * (self.prefetch + 1) * self.batch_size * 3 * self.side().pow(2)) >> 30;
        if self.data == Source::Folder && ahead > MOST_AHEAD {
            let cause =
                format!("images that are loaded ahead would take {ahead} GiB: lower workers, prefetch or batch_size");
            return refuse("prefetch", &cause);
        }
        if self.data != Source::Synthetic && self.data_dir.is_none() {
            return refuse("data_dir", "is needed for these images");
        }
        let shares = [
            ("start_manual", self.start_manual),
            ("label_smoothing", self.label_smoothing),
            ("momentum", self.momentum),
        ];
        let sizes = [
            ("penalty_weight", self.penalty_weight.unwrap_or(0.0)),
            ("penalty_push", self.penalty_push),
            ("shuffle_learning_rate", self.shuffle_learning_rate),
            ("learning_rate", self.learning_rate),
            ("warmup", self.warmup),
            ("weight_decay", self.weight_decay),
        ];
        if let Some((name, _)) = shares.iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
            return refuse(name, "must be at least 0 and below 1");
        }
        if let Some((name, _)) = sizes.iter().find(|(_, value)| !(0.0..=1e6).contains(value)) {
            return refuse(name, "must be between 0 and 1000000");
        }
        Ok(())
    }

    /// Checks the whole numbers, which have to be small enough for TOML, libtorch and the machine.
    fn validate_counts(&self) -> Result<()> {
        let counts = [
            ("epochs", self.epochs, 1..=100_000),
            // Batch normalization needs two.
            ("batch_size", self.batch_size, 2..=65_536),
            ("image_size", self.image_size, 8..=1024),
            ("scaling_rounds", self.scaling_rounds, 1..=10_000),
            ("workers", self.workers, 1..=256),
            ("prefetch", self.prefetch, 1..=256),
            ("threads", self.threads, 0..=1024),
            ("groups", self.groups, 0..=8),
            ("train_images", self.train_images, 0..=MOST_IMAGES),
            ("test_images", self.test_images, 0..=MOST_IMAGES),
            ("test_every", self.test_every, 0..=100_000),
            ("recalibration_batches", self.recalibration_batches, 0..=MOST_IMAGES),
        ];
        if let Some((name, value, range)) = counts.into_iter().find(|(_, value, range)| !range.contains(value)) {
            let cause = format!("is {value}, but must be between {} and {}", range.start(), range.end());
            return Err(Error::argument(name, cause));
        }
        if self.rng_seed > i64::MAX as u64 {
            return Err(Error::argument("rng_seed", "must be below 2^63"));
        }
        Ok(())
    }

    /// The network's shapes, for so many classes.
    pub fn architecture(&self, classes: usize) -> Architecture {
        let stem = if self.side() <= 64 { Stem::Small } else { Stem::Large };
        Architecture { version: self.model, width: self.width, groups: self.groups, stem, classes }
    }

    /// Side of the images.
    pub fn side(&self) -> usize {
        if self.data == Source::Folder { self.image_size } else { 32 }
    }

    /// Whether channels are innermost in memory on this device.
    ///
    /// It saves oneDNN from reordering the channels for every convolution (on one thread a tenth of a step of v2, and
    /// more with v1's grouped ones), but libtorch's batch normalization of this layout is slower on two threads than on
    /// one.
    pub fn has_channels_last(&self, device: Device) -> bool {
        self.channels_last.unwrap_or(match device {
            Device::Cpu => self.model == Version::V1 || tch::get_num_threads() == 1,
            _ => self.precision == Precision::Bf16,
        })
    }

    /// How the network's shuffles begin.
    pub fn beginning(&self) -> Beginning {
        Beginning { kind: self.shuffle, manual_share: self.start_manual, rng_seed: self.rng_seed }
    }
}

fn is_given(matches: &ArgMatches, key: &str) -> bool {
    matches.try_contains_id(key).unwrap_or(false) && matches.value_source(key) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_no_machine_can_do_are_refused_by_name() {
        for (key, value) in [
            ("epochs", "0"),
            ("epochs", "1000000000000000000"),
            ("epochs", "18446744073709551615"),
            ("batch_size", "0"),
            ("batch_size", "1000000000000000000"),
            ("width", "0"),
            ("width", "NaN"),
            ("threads", "4294967297"),
            ("workers", "1000000"),
            ("prefetch", "1000000000000000000"),
            ("scaling_rounds", "1000000000000"),
            ("rng_seed", "18446744073709551615"),
            ("learning_rate", "inf"),
            ("penalty_weight", "NaN"),
            ("momentum", "1"),
        ] {
            let flag = format!("--{}={value}", key.replace('_', "-"));
            let matches = Settings::augment_args(Command::new("settings")).get_matches_from(["settings", &flag]);
            let message = Settings::merge(None, &matches).unwrap_err().to_string();
            assert!(message.starts_with(key) && message.contains("must be"), "{flag}: {message}");
        }
        let folder = Settings { data: Source::Folder, data_dir: Some("images".into()), ..Settings::default() };
        let ahead = Settings { workers: 256, prefetch: 256, image_size: 1024, batch_size: 65_536, ..folder };
        assert!(ahead.validate().unwrap_err().to_string().contains("GiB"));
    }
}
