//! Which vertices of a matching are likely right: those around which most arcs are kept.

use super::layers::{Direction, Layers};
use crate::assignment::NONE;

/// Of vertices in the order of their shares, the one that is taken as well matched.
const WELL: f64 = 0.9;

/// The matching's partners where it is sure, [`NONE`] elsewhere.
///
/// A vertex's share is 2k/(d + d'), of its k kept arcs among its own d and its partner's d', sums over itself and its
/// neighbours. It is sure where the share lies nearer to that of the well matched, which nine of ten are not above,
/// than to the mean. An anchored vertex is sure.
pub(super) fn sure(layers: &Layers, partners: &[u32]) -> Vec<u32> {
    let n = partners.len();
    let counts: Vec<(f64, f64)> = (0..n).map(|i| counts(layers, partners, i)).collect();
    let share = |i: usize| {
        let (mut kept, mut all) = counts[i];
        for Direction { a, .. } in &layers.directions {
            a.neighbours(i).0.iter().for_each(|&k| (kept, all) = (kept + counts[k].0, all + counts[k].1));
        }
        if all > 0.0 { kept / all } else { 0.0 }
    };
    let shares: Vec<f64> = (0..n).map(share).collect();
    let mut sorted = shares.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let well = sorted.get((WELL * n as f64) as usize).copied().unwrap_or(1.0);
    let least = 0.5 * (well + shares.iter().sum::<f64>() / n.max(1) as f64);
    let is_sure = |i: usize| shares[i] >= least || layers.anchors[i] != NONE;
    partners.iter().enumerate().map(|(i, &j)| if is_sure(i) { j } else { NONE }).collect()
}

/// Twice the arcs at i that are kept; those at i and at its partner.
fn counts(layers: &Layers, partners: &[u32], i: usize) -> (f64, f64) {
    let (mut kept, mut all) = (0, 0);
    for Direction { a, b_from, .. } in &layers.directions {
        let neighbours = a.neighbours(i).0;
        let beside = if partners[i] == NONE { &[][..] } else { b_from.neighbours(partners[i] as usize).0 };
        let is_kept = |&&k: &&usize| partners[k] != NONE && beside.binary_search(&(partners[k] as usize)).is_ok();
        kept += 2 * neighbours.iter().filter(is_kept).count();
        all += neighbours.len() + beside.len();
    }
    (kept as f64, all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn vertices_are_sure_whose_surroundings_are_kept_and_anchors_are_always() {
        // A path of 40 vertices whose last ten are turned round.
        let path = Graph::undirected(40, (1..40).map(|i| (i - 1, i, 1.0))).unwrap();
        let mut partners: Vec<u32> = (0..40).collect();
        for (place, j) in [3, 7, 1, 9, 5, 0, 8, 2, 6, 4].into_iter().enumerate() {
            partners[30 + place] = 30 + j;
        }
        let layers = Layers::new(vec![(path.clone(), path)], &[(35, 30)]).unwrap();
        let found = sure(&layers, &partners);
        for i in 0..28 {
            assert_eq!(found[i], partners[i]);
        }
        assert!((31..39).filter(|&i| i != 35).all(|i| found[i] == NONE));
        assert_eq!(found[35], 30);
    }
}
