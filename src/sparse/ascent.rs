//! Where a function rises from X.

use super::layers::Layers;
use crate::sparse_matrix::SparseMatrix;

/// Entries outside of X's support that compete in each row, and where vertices have many arcs.
const NEW_COLUMNS: (usize, usize) = (16, 64);

pub(super) fn new_columns(layers: &Layers) -> usize {
    if layers.has_many_arcs() { NEW_COLUMNS.1 } else { NEW_COLUMNS.0 }
}

/// Half the gradient of the function that is maximized.
pub(super) struct Ascent {
    /// Half the gradient, on X's support and where else it is large.
    pub values: SparseMatrix,
    /// Its product with X.
    pub at_x: f64,
}

impl Ascent {
    /// `values` begin in each row with X's support, in X's order.
    pub fn of(x: &SparseMatrix, values: SparseMatrix) -> Self {
        let at = |i: usize| x.entries(i).zip(values.entries(i)).map(|((_, x), (_, value))| x * value).sum::<f64>();
        let at_x = (0..x.shape().0).map(at).sum();
        Ascent { values, at_x }
    }
}
