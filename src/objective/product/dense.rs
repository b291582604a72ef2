//! A pair of graphs as matrices, where products of those are cheaper than sums over arcs.

use super::bits::BitMatrix;
use crate::graph::Graph;
use nalgebra::DMatrix;

/// A and B.
#[derive(Debug, Clone)]
pub(super) struct DensePair {
    pub a: DMatrix<f64>,
    pub b: DMatrix<f64>,
}

impl DensePair {
    pub fn of(a: &Graph, b: &Graph) -> Self {
        DensePair { a: a.to_matrix(), b: b.to_matrix() }
    }
}

/// The same of unweighted graphs, with their bits.
#[derive(Debug, Clone)]
pub(super) struct BitPair {
    pub matrices: DensePair,
    pub a: BitMatrix,
    /// Where A is not symmetric.
    a_transposed: Option<BitMatrix>,
    pub b: BitMatrix,
}

impl BitPair {
    pub fn of(a: &Graph, b: &Graph) -> Self {
        let a_transposed = (!a.is_symmetric()).then(|| BitMatrix::of(&a.transpose()));
        BitPair { matrices: DensePair::of(a, b), a: BitMatrix::of(a), a_transposed, b: BitMatrix::of(b) }
    }

    pub fn a_transposed(&self) -> &BitMatrix {
        self.a_transposed.as_ref().unwrap_or(&self.a)
    }
}
