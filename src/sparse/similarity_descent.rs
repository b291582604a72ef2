//! Exchanges that similarities speak for.

use super::walker::{Exchange, Walker};
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;

/// Rounds, at most.
const ROUNDS: usize = 20;

/// Vertices between two questions whether to stop.
const BETWEEN_QUESTIONS: usize = 256;

/// Brings vertices to partners of larger similarity, wherever f gains by that exchange, until none does; those whose
/// similarity is below 0 also to their candidates.
///
/// Twins keep the same arcs in either place, so that lost arcs do not lead to them, nor does an auction tell them apart
/// by less than its ε. O(entries of S·d) a round.
pub(super) fn descend_by_similarity(walker: &mut Walker, candidates: &SparseMatrix, stop: &Stop) {
    // Gains are sums of weights, rounded.
    let least = 1e-9 * walker.layers.edge();
    for _ in 0..ROUNDS {
        let mut gain = 0.0;
        for i in 0..walker.partners.len() {
            if i.is_multiple_of(BETWEEN_QUESTIONS) && stop.is_reached() {
                return;
            }
            if let Some((rise, exchange)) = best(walker, candidates, i).filter(|&(rise, _)| rise > least) {
                walker.make(exchange);
                gain += rise;
            }
        }
        if gain == 0.0 {
            break;
        }
    }
}

/// The exchange of most gain for vertex i.
fn best(walker: &Walker, candidates: &SparseMatrix, i: usize) -> Option<(f64, Exchange)> {
    let layers = walker.layers;
    let present = layers.similarity_at(i, walker.partners[i]);
    let likelier = layers.similarities(i).filter(|&(_, s)| s > present).map(|(j, _)| j);
    let further = candidates.entries(i).filter(|_| present < 0.0).map(|(j, _)| j);
    let allowed = likelier.chain(further).filter_map(|j| walker.allowed(i, j));
    allowed.map(|exchange| (walker.gain(exchange), exchange)).max_by(|one, other| one.0.total_cmp(&other.0))
}

#[cfg(test)]
mod tests {
    use super::super::layers::Layers;
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn leaves_of_a_star_go_where_they_are_more_alike_and_anchors_stay() {
        let star = Graph::undirected(6, (1..6).map(|i| (0, i, 1.0))).unwrap();
        let matrix = |entries: &[_]| SparseMatrix::from_entries((6, 6), entries.iter().copied()).unwrap();
        // 1 to 2 and 2 to 3 gain, 0 to 1 loses arcs, 5 stays at its anchor, and 4 leaves what it must not be.
        let s = [(1, 2, 0.01), (2, 3, 0.01), (0, 1, 0.5), (5, 1, 9.0), (4, 4, -0.01)];
        let layers = Layers::new(vec![(star.clone(), star)], &[(5, 5)]).unwrap().with_similarity(&matrix(&s)).unwrap();
        let mut walker = Walker::new(&layers, &[0, 1, 2, 3, 4, 5]);
        descend_by_similarity(&mut walker, &matrix(&[(4, 1, 1.0)]), &Stop::never());
        assert_eq!(walker.partners, [0, 2, 3, 4, 1, 5]);
    }
}
