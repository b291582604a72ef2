//! Large sparse graphs, drawn in time linear in their edges.

use super::{require, require_vertices, unweighted};
use crate::error::{Error, Result};
use crate::graph::Graph;
use rand::distr::{Distribution, weighted::WeightedIndex};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::collections::HashSet;

/// Each of the pairs i < j of 0..n with probability p, by geometric skips from one to the next (Batagelj and Brandes
/// 2005): O(n + pairs drawn).
pub(super) fn bernoulli_pairs(n: usize, p: f64, rng: &mut impl Rng) -> Vec<(usize, usize)> {
    let mut pairs = vec![];
    if p <= 0.0 {
        return pairs;
    }
    // ln 0 = −∞ at p = 1, and then no pair is skipped.
    let log_of_none = (-p).ln_1p();
    // Pairs (i, j) come by j, then by i: (0, 1), (0, 2), (1, 2), …; `i` is beyond j where a later j is meant.
    let (mut i, mut j) = (0u64, 1u64);
    let n = n as u64;
    loop {
        // 1 − u is never 0.
        let skipped = ((-rng.random::<f64>()).ln_1p() / log_of_none).floor();
        // Beyond all pairs there are, whatever the cast makes of it.
        i = i.saturating_add(skipped as u64);
        while j < n && i >= j {
            i -= j;
            j += 1;
        }
        if j >= n {
            return pairs;
        }
        pairs.push((i as usize, j as usize));
        i += 1;
    }
}

/// A graph with power-law degrees after Chung and Lu (2002): round(n·`degree`/2) different edges, the ends of each
/// drawn with probabilities proportional to w_i = (i + 10)^(−1/(γ − 1)), i = 0, …, n − 1, and drawn again where they
/// are equal or the edge is there. Degrees of d and more are as rare as d^(1 − γ); many vertices have one edge or none.
///
/// # Errors
/// [`Error::Argument`] unless 2 ≤ n ≤ [`Graph::MOST_VERTICES`], 0 ≤ degree ≤ (n − 1)/4 and 2 ≤ γ = `exponent` ≤ 100.
/// O(n + edges · log n).
///
/// # Panics
/// Never.
pub fn chung_lu(n: usize, degree: f64, exponent: f64, rng: &mut impl Rng) -> Result<Graph> {
    /// What is added to i, so that the first vertices do not have an edge to every other one.
    const OFFSET: f64 = 10.0;
    require_two(n)?;
    require_exponent(exponent)?;
    require("degree", degree, 0.0, (n - 1) as f64 / 4.0)?;
    let weights = (0..n).map(|i| (i as f64 + OFFSET).powf(-1.0 / (exponent - 1.0)));
    let ends = WeightedIndex::new(weights).expect("weights above 0 of two vertices and more");
    let count = (0.5 * degree * n as f64).round() as usize;
    let (mut edges, mut seen) = (Vec::with_capacity(count), HashSet::with_capacity(count));
    while edges.len() < count {
        let (i, j) = (ends.sample(rng), ends.sample(rng));
        let edge = (i.min(j), i.max(j));
        if i != j && seen.insert(edge) {
            edges.push(edge);
        }
    }
    Ok(unweighted(n, edges))
}

/// A graph with power-law degrees by the configuration model: the degrees are ⌊k·u^(−1/(γ − 1))⌋ with u uniform and k =
/// `least_degree`, at most √(n·k̄) with k̄ = k(γ − 1)/(γ − 2), about the mean; their half-edges are paired uniformly,
/// and loops, repeated edges and an odd half-edge are left out (few: the erased model).
///
/// # Errors
/// [`Error::Argument`] unless 2 ≤ n ≤ [`Graph::MOST_VERTICES`], 1 ≤ least_degree ≤ (n − 1)/4 and
/// 2 ≤ γ = `exponent` ≤ 100. O(n + edges).
pub fn configuration(n: usize, least_degree: usize, exponent: f64, rng: &mut impl Rng) -> Result<Graph> {
    require_two(n)?;
    require_exponent(exponent)?;
    require("least-degree", least_degree as f64, 1.0, (n - 1) as f64 / 4.0)?;
    let least = least_degree as f64;
    // ∞ at γ = 2.
    let mean = least * (exponent - 1.0) / (exponent - 2.0);
    let most = (n as f64 * mean).sqrt().min((n - 1) as f64);
    let mut half_edges = vec![];
    for i in 0..n {
        let degree = least * (1.0 - rng.random::<f64>()).powf(-1.0 / (exponent - 1.0));
        half_edges.extend(std::iter::repeat_n(i, degree.min(most) as usize));
    }
    half_edges.shuffle(rng);
    let pairs = half_edges.as_chunks::<2>().0.iter().map(|&[i, j]| (i.min(j), i.max(j)));
    let mut edges: Vec<_> = pairs.filter(|(i, j)| i != j).collect();
    edges.sort_unstable();
    edges.dedup();
    Ok(unweighted(n, edges))
}

/// A mesh of triangles: the grid of side × side vertices, row by row, with one of the two diagonals of each cell, at
/// random. 2·side·(side − 1) + (side − 1)² edges.
///
/// # Errors
/// [`Error::Argument`] unless 1 ≤ side and side² ≤ [`Graph::MOST_VERTICES`]. O(side²).
pub fn mesh(side: usize, rng: &mut impl Rng) -> Result<Graph> {
    let n = side.checked_mul(side).filter(|n| (1..=Graph::MOST_VERTICES).contains(n));
    let n = n.ok_or_else(|| {
        let cause = format!(
            "is {side}, but a mesh of side * side vertices has one at least and {} at most",
            Graph::MOST_VERTICES
        );
        Error::argument("side", cause)
    })?;
    let at = |row: usize, column: usize| row * side + column;
    let mut edges = Vec::with_capacity(3 * n);
    for row in 0..side {
        for column in 0..side {
            let (right, below) = (column + 1 < side, row + 1 < side);
            edges.extend(right.then(|| (at(row, column), at(row, column + 1))));
            edges.extend(below.then(|| (at(row, column), at(row + 1, column))));
            if right && below {
                let falls = rng.random_bool(0.5);
                edges.push(match falls {
                    true => (at(row, column), at(row + 1, column + 1)),
                    false => (at(row, column + 1), at(row + 1, column)),
                });
            }
        }
    }
    Ok(unweighted(n, edges))
}

fn require_two(n: usize) -> Result<()> {
    require_vertices(n)?;
    if n < 2 { Err(Error::argument("n", "needs two vertices at least")) } else { Ok(()) }
}

fn require_exponent(exponent: f64) -> Result<()> {
    require("exponent", exponent, 2.0, 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{Instance, correlated_erdos_renyi, noisy_copy, noisy_erdos_renyi, noisy_regular, rng};

    fn degrees(graph: &Graph) -> Vec<usize> {
        let mut degrees: Vec<usize> = (0..graph.vertex_count()).map(|i| graph.neighbours(i).0.len()).collect();
        degrees.sort_unstable();
        degrees
    }

    /// Of the degrees from `least` on: Hill's estimate of the exponent.
    fn exponent(degrees: &[usize], least: usize) -> f64 {
        let tail: Vec<f64> =
            degrees.iter().filter(|&&d| d >= least).map(|&d| (d as f64 / (least as f64 - 0.5)).ln()).collect();
        1.0 + tail.len() as f64 / tail.iter().sum::<f64>()
    }

    #[test]
    fn pairs_that_are_skipped_to_are_as_likely_as_each_other() {
        let n = 7;
        let mut counts = vec![vec![0; n]; n];
        let trials = 20_000;
        let mut rng = rng(0, 0);
        for _ in 0..trials {
            let pairs = bernoulli_pairs(n, 0.3, &mut rng);
            assert!(pairs.is_sorted_by_key(|&(i, j)| (j, i)));
            pairs.into_iter().for_each(|(i, j)| counts[i][j] += 1);
        }
        for (i, row) in counts.iter().enumerate() {
            for (j, &count) in row.iter().enumerate() {
                // Six standard deviations.
                let expected = if i < j { 0.3 * f64::from(trials) } else { 0.0 };
                assert!((f64::from(count) - expected).abs() <= 6.0 * (0.7 * expected).sqrt(), "({i}, {j}): {count}");
            }
        }
        assert_eq!(bernoulli_pairs(5, 1.0, &mut rng).len(), 10);
        assert_eq!(bernoulli_pairs(5, 1e-300, &mut rng), []);
        assert_eq!(bernoulli_pairs(5, 0.0, &mut rng), []);
        assert_eq!(bernoulli_pairs(1, 0.5, &mut rng), []);
    }

    #[test]
    fn large_noisy_pairs_have_the_statistics_of_small_ones() {
        let draw = |rng_seed| {
            let rng = || rng(rng_seed, 0);
            [noisy_erdos_renyi(20_000, 10.0, 0.2, &mut rng()), noisy_regular(20_000, 10, 0.2, &mut rng())]
                .map(Result::unwrap)
        };
        let same = draw(1);
        for (Instance { a, b, truth }, same) in draw(1).into_iter().zip(&same) {
            assert_eq!((&a, &b, &truth), (&same.a, &same.b, &same.truth));
            let (edges_a, edges_b) = (a.edge_count() as f64, b.edge_count() as f64);
            // Of 100,000 edges: six standard deviations are .02 of them.
            assert!((edges_a - 1e5).abs() < 2e3 && (edges_b - edges_a).abs() < 2e3, "{edges_a} {edges_b}");
            let kept =
                a.arcs().filter(|&(i, k, _)| b.weight(truth.apply(i), truth.apply(k)) != 0.0).count() as f64 / 2.0;
            assert!((kept - 0.8 * edges_a).abs() < 1e3, "{kept}");
        }
    }

    #[test]
    fn small_noisy_pairs_keep_their_bytes() {
        for n in [300, 5000] {
            let p = 4.0 / (n - 1) as f64;
            let rho = 1.0 - 0.25 / (1.0 - p);
            let by_pairs = correlated_erdos_renyi(n, p, rho, &mut rng(7, 0)).unwrap();
            let pair = noisy_erdos_renyi(n, 4.0, 0.25, &mut rng(7, 0)).unwrap();
            assert_eq!((pair.a, pair.b, pair.truth), (by_pairs.a, by_pairs.b, by_pairs.truth));
        }
    }

    #[test]
    fn power_laws_have_their_exponent_and_their_mean() {
        let graph = chung_lu(20_000, 8.0, 2.5, &mut rng(0, 0)).unwrap();
        assert_eq!(graph.edge_count(), 80_000);
        let of_graph = degrees(&graph);
        assert!((exponent(&of_graph, 20) - 2.5).abs() < 0.2, "{}", exponent(&of_graph, 20));
        let graph = configuration(20_000, 3, 2.5, &mut rng(0, 0)).unwrap();
        let of_graph = degrees(&graph);
        assert!((exponent(&of_graph, 10) - 2.5).abs() < 0.15, "{}", exponent(&of_graph, 10));
        // Of a loop or of edges that were one, few lose one; none is beyond √(n·9).
        let below = of_graph.iter().filter(|&&d| d < 3).count();
        assert!(below < 200 && of_graph[19_999] <= 424, "{below} {}", of_graph[19_999]);
        assert!((0..20_000).all(|i| graph.weight(i, i) == 0.0 && graph.neighbours(i).1.iter().all(|&w| w == 1.0)));
        // Near the limits of what is allowed.
        for exponent in [2.0, 2.5, 100.0] {
            assert_eq!(chung_lu(101, 25.0, exponent, &mut rng(0, 0)).unwrap().edge_count(), 1263);
            assert!(configuration(101, 25, exponent, &mut rng(0, 0)).unwrap().edge_count() > 900);
        }
    }

    #[test]
    fn a_mesh_has_the_edges_of_its_grid_and_a_diagonal_for_each_cell() {
        for side in [1, 2, 30] {
            let graph = mesh(side, &mut rng(3, 0)).unwrap();
            assert_eq!(graph.edge_count(), 2 * side * (side - 1) + (side - 1) * (side - 1));
            let steps = |i: usize, j: usize| ((i / side).abs_diff(j / side), (i % side).abs_diff(j % side));
            let diagonals = graph.arcs().filter(|&(i, j, _)| i < j && steps(i, j) == (1, 1)).count();
            assert_eq!(diagonals, (side - 1) * (side - 1));
            assert!(graph.arcs().all(|(i, j, _)| matches!(steps(i, j), (0, 1) | (1, 0) | (1, 1))));
            let falling = graph.arcs().filter(|&(i, j, _)| j == i + side + 1).count();
            assert!(side < 30 || (300..541).contains(&falling), "{falling} of 841");
        }
    }

    #[test]
    fn copies_lack_as_many_edges_as_was_said_and_depend_on_the_generator_only() {
        let draw = |rng_seed| {
            let mut rng = rng(rng_seed, 0);
            let graph = mesh(60, &mut rng).unwrap();
            noisy_copy(&graph, 0.1, 0.0, &mut rng).unwrap()
        };
        let (one, same, other) = (draw(0), draw(0), draw(1));
        assert_eq!((&one.a, &one.b, &one.truth), (&same.a, &same.b, &same.truth));
        assert!(one.a != other.a && one.truth != other.truth);
        let share = one.b.edge_count() as f64 / one.a.edge_count() as f64;
        assert!((share - 0.9).abs() < 0.02, "{share}");
    }

    #[test]
    fn what_makes_no_graph_is_refused() {
        let mut rng = rng(0, 0);
        let mut message =
            |graph: fn(&mut rand_chacha::ChaCha8Rng) -> Result<Graph>| graph(&mut rng).unwrap_err().to_string();
        assert!(message(|rng| chung_lu(1, 0.0, 2.5, rng)).contains("n: needs two vertices"));
        assert_eq!(message(|rng| chung_lu(9, 3.0, 2.5, rng)), "degree: is 3, but must be between 0 and 2");
        assert!(message(|rng| chung_lu(9, 1.0, 1.5, rng)).starts_with("exponent: is 1.5, but must be between 2"));
        assert!(message(|rng| configuration(9, 0, 2.5, rng)).starts_with("least-degree: is 0"));
        assert!(message(|rng| configuration(9, 1, f64::NAN, rng)).starts_with("exponent: is NaN"));
        assert!(message(|rng| mesh(0, rng)).starts_with("side: is 0"));
        assert!(message(|rng| mesh(usize::MAX, rng)).contains("side * side"));
    }
}
