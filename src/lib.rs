//! Permutations, recovered by continuous optimization.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod error;
pub mod graph;
pub mod io;
pub mod permutation;

pub use error::{Error, Result};
pub use graph::Graph;
pub use permutation::Permutation;
