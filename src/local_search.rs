//! Local search on permutations: what a relaxation's rounding leaves to be mended.

use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::Face;

/// Rows without an improvement after which [`Objective::swap_changes`] is asked for all changes at once: the descent is
/// then near its end, and the next improvement, which makes them stale, far.
const QUIET_ROWS: usize = 8;

/// Improvements smaller than this share of κ are rounding errors.
const IMPROVEMENT: f64 = 1e-9;

/// Swaps pairs of images as long as one lowers f, first improvement, in sweeps over all pairs i < k of the face's free rows.
///
/// Ends at a local minimum under swaps, or once `stop` says so (it is asked once a row). The value never rises. O(m²) evaluations of
/// [`Objective::swap_change`] a sweep: O(degree) each for sparse graphs, O(n) for dense ones (O(1) where few swaps improve). Returns the number of
/// swaps made.
pub fn swap_descent(objective: &dyn Objective, face: &Face, p: &mut Permutation, stop: &dyn Fn() -> bool) -> usize {
    let rows = face.free_rows();
    let threshold = -IMPROVEMENT * objective.scale();
    let mut swaps = 0;
    // A full round of pairs without an improvement ends the search.
    let mut rows_since_improvement = 0;
    let mut changes = objective.swap_changes(p);
    for position in (0..rows.len()).cycle() {
        if rows_since_improvement >= rows.len() || stop() {
            break;
        }
        rows_since_improvement += 1;
        let i = rows[position];
        for &k in &rows[position + 1..] {
            let change = changes.as_ref().map_or_else(|| objective.swap_change(p, i, k), |changes| changes(i, k));
            if change < threshold {
                p.swap(i, k);
                swaps += 1;
                rows_since_improvement = 0;
                changes = None;
            }
        }
        if rows_since_improvement == QUIET_ROWS && changes.is_none() {
            changes = objective.swap_changes(p);
        }
    }
    swaps
}

/// Whether no single swap within the face lowers f. O(m²) swap evaluations, O(1) each after one gradient where f is dense and quadratic.
pub fn is_swap_minimum(objective: &dyn Objective, face: &Face, p: &Permutation) -> bool {
    let rows = face.free_rows();
    let threshold = -IMPROVEMENT * objective.scale();
    let mut pairs =
        rows.iter().enumerate().flat_map(|(position, &i)| rows[position + 1..].iter().map(move |&k| (i, k)));
    match objective.swap_changes(p) {
        Some(change) => pairs.all(|(i, k)| change(i, k) >= threshold),
        None => pairs.all(|(i, k)| objective.swap_change(p, i, k) >= threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_erdos_renyi, rng};
    use crate::objective::GraphMatching;

    #[test]
    fn descent_ends_at_a_minimum_and_keeps_anchors() {
        let mut rng = rng(5, 0);
        let instance = correlated_erdos_renyi(14, 0.5, 0.9, &mut rng).unwrap();
        let f = GraphMatching::new(instance.a, instance.b).unwrap();
        let mut p = Permutation::random(14, &mut rng);
        let anchor = (3, p.apply(3));
        let face = Face::new(14, &[anchor]).unwrap();
        let before = f.value_at(&p);
        assert!(!is_swap_minimum(&f, &face, &p));
        assert!(swap_descent(&f, &face, &mut p, &|| false) > 0);
        assert!(f.value_at(&p) < before);
        assert!(is_swap_minimum(&f, &face, &p));
        assert_eq!(p.apply(3), anchor.1);
    }

    #[test]
    fn a_search_that_is_stopped_at_once_changes_nothing() {
        let mut rng = rng(6, 0);
        let instance = correlated_erdos_renyi(10, 0.5, 0.9, &mut rng).unwrap();
        let f = GraphMatching::new(instance.a, instance.b).unwrap();
        let start = Permutation::random(10, &mut rng);
        let mut p = start.clone();
        assert_eq!(swap_descent(&f, &Face::new(10, &[]).unwrap(), &mut p, &|| true), 0);
        assert_eq!(p, start);
    }
}
