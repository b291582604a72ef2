//! Products of a graph, arc by arc, with a dense matrix.

use crate::columns::for_each_column;
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// W·X, column by column.
pub(super) fn graph_times(stop: &Stop, graph: &Graph, x: &DMatrix<f64>) -> DMatrix<f64> {
    let mut product = DMatrix::zeros(x.nrows(), x.ncols());
    for_each_column(stop, &mut product, |j, to| {
        let from = x.column(j);
        for (i, to) in to.iter_mut().enumerate() {
            let (targets, weights) = graph.neighbours(i);
            *to = targets.iter().zip(weights).map(|(&k, &weight)| weight * from[k]).sum();
        }
    });
    product
}

/// `target += c·X·Wᵀ`: column l gains Σ_m W\[l, m\]·X_:m.
pub(super) fn add_times_graph(stop: &Stop, c: f64, x: &DMatrix<f64>, graph: &Graph, target: &mut DMatrix<f64>) {
    for_each_column(stop, target, |l, column| {
        let (targets, weights) = graph.neighbours(l);
        for (&m, &weight) in targets.iter().zip(weights) {
            column.iter_mut().zip(&x.column(m)).for_each(|(to, &v)| *to += c * weight * v);
        }
    });
}
