//! ShuffleNet v1 and v2.

mod counts;
mod fold;
pub mod v1;
pub mod v2;

pub use counts::{Counts, table};
pub use fold::fold;

use crate::shuffle::{Shuffle, ShuffleKind, manual, start};
use birkhoff::instance::rng;
use birkhoff::{Error, Permutation, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Tensor};

/// Which ShuffleNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// Zhang, Zhou, Lin, Sun, CVPR 2018 (arXiv 1707.01083): grouped 1 × 1 convolutions with a shuffle between them.
    V1,
    /// Ma, Zhang, Zheng, Sun, ECCV 2018 (arXiv 1807.11164): channels are split, and shuffled after each block.
    V2,
}

/// How the network begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// A convolution of stride 2 and a pooling of stride 2, for images of 224 × 224.
    Large,
    /// A convolution of stride 1 and no pooling, for images of 32 × 32.
    Small,
}

/// Everything that decides the shapes of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Which ShuffleNet.
    pub version: Version,
    /// Width factor: 0.5, 1, 1.5 or 2.
    pub width: f64,
    /// Groups of v1's convolutions, 3 or 8; of no meaning for v2.
    pub groups: usize,
    /// How the network begins.
    pub stem: Stem,
    /// Number of classes.
    pub classes: usize,
}

/// Units of each stage, both versions.
pub const REPEATS: [usize; 3] = [4, 8, 4];

impl Architecture {
    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the field.
    pub fn validate(&self) -> Result<()> {
        if ![0.5, 1.0, 1.5, 2.0].contains(&self.width) {
            return Err(Error::argument("width", format!("is {}, but must be 0.5, 1, 1.5 or 2", self.width)));
        }
        if self.version == Version::V1 && ![3, 8].contains(&self.groups) {
            return Err(Error::argument("groups", format!("is {}, but must be 3 or 8", self.groups)));
        }
        if self.classes == 0 {
            return Err(Error::argument("classes", "must be at least 1"));
        }
        Ok(())
    }
}

/// How the shuffles of a new network begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beginning {
    /// What shuffles.
    pub kind: ShuffleKind,
    /// Share of the manual shuffle where a learned matrix starts, 0 to 1.
    pub manual_share: f64,
    /// Seed of the weights, matrices and random permutations. Networks that differ only in `kind` start with the same
    /// weights.
    pub rng_seed: u64,
}

impl Default for Beginning {
    fn default() -> Self {
        Beginning { kind: ShuffleKind::Manual, manual_share: 0.5, rng_seed: 0 }
    }
}

impl Beginning {
    /// The shuffle number `index` of a network, of n channels in so many groups.
    fn shuffle(&self, name: String, index: usize, n: usize, groups: usize, device: Device) -> Result<Shuffle> {
        let mut rng = rng(self.rng_seed, index as u64);
        let manual = manual(n, groups);
        Ok(match self.kind {
            ShuffleKind::Manual => Shuffle::fixed(name, manual, device),
            ShuffleKind::None => Shuffle::fixed(name, Permutation::identity(n), device),
            ShuffleKind::Random => Shuffle::fixed(name, Permutation::random(n, &mut rng), device),
            ShuffleKind::Auto | ShuffleKind::Relaxed => {
                Shuffle::soft(name, &start(&manual, self.manual_share, &mut rng)?, device)
            }
        })
    }
}

/// A network: its weights by name, its layers, its shuffles.
#[derive(Debug)]
pub struct Network {
    /// What it is.
    pub architecture: Architecture,
    /// All weights and running statistics by name, the matrices of the shuffles not among them.
    pub store: VarStore,
    pub(crate) layers: Layers,
}

#[derive(Debug)]
pub(crate) enum Layers {
    V1(v1::ShuffleNet),
    V2(v2::ShuffleNet),
}

impl Network {
    /// A new network with PyTorch's initialization, on `device`.
    ///
    /// # Errors
    /// As [`Architecture::validate`].
    pub fn new(architecture: Architecture, beginning: &Beginning, device: Device) -> Result<Self> {
        architecture.validate()?;
        tch::manual_seed(beginning.rng_seed as i64);
        let store = VarStore::new(device);
        let layers = match architecture.version {
            Version::V1 => Layers::V1(v1::ShuffleNet::new(&store.root(), &architecture, beginning)?),
            Version::V2 => Layers::V2(v2::ShuffleNet::new(&store.root(), &architecture, beginning)?),
        };
        Ok(Network { architecture, store, layers })
    }

    /// Where its weights are.
    pub fn device(&self) -> Device {
        self.store.device()
    }

    /// Logits, batch × classes, of normalized images, batch × 3 × height × width. In training the batch's statistics
    /// normalize, and the running ones are updated.
    pub fn forward(&self, images: &Tensor, train: bool) -> Tensor {
        match &self.layers {
            Layers::V1(network) => network.forward(images, train),
            Layers::V2(network) => network.forward(images, train),
        }
    }

    /// The shuffles, first to last.
    pub fn shuffles(&self) -> Vec<&Shuffle> {
        match &self.layers {
            Layers::V1(network) => network.shuffles(),
            Layers::V2(network) => network.shuffles(),
        }
    }

    /// The shuffles, to be changed.
    pub fn shuffles_mut(&mut self) -> Vec<&mut Shuffle> {
        match &mut self.layers {
            Layers::V1(network) => network.shuffles_mut(),
            Layers::V2(network) => network.shuffles_mut(),
        }
    }
}

/// The mean over the pixels of each channel.
fn global_mean(x: &Tensor) -> Tensor {
    x.mean_dim([2, 3].as_slice(), false, None)
}
