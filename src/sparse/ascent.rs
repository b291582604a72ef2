//! Where a function rises from X.

use crate::sparse_matrix::SparseMatrix;

/// Entries outside of X's support that compete in each row.
pub(super) const NEW_COLUMNS: usize = 16;

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
