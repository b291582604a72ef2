//! Where images come from: what settings name, and `data` reads.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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
