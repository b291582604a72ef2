//! Matchings: the partner of each vertex of A, or [`NONE`].

use super::layers::Layers;
use crate::assignment::{NONE, auction};
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;

/// ε of the auction, in units of a common arc; and where vertices have many, whose votes take so much longer.
const AUCTION_STEP: (f64, f64) = (0.05, 0.002);

/// The matching of largest value, up to the auction's ε, that keeps the anchors; and its value. `values` has an
/// anchored row's anchor alone.
pub(super) fn assign(layers: &Layers, values: &SparseMatrix, stop: &Stop) -> (Vec<u32>, f64) {
    let epsilon = if layers.has_many_arcs() { AUCTION_STEP.1 } else { AUCTION_STEP.0 };
    let mut found = auction(values, epsilon * layers.unit, stop);
    for (i, &anchor) in layers.anchors.iter().enumerate().filter(|&(_, &anchor)| anchor != NONE) {
        // It stays alone in an auction where it is worth nothing.
        if found.columns[i] == NONE {
            found.columns[i] = anchor;
            found.value += values.entries(i).map(|(_, value)| value).sum::<f64>();
        }
    }
    (found.columns, found.value)
}

/// The partner in A of each vertex of B, or [`NONE`].
pub(super) fn holders(layers: &Layers, partners: &[u32]) -> Vec<u32> {
    let (_, n_b) = layers.shape();
    let mut holders = vec![NONE; n_b];
    for (i, &j) in partners.iter().enumerate().filter(|&(_, &j)| j != NONE) {
        holders[j as usize] = i as u32;
    }
    holders
}

/// The matrix of a matching.
pub(super) fn matrix(shape: (usize, usize), partners: &[u32]) -> SparseMatrix {
    SparseMatrix::from_rows(
        shape,
        || (),
        |(), i, row| {
            if partners[i] != NONE {
                row.push(partners[i] as usize, 1.0);
            }
        },
    )
}

/// Pairs vertices without a partner, those of largest [weight](Layers) with one another, until the smaller graph has
/// none left.
pub(super) fn complete(layers: &Layers, partners: &mut [u32]) {
    let mut is_taken: Vec<bool> = layers.is_free.iter().map(|is_free| !is_free).collect();
    partners.iter().filter(|&&j| j != NONE).for_each(|&j| is_taken[j as usize] = true);
    let by_weight = |mut vertices: Vec<usize>, weights: &[f64]| {
        vertices.sort_by(|&i, &k| weights[k].total_cmp(&weights[i]).then(i.cmp(&k)));
        vertices
    };
    let alone = (0..partners.len()).filter(|&i| partners[i] == NONE).collect();
    let free = (0..is_taken.len()).filter(|&j| !is_taken[j]).collect();
    let (alone, free) = (by_weight(alone, &layers.weights.0), by_weight(free, &layers.weights.1));
    alone.into_iter().zip(free).for_each(|(i, j)| partners[i] = j as u32);
}
