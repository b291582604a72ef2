//! A pair of graphs as matrices, where products of those are cheaper than sums over arcs.

use super::bits::BitMatrix;
use nalgebra::DMatrix;

#[derive(Debug, Clone)]
pub(super) struct DensePair {
    pub a: DMatrix<f64>,
    pub b: DMatrix<f64>,
    /// A, Aᵀ and B where both are unweighted.
    pub bits: Option<BitTriple>,
}

#[derive(Debug, Clone)]
pub(super) struct BitTriple {
    pub a: BitMatrix,
    pub a_transposed: BitMatrix,
    pub b: BitMatrix,
}
