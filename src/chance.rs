//! Not by chance: whether unrelated graphs could have a match as good.
//!
//! A search finds something in any two graphs: of independent sparse graphs of degree 8 a fourth of the edges. What no
//! permutation finds there but once in a million pairs says that two graphs have to do with one another, whatever the
//! search was, and whether or not its answer is the best (T7 of `docs/mathematics.md`).

use crate::graph::Graph;
use crate::permutation::Permutation;
use serde::Serialize;

/// How the graph with more vertices (B, of two with as many) would be drawn if it had nothing to do with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Null {
    /// Pairs of vertices are edges independently, each with the graph's density (Erdős–Rényi).
    Density,
    /// Pairs are edges independently, {j, l} with probability min(1, d_j·d_l/Σd), d the graph's degrees (Chung–Lu):
    /// hubs stay hubs, and share edges with hubs.
    Degrees,
    /// Weights are independent and Gaussian, of one mean and variance.
    Gaussian,
}

/// A bound on a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChanceBound {
    /// Of which graphs.
    pub null: Null,
    /// log₁₀ of a number that the probability of a matching as good is not above; 0 at most.
    pub log10: f64,
}

/// One in a million.
const NOT_BY_CHANCE: f64 = -6.0;

/// Whether all bounds are 10⁻⁶ or less, and there is one.
pub fn is_not_by_chance(bounds: &[ChanceBound]) -> bool {
    !bounds.is_empty() && bounds.iter().all(|bound| bound.log10 <= NOT_BY_CHANCE)
}

/// Bounds on the probability that unrelated graphs have *any* matching that is as good as `p`, which takes vertex i of
/// A to p(i) of B (T7).
///
/// What counts are pairs of vertices with an arc between them, in either direction and of any weight, loops apart. Of
/// two graphs of as many vertices in which all pairs have one it is the correlation of the weights. There is no bound
/// where one graph has no such pair, or all, or where the weights of complete graphs cannot be compared: of different
/// sizes or symmetries, or all the same.
///
/// O(arcs · log arcs); n² for complete graphs.
///
/// # Panics
/// When p is shorter than the larger graph.
///
/// ```
/// use birkhoff::chance::{chance_bounds, is_not_by_chance};
/// use birkhoff::instance::{correlated_erdos_renyi, rng};
/// let pair = correlated_erdos_renyi(60, 0.5, 0.8, &mut rng(1, 0))?;
/// assert!(is_not_by_chance(&chance_bounds(&pair.a, &pair.b, &pair.truth)));
/// let other = correlated_erdos_renyi(60, 0.5, 0.8, &mut rng(2, 0))?;
/// assert!(!is_not_by_chance(&chance_bounds(&pair.a, &other.b, &pair.truth)));
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn chance_bounds(a: &Graph, b: &Graph, p: &Permutation) -> Vec<ChanceBound> {
    let (n_a, n_b) = (a.vertex_count(), b.vertex_count());
    assert!(p.len() >= n_a.max(n_b), "a permutation of {} for graphs of {n_a} and {n_b} vertices", p.len());
    let pairs = [pairs_of(a), pairs_of(b)];
    let is_complete = |n: usize, pairs: &[(u32, u32)]| 2 * pairs.len() as u64 == n as u64 * (n.max(1) as u64 - 1);
    if pairs.iter().any(Vec::is_empty) {
        return vec![];
    }
    match [is_complete(n_a, &pairs[0]), is_complete(n_b, &pairs[1])] {
        [true, true] => correlation(a, b, p).into_iter().map(|r| gaussian(n_a, a.is_symmetric(), r)).collect(),
        [false, false] => {
            let common = common(&pairs, p);
            let (fixed, drawn) = if n_a <= n_b { (0, 1) } else { (1, 0) };
            let sizes = [n_a, n_b];
            let degrees = [fixed, drawn].map(|side| degrees(sizes[side], &pairs[side]));
            let kept = Match { sizes: (sizes[fixed], sizes[drawn]), edges: pairs[fixed].len(), common };
            [Null::Density, Null::Degrees].map(|null| kept.bound(null, pairs[drawn].len(), &degrees)).to_vec()
        }
        _ => vec![],
    }
}

/// Pairs i < k with an arc between them, in order.
fn pairs_of(graph: &Graph) -> Vec<(u32, u32)> {
    let arcs = graph.arcs().filter(|&(i, k, _)| i < k || (i > k && !graph.is_symmetric()));
    let mut pairs: Vec<(u32, u32)> = arcs.map(|(i, k, _)| (i.min(k) as u32, i.max(k) as u32)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn common([a, b]: &[Vec<(u32, u32)>; 2], p: &Permutation) -> usize {
    let image = |&(i, k): &(u32, u32)| {
        let (j, l) = (p.apply(i as usize) as u32, p.apply(k as usize) as u32);
        (j.min(l), j.max(l))
    };
    a.iter().filter(|pair| b.binary_search(&image(pair)).is_ok()).count()
}

/// In descending order.
fn degrees(n: usize, pairs: &[(u32, u32)]) -> Vec<f64> {
    let mut degrees: Vec<f64> = vec![0.0; n];
    pairs.iter().for_each(|&(i, k)| [i, k].iter().for_each(|&i| degrees[i as usize] += 1.0));
    degrees.sort_unstable_by(|d, other| other.total_cmp(d));
    degrees
}

/// What a matching keeps of a graph that is fixed in one that is drawn.
struct Match {
    /// Vertices of the one and of the other.
    sizes: (usize, usize),
    /// Edges of the one.
    edges: usize,
    /// Those that are edges of the other.
    common: usize,
}

impl Match {
    /// The bound for a drawn graph that has `drawn` edges; `degrees` of both, the fixed one first.
    fn bound(&self, null: Null, drawn: usize, degrees: &[Vec<f64>; 2]) -> ChanceBound {
        let (n, n_drawn) = self.sizes;
        let ln = ln_injections(n, n_drawn) + self.ln_of_one(null, drawn, degrees);
        ChanceBound { null, log10: ln.min(0.0) / std::f64::consts::LN_10 }
    }

    /// The same for one matching, chosen before a graph is drawn: ln of Chernoff's bound.
    fn ln_of_one(&self, null: Null, drawn: usize, degrees: &[Vec<f64>; 2]) -> f64 {
        let (n, n_drawn) = self.sizes;
        let (edges, all) = (self.edges as f64, pair_count(n));
        let density = drawn as f64 / pair_count(n_drawn);
        // At most the mean probability of the pairs that edges of the fixed graph are taken to, and what all pairs'
        // probabilities add up to.
        let (most, total) = match null {
            Null::Degrees => (most_by_degrees(degrees).min(edges) / edges, total_by_degrees(&degrees[1])),
            _ => (density, density * all),
        };
        // Where both have as many vertices, that other pairs are no edges says something, too.
        let alpha = if n == n_drawn { edges / all } else { 0.0 };
        let most = if alpha > 0.0 { most.min(total / edges) } else { most };
        let rest = if alpha > 0.0 { ((total - edges * most) / (all - edges)).clamp(0.0, 1.0) } else { 0.0 };
        let sum = self.common as f64 - alpha * drawn as f64;
        let exponent = |theta: f64| {
            let of_edges = edges * (most * (theta * (1.0 - alpha)).exp_m1()).ln_1p();
            let of_rest = (all - edges) * (rest * (-theta * alpha).exp_m1()).ln_1p();
            of_edges + of_rest - theta * sum
        };
        least(exponent)
    }
}

fn pair_count(n: usize) -> f64 {
    0.5 * n as f64 * (n as f64 - 1.0)
}

/// ln N!/(N − n)!, the number of ways to take n vertices to different ones of N.
fn ln_injections(n: usize, places: usize) -> f64 {
    (places - n + 1..=places).map(|place| (place as f64).ln()).sum()
}

/// Σ over the edges {i, k} of A of d_π(i)·d_π(k)/Σd ≤ Σ_i d^A_i·d_π(i)²/(2Σd), which is largest where degrees of the
/// same rank meet.
fn most_by_degrees([fixed, drawn]: &[Vec<f64>; 2]) -> f64 {
    fixed.iter().zip(drawn).map(|(d, other)| d * other * other).sum::<f64>() / (2.0 * drawn.iter().sum::<f64>())
}

/// Σ_{j<l} min(1, d_j·d_l/Σd) for degrees that descend.
fn total_by_degrees(degrees: &[f64]) -> f64 {
    let all: f64 = degrees.iter().sum();
    let mut after = vec![0.0; degrees.len() + 1];
    (0..degrees.len()).rev().for_each(|j| after[j] = after[j + 1] + degrees[j]);
    // The more a vertex has, the more partners is it certain of: the first `certain` vertices.
    let mut certain = degrees.len();
    let mut total = 0.0;
    for (j, d) in degrees.iter().enumerate() {
        while certain > 0 && d * degrees[certain - 1] < all {
            certain -= 1;
        }
        let others = (j + 1).max(certain);
        total += (others - j - 1) as f64 + d * after[others] / all;
    }
    total
}

/// The least value of a convex function on 0 ≤ θ ≤ 60, by trisection: any θ gives a bound.
fn least(exponent: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 60.0);
    for _ in 0..100 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if exponent(left) < exponent(right) {
            high = right;
        } else {
            low = left;
        }
    }
    exponent(low).min(exponent(high))
}

/// The correlation of A's weights with those of the pairs that p takes them to, loops apart.
fn correlation(a: &Graph, b: &Graph, p: &Permutation) -> Option<f64> {
    if a.vertex_count() != b.vertex_count() || a.is_symmetric() != b.is_symmetric() {
        return None;
    }
    let arcs = || a.arcs().filter(|(i, k, _)| i != k).map(|(i, k, weight)| (weight, b.weight(p.apply(i), p.apply(k))));
    let count = arcs().count() as f64;
    let mean = arcs().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x / count, sum.1 + y / count));
    let centred = || arcs().map(|(x, y)| (x - mean.0, y - mean.1));
    let (xx, xy, yy) = centred().fold((0.0, 0.0, 0.0), |sum, (x, y)| (sum.0 + x * x, sum.1 + x * y, sum.2 + y * y));
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

/// n!·½(1 − r²)^(N/2 − 1): a centred Gaussian vector of N weights points everywhere alike.
fn gaussian(n: usize, is_symmetric: bool, r: f64) -> ChanceBound {
    let weights = pair_count(n) * if is_symmetric { 1.0 } else { 2.0 };
    let ln_of_one = if r > 0.0 { 0.5f64.ln() + (0.5 * weights - 1.0).max(0.0) * (-r * r).ln_1p() } else { 0.0 };
    ChanceBound {
        null: Null::Gaussian,
        log10: ((ln_injections(n, n) + ln_of_one).min(0.0) / std::f64::consts::LN_10).max(f64::MIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{chung_lu, correlated_gaussian, noisy_copy, noisy_erdos_renyi, rng};
    use rand::RngExt;

    fn log10s(a: &Graph, b: &Graph, p: &Permutation) -> Vec<f64> {
        chance_bounds(a, b, p).iter().map(|bound| bound.log10).collect()
    }

    #[test]
    fn the_bound_is_above_the_probability_that_is_counted() {
        // All permutations of four vertices, and all graphs with these.
        const PAIRS: [(u32, u32); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        let graph = |set: u32| (0..6).filter(|k| set >> k & 1 == 1).map(|k| PAIRS[k]).collect::<Vec<_>>();
        let codes = (0..256_usize).map(|code| (0..4).map(|i| code >> (2 * i) & 3).collect());
        let permutations: Vec<_> = codes.filter_map(|p: Vec<usize>| Permutation::new(p).ok()).collect();
        assert_eq!(permutations.len(), 24);
        let of_drawn = [3.0, 2.0, 2.0, 1.0];
        let chances = [Null::Density, Null::Degrees].map(|null| match null {
            Null::Degrees => PAIRS.map(|(j, l)| of_drawn[j as usize] * of_drawn[l as usize] / 8.0),
            _ => [4.0 / 6.0; 6],
        });
        let drawn = 4;
        for fixed in [0b000001, 0b000111, 0b011010, 0b011111] {
            let a = graph(fixed);
            let alpha = a.len() as f64 / 6.0;
            for (null, chances) in [Null::Density, Null::Degrees].into_iter().zip(chances) {
                for least in 1..=a.len() {
                    let mut of_any = 0.0;
                    let mut of_each = vec![0.0; permutations.len()];
                    for set in 0..64 {
                        let both = [a.clone(), graph(set)];
                        let of_pair = |k: usize| if set >> k & 1 == 1 { chances[k] } else { 1.0 - chances[k] };
                        let probability: f64 = (0..6).map(of_pair).product();
                        let fewest = least as f64 - alpha * (drawn as f64 - f64::from(set.count_ones()));
                        let is_good: Vec<bool> =
                            permutations.iter().map(|p| common(&both, p) as f64 >= fewest - 1e-9).collect();
                        of_any += if is_good.contains(&true) { probability } else { 0.0 };
                        let good = of_each.iter_mut().zip(&is_good).filter(|(_, is_good)| **is_good);
                        good.for_each(|(sum, _)| *sum += probability);
                    }
                    let kept = Match { sizes: (4, 4), edges: a.len(), common: least };
                    let degrees = [degrees(4, &a), of_drawn.to_vec()];
                    let (of_one, most) =
                        (kept.ln_of_one(null, drawn, &degrees), of_each.into_iter().fold(0.0, f64::max));
                    assert!(of_one >= most.ln() - 1e-9, "{fixed:b} {least} {null:?}: {of_one}, {most}");
                    assert!(kept.bound(null, drawn, &degrees).log10 >= of_any.log10() - 1e-9);
                    // And not far above.
                    let is_near = most == 0.0 || of_one <= (4.0 * most).ln();
                    assert!(null == Null::Degrees || is_near, "{fixed:b} {least}: {of_one}, {most}");
                }
            }
        }
    }

    #[test]
    fn hidden_permutations_are_told_from_unrelated_graphs() {
        let mut rng = rng(3, 0);
        for (n, degree, noise) in [(100, 50.0, 0.2), (500, 80.0, 0.3), (2000, 8.0, 0.2)] {
            let pair = noisy_erdos_renyi(n, degree, noise, &mut rng).unwrap();
            let bounds = chance_bounds(&pair.a, &pair.b, &pair.truth);
            assert!(bounds.len() == 2 && is_not_by_chance(&bounds), "{n}: {bounds:?}");
            assert_eq!(log10s(&pair.a, &pair.b, &Permutation::identity(n)), [0.0, 0.0]);
        }
        let graph = chung_lu(3000, 8.0, 2.5, &mut rng).unwrap();
        let pair = noisy_copy(&graph, 0.2, 0.0, &mut rng).unwrap();
        let bounds = chance_bounds(&pair.a, &pair.b, &pair.truth);
        assert!(is_not_by_chance(&bounds) && bounds[1].log10 > bounds[0].log10, "{bounds:?}");
        let pair = correlated_gaussian(60, 0.6, &mut rng).unwrap();
        let bounds = chance_bounds(&pair.a, &pair.b, &pair.truth);
        assert!(is_not_by_chance(&bounds) && bounds[0].null == Null::Gaussian, "{bounds:?}");
        assert!(!is_not_by_chance(&chance_bounds(&pair.a, &pair.b, &Permutation::identity(60))));
    }

    #[test]
    fn hubs_that_meet_are_no_sign() {
        // Two independent graphs of a hundred hubs that are all connected: by density alone they have much in common.
        let mut rng = rng(4, 0);
        let mut graph = || {
            let clique = (0..100).flat_map(|i| (0..i).map(move |k| (i, k)));
            let others = (0..3000).map(|_| (rng.random_range(0..3000), rng.random_range(0..3000)));
            let edges: Vec<_> = clique.chain(others).filter(|(i, k)| i != k).map(|(i, k)| (i, k, 1.0)).collect();
            Graph::undirected(3000, edges).unwrap()
        };
        let (a, b) = (graph(), graph());
        let [density, degrees] = log10s(&a, &b, &Permutation::identity(3000))[..] else { panic!() };
        assert!(density < -6.0 && degrees == 0.0, "{density}, {degrees}");
    }

    #[test]
    fn sizes_may_differ_and_what_says_nothing_has_no_bound() {
        let mut rng = rng(5, 0);
        let large = noisy_erdos_renyi(200, 60.0, 0.0, &mut rng).unwrap().a;
        let part = Graph::undirected(100, large.arcs().filter(|&(i, k, _)| i < k && k < 100)).unwrap();
        let p = Permutation::identity(200);
        let bounds = log10s(&part, &large, &p);
        assert!(bounds.iter().all(|&log10| log10 < -6.0), "{bounds:?}");
        assert_eq!(bounds, log10s(&large, &part, &p));
        let complete =
            |weight: f64| Graph::undirected(4, (0..4).flat_map(|i| (0..i).map(move |k| (i, k, weight)))).unwrap();
        let edge = Graph::undirected(4, [(0, 1, 1.0)]).unwrap();
        let four = Permutation::identity(4);
        for (a, b) in [(&complete(1.0), &complete(2.0)), (&complete(1.0), &edge)] {
            assert_eq!(log10s(a, b, &four), [0.0; 0]);
        }
        assert_eq!(log10s(&Graph::undirected(4, []).unwrap(), &edge, &four), [0.0; 0]);
        assert!(!is_not_by_chance(&[]));
    }

    #[test]
    fn degrees_add_up_to_the_probabilities_of_all_pairs() {
        for degrees in [vec![9.0, 5.0, 4.0, 1.0, 1.0], vec![2.0; 6], vec![7.0, 1.0], vec![0.0, 0.0]] {
            let all: f64 = degrees.iter().sum::<f64>();
            let pairs = (0..degrees.len()).flat_map(|j| (0..j).map(move |l| (j, l)));
            let expected: f64 = pairs.map(|(j, l)| f64::min(1.0, degrees[j] * degrees[l] / all.max(1e-300))).sum();
            if all > 0.0 {
                assert!((total_by_degrees(&degrees) - expected).abs() < 1e-12, "{degrees:?}");
            }
        }
    }
}
