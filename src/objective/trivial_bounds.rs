//! How much weight two graphs can have in common, whatever the permutation: bounds that need no search.

use crate::exact::DoubleSum;
use crate::graph::Graph;

/// A number that ‖A‖² + ‖B‖² − 2tr(AᵀPBPᵀ) = ‖AP − PB‖² is nowhere below on the permutations P, and ≥ 0; A and B have
/// equally many vertices.
///
/// tr(AᵀPBPᵀ) pairs the arcs of A with those of B, and is at most what it is where the heaviest meets the heaviest
/// (rearrangement inequality): the sorted weights off the diagonals, padded with zeros, and the sorted loops, for P
/// takes loops to loops. Where the weights of each graph are all equal, as in unweighted graphs, vertex i keeps no more
/// arcs than the smaller of its degree and p(i)'s, and Σ min(d_i, d'_p(i)) is largest where both are sorted. O(arcs ·
/// log arcs).
///
/// Sums and products are carried to twice the precision, and what is lost even so is subtracted: the bound holds for
/// the weights as they are.
pub(super) fn least_distance(a: &Graph, b: &Graph) -> f64 {
    let mut sum = Products::default();
    [a, b].into_iter().flat_map(Graph::arcs).for_each(|(_, _, weight)| sum.add(weight, weight));
    let n = a.vertex_count().max(b.vertex_count());
    let (arcs, loops) = (|graph| weights(graph, |i, k| i != k), |graph| weights(graph, |i, k| i == k));
    let off_diagonal = n * n.saturating_sub(1);
    match (common_value(&arcs(a)), common_value(&arcs(b))) {
        (Some(v), Some(w)) if v * w > 0.0 => sum.add_multiple(-2.0 * most_common_arcs(a, b) as f64, v, w),
        _ => subtract_overlap(&mut sum, arcs(a), arcs(b), off_diagonal),
    }
    subtract_overlap(&mut sum, loops(a), loops(b), n);
    sum.rounded_down().max(0.0)
}

/// A number that Σ_ik |A_ik − B_p(i)p(k)| is nowhere below on the permutations p, for weights ≥ 0: what it is where the
/// heaviest arc of A meets the heaviest of B, loops apart. Rounded down. O(arcs · log arcs).
pub(super) fn least_difference(a: &Graph, b: &Graph) -> f64 {
    let (mut sum, mut terms, mut magnitude) = (DoubleSum::default(), 0, 0.0);
    for loops in [false, true] {
        let (of_a, of_b) = (weights(a, |i, k| (i == k) == loops), weights(b, |i, k| (i == k) == loops));
        let length = of_a.len().max(of_b.len());
        let (of_a, of_b) = (Descending::of(of_a, length), Descending::of(of_b, length));
        for rank in 0..length {
            let (weight, other) = (of_a.at(rank), of_b.at(rank));
            sum.add(weight.max(other));
            sum.add(-weight.min(other));
            terms += 2;
            magnitude += weight + other;
        }
    }
    sum.rounded_down(terms, magnitude).max(0.0)
}

/// The weights of the arcs i → k that `counts` takes.
fn weights(graph: &Graph, counts: impl Fn(usize, usize) -> bool) -> Vec<f64> {
    graph.arcs().filter(|&(i, k, _)| counts(i, k)).map(|(_, _, weight)| weight).collect()
}

/// The value of all entries, if they have one.
fn common_value(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    values.iter().all(|&value| value == first).then_some(first)
}

/// The most arcs without loops that P can have in common: Σ min(d_i, d'_i) over sorted degrees, outgoing or incoming,
/// whichever is less.
fn most_common_arcs(a: &Graph, b: &Graph) -> u64 {
    let bound = |degrees: fn(&Graph) -> Vec<u64>| -> u64 {
        degrees(a).iter().zip(degrees(b)).map(|(&degree, other)| degree.min(other)).sum()
    };
    let outgoing = bound(|graph| sorted_degrees(graph, |i, _| i));
    if a.is_symmetric() && b.is_symmetric() {
        outgoing
    } else {
        outgoing.min(bound(|graph| sorted_degrees(graph, |_, k| k)))
    }
}

/// How many arcs have the vertex as their `end`, loops not counted, in descending order.
fn sorted_degrees(graph: &Graph, end: impl Fn(usize, usize) -> usize) -> Vec<u64> {
    let mut degrees = vec![0; graph.vertex_count()];
    graph.arcs().filter(|&(i, k, _)| i != k).for_each(|(i, k, _)| degrees[end(i, k)] += 1);
    degrees.sort_unstable_by(|a, b| b.cmp(a));
    degrees
}

/// `sum −= 2⟨sorted a, sorted b⟩`, both padded with zeros to `length`.
fn subtract_overlap(sum: &mut Products, a: Vec<f64>, b: Vec<f64>, length: usize) {
    let (a, b) = (Descending::of(a, length), Descending::of(b, length));
    a.ranks().for_each(|(rank, value)| sum.add(-2.0 * value, b.at(rank)));
}

/// Numbers in descending order, with zeros between the positive and the negative ones.
struct Descending {
    sorted: Vec<f64>,
    positive: usize,
    length: usize,
}

impl Descending {
    fn of(mut values: Vec<f64>, length: usize) -> Self {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let positive = values.partition_point(|&value| value > 0.0);
        Descending { sorted: values, positive, length }
    }

    /// Every number but the zeros between, with its rank.
    fn ranks(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let zeros = self.length - self.sorted.len();
        let rank = move |k| if k < self.positive { k } else { k + zeros };
        self.sorted.iter().enumerate().map(move |(k, &value)| (rank(k), value))
    }

    /// The number of that rank.
    fn at(&self, rank: usize) -> f64 {
        let zeros = self.length - self.sorted.len();
        if rank < self.positive {
            self.sorted[rank]
        } else if rank < self.positive + zeros {
            0.0
        } else {
            self.sorted[rank - zeros]
        }
    }
}

/// A sum of products of weights, and what its rounding depends on.
#[derive(Default)]
struct Products {
    sum: DoubleSum,
    terms: usize,
    magnitude: f64,
}

impl Products {
    /// Adds v·w.
    fn add(&mut self, v: f64, w: f64) {
        let product = v * w;
        self.sum.add(product);
        self.sum.add(v.mul_add(w, -product));
        self.terms += 2;
        self.magnitude += product.abs();
    }

    /// Adds c·v·w, c whole and below 2⁵³.
    fn add_multiple(&mut self, c: f64, v: f64, w: f64) {
        let product = v * w;
        self.add(c, product);
        self.add(c, v.mul_add(w, -product));
    }

    /// A number that the true sum is not below.
    fn rounded_down(&self) -> f64 {
        // What the smallest products lose by underflow is no part of the rounding.
        self.sum.rounded_down(self.terms, 2.0 * self.magnitude) - self.terms as f64 * f64::MIN_POSITIVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use crate::permutation::Permutation;
    use rand::Rng;
    use rand::RngExt;

    /// Weights that are whole multiples of 2⁻³⁰, so that sums of their products are whole multiples of 2⁻⁶⁰ and fit an
    /// i128.
    const UNIT: f64 = 1.0 / (1u64 << 30) as f64;

    fn graph(
        n: usize,
        symmetric: bool,
        weight: &mut dyn FnMut() -> i64,
        rng: &mut impl Rng,
    ) -> (Graph, Vec<Vec<i128>>) {
        let mut whole = vec![vec![0i128; n]; n];
        for (i, k) in (0..n * n).map(|pair| (pair / n, pair % n)).filter(|(i, k)| !symmetric || k <= i) {
            if rng.random::<f64>() < 0.6 {
                whole[i][k] = i128::from(weight());
                if symmetric {
                    whole[k][i] = whole[i][k];
                }
            }
        }
        let arcs = (0..n).flat_map(|i| (0..n).map(move |k| (i, k)));
        let graph = Graph::directed(n, arcs.map(|(i, k)| (i, k, whole[i][k] as f64 * UNIT))).unwrap();
        (graph, whole)
    }

    /// min over all permutations of ‖AP − PB‖², in units of 2⁻⁶⁰.
    fn least(a: &[Vec<i128>], b: &[Vec<i128>], p: &mut Vec<usize>, from: usize) -> i128 {
        let n = p.len();
        if from == n {
            let difference = |i: usize, k: usize| a[i][k] - b[p[i]][p[k]];
            return (0..n).flat_map(|i| (0..n).map(move |k| (i, k))).map(|(i, k)| difference(i, k).pow(2)).sum();
        }
        let mut best = i128::MAX;
        for other in from..n {
            p.swap(from, other);
            best = best.min(least(a, b, p, from + 1));
            p.swap(from, other);
        }
        best
    }

    #[test]
    fn no_permutation_is_below_the_bound_not_even_by_rounding() {
        let (mut tight, mut positive) = (0, 0);
        for trial in 0..300 {
            let mut rng = rng(31, trial);
            let n = 1 + trial as usize % 5;
            let mut draws = crate::instance::rng(32, trial);
            // Weights of one value, of one sign and both, and of eleven orders of magnitude.
            let mut weight = || match trial / 5 % 4 {
                0 => 3 << 29,
                1 => draws.random_range(1i64..1 << 38),
                2 => draws.random_range(-(1i64 << 38)..1 << 38),
                _ => (1 + draws.random_range(0i64..9)) << draws.random_range(0..36),
            };
            let symmetric = trial % 2 == 0;
            let (a, whole_a) = graph(n, symmetric, &mut weight, &mut rng);
            let (b, whole_b) = match trial % 3 {
                // The same graph with its vertices moved: the least distance is 0.
                0 => {
                    let p = Permutation::random(n, &mut rng);
                    let moved = a.arcs().map(|(i, k, weight)| (p.apply(i), p.apply(k), weight));
                    let inverse = p.inverse();
                    let entry = |i: usize, k: usize| whole_a[inverse.apply(i)][inverse.apply(k)];
                    let whole = (0..n).map(|i| (0..n).map(|k| entry(i, k)).collect()).collect();
                    (Graph::directed(n, moved).unwrap(), whole)
                }
                _ => graph(n, symmetric, &mut weight, &mut rng),
            };
            let least = least(&whole_a, &whole_b, &mut (0..n).collect(), 0);
            let bound = least_distance(&a, &b);
            // The bound in units of 2⁻⁶⁰: a power of two, so that nothing but the fraction is lost.
            let units = (bound / UNIT / UNIT).ceil() as i128;
            assert!(units <= least, "trial {trial}: bound {units}, least {least}");
            tight += usize::from(units as f64 >= least as f64 * (1.0 - 1e-15));
            positive += usize::from(bound > 0.0);
        }
        assert!(tight >= 150 && positive >= 80, "{tight} tight, {positive} positive");
    }

    #[test]
    fn unweighted_graphs_are_compared_by_degrees() {
        let star = Graph::undirected(5, (1..5).map(|k| (0, k, 1.0))).unwrap();
        let ring = Graph::undirected(5, (0..5).map(|i| (i, (i + 1) % 5, 1.0))).unwrap();
        // A star of four edges and a ring have at most three edges in common by degrees (and two in fact).
        assert_eq!(least_distance(&star, &ring), 8.0 + 10.0 - 2.0 * 6.0);
        let fork = Graph::directed(3, [(0, 1, 1.0), (0, 2, 1.0)]).unwrap();
        let join = Graph::directed(3, [(1, 0, 1.0), (2, 0, 1.0)]).unwrap();
        assert_eq!((least_distance(&fork, &join), least_distance(&fork, &fork)), (2.0, 0.0));
    }

    #[test]
    fn weights_of_other_signs_meet_where_they_must() {
        let full = |weight| Graph::undirected(3, [(0, 1, weight), (1, 2, weight), (2, 0, weight)]).unwrap();
        // Every arc meets one of the other sign.
        assert_eq!(least_distance(&full(1.0), &full(-2.0)), 6.0 * 9.0);
        let edge = Graph::undirected(3, [(0, 1, -1.0)]).unwrap();
        assert_eq!(least_distance(&edge, &full(1.0)), 2.0 * 4.0 + 4.0);
        let loops = Graph::undirected(2, [(0, 0, 3.0), (0, 1, 1.0)]).unwrap();
        let others = Graph::undirected(2, [(0, 1, 5.0), (1, 1, 1.0)]).unwrap();
        assert_eq!(least_distance(&loops, &others), 4.0 + 2.0 * 16.0);
    }
}
