//! What a matching's own votes make of it, and how what has no partner finds one.

use super::layers::Layers;
use crate::assignment::{NONE, auction};
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;

/// Rounds, at most.
const ROUNDS: usize = 15;

/// Votes in each row that compete with the present partner's.
const VOTES: usize = 32;

/// What the present partner has ahead, in units of a common arc.
const PRESENT: f64 = 0.2;

/// What a difference of the vertices' [weights](Layers) costs, in the same unit: it decides between equal votes.
const DIFFERENCE: f64 = 1e-3;

/// ε of the auction, in the same unit.
const AUCTION_STEP: f64 = 0.05;

/// The best of p, auction(V(p)), auction(V(auction(V(p)))), …
pub(super) fn polish(layers: &Layers, partners: Vec<u32>, stop: &Stop) -> Vec<u32> {
    let mut best = (layers.value(&partners), partners.clone());
    let mut last = partners;
    for _ in 0..ROUNDS {
        if stop.is_reached() {
            break;
        }
        let x = matrix(layers.shape(), &last);
        let (of_a, of_b) = &layers.weights;
        let votes = layers.votes(&x, VOTES, stop, |i, j, entry, votes| {
            votes + PRESENT * layers.unit * entry - DIFFERENCE * (of_a[i] - of_b[j]).abs()
        });
        let mut next = auction(&votes, AUCTION_STEP * layers.unit, stop).columns;
        let anchors = layers.anchors.iter().zip(&mut next).filter(|(anchor, _)| **anchor != NONE);
        anchors.for_each(|(anchor, partner)| *partner = *anchor);
        if stop.is_reached() {
            break;
        }
        let value = layers.value(&next);
        if next == last {
            break;
        }
        if value > best.0 {
            best = (value, next.clone());
        }
        last = next;
    }
    best.1
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
