#![deny(missing_docs)]
#![deny(unsafe_code)]
//! ShuffleNet with learned channel shuffles.

pub mod device;
pub mod layers;
pub mod model;
pub mod penalty;
pub mod shuffle;
