//! When a matrix becomes its permutation: as soon as [T2](birkhoff::mathematics#t2-rounding-radius-sharp) or
//! [T3](birkhoff::mathematics#t3-approximately-feasible-matrices) proves which one.

use crate::model::Network;
use crate::shuffle::Shuffle;
use birkhoff::certificate::{Certificate, Hardening, Theorem, certify, hardening};
use birkhoff::polytope::round;
use birkhoff::{Permutation, Result};

/// How far a shuffle has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Where it stands in the network.
    pub name: String,
    /// P(M); 0 for a permutation.
    pub penalty: f64,
    /// Largest violation of M ≥ 0, M1 = 1, Mᵀ1 = 1; 0 for a permutation.
    pub residual: f64,
    /// What is proved of its rounding.
    pub status: Status,
}

/// What is known of a shuffle's permutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is a permutation.
    Fixed,
    /// A matrix with one permutation near it, by this theorem.
    Certified(Theorem),
    /// A matrix that is near none.
    Soft,
}

impl Status {
    /// As in epochs.csv.
    pub fn name(self) -> &'static str {
        match self {
            Status::Fixed => "fixed",
            Status::Certified(theorem) => theorem.name(),
            Status::Soft => "none",
        }
    }
}

/// The progress of every shuffle.
///
/// # Errors
/// [`birkhoff::Error::Entry`] when a matrix is not finite: the training diverged.
pub fn progress(network: &Network) -> Result<Vec<Progress>> {
    let of = |shuffle: &&Shuffle| {
        let name = shuffle.name().to_string();
        if shuffle.permutation().is_some() {
            return Ok(Progress { name, penalty: 0.0, residual: 0.0, status: Status::Fixed });
        }
        let Certificate { penalty, residual, theorem, .. } = certify(&shuffle.to_matrix())?;
        Ok(Progress { name, penalty, residual, status: theorem.map_or(Status::Soft, Status::Certified) })
    };
    network.shuffles().iter().map(of).collect()
}

/// Puts its permutation in the place of every matrix that the library's [rule](hardening) lets go; returns how many.
///
/// # Errors
/// As [`progress`].
pub fn harden(network: &mut Network) -> Result<usize> {
    fix(network, |shuffle| {
        Ok(match hardening(&shuffle.to_matrix())? {
            Hardening::Ready { permutation, .. } => Some(permutation),
            Hardening::Wait { .. } => None,
        })
    })
}

/// Rounds every matrix that is left to the nearest permutation, a maximum assignment; returns how many.
///
/// # Errors
/// As [`progress`].
pub fn round_all(network: &mut Network) -> Result<usize> {
    fix(network, |shuffle| round(&shuffle.to_matrix()).map(Some))
}

fn fix(network: &mut Network, choose: impl Fn(&Shuffle) -> Result<Option<Permutation>>) -> Result<usize> {
    let device = network.device();
    let mut fixed = 0;
    for shuffle in network.shuffles_mut() {
        if shuffle.matrix().is_none() {
            continue;
        }
        if let Some(permutation) = choose(shuffle)? {
            shuffle.fix(permutation, device);
            fixed += 1;
        }
    }
    Ok(fixed)
}
