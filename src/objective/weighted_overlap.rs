//! Graph matching by the weight that two graphs have in common.

use super::linear_term::LinearTerm;
use super::rounding::linear_lattice;
use super::trivial_bounds::least_difference;
use super::{Objective, Rounding, VertexGradient};
use crate::error::{Error, Result};
use crate::exact::{DoubleSum, ExactSum, Lattice, sum_error};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::sparse_form::{Affinity, SparseForm};
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;

/// f(X) = Σ_ℓ (Σ A_ℓ + Σ B_ℓ − 2 Σ_ik Σ_jl min(A_ℓ\[i, k\], B_ℓ\[j, l\])·X_ij·X_kl) + ⟨C, X⟩ for weights ≥ 0,
/// indefinite in general: at a permutation the sum of absolute differences Σ_ℓ Σ_ik |A_ℓ\[i, k\] − B_ℓ\[p(i), p(k)\]|,
/// and Σ_i C\[i, p(i)\].
///
/// Minimizing it maximizes the [overlap](Self::overlap_at), by which connectomes are aligned (Lee, Matsliah and Saul,
/// TMLR 2026): a synapse too many costs as much beside a strong connection as beside a weak one, where
/// [squared differences](super::GraphMatching) look at the strongest first.
///
/// Cost: a value at a permutation O(arcs·log d), a swap's change O(d·log d), ∇f at a permutation O(n·d²), elsewhere
/// O(n·arcs·log d).
///
/// ```
/// use birkhoff::objective::{Objective, WeightedOverlap};
/// use birkhoff::{Graph, Permutation};
/// let a = Graph::directed(2, [(0, 1, 7.0), (1, 0, 2.0)])?;
/// let b = Graph::directed(2, [(0, 1, 3.0), (1, 0, 4.0)])?;
/// let f = WeightedOverlap::new(a, b)?;
/// assert_eq!((f.overlap_at(&Permutation::identity(2)), f.value_at(&Permutation::identity(2))), (5.0, 6.0));
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "connectome")]
#[derive(Debug, Clone)]
pub struct WeightedOverlap {
    layers: Arc<Vec<Pair>>,
    /// The most vertices that an A and a B have without their padding.
    vertices: (usize, usize),
    /// Σ A + Σ B over the layers.
    total: f64,
    /// Σ_ℓ (Σ A_ℓ·Σ B_ℓ)^½.
    products: f64,
    /// What no permutation's sum of differences is below.
    least_difference: f64,
    /// That of the weights.
    lattice: Option<Lattice>,
    /// C, unless it is 0.
    linear: Option<Arc<LinearTerm>>,
    stop: Stop,
}

/// A layer, padded, each graph also turned round.
#[derive(Debug, Clone)]
struct Pair {
    a: Graph,
    b: Graph,
    a_turned: Graph,
    b_turned: Graph,
}

impl WeightedOverlap {
    /// Of one layer. The smaller graph is padded with isolated vertices.
    ///
    /// # Errors
    /// [`Error::Argument`] when both graphs are without vertices, or a weight is below 0.
    pub fn new(a: Graph, b: Graph) -> Result<Self> {
        if a.vertex_count().max(b.vertex_count()) == 0 {
            return Err(Error::argument("graphs", "both are without vertices"));
        }
        let vertices = (a.vertex_count(), b.vertex_count());
        let empty = WeightedOverlap {
            layers: Arc::new(vec![]),
            vertices,
            total: 0.0,
            products: 0.0,
            least_difference: 0.0,
            lattice: Lattice::of(std::iter::empty()),
            linear: None,
            stop: Stop::never(),
        };
        empty.with_layer(a, b)
    }

    /// With another pair of graphs on the same vertices.
    ///
    /// # Errors
    /// [`Error::Shape`] when a graph has more vertices than the first layer; [`Error::Argument`] when a weight is below
    /// 0.
    pub fn with_layer(mut self, a: Graph, b: Graph) -> Result<Self> {
        let n = self.size();
        let most = a.vertex_count().max(b.vertex_count());
        if most > n {
            return Err(Error::shape("a layer", format!("at most {n} vertices"), format!("{most}")));
        }
        for (name, graph) in [("A", &a), ("B", &b)] {
            if let Some((i, k, weight)) = graph.arcs().find(|&(_, _, weight)| weight < 0.0) {
                let cause = format!("have {weight} at the arc {i} -> {k} of {name}: below 0 there is no overlap");
                return Err(Error::argument("weights", cause));
            }
        }
        let weights = || a.arcs().chain(b.arcs()).map(|(_, _, weight)| weight);
        let sum = |graph: &Graph| graph.arcs().map(|(_, _, weight)| weight).sum::<f64>();
        self.total += sum(&a) + sum(&b);
        self.products += (sum(&a) * sum(&b)).sqrt();
        self.least_difference += least_difference(&a, &b);
        self.lattice = self.lattice.and_then(|lattice| lattice.plus(Lattice::of(weights())?));
        self.vertices = (self.vertices.0.max(a.vertex_count()), self.vertices.1.max(b.vertex_count()));
        let (a, b) = (a.padded(n), b.padded(n));
        let (a_turned, b_turned) = (a.transpose(), b.transpose());
        Arc::make_mut(&mut self.layers).push(Pair { a, b, a_turned, b_turned });
        Ok(self)
    }

    /// Adds ⟨C, X⟩, a cost of matching vertex i of A with vertex j of B (a similarity enters negative); C is 0 where it
    /// has no entry, and those of one place are added up. O(entries) memory.
    ///
    /// # Errors
    /// As [`GraphMatching::with_sparse_linear`](super::GraphMatching::with_sparse_linear).
    pub fn with_sparse_linear(self, c: &SparseMatrix) -> Result<Self> {
        let term = LinearTerm::of_entries(self.size(), c)?;
        self.plus_linear(term)
    }

    /// The same of a matrix.
    ///
    /// # Errors
    /// As [`GraphMatching::with_linear`](super::GraphMatching::with_linear).
    pub fn with_linear(self, c: &DMatrix<f64>) -> Result<Self> {
        let term = LinearTerm::of_matrix(self.size(), c)?;
        self.plus_linear(term)
    }

    fn plus_linear(mut self, term: LinearTerm) -> Result<Self> {
        self.linear = LinearTerm::sum(self.linear.as_deref(), term)?.map(Arc::new);
        Ok(self)
    }

    /// Σ_ℓ Σ_ik min(A_ℓ\[i, k\], B_ℓ\[p(i), p(k)\]).
    ///
    /// # Panics
    /// When p is not of size n.
    pub fn overlap_at(&self, p: &Permutation) -> f64 {
        self.layers.iter().flat_map(|layer| layer.common(p)).sum()
    }

    /// What no permutation has more of in common: where the heaviest arc of A meets the heaviest of B, loops apart.
    pub fn most_overlap(&self) -> f64 {
        0.5 * (self.total - self.least_difference)
    }

    /// Whether sums of weights and of C's entries are not rounded.
    fn is_exact(&self) -> bool {
        // A swap adds up to four times what a value does.
        let magnitude = self.total + self.linear_magnitude();
        self.lattice_of_all().is_some_and(|lattice| 16.0 * magnitude <= lattice.exact_up_to())
    }

    fn lattice_of_all(&self) -> Option<Lattice> {
        self.lattice?.plus(linear_lattice(self.linear.as_deref())?)
    }

    fn linear_magnitude(&self) -> f64 {
        self.linear.as_ref().map_or(0.0, |c| c.magnitude())
    }

    /// V = Σ_ℓ (F(A_ℓ, B_ℓ) + F(A_ℓᵀ, B_ℓᵀ)) with F(A, B)_ij = Σ_kl min(A_ik, B_jl)·X_kl, a row at a time.
    fn votes(&self, x: &DMatrix<f64>) -> Vec<Vec<f64>> {
        let n = self.size();
        let of_row = |i: usize| {
            let mut row = vec![0.0; n];
            for layer in self.layers.iter() {
                add_votes(&layer.a, &layer.b_turned, x, i, &self.stop, &mut row);
                add_votes(&layer.a_turned, &layer.b, x, i, &self.stop, &mut row);
            }
            row
        };
        (0..n).into_par_iter().map(of_row).collect()
    }

    /// `gradient` ← beta·`gradient` + t·∇f(Q), Q the matrix of q.
    fn blend_with(&self, q: &Permutation, t: f64, beta: f64, gradient: &mut DMatrix<f64>) {
        gradient.scale_mut(beta);
        if let Some(c) = &self.linear {
            c.add_to(t, gradient);
        }
        for layer in self.layers.iter() {
            for (a, b) in [(&layer.a, &layer.b_turned), (&layer.a_turned, &layer.b)] {
                for i in 0..self.size() {
                    let (neighbours, weights) = a.neighbours(i);
                    for (&k, &weight) in neighbours.iter().zip(weights) {
                        let (images, others) = b.neighbours(q.apply(k));
                        for (&j, &other) in images.iter().zip(others) {
                            gradient[(i, j)] -= 2.0 * t * weight.min(other);
                        }
                    }
                }
            }
        }
    }
}

impl Pair {
    /// What the arcs of A have in common with those that p takes them to.
    fn common<'a>(&'a self, p: &'a Permutation) -> impl Iterator<Item = f64> + 'a {
        self.a.arcs().map(|(i, k, weight)| weight.min(self.b.weight(p.apply(i), p.apply(k))))
    }

    /// The same of the arcs that vertex r or s has, where p takes them.
    fn common_at(&self, p: impl Fn(usize) -> usize, (r, s): (usize, usize)) -> f64 {
        let out = |i: usize| {
            let (neighbours, weights) = self.a.neighbours(i);
            let arcs = neighbours.iter().zip(weights);
            arcs.map(|(&k, weight)| weight.min(self.b.weight(p(i), p(k)))).sum::<f64>()
        };
        let into = |i: usize| {
            let (neighbours, weights) = self.a_turned.neighbours(i);
            // Arcs between the two come with their sources.
            let arcs = neighbours.iter().zip(weights).filter(|&(&k, _)| k != r && k != s);
            arcs.map(|(&k, weight)| weight.min(self.b.weight(p(k), p(i)))).sum::<f64>()
        };
        out(r) + out(s) + into(r) + into(s)
    }
}

/// Adds Σ_kl min(A_ik, B_jl)·X_kl to each j, with `b_turned` having those j at l. A function of B_jl alone once l is
/// fixed: sums over the k in the order of their weights give it. O(arcs of B · log d + n·d).
fn add_votes(a: &Graph, b_turned: &Graph, x: &DMatrix<f64>, i: usize, stop: &Stop, row: &mut [f64]) {
    let (neighbours, weights) = a.neighbours(i);
    if neighbours.is_empty() || stop.is_reached() {
        return;
    }
    let mut arcs: Vec<(f64, usize)> = weights.iter().copied().zip(neighbours.iter().copied()).collect();
    arcs.sort_by(|arc, other| arc.0.total_cmp(&other.0));
    // Below the m-th weight: Σ A_ik·X_kl and Σ X_kl.
    let mut sums = vec![(0.0, 0.0); arcs.len() + 1];
    for l in 0..b_turned.vertex_count() {
        let (images, others) = b_turned.neighbours(l);
        if images.is_empty() {
            continue;
        }
        for (place, &(weight, k)) in arcs.iter().enumerate() {
            let entry = x[(k, l)];
            sums[place + 1] = (sums[place].0 + weight * entry, sums[place].1 + entry);
        }
        let all = sums[arcs.len()].1;
        for (&j, &other) in images.iter().zip(others) {
            let (lighter, entries) = sums[arcs.partition_point(|&(weight, _)| weight <= other)];
            row[j] += lighter + other * (all - entries);
        }
    }
}

impl Objective for WeightedOverlap {
    fn size(&self) -> usize {
        self.layers.first().map_or(self.vertices.0.max(self.vertices.1), |layer| layer.a.vertex_count())
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        let mut gradient = DMatrix::zeros(self.size(), self.size());
        self.value_and_gradient(x, &mut gradient)
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        let rows = self.votes(x);
        for (i, row) in rows.iter().enumerate() {
            row.iter().enumerate().for_each(|(j, vote)| gradient[(i, j)] = -2.0 * vote);
        }
        if let Some(c) = &self.linear {
            c.add_to(1.0, gradient);
        }
    }

    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        self.gradient(x, gradient);
        self.total + 0.5 * (gradient.dot(x) + self.linear.as_ref().map_or(0.0, |c| c.dot(x)))
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        self.total - 2.0 * self.overlap_at(p) + self.linear.as_ref().map_or(0.0, |c| c.at_permutation(p))
    }

    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        if i == k {
            return 0.0;
        }
        let swapped = |vertex: usize| match vertex {
            _ if vertex == i => p.apply(k),
            _ if vertex == k => p.apply(i),
            _ => p.apply(vertex),
        };
        let change =
            |layer: &Pair| layer.common_at(|vertex| p.apply(vertex), (i, k)) - layer.common_at(swapped, (i, k));
        let linear = self.linear.as_ref().map_or(0.0, |c| c.swap_change(p, i, k));
        2.0 * self.layers.iter().map(change).sum::<f64>() + linear
    }

    /// (Σ A·Σ B)^½/n, the mean weight of a vertex's arcs; ‖C‖_F/n where there are none.
    fn scale(&self) -> f64 {
        let fallback = self.linear.as_ref().map_or(0.0, |c| c.norm());
        let sum = [self.products, fallback].into_iter().find(|&sum| sum > 0.0);
        sum.map_or(1.0, |sum| sum / self.size() as f64)
    }

    fn rounding(&self) -> Option<Rounding> {
        let arcs = self.layers.iter().map(|layer| layer.a.arc_count() + layer.b.arc_count()).sum::<usize>();
        Some(Rounding {
            exact_up_to: if self.is_exact() { f64::INFINITY } else { -1.0 },
            absolute: 4.0 * sum_error(arcs + self.size() + 2) * (self.total + self.linear_magnitude()),
            relative: 0.0,
            linearization: f64::INFINITY,
        })
    }

    fn swap_rounding(&self, _p: &Permutation, _i: usize, _k: usize) -> Option<f64> {
        self.is_exact().then_some(0.0)
    }

    fn compare_at(&self, p: &Permutation, q: &Permutation) -> Option<Ordering> {
        let mut sum = ExactSum::new();
        for layer in self.layers.iter() {
            layer.common(q).for_each(|common| sum.add_product(2.0, common));
            layer.common(p).for_each(|common| sum.add_product(-2.0, common));
        }
        if let Some(c) = &self.linear {
            c.add_difference(p, q, &mut sum);
        }
        Some(sum.sign())
    }

    fn trivial_bound(&self) -> f64 {
        let Some(c) = &self.linear else { return self.least_difference };
        let mut sum = DoubleSum::default();
        sum.add(self.least_difference);
        let magnitude = self.least_difference + c.add_least(&mut sum);
        sum.rounded_down(self.size() + 1, 2.0 * magnitude)
    }

    fn lattice(&self) -> Option<(f64, f64)> {
        let weights = self.lattice.filter(|_| self.is_exact())?;
        let doubled = Lattice::of([2.0 * weights.step].into_iter())?;
        let step = doubled.plus(linear_lattice(self.linear.as_deref())?)?.step;
        (step > 0.0).then_some((self.total, step))
    }

    fn until(&self, stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        Some(Box::new(WeightedOverlap { stop: stop.clone(), ..self.clone() }))
    }

    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        Some(Box::new(AtVertices(self)))
    }

    fn sparse_form(&self) -> Option<SparseForm> {
        let (n_a, n_b) = self.vertices;
        let layers = self.layers.iter().map(|layer| (layer.a.unpadded(n_a), layer.b.unpadded(n_b))).collect();
        let similarity = LinearTerm::similarity(self.linear.as_deref(), -2.0, self.vertices)?;
        Some(SparseForm { layers, affinity: Affinity::Minimum, similarity })
    }
}

struct AtVertices<'a>(&'a WeightedOverlap);

impl VertexGradient for AtVertices<'_> {
    fn blend(&mut self, q: &Permutation, t: f64, gradient: &mut DMatrix<f64>) {
        self.0.blend_with(q, t, 1.0 - t, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use proptest::prelude::*;
    use rand::{Rng, RngExt};

    fn random(n: usize, arcs: usize, whole: bool, rng: &mut impl Rng) -> Graph {
        let arc = |_| {
            let weight = if whole { f64::from(rng.random_range(1..9)) } else { rng.random_range(0.1..4.0) };
            (rng.random_range(0..n), rng.random_range(0..n), weight)
        };
        Graph::directed(n, (0..arcs).map(arc).collect::<Vec<_>>()).unwrap()
    }

    /// By its definition.
    fn difference(a: &Graph, b: &Graph, p: &Permutation) -> f64 {
        let n = p.len();
        let (a, b) = (a.padded(n), b.padded(n));
        let pairs = (0..n).flat_map(|i| (0..n).map(move |k| (i, k)));
        pairs.map(|(i, k)| (a.weight(i, k) - b.weight(p.apply(i), p.apply(k))).abs()).sum()
    }

    proptest! {
        #[test]
        fn values_swaps_gradients_and_bounds_are_those_of_the_definition(rng_seed: u64, whole: bool, n_b in 4usize..9) {
            let mut rng = rng(rng_seed, 0);
            let (a, b) = (random(7, 20, whole, &mut rng), random(n_b, 15, whole, &mut rng));
            let f = WeightedOverlap::new(a.clone(), b.clone()).unwrap();
            let n = f.size();
            let entry = |_| {
                let c = if whole { f64::from(rng.random_range(-3..4)) } else { rng.random_range(-2.0..2.0) };
                (rng.random_range(0..n), rng.random_range(0..n), c)
            };
            let c = SparseMatrix::from_entries((n, n), (0..12).map(entry)).unwrap();
            let f = f.with_sparse_linear(&c).unwrap();
            let of_c = |p: &Permutation| (0..n).map(|i| c.at(i, p.apply(i))).sum::<f64>();
            let (p, q) = (Permutation::random(n, &mut rng), Permutation::random(n, &mut rng));
            let value = f.value_at(&p);
            prop_assert!((value - difference(&a, &b, &p) - of_c(&p)).abs() < 1e-9);
            prop_assert!((f.value(&p.to_matrix()) - value).abs() < 1e-9);
            prop_assert!(f.trivial_bound() <= value);
            let (i, k) = (rng.random_range(0..n), rng.random_range(0..n));
            let mut swapped = p.clone();
            swapped.swap(i, k);
            prop_assert!((f.swap_change(&p, i, k) - (f.value_at(&swapped) - value)).abs() < 1e-9);
            let mut sum = f.value_at(&q) - value;
            if sum.abs() < 1e-9 { sum = 0.0; }
            prop_assert_eq!(f.compare_at(&q, &p), sum.partial_cmp(&0.0));
            if whole {
                let (offset, step) = f.lattice().unwrap();
                prop_assert_eq!((value - offset).rem_euclid(step), 0.0);
            }
            // ∇f is affine: at the mean of two permutations it is their mean.
            let x = (p.to_matrix() + q.to_matrix()) * 0.5;
            let (mut at_x, mut blended) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
            f.gradient(&x, &mut at_x);
            let mut vertex = f.vertex_gradient().unwrap();
            vertex.blend(&p, 1.0, &mut blended);
            vertex.blend(&q, 0.5, &mut blended);
            prop_assert!((&at_x - blended).amax() < 1e-9);
            // f(X + tD) is a quadratic, whose slope ∇f is.
            let d = q.to_matrix() - p.to_matrix();
            let step = 1e-4;
            let slope = (f.value(&(&x + &d * step)) - f.value(&(&x - &d * step))) / (2.0 * step);
            prop_assert!((slope - at_x.dot(&d)).abs() < 1e-6, "{slope} {}", at_x.dot(&d));
        }
    }

    #[test]
    fn weights_below_zero_and_larger_layers_are_refused() {
        let graph = |n, weight| Graph::directed(n, [(0, 1, weight)]).unwrap();
        let message = WeightedOverlap::new(graph(2, 1.0), graph(2, -1.0)).unwrap_err().to_string();
        assert!(message.contains("-1 at the arc 0 -> 1 of B"), "{message}");
        assert!(
            WeightedOverlap::new(graph(2, 1.0), graph(2, 1.0))
                .unwrap()
                .with_layer(graph(3, 1.0), graph(2, 1.0))
                .is_err()
        );
        let empty = || Graph::directed(0, []).unwrap();
        assert!(WeightedOverlap::new(empty(), empty()).is_err());
    }
}
