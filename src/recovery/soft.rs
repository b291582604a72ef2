//! X before it is rounded.

use crate::sparse_matrix::SparseMatrix;
use nalgebra::DMatrix;
use std::borrow::Cow;

/// Where a run ended before its X was rounded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Soft {
    /// n × n and doubly stochastic, or n_A × n_B where one of the graphs is much smaller and was not padded.
    Dense(DMatrix<f64>),
    /// n_A × n_B with row and column sums of at most 1: what a vertex lacks of 1 is the share of being left alone.
    Sparse(SparseMatrix),
}

impl Soft {
    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Soft::Dense(x) => x.shape(),
            Soft::Sparse(x) => x.shape(),
        }
    }

    /// The matrix with all its entries: 8 bytes each.
    pub fn to_dense(&self) -> Cow<'_, DMatrix<f64>> {
        match self {
            Soft::Dense(x) => Cow::Borrowed(x),
            Soft::Sparse(x) => {
                let (height, width) = x.shape();
                let mut dense = DMatrix::zeros(height, width);
                (0..height).for_each(|i| x.entries(i).for_each(|(j, entry)| dense[(i, j)] = entry));
                Cow::Owned(dense)
            }
        }
    }
}
