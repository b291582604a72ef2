//! Parameters and multiplications, beside what the authors publish.

use super::{Architecture, Layers, Network};
use super::{Beginning, Stem, Version};
use birkhoff::Result;
use tch::Device;

/// What a network costs, its shuffles being permutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Trained numbers.
    pub parameters: i64,
    /// Multiplications (with an addition each: the papers' "FLOPs") for one image.
    pub multiplications: i64,
}

impl Counts {
    /// Of a network, for images of side × side pixels.
    pub fn of(network: &Network, side: i64) -> Self {
        let parameters = network.store.trainable_variables().iter().map(|variable| variable.numel() as i64).sum();
        let multiplications = match &network.layers {
            Layers::V1(layers) => layers.multiplications(side),
            Layers::V2(layers) => layers.multiplications(side),
        };
        Counts { parameters, multiplications }
    }
}

/// version, width, groups, millions of multiplications, millions of parameters, as the authors publish them for 224 ×
/// 224 and 1000 classes (tables of the repository megvii-model/ShuffleNet-Series).
pub const PUBLISHED: [(Version, f64, usize, f64, f64); 12] = [
    (Version::V1, 0.5, 3, 38.0, 0.7),
    (Version::V1, 0.5, 8, 40.0, 1.0),
    (Version::V1, 1.0, 3, 138.0, 1.9),
    (Version::V1, 1.0, 8, 138.0, 2.4),
    (Version::V1, 1.5, 3, 292.0, 3.4),
    (Version::V1, 1.5, 8, 290.0, 4.3),
    (Version::V1, 2.0, 3, 524.0, 5.4),
    (Version::V1, 2.0, 8, 522.0, 6.5),
    (Version::V2, 0.5, 1, 41.0, 1.4),
    (Version::V2, 1.0, 1, 146.0, 2.3),
    (Version::V2, 1.5, 1, 299.0, 3.5),
    (Version::V2, 2.0, 1, 591.0, 7.4),
];

/// A line of the table: the architecture, ours, and what the authors publish (millions).
pub type Line = (Architecture, Counts, [f64; 2]);

/// Every published network, counted.
///
/// # Errors
/// None, unless the list above is broken.
pub fn table() -> Result<Vec<Line>> {
    let count = |(version, width, groups, multiplications, parameters)| {
        let architecture = Architecture { version, width, groups, stem: Stem::Large, classes: 1000 };
        let network = Network::new(architecture, &Beginning::default(), Device::Cpu)?;
        Ok((architecture, Counts::of(&network, 224), [multiplications, parameters]))
    };
    PUBLISHED.into_iter().map(count).collect()
}
