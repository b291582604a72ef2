//! What the programs do: `graph_matching`, `two_layer`, `error_bounds` and `figures`.
//!
//! [`command`] has what they are asked and answer, [`experiment`] the experiments of the paper, their results and their
//! figures. The mathematics is the library's, [`birkhoff`].
#![deny(missing_docs)]
#![deny(unsafe_code)]
// What a user gives is never unwrapped.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod command;
pub mod experiment;
