//! Permutations, recovered by continuous optimization.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod assignment;
pub mod certificate;
#[cfg(feature = "programs")]
pub mod command;
pub mod error;
#[cfg(feature = "programs")]
pub mod experiment;
pub mod graph;
pub mod instance;
pub mod io;
pub mod local_search;
pub mod objective;
pub mod penalty;
pub mod permutation;
pub mod polytope;
pub mod recovery;
pub mod score;
pub mod solver;

pub use assignment::{Assignment, AssignmentSolver, RectangularAssignment};
pub use error::{Error, Result};
pub use graph::Graph;
pub use permutation::Permutation;
