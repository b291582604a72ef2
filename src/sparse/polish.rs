//! What a matching's own votes make of it.

use super::layers::Layers;
use super::matching::{assign, matrix};
use crate::stop::Stop;

/// Rounds, at most.
const ROUNDS: usize = 15;

/// Rounds in a row that may bring nothing.
const PATIENCE: usize = 3;

/// Votes in each row that compete with the present partner's.
const VOTES: usize = 32;

/// What the present partner has ahead, in units of a common arc.
const PRESENT: f64 = 0.2;

/// What a difference of the vertices' [weights](Layers) costs, in the same unit: it decides between equal votes.
const DIFFERENCE: f64 = 1e-3;

/// The best of p, auction(V(p)), auction(V(auction(V(p)))), …
pub(super) fn polish(layers: &Layers, partners: Vec<u32>, stop: &Stop) -> Vec<u32> {
    let mut best = (layers.value(&partners), partners.clone());
    let mut last = partners;
    let mut in_vain = 0;
    for _ in 0..ROUNDS {
        if in_vain == PATIENCE || stop.is_reached() {
            break;
        }
        let x = matrix(layers.shape(), &last);
        let (of_a, of_b) = &layers.weights;
        let votes = layers.votes(&x, VOTES, stop, |i, j, entry, votes| {
            votes + PRESENT * layers.unit * entry - DIFFERENCE * (of_a[i] - of_b[j]).abs()
        });
        let (next, _) = assign(layers, &votes, stop);
        if stop.is_reached() {
            break;
        }
        let value = layers.value(&next);
        if next == last {
            break;
        }
        in_vain += 1;
        if value > best.0 {
            (best, in_vain) = ((value, next.clone()), 0);
        }
        last = next;
    }
    best.1
}
