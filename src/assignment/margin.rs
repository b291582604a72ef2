//! By how much an assignment is better than every other one.

use super::Assignment;
use crate::exact::UNIT_ROUNDOFF;
use nalgebra::DMatrix;

/// The largest n for which proofs pay the O(n³) of a margin.
pub(crate) const LARGEST_MARGIN: usize = 512;

/// A number by which every permutation but `best.permutation` costs more, rounding included; not above 0 where there
/// may be another as good, ∞ for n ≤ 1.
///
/// With reduced costs r = c − u − v, another permutation's cost exceeds p's by Σ_i r\[i, q(i)\] − Σ_i r\[i, p(i)\],
/// which are the lengths of cycles in the graph with an arc i → k of length r\[i, p(k)\] wherever row i takes the
/// column of row k. So the margin is the length of the shortest cycle (Floyd 1962; Warshall 1962). `best` is of this
/// `cost`, which is n × n. O(n³) time, O(n²) memory.
///
/// ```
/// use birkhoff::assignment::{margin, solve};
/// use nalgebra::dmatrix;
/// let cost = dmatrix![4.0, 1.0, 3.0; 2.0, 0.0, 5.0; 3.0, 2.0, 2.0];
/// let margin = margin(&cost, &solve(&cost)?);
/// assert!(0.999 < margin && margin <= 1.0);   // the others cost 6 or more, this one 5
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Panics
/// When `best` is of another size.
pub fn margin(cost: &DMatrix<f64>, best: &Assignment) -> f64 {
    let n = cost.nrows();
    assert_eq!((n, cost.ncols()), (best.permutation.len(), best.permutation.len()), "an assignment of another size");
    if n <= 1 {
        return f64::INFINITY;
    }
    let (mut rounding, mut own) = (0.0_f64, 0.0_f64);
    let mut reduced = |i: usize, j: usize| {
        let (c, u, v) = (cost[(i, j)], best.row_duals[i], best.column_duals[j]);
        if c.is_finite() {
            rounding = rounding.max(c.abs() + 2.0 * u.abs() + 2.0 * v.abs());
        }
        (c - u) - v
    };
    // Column k: the lengths from every row to row k.
    let mut lengths = DMatrix::from_fn(n, n, |i, k| reduced(i, best.permutation.apply(k)));
    for i in 0..n {
        own = own.max(lengths[(i, i)].abs());
        lengths[(i, i)] = f64::INFINITY;
    }
    let negative = -lengths.min().min(0.0);
    lengths.iter_mut().for_each(|length| *length = length.max(0.0));
    for via in 0..n {
        let to_via: Vec<f64> = lengths.column(via).iter().copied().collect();
        for k in 0..n {
            let from_via = lengths[(via, k)];
            if k != via && from_via.is_finite() {
                lengths
                    .column_mut(k)
                    .iter_mut()
                    .zip(&to_via)
                    .for_each(|(length, to)| *length = length.min(to + from_via));
            }
        }
    }
    let shortest = lengths.diagonal().min();
    // Each of at most n arcs: its reduced cost and that of p in its row are rounded, may be off 0, and were added up.
    let lost = 4.0 * UNIT_ROUNDOFF * rounding + own + negative;
    (shortest - n as f64 * lost) * (1.0 - 2.0 * n as f64 * UNIT_ROUNDOFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::solve;
    use crate::instance::rng;
    use rand::RngExt;

    /// The costs of all permutations of n ≤ 6, ascending.
    fn costs(cost: &DMatrix<f64>) -> Vec<f64> {
        fn extend(p: &mut Vec<usize>, cost: &DMatrix<f64>, so_far: f64, found: &mut Vec<f64>) {
            if p.len() == cost.nrows() {
                return found.push(so_far);
            }
            for j in (0..cost.nrows()).filter(|j| !p.contains(j)).collect::<Vec<_>>() {
                let more = cost[(p.len(), j)];
                p.push(j);
                extend(p, cost, so_far + more, found);
                p.pop();
            }
        }
        let mut found = vec![];
        extend(&mut vec![], cost, 0.0, &mut found);
        found.sort_by(f64::total_cmp);
        found
    }

    #[test]
    fn the_margin_is_what_the_second_best_permutation_costs_more() {
        let mut rng = rng(21, 0);
        for trial in 0..300 {
            let n = 2 + trial % 5;
            let whole = trial % 3 == 0;
            let cost = DMatrix::from_fn(n, n, |_, _| {
                let value: f64 = rng.random_range(-4.0..4.0);
                if whole { value.round() } else { value }
            });
            let all = costs(&cost);
            let found = margin(&cost, &solve(&cost).unwrap());
            assert!(
                found <= all[1] - all[0] && found > all[1] - all[0] - 1e-12,
                "{found}, {} of {cost}",
                all[1] - all[0]
            );
        }
    }

    #[test]
    fn forbidden_pairs_are_no_arcs_and_one_row_has_no_rival() {
        let inf = f64::INFINITY;
        let cost = DMatrix::from_row_slice(2, 2, &[1.0, inf, 0.0, 1.0]);
        assert_eq!(margin(&cost, &solve(&cost).unwrap()), inf);
        let one = DMatrix::from_element(1, 1, 3.0);
        assert_eq!(margin(&one, &solve(&one).unwrap()), inf);
    }
}
