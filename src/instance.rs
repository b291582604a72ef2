//! Random matching problems with a hidden permutation, to measure methods on.
//!
//! The hidden permutation is uniform, never the identity: assignment codes tend to return the identity on ties,
//! so that an experiment that hides the identity proves nothing.

mod connectome;
mod sparse;

pub use connectome::{Connectomes, connectome};
pub use sparse::{chung_lu, configuration, mesh};

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::permutation::Permutation;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sparse::bernoulli_pairs;
use std::collections::{BTreeSet, HashSet};

/// The generator of trial `trial` under `rng_seed`: ChaCha8 with the trial as its stream, so that every trial
/// has a sequence of its own, whatever order or thread the trials run in.
pub fn rng(rng_seed: u64, trial: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(rng_seed);
    rng.set_stream(trial);
    rng
}

/// Two graphs and the hidden correspondence: vertex i of `a` is vertex `truth.apply(i)` of `b`.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The graph A.
    pub a: Graph,
    /// The graph B.
    pub b: Graph,
    /// i ↦ its partner in B.
    pub truth: Permutation,
}

impl Instance {
    /// Renames the vertices of `b`, given in A's numbering, by a uniform permutation.
    fn hidden(a: Graph, b: Graph, rng: &mut impl Rng) -> Self {
        let truth = Permutation::random(a.vertex_count(), rng);
        let renamed = b.arcs().map(|(i, j, weight)| (truth.apply(i), truth.apply(j), weight));
        let b = Graph::directed(b.vertex_count(), renamed).expect("the arcs of a valid graph");
        Instance { a, b, truth }
    }
}

/// Unordered pairs i < j of 0..n.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

fn unweighted(n: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
    Graph::undirected(n, edges.into_iter().map(|(i, j)| (i, j, 1.0))).expect("vertices in range")
}

fn require(name: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::argument(name, format!("is {value}, but must be between {low} and {high}")))
}

fn require_vertices(n: usize) -> Result<()> {
    match n {
        0 => Err(Error::argument("n", "a graph needs a vertex")),
        1..=Graph::MOST_VERTICES => Ok(()),
        _ => Err(Error::argument("n", format!("is {n}, but a graph has at most {} vertices", Graph::MOST_VERTICES))),
    }
}

/// Correlated Erdős–Rényi graphs G(n, p): each pair is an edge of A and of B with probability p, the two
/// indicators having correlation ρ. ρ = 0 gives independent graphs (the null experiment).
///
/// # Errors
/// [`Error::Argument`] unless 1 ≤ n ≤ [`Graph::MOST_VERTICES`], 0 ≤ p ≤ 1, 0 ≤ ρ ≤ 1. O(n²).
pub fn correlated_erdos_renyi(n: usize, p: f64, rho: f64, rng: &mut impl Rng) -> Result<Instance> {
    require_vertices(n)?;
    require("p", p, 0.0, 1.0)?;
    require("rho", rho, 0.0, 1.0)?;
    let (mut a, mut b) = (vec![], vec![]);
    for pair in pairs(n) {
        let in_a = rng.random_bool(p);
        // P(edge of B | edge of A) = p + ρ(1 − p), and p(1 − ρ) without.
        let in_b = rng.random_bool(if in_a { p + rho * (1.0 - p) } else { p * (1.0 - rho) });
        if in_a {
            a.push(pair);
        }
        if in_b {
            b.push(pair);
        }
    }
    Ok(Instance::hidden(unweighted(n, a), unweighted(n, b), rng))
}

/// Up to so many vertices every pair is drawn for, above only those that are drawn are met. Published results use pairs
/// below, which keep their bytes.
const MOST_BY_PAIRS: usize = 5000;

/// Sparse correlated Erdős–Rényi graphs: A has mean degree `degree`; an edge of A survives in B with
/// probability 1 − `noise`, and a non-edge appears with probability p·noise/(1 − p), p = degree/(n − 1), so that
/// the densities agree (our reading of the model of Lelarge, arXiv 2510.03086).
///
/// Up to 5000 vertices each pair is drawn for, in O(n²), and the same generator gives the graphs that it always gave.
/// Above, the distribution is the same and the time O(n + edges): pairs without an edge are skipped (Batagelj and
/// Brandes 2005).
///
/// # Errors
/// [`Error::Argument`] unless 2 ≤ n ≤ [`Graph::MOST_VERTICES`], 0 ≤ degree < n − 1, 0 ≤ noise ≤ 1 with p·noise ≤ 1 − p.
pub fn noisy_erdos_renyi(n: usize, degree: f64, noise: f64, rng: &mut impl Rng) -> Result<Instance> {
    let p = density(n, degree, noise)?;
    if n <= MOST_BY_PAIRS {
        // Correlation 1 − noise/(1 − p) says the same.
        return correlated_erdos_renyi(n, p, 1.0 - noise / (1.0 - p), rng);
    }
    let a = bernoulli_pairs(n, p, rng);
    let b = with_noise(n, &a, p, noise, rng);
    Ok(Instance::hidden(unweighted(n, a), unweighted(n, b), rng))
}

/// The edges i < j of a noisy copy: those of `edges` that survive, and pairs that appear. O(n + edges).
fn with_noise(n: usize, edges: &[(usize, usize)], p: f64, noise: f64, rng: &mut impl Rng) -> Vec<(usize, usize)> {
    let mut copy: Vec<_> = edges.iter().copied().filter(|_| rng.random_bool(1.0 - noise)).collect();
    let old: HashSet<_> = edges.iter().copied().collect();
    let appearing = bernoulli_pairs(n, p * noise / (1.0 - p), rng);
    copy.extend(appearing.into_iter().filter(|pair| !old.contains(pair)));
    copy
}

/// p = degree/(n − 1), where it and the noise make sense.
fn density(n: usize, degree: f64, noise: f64) -> Result<f64> {
    require_vertices(n)?;
    if n < 2 {
        return Err(Error::argument("n", "needs two vertices at least"));
    }
    let p = degree / (n - 1) as f64;
    if !(0.0..1.0).contains(&p) {
        return Err(Error::argument("degree", format!("is {degree}, but must be in [0, {})", n - 1)));
    }
    require("noise", noise, 0.0, 1.0)?;
    if noise > 1.0 - p {
        return Err(Error::argument("noise", format!("{noise} is above 1 - p = {}", 1.0 - p)));
    }
    Ok(p)
}

/// A random `degree`-regular graph A, and a copy B with the noise of [`noisy_erdos_renyi`]: an edge of A survives with
/// probability 1 − `noise`, a non-edge appears with probability p·noise/(1 − p), p = degree/(n − 1). B is as dense as
/// A, but not regular.
///
/// A is drawn by pairing free half-edges at random where that makes a simple graph, from the start again when stuck
/// (Steger and Wormald 1999): nearly uniform for small degrees.
///
/// # Errors
/// [`Error::Argument`] unless 2 ≤ n ≤ [`Graph::MOST_VERTICES`], n·degree is even, degree < n − 1, 0 ≤ noise ≤ 1 with
/// p·noise ≤ 1 − p. O(n²), and O(edges) above 5000 vertices where less than half of all pairs are edges.
///
/// # Panics
/// Never.
pub fn noisy_regular(n: usize, degree: usize, noise: f64, rng: &mut impl Rng) -> Result<Instance> {
    let p = density(n, degree as f64, noise)?;
    if n % 2 == 1 && degree % 2 == 1 {
        return Err(Error::argument(
            "degree",
            format!("{degree} for each of {n} vertices makes no whole number of edges"),
        ));
    }
    // A dense one is the complement of a sparse one, where the pairing does not get stuck.
    let is_dense = 2 * degree > n - 1;
    let drawn = if is_dense { n - 1 - degree } else { degree };
    let edges = std::iter::repeat_with(|| regular_edges(n, drawn, rng)).find_map(|edges| edges);
    let edges = edges.expect("repeats until found");
    if n > MOST_BY_PAIRS && !is_dense {
        let a: Vec<_> = edges.into_iter().collect();
        let b = with_noise(n, &a, p, noise, rng);
        return Ok(Instance::hidden(unweighted(n, a), unweighted(n, b), rng));
    }
    let a: BTreeSet<_> = pairs(n).filter(|pair| edges.contains(pair) != is_dense).collect();
    let appears = p * noise / (1.0 - p);
    let b = pairs(n).filter(|pair| rng.random_bool(if a.contains(pair) { 1.0 - noise } else { appears }));
    let b = unweighted(n, b.collect::<Vec<_>>());
    Ok(Instance::hidden(unweighted(n, a), b, rng))
}

/// The edges i < j of a random regular graph, or `None` where the pairing is stuck.
fn regular_edges(n: usize, degree: usize, rng: &mut impl Rng) -> Option<BTreeSet<(usize, usize)>> {
    /// Draws without a new edge after which it is looked whether there still is one.
    const PATIENCE: usize = 100;
    let mut free: Vec<usize> = (0..n).flat_map(|i| std::iter::repeat_n(i, degree)).collect();
    let mut edges = BTreeSet::new();
    let mut failures = 0;
    while !free.is_empty() {
        let (x, y) = (rng.random_range(0..free.len()), rng.random_range(0..free.len()));
        let edge = (free[x].min(free[y]), free[x].max(free[y]));
        if edge.0 != edge.1 && edges.insert(edge) {
            failures = 0;
            free.swap_remove(x.max(y));
            free.swap_remove(x.min(y));
            continue;
        }
        failures += 1;
        let is_stuck = || free.iter().all(|&i| free.iter().all(|&j| i >= j || edges.contains(&(i, j))));
        if failures % PATIENCE == 0 && is_stuck() {
            return None;
        }
    }
    Some(edges)
}

/// Correlated Gaussian (Wigner) matrices: symmetric, zero diagonal, W_ij and its partner standard normal with
/// correlation ρ.
///
/// # Errors
/// [`Error::Argument`] unless 1 ≤ n ≤ [`Graph::MOST_VERTICES`], −1 ≤ ρ ≤ 1. O(n²).
pub fn correlated_gaussian(n: usize, rho: f64, rng: &mut impl Rng) -> Result<Instance> {
    require_vertices(n)?;
    require("rho", rho, -1.0, 1.0)?;
    let (mut a, mut b) = (vec![], vec![]);
    for (i, j) in pairs(n) {
        let x: f64 = StandardNormal.sample(rng);
        let y: f64 = StandardNormal.sample(rng);
        a.push((i, j, x));
        b.push((i, j, rho * x + (1.0 - rho * rho).sqrt() * y));
    }
    Ok(Instance::hidden(Graph::undirected(n, a)?, Graph::undirected(n, b)?, rng))
}

/// A given undirected graph, and a copy of it: each edge is lost with probability `removed`, and round(`added`·edges)
/// new ones are drawn uniformly among the pairs that are no edges. Weights stay; new edges have weight 1.
///
/// # Errors
/// [`Error::Argument`] unless the graph is undirected and 0 ≤ removed ≤ 1, 0 ≤ added, and there is room for the new
/// edges.
pub fn noisy_copy(graph: &Graph, removed: f64, added: f64, rng: &mut impl Rng) -> Result<Instance> {
    let n = graph.vertex_count();
    require_vertices(n)?;
    require("removed", removed, 0.0, 1.0)?;
    require("added", added, 0.0, f64::MAX)?;
    if !graph.is_symmetric() {
        return Err(Error::argument("graph", "is directed, but a noisy copy is made of undirected graphs"));
    }
    let edges: Vec<_> = graph.arcs().filter(|&(i, j, _)| i <= j).collect();
    let extra = (added * edges.len() as f64).round();
    let room = (n as f64 * (n as f64 - 1.0) / 2.0) - edges.len() as f64;
    if extra > room {
        return Err(Error::argument("added", format!("no room for {extra} new edges among {n} vertices")));
    }
    let extra = extra as usize;
    let mut copy: Vec<_> = edges.iter().copied().filter(|_| !rng.random_bool(removed)).collect();
    let mut fresh = BTreeSet::new();
    while fresh.len() < extra {
        let (i, j) = (rng.random_range(0..n), rng.random_range(0..n));
        if i < j && graph.weight(i, j) == 0.0 {
            fresh.insert((i, j));
        }
    }
    copy.extend(fresh.into_iter().map(|(i, j)| (i, j, 1.0)));
    Ok(Instance::hidden(graph.clone(), Graph::undirected(n, copy)?, rng))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_graphs_are_regular_and_their_copies_as_dense() {
        for (n, degree) in [(60, 3), (61, 10), (9, 6), (8, 5), (2, 0), (40, 25)] {
            // Few edges make shares that vary too much.
            let noise = if n > 40 { 0.2 } else { 0.0 };
            let Instance { a, b, truth } = noisy_regular(n, degree, noise, &mut rng(1, n as u64)).unwrap();
            assert!(a.is_symmetric() && (0..n).all(|i| a.neighbours(i).0.len() == degree && a.weight(i, i) == 0.0));
            let kept = a.arcs().filter(|&(i, k, _)| b.weight(truth.apply(i), truth.apply(k)) != 0.0).count();
            let all = a.arc_count() as f64;
            // Of 90 edges and more: four standard deviations of the kept ones, and of those kept and new.
            assert!((kept as f64 - (1.0 - noise) * all).abs() <= 0.17 * all);
            assert!((b.arc_count() as f64 - all).abs() <= 0.27 * all);
        }
    }

    #[test]
    fn regular_graphs_that_do_not_exist_are_refused() {
        let message = |n, degree, noise| noisy_regular(n, degree, noise, &mut rng(1, 0)).unwrap_err().to_string();
        assert!(message(5, 3, 0.1).contains("no whole number of edges"));
        assert!(message(5, 4, 0.1).contains("degree: is 4"));
        assert!(message(1, 0, 0.1).contains("two vertices"));
        assert!(message(usize::MAX, 3, 0.1).contains("at most 4294967294 vertices"));
        assert!(message(6, usize::MAX, 0.1).contains("degree: is"));
        assert!(message(6, 4, 0.3).contains("above 1 - p"));
        assert!(message(6, 2, -0.1).contains("noise: is -0.1"));
    }
}
