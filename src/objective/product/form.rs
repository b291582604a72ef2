//! In which form a pair of graphs is multiplied: over arcs, as matrices, or by counting bits.

use crate::graph::Graph;

/// The form of a product, with what each needs besides the graphs themselves.
#[derive(Debug, Clone)]
pub(super) enum Form<D, B> {
    /// Over arcs.
    Sparse,
    /// Of dense matrices.
    Dense(D),
    /// Of unweighted dense graphs: by counting bits.
    Bits(B),
}

/// A multiply-add of a scattered sparse product costs about as much as this many of a blocked dense one.
const SPARSE_PENALTY: f64 = 16.0;

/// The form for products of a graph on m vertices with one on n ≥ m, the cheapest: over arcs, arcs·arcs/n scattered
/// multiply-adds, or dense, n·m². Dense graphs whose weights are all 1 count bits, 64 in a word.
pub(super) fn chosen(small: &Graph, large: &Graph) -> Form<(), ()> {
    let (m, n) = (small.vertex_count() as f64, large.vertex_count() as f64);
    let over_arcs = small.arc_count() as f64 * large.arc_count() as f64 / n.max(1.0);
    let is_unweighted = |graph: &Graph| graph.arcs().all(|(_, _, weight)| weight == 1.0);
    if over_arcs * SPARSE_PENALTY <= n * m * m {
        Form::Sparse
    } else if is_unweighted(small) && is_unweighted(large) {
        Form::Bits(())
    } else {
        Form::Dense(())
    }
}
