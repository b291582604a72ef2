//! Pairs like two connectomes of one species: directed, with counts of synapses for weights, and a start to improve.

use super::{Instance, require, require_vertices};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::permutation::Permutation;
use rand::distr::{Distribution, weighted::WeightedIndex};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use std::collections::HashSet;

/// Two connectomes whose common wiring is known, and a correspondence that is right in part.
#[derive(Debug, Clone)]
pub struct Connectomes {
    /// The graphs A, B and the hidden correspondence.
    pub instance: Instance,
    /// i ↦ its partner in B, displaced at some i.
    pub start: Permutation,
}

impl Connectomes {
    /// Vertices of the challenge's graphs.
    pub const N: usize = 18_524;
    /// Arcs of its larger graph, as a share of n².
    pub const DENSITY_A: f64 = 0.012;
    /// Arcs of its smaller graph, as a share of n².
    pub const DENSITY_B: f64 = 0.006;
    /// What the start that was given out keeps of what the best known answer does: 5,154,247 of 5,853,925.
    pub const START_KEEPS: f64 = 0.88;
    /// The most arcs that are drawn, as a share of n².
    pub const DENSEST: f64 = 0.1;

    /// Σ_ij min(A_ij, B_π(i)π(j)), the weight that π keeps, as a share of B's. O(arcs · log degree).
    ///
    /// # Panics
    /// When π is no permutation of the graphs' vertices.
    pub fn share_kept(&self, permutation: &Permutation) -> f64 {
        let Instance { a, b, .. } = &self.instance;
        let kept: f64 =
            a.arcs().map(|(i, j, weight)| weight.min(b.weight(permutation.apply(i), permutation.apply(j)))).sum();
        kept / b.arcs().map(|(_, _, weight)| weight).sum::<f64>()
    }
}

/// Neurons of a type: their number is log-uniform between these, its mean 13.
const TYPE_SIZES: (f64, f64) = (2.0, 40.0);
/// Spread of the propensities of types to send and to receive; and how far the one goes with the other.
const PROPENSITY_SPREAD: f64 = 0.6;
const PROPENSITY_CORRELATION: f64 = 0.6;
/// Pairs of neurons whose types are connected, for each arc of A.
const CELLS_PER_ARC: f64 = 3.0;
/// Standard deviations of the logarithm of a connection's strength: of the connection of two types, of a neuron that
/// sends or receives, of two neurons, and of two neurons in one individual.
const TYPES_SPREAD: f64 = 1.4;
const NEURON_SPREAD: f64 = 0.4;
const NEURONS_SPREAD: f64 = 0.65;
const INDIVIDUAL_SPREAD: f64 = 0.95;
/// The share of the start's displacements that lead to a neuron of any type.
const FAR: f64 = 0.1;
/// Displacements for each vertex after which the start is left as it is.
const MOST_DISPLACEMENTS: usize = 10;

/// A pair of the size and the statistics that are published of the connectome-matching challenge of FlyWire: directed
/// graphs A, B on n vertices with round(`density_a`·n²) and round(`density_b`·n²) arcs and integer weights ≥ 1.
///
/// It is synthetic. Nothing of the challenge's data is in it: its parts are standard models, and their few constants
/// were chosen so that at n = 18,524, densities .012 and .006, B has about the published weight (8.6 million), the
/// truth keeps the share of it that the best known answer does (.68), and the start .88 of that. What is not published,
/// among it A's weight, the types and the degrees, may be quite different there.
///
/// - Types: the neurons fall into types T of size s_T, log-uniform on \[2, 40].
/// - Types that are connected: pairs (S, T) are drawn with probability proportional to s_S·out_S·s_T·in_T (Chung and
///   Lu 2002), where (ln out_T, ln in_T) is normal with standard deviation .6 and correlation .6, each once, until they
///   have 3 pairs of neurons for each arc of A. Each type is S once at least.
/// - Strength: for i of type S, j of type T, i ≠ j, and the individual X ∈ {A, B}
///
///   ```text
///   ln λ_ij(X) = g_ST + u_i + v_j + e_ij + h_ij(X),   all normal with mean 0,
///   X_ij       = ⌊λ_ij(X) / τ_X⌋,                     τ_X such that X has its number of arcs
///   ```
///
///   with standard deviations 1.4, .4, .4, .65 and .95: strong connections are in both individuals, weak ones in one of
///   them or in neither, and weights are those of a log-normal tail. The strongest connection of each neuron that
///   sends is an arc in any case, so that every vertex is named in a list of arcs.
/// - The truth is uniform. The start is the truth after exchanges of two neurons, nine in ten of the same type and one
///   in ten of any, until it keeps at most `start_keeps` of Σ_ij min(A_ij, B_π(i)π(j)), or 10·n of them.
///
/// ```
/// use birkhoff::instance::{connectome, rng};
/// let pair = connectome(500, 0.02, 0.01, 0.88, &mut rng(0, 0))?;
/// assert_eq!((pair.instance.a.arc_count(), pair.instance.b.arc_count()), (5000, 2500));
/// assert!(pair.share_kept(&pair.start) < pair.share_kept(&pair.instance.truth));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// O(n + arcs · log degree) time; 120 bytes an arc of A.
///
/// # Errors
/// [`Error::Argument`] unless 1 ≤ n ≤ [`Graph::MOST_VERTICES`], 0 < density_b ≤ density_a ≤ .1 with an arc in B, and
/// .5 ≤ start_keeps ≤ 1.
pub fn connectome(
    n: usize,
    density_a: f64,
    density_b: f64,
    start_keeps: f64,
    rng: &mut impl Rng,
) -> Result<Connectomes> {
    require_vertices(n)?;
    require("density-a", density_a, 0.0, Connectomes::DENSEST)?;
    require("density-b", density_b, 0.0, density_a)?;
    require("start-keeps", start_keeps, 0.5, 1.0)?;
    let arcs = |density: f64| (density * (n as f64).powi(2)).round() as usize;
    let (arcs_of_a, arcs_of_b) = (arcs(density_a), arcs(density_b));
    if arcs_of_b == 0 {
        return Err(Error::argument("density-b", format!("{density_b} leaves no arc among {n} vertices")));
    }
    let types = types(n, rng);
    let cells = cells(n, &types, CELLS_PER_ARC * arcs_of_a as f64, rng);
    let a = individual(n, &cells, |cell| cell.in_a, arcs_of_a)?;
    let b = individual(n, &cells, |cell| cell.in_b, arcs_of_b)?;
    drop(cells);
    let instance = Instance::hidden(a, b, rng);
    let start = displaced(&instance, &types, start_keeps, rng);
    Ok(Connectomes { instance, start })
}

/// The vertices of each type, in random order.
fn types(n: usize, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let mut order = Permutation::random(n, rng).image().to_vec();
    let (smallest, largest) = TYPE_SIZES;
    let mut types = vec![];
    while !order.is_empty() {
        let size = smallest * (largest / smallest).powf(rng.random());
        types.push(order.split_off(order.len().saturating_sub(size.round() as usize)));
    }
    types
}

/// A pair of neurons whose types are connected, and the logarithm of their connection's strength in A and in B.
struct Cell {
    from: u32,
    to: u32,
    in_a: f32,
    in_b: f32,
}

fn normal(spread: f64, rng: &mut impl Rng) -> f64 {
    let z: f64 = StandardNormal.sample(rng);
    spread * z
}

/// The cells of connected types, `count` or a few more where there are as many. Each type sends to one at least.
fn cells(n: usize, types: &[Vec<usize>], count: f64, rng: &mut impl Rng) -> Vec<Cell> {
    let [sending, receiving] = propensities(types, rng);
    let sends: Vec<f64> = (0..n).map(|_| normal(NEURON_SPREAD, rng)).collect();
    let receives: Vec<f64> = (0..n).map(|_| normal(NEURON_SPREAD, rng)).collect();
    let mut connected = HashSet::new();
    let mut cells = Vec::with_capacity(count as usize);
    let mut without = 0..types.len();
    while (cells.len() as f64) < count && connected.len() < types.len().pow(2) {
        let from = without.next().unwrap_or_else(|| sending.sample(rng));
        let to = receiving.sample(rng);
        if !connected.insert((from, to)) {
            continue;
        }
        let of_types = normal(TYPES_SPREAD, rng);
        for &i in &types[from] {
            for &j in types[to].iter().filter(|&&j| j != i) {
                let common = of_types + sends[i] + receives[j] + normal(NEURONS_SPREAD, rng);
                let mut individual = || (common + normal(INDIVIDUAL_SPREAD, rng)) as f32;
                let (in_a, in_b) = (individual(), individual());
                cells.push(Cell { from: i as u32, to: j as u32, in_a, in_b });
            }
        }
    }
    cells
}

/// How types are drawn that send, and that receive.
fn propensities(types: &[Vec<usize>], rng: &mut impl Rng) -> [WeightedIndex<f64>; 2] {
    let own = (1.0 - PROPENSITY_CORRELATION).sqrt() * PROPENSITY_SPREAD;
    let common: Vec<f64> =
        types.iter().map(|_| normal(PROPENSITY_CORRELATION.sqrt() * PROPENSITY_SPREAD, rng)).collect();
    [(); 2].map(|()| {
        let weights =
            types.iter().zip(&common).map(|(of_type, common)| of_type.len() as f64 * (common + normal(own, rng)).exp());
        WeightedIndex::new(weights.collect::<Vec<_>>()).expect("weights above 0 of one type and more")
    })
}

/// The graph of `count` cells: of the strongest of each neuron that sends, then of the strongest ones, the weakest of
/// which has weight 1.
fn individual(n: usize, cells: &[Cell], strength: impl Fn(&Cell) -> f32, count: usize) -> Result<Graph> {
    let mut chosen: Vec<u32> = (0..cells.len() as u32).collect();
    let mut first: Vec<Option<u32>> = vec![None; n];
    for (k, cell) in cells.iter().enumerate() {
        let first = &mut first[cell.from as usize];
        if first.is_none_or(|other| strength(cell) > strength(&cells[other as usize])) {
            *first = Some(k as u32);
        }
    }
    // Of equal ones, those that were drawn first: else the number of arcs would not be exact.
    let rank = |k: u32| {
        let cell = &cells[k as usize];
        (first[cell.from as usize] == Some(k), strength(cell))
    };
    let order = |&k: &u32, &l: &u32| {
        let ((first, strength), (other_first, other_strength)) = (rank(k), rank(l));
        other_first.cmp(&first).then(other_strength.total_cmp(&strength)).then(k.cmp(&l))
    };
    let (_, &mut weakest, _) = chosen.select_nth_unstable_by(count - 1, order);
    chosen.truncate(count);
    let threshold = strength(&cells[weakest as usize]);
    let weight = |cell: &Cell| f64::from(strength(cell) - threshold).exp().floor().max(1.0);
    let arcs = chosen.into_iter().map(|k| &cells[k as usize]);
    Graph::directed(n, arcs.map(|cell| (cell.from as usize, cell.to as usize, weight(cell))))
}

/// The truth after exchanges, most of them of two neurons of a type, until it keeps little enough.
fn displaced(instance: &Instance, types: &[Vec<usize>], keeps: f64, rng: &mut impl Rng) -> Permutation {
    let Instance { a, b, truth } = instance;
    let n = truth.len();
    let mut kept = Kept { a, turned: a.transpose(), b, image: truth.image().to_vec() };
    let mut total: f64 = (0..n).map(|i| kept.of_arcs_from(i)).sum();
    let enough = keeps * total;
    let mut type_of = vec![0; n];
    types.iter().enumerate().for_each(|(t, of_type)| of_type.iter().for_each(|&i| type_of[i] = t));
    for _ in 0..MOST_DISPLACEMENTS * n {
        if total <= enough {
            break;
        }
        let i = rng.random_range(0..n);
        let alike = &types[type_of[i]];
        let is_far = rng.random_bool(FAR);
        let k = if is_far { rng.random_range(0..n) } else { alike[rng.random_range(0..alike.len())] };
        if i != k {
            let before = kept.around(i, k);
            kept.image.swap(i, k);
            total += kept.around(i, k) - before;
        }
    }
    Permutation::new(kept.image).expect("exchanges of a permutation")
}

/// The weight that `image` keeps, Σ min(A_ij, B_π(i)π(j)), in parts.
struct Kept<'g> {
    a: &'g Graph,
    /// Aᵀ.
    turned: Graph,
    b: &'g Graph,
    image: Vec<usize>,
}

impl Kept<'_> {
    fn of_arcs_from(&self, i: usize) -> f64 {
        let (targets, weights) = self.a.neighbours(i);
        let kept = |(&j, weight): (&usize, &f64)| weight.min(self.b.weight(self.image[i], self.image[j]));
        targets.iter().zip(weights).map(kept).sum()
    }

    fn of_arcs_to(&self, j: usize, from: impl Fn(usize) -> bool) -> f64 {
        let (sources, weights) = self.turned.neighbours(j);
        let kept = |(&i, weight): (&usize, &f64)| weight.min(self.b.weight(self.image[i], self.image[j]));
        sources.iter().zip(weights).filter(|(i, _)| from(**i)).map(kept).sum()
    }

    /// Of all arcs at i or k, each once.
    fn around(&self, i: usize, k: usize) -> f64 {
        let other = |l: usize| l != i && l != k;
        self.of_arcs_from(i) + self.of_arcs_from(k) + self.of_arcs_to(i, other) + self.of_arcs_to(k, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;

    fn pair(rng_seed: u64) -> Connectomes {
        connectome(2000, 0.02, 0.01, Connectomes::START_KEEPS, &mut rng(rng_seed, 0)).unwrap()
    }

    #[test]
    fn a_pair_has_the_published_statistics() {
        for rng_seed in 0..2 {
            let pair = pair(rng_seed);
            let Instance { a, b, truth } = &pair.instance;
            assert_eq!((a.arc_count(), b.arc_count()), (80_000, 40_000));
            let share = pair.share_kept(truth);
            assert!((share - 0.68).abs() < 0.03, "the truth keeps {share}");
            let start = pair.share_kept(&pair.start) / share;
            assert!((0.875..=0.88).contains(&start), "the start keeps {start} of that");
            let displaced = (0..2000).filter(|&i| pair.start.apply(i) != truth.apply(i)).count();
            assert!((200..800).contains(&displaced), "{displaced} are displaced");
        }
    }

    #[test]
    fn weights_are_counts_with_a_heavy_tail_and_so_are_degrees() {
        let Instance { a, b, .. } = pair(0).instance;
        for graph in [&a, &b] {
            assert!(!graph.is_symmetric());
            assert!(graph.arcs().all(|(i, j, weight)| i != j && weight >= 1.0 && weight.fract() == 0.0));
            let mut weights: Vec<f64> = graph.arcs().map(|(_, _, weight)| weight).collect();
            weights.sort_by(f64::total_cmp);
            let mean = weights.iter().sum::<f64>() / weights.len() as f64;
            assert!((3.0..8.0).contains(&mean) && weights[weights.len() / 2] <= 3.0, "{mean}");
            assert!(weights[weights.len() - 1] > 40.0 * mean);
            let mut degrees: Vec<usize> = (0..2000).map(|i| graph.neighbours(i).0.len()).collect();
            degrees.sort_unstable();
            // Every vertex stands in a list of arcs.
            assert!(degrees[0] >= 1 && degrees[1999] > 5 * degrees[1000]);
        }
    }

    #[test]
    fn the_same_generator_gives_the_same_pair_and_any_size_one() {
        let (one, same, other) = (pair(1), pair(1), pair(2));
        assert_eq!((&one.instance.a, &one.instance.b, &one.start), (&same.instance.a, &same.instance.b, &same.start));
        assert_ne!(one.instance.a, other.instance.a);
        for (n, density_a, density_b) in [(3, 0.1, 0.1), (10, 0.1, 0.05), (50, 0.1, 0.001), (700, 0.1, 0.1)] {
            let pair = connectome(n, density_a, density_b, 1.0, &mut rng(0, 0)).unwrap();
            let arcs = |density: f64| (density * (n * n) as f64).round() as usize;
            assert_eq!(pair.instance.a.arc_count(), arcs(density_a));
            assert_eq!(pair.instance.b.arc_count(), arcs(density_b));
            assert_eq!(pair.start, pair.instance.truth);
        }
    }

    #[test]
    fn what_makes_no_pair_is_refused() {
        let message = |n, density_a, density_b, keeps| {
            connectome(n, density_a, density_b, keeps, &mut rng(0, 0)).unwrap_err().to_string()
        };
        assert_eq!(message(0, 0.1, 0.1, 1.0), "n: a graph needs a vertex");
        assert_eq!(message(9, 0.2, 0.1, 1.0), "density-a: is 0.2, but must be between 0 and 0.1");
        assert_eq!(message(9, 0.01, 0.02, 1.0), "density-b: is 0.02, but must be between 0 and 0.01");
        assert_eq!(message(9, 0.1, 0.001, 1.0), "density-b: 0.001 leaves no arc among 9 vertices");
        assert_eq!(message(9, 0.1, f64::NAN, 1.0), "density-b: is NaN, but must be between 0 and 0.1");
        assert_eq!(message(9, 0.1, 0.1, 0.4), "start-keeps: is 0.4, but must be between 0.5 and 1");
    }
}
