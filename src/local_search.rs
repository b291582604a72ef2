//! Local search on permutations: what a relaxation's rounding leaves to be mended.

pub mod injections;

use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::Face;
use crate::stop::Stop;
use rand::{Rng, RngExt};

/// Rows without an improvement after which [`Objective::swap_changes`] is asked for all changes at once: the descent is
/// then near its end, and the next improvement, which makes them stale, far.
const QUIET_ROWS: usize = 8;

/// Improvements smaller than this share of κ are rounding errors, where the objective does not say how large those are.
const IMPROVEMENT: f64 = 1e-9;

/// Pairs that are looked at between two questions whether to stop.
const PAIRS: usize = 32;

/// Whether a swap of the images of i and k, said to change the value by `change`, lowers the true value for certain.
fn lowers(objective: &dyn Objective, p: &Permutation, i: usize, k: usize, change: f64) -> bool {
    change < 0.0 && change < -objective.swap_rounding(p, i, k).unwrap_or_else(|| IMPROVEMENT * objective.scale())
}

/// Swaps pairs of images as long as one lowers f, first improvement, in sweeps over all pairs i < k of the face's free
/// rows.
///
/// Ends at a local minimum under swaps, or once `stop` says so (it is asked every 32 pairs). A swap is made only where
/// the true value falls, rounding included ([`Objective::swap_rounding`]; where that is not known, where the computed
/// value falls), so that it ends. O(m²) evaluations of [`Objective::swap_change`] a sweep: O(degree) each for sparse
/// graphs, O(n) for dense ones (O(1) where few swaps improve). Returns the number of swaps made.
///
/// # Panics
/// When the sizes of objective, face and p differ.
pub fn swap_descent(objective: &dyn Objective, face: &Face, p: &mut Permutation, stop: &dyn Fn() -> bool) -> usize {
    require_one_size(objective, face, p);
    let rows = face.free_rows();
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
        for (number, &k) in rows[position + 1..].iter().enumerate() {
            if number % PAIRS == PAIRS - 1 && stop() {
                return swaps;
            }
            let change = changes.as_ref().map_or_else(|| objective.swap_change(p, i, k), |changes| changes(i, k));
            if lowers(objective, p, i, k, change) {
                if !swap_if_certain(objective, p, i, k) {
                    continue;
                }
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

/// Swaps the images of i and k; back again where only the values can tell whether f falls, and they do not.
fn swap_if_certain(objective: &dyn Objective, p: &mut Permutation, i: usize, k: usize) -> bool {
    let before = if objective.swap_rounding(p, i, k).is_none() { objective.value_at(p) } else { f64::INFINITY };
    p.swap(i, k);
    if before == f64::INFINITY || objective.value_at(p) < before {
        return true;
    }
    p.swap(i, k);
    false
}

/// Sparse for [`anneal`]: κ at most this many steps of f's lattice, as for unweighted graphs of mean degree up to 20.
const SPARSE: f64 = 5.0;

/// Temperatures of [`anneal`] at its beginning and its end, in steps of f's lattice. At noise .2 and .3 on random
/// graphs of degree 4 the permutations that are as likely as the hidden one are at 0.13 and 0.15 (1/ln of what one
/// common edge more makes likelier).
const TEMPERATURES: (f64, f64) = (0.2, 0.08);

/// Sweeps of [`anneal`], at one temperature each.
const SWEEPS: usize = 100;

/// Swaps that [`anneal`] looks at for each row and sweep.
const SWAPS_A_ROW: usize = 32;

/// Swaps that [`anneal`] looks at between two questions whether to stop.
const SWAPS: usize = 1024;

/// Metropolis' walk over swaps, slowly cooled: p ← the best permutation it meets, never a worse one. Leaves basins that
/// no single swap leaves.
///
/// Pairs of the face's free rows swap their images with probability min(1, e^(−change/T)), T falling geometrically from
/// sweep to sweep (Kirkpatrick, Gelatt, Vecchi, Science 220, 1983). Every other pair is drawn by
/// [`Objective::draw_swap`] and so gains an edge, the others are random.
///
/// For sparse graphs only, where a swap costs O(degree) and a common edge is a large part of κ; elsewhere, where f has
/// no lattice, and where p is plainly optimal, it does nothing. 3200·m evaluations of [`Objective::swap_change`];
/// `stop` is asked every 1024 of them. Returns how often p became better.
///
/// # Panics
/// When the sizes of objective, face and p differ.
pub fn anneal(
    objective: &dyn Objective,
    face: &Face,
    p: &mut Permutation,
    rng: &mut impl Rng,
    stop: &dyn Fn() -> bool,
) -> usize {
    require_one_size(objective, face, p);
    let rows = face.free_rows();
    let is_exact = objective.rounding().is_some_and(|rounding| rounding.exact_up_to == f64::INFINITY);
    let step = match objective.lattice() {
        Some((_, step)) if is_exact && objective.scale() <= SPARSE * step && rows.len() > 1 => step,
        _ => return 0,
    };
    if objective.value_at(p) <= objective.trivial_bound() {
        return 0;
    }
    let cooling = (TEMPERATURES.1 / TEMPERATURES.0).powf(1.0 / (SWEEPS - 1) as f64);
    let mut temperature = TEMPERATURES.0 * step;
    let (mut walker, mut inverse, mut value, mut improvements) = (p.clone(), p.inverse(), 0.0, 0);
    let mut is_free = vec![false; p.len()];
    rows.iter().for_each(|&row| is_free[row] = true);
    let mut least = 0.0;
    for _ in 0..SWEEPS {
        for number in 0..rows.len() * SWAPS_A_ROW {
            if number.is_multiple_of(SWAPS) && stop() {
                return improvements;
            }
            let mut draw = |below| rng.random_range(0..below);
            let i = rows[draw(rows.len())];
            let gaining = if number % 2 == 0 { objective.draw_swap(&walker, &inverse, i, &mut draw) } else { None };
            let k = gaining.unwrap_or_else(|| rows[draw(rows.len())]);
            if i == k || !is_free[k] {
                continue;
            }
            let change = objective.swap_change(&walker, i, k);
            if change <= 0.0 || rng.random::<f64>() < (-change / temperature).exp() {
                inverse.swap(walker.apply(i), walker.apply(k));
                walker.swap(i, k);
                value += change;
                if value < least {
                    least = value;
                    p.clone_from(&walker);
                    improvements += 1;
                }
            }
        }
        temperature *= cooling;
    }
    improvements
}

/// Whether no single swap within the face lowers f. O(m²) swap evaluations, O(1) each after one gradient where f is
/// dense and quadratic.
///
/// # Panics
/// When the sizes of objective, face and p differ.
pub fn is_swap_minimum(objective: &dyn Objective, face: &Face, p: &Permutation) -> bool {
    is_swap_minimum_until(objective, face, p, &Stop::never())
}

/// [`is_swap_minimum`], or false at `stop`.
pub(crate) fn is_swap_minimum_until(objective: &dyn Objective, face: &Face, p: &Permutation, stop: &Stop) -> bool {
    require_one_size(objective, face, p);
    let rows = face.free_rows();
    let mut pairs =
        rows.iter().enumerate().flat_map(|(position, &i)| rows[position + 1..].iter().map(move |&k| (i, k)));
    let mut rarely = stop.asked_rarely();
    match objective.swap_changes(p) {
        Some(change) => pairs.all(|(i, k)| !lowers(objective, p, i, k, change(i, k)) && !rarely.is_reached()),
        None => pairs.all(|(i, k)| !lowers(objective, p, i, k, objective.swap_change(p, i, k)) && !stop.is_reached()),
    }
}

fn require_one_size(objective: &dyn Objective, face: &Face, p: &Permutation) {
    let sizes = (objective.size(), face.size(), p.len());
    assert!(sizes.0 == sizes.1 && sizes.1 == sizes.2, "sizes of objective, face and permutation: {sizes:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_erdos_renyi, noisy_erdos_renyi, rng};
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

    #[test]
    fn annealing_leaves_minima_under_swaps_and_keeps_anchors() {
        let (mut before, mut after) = (0.0, 0.0);
        for trial in 0..3 {
            let mut rng = rng(7, trial);
            let instance = noisy_erdos_renyi(60, 4.0, 0.1, &mut rng).unwrap();
            let f = GraphMatching::new(instance.a, instance.b).unwrap();
            let mut p = instance.truth.clone();
            for i in 0..15 {
                p.swap(i, i + 20);
            }
            let anchor = (3, p.apply(3));
            let face = Face::new(60, &[anchor]).unwrap();
            swap_descent(&f, &face, &mut p, &|| false);
            let descended = f.value_at(&p);
            let mut again = p.clone();
            let walk = |p: &mut Permutation| anneal(&f, &face, p, &mut crate::instance::rng(8, trial), &|| false);
            assert_eq!(walk(&mut p), walk(&mut again));
            assert_eq!((&p, p.apply(3)), (&again, anchor.1));
            assert!(f.value_at(&p) <= descended);
            before += descended;
            after += f.value_at(&p);
        }
        assert!(after < before, "{before} before, {after} after");
    }

    #[test]
    fn annealing_is_for_sparse_graphs_and_can_be_stopped() {
        let mut rng = rng(9, 0);
        let dense = correlated_erdos_renyi(80, 0.5, 0.9, &mut rng).unwrap();
        let sparse = noisy_erdos_renyi(30, 3.0, 0.1, &mut rng).unwrap();
        for (pair, stopped) in [(dense, false), (sparse, true)] {
            let start = Permutation::random(pair.a.vertex_count(), &mut rng);
            let mut p = start.clone();
            let f = GraphMatching::new(pair.a, pair.b).unwrap();
            assert_eq!(anneal(&f, &Face::new(p.len(), &[]).unwrap(), &mut p, &mut rng, &|| stopped), 0);
            assert_eq!(p, start);
        }
    }
}
