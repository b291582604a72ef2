//! ShuffleNet with learned channel shuffles.
//!
//! A shuffle is a matrix M over the channels, trained by SGD with birkhoff's exact penalty P(M), which is zero exactly
//! at the permutations, until it is one (*AutoShuffleNet*: Lyu, Zhang, Qi, Xin, KDD 2020, arXiv 1901.08624). Then it
//! costs nothing: it is folded into the neighbouring weights.
//!
//! [`shuffle`] is the heart; [`model`] has the networks, [`training`] the loop, [`hardening`] when M becomes a
//! permutation.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod command;
pub mod data;
pub mod device;
pub mod export;
pub mod hardening;
pub mod layers;
pub mod model;
pub mod penalty;
pub mod settings;
pub mod shuffle;
mod source;
pub mod training;
pub mod weights;
