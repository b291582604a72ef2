//! The quadratic assignment problem and the indefinite form of graph matching.

use super::injective::{Injective, is_smaller};
use super::injective_quadratic::InjectiveQuadratic;
use super::linear_term::LinearTerm;
use super::product::{Exchange, InjectiveLayer, KeptProduct};
use super::rounding::{Magnitudes, linear_lattice};
use super::{Objective, Rounding, VertexGradient};
use crate::assignment::{self, AssignmentSolver};
use crate::error::{Error, Result};
use crate::exact::{ExactSum, Lattice, sum_error};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use nalgebra::DMatrix;
use std::cmp::Ordering;
use std::sync::Arc;

/// f(X) = s·Σ_ℓ tr(A_ℓᵀ X B_ℓ Xᵀ) + ⟨C, X⟩ + k, indefinite in general (Koopmans and Beckmann 1957).
///
/// At a permutation: s·Σ_ℓ Σ_ij A_ℓ\[i,j\]·B_ℓ\[p(i),p(j)\] + Σ_i C\[i,p(i)\] + k. ∇f = s·Σ_ℓ (A_ℓᵀXB_ℓ + A_ℓXB_ℓᵀ) +
/// C. s = 1 is the QAP (minimize), s = −1 matches graphs by their common weight. A and B may be weighted, directed and
/// have loops; C is any n × n matrix.
///
/// Cost: value at a permutation O(arcs), a swap's change O(degree), ∇f at a permutation one dense product
/// or O(n·d²) when the graphs are sparse.
///
/// ```
/// use birkhoff::objective::{Objective, QuadraticAssignment};
/// use birkhoff::{Graph, Permutation};
/// let edge = Graph::undirected(2, [(0, 1, 3.0)])?;
/// let qap = QuadraticAssignment::new(edge.clone(), edge)?;
/// assert_eq!(qap.value_at(&Permutation::identity(2)), 18.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "qap")]
#[doc(alias = "quadratic assignment")]
#[doc(alias = "koopmans")]
#[derive(Debug, Clone)]
pub struct QuadraticAssignment {
    // Shared, so that a clone with another stop costs nothing.
    pub(super) layers: Arc<Vec<Exchange>>,
    /// The most vertices that an A and a B have without their padding.
    vertices: (usize, usize),
    /// C, unless it is 0.
    pub(super) linear: Option<Arc<LinearTerm>>,
    sign: f64,
    constant: f64,
    /// Of each layer.
    pub(super) magnitudes: Vec<Magnitudes>,
    /// Σ_i max_j |C\[i, j\]|.
    pub(super) linear_magnitude: f64,
    /// Whether values and swaps are computed without rounding.
    is_exact: bool,
    /// The values at permutations lie on k + step·ℤ.
    step: Option<f64>,
    /// κ.
    scale: f64,
    pub(super) stop: Stop,
}

impl QuadraticAssignment {
    /// Minimizes tr(AᵀXBXᵀ). The smaller of the two is padded with isolated vertices.
    ///
    /// # Errors
    /// [`Error::Argument`] when both are without vertices, or ‖A‖_F or ‖B‖_F is not within 1e-70 and 1e70 (or 0).
    pub fn new(a: Graph, b: Graph) -> Result<Self> {
        Self::with_sign(1.0, 0.0, a, b)
    }

    /// s·tr(AᵀXBXᵀ) + k.
    pub(super) fn with_sign(sign: f64, constant: f64, a: Graph, b: Graph) -> Result<Self> {
        let n = a.vertex_count().max(b.vertex_count());
        if n == 0 {
            return Err(Error::argument("graphs", "both are without vertices"));
        }
        let vertices = (a.vertex_count(), b.vertex_count());
        let (layers, linear, magnitudes) = (Arc::new(vec![pair(n, &a, &b)?]), None, vec![]);
        let (linear_magnitude, is_exact, step, scale, stop) = (0.0, false, None, 0.0, Stop::never());
        Ok(QuadraticAssignment {
            layers,
            vertices,
            linear,
            sign,
            constant,
            magnitudes,
            linear_magnitude,
            is_exact,
            step,
            scale,
            stop,
        }
        .prepared())
    }

    /// C in the unpadded rows and columns, where it is anything, if it is 0 elsewhere: then padded vertices are all
    /// alike. N × m where B is the smaller side, else transposed.
    fn unpadded_linear(&self) -> Option<Option<LinearTerm>> {
        let (n_a, n_b) = self.vertices;
        let Some(c) = &self.linear else { return Some(None) };
        c.cut(self.vertices).map(|c| Some(if n_b < n_a { c } else { c.transpose() }))
    }

    /// See [`LinearTerm::similarity`].
    pub(super) fn similarity(&self) -> Option<Option<SparseMatrix>> {
        LinearTerm::similarity(self.linear.as_deref(), self.sign, self.vertices)
    }

    /// (A_ℓ, B_ℓ) without their padding.
    pub(super) fn unpadded_layers(&self) -> Vec<(Graph, Graph)> {
        let (n_a, n_b) = self.vertices;
        self.layers.iter().map(|layer| (layer.a.unpadded(n_a), layer.b.unpadded(n_b))).collect()
    }

    /// Computes what follows from the layers and the linear term and is not there yet.
    fn prepared(mut self) -> Self {
        for layer in &self.layers[self.magnitudes.len()..] {
            self.magnitudes.push(Magnitudes::of(&layer.a, &layer.b));
        }
        self.linear_magnitude = self.linear.as_ref().map_or(0.0, |c| c.magnitude());
        let products = self.magnitudes.iter().map(|layer| layer.product).sum::<f64>();
        let magnitude = self.sign.abs() * products + self.linear_magnitude + self.constant.abs();
        let lattice = self.lattice_of_changes();
        let lattice_of_all = lattice.zip(Lattice::of([self.constant].into_iter()));
        let lattice_of_all = lattice_of_all.and_then(|(changes, constant)| changes.plus(constant));
        // A swap adds up to eight times what a value does, and the magnitude is rounded itself.
        self.is_exact = lattice_of_all.is_some_and(|lattice| 16.0 * magnitude <= lattice.exact_up_to());
        self.step = lattice.map(|lattice| lattice.step).filter(|&step| step > 0.0);
        self.scale = self.kappa();
        self
    }

    /// κ = Σ_ℓ ‖A_ℓ‖_F‖B_ℓ‖_F / n, or the linear term's ‖C‖_F / n where the graphs have no edges.
    fn kappa(&self) -> f64 {
        let n = self.size() as f64;
        let kappa = self.sign.abs() * self.magnitudes.iter().map(|layer| layer.product).sum::<f64>() / n;
        let fallback = self.linear.as_ref().map_or(0.0, |c| c.norm() / n);
        [kappa, fallback].into_iter().find(|&kappa| kappa > 0.0).unwrap_or(1.0)
    }

    /// On which the differences of values lie.
    fn lattice_of_changes(&self) -> Option<Lattice> {
        let sign = Lattice::of([self.sign].into_iter())?;
        self.magnitudes.iter().try_fold(linear_lattice(self.linear.as_deref())?, |lattice, layer| {
            lattice.plus(layer.lattice_of_products()?.times(sign))
        })
    }

    /// Whether values and swaps are computed without rounding.
    pub(super) fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Adds a layer: another pair of graphs on the same vertices, s·tr(A_ℓᵀXB_ℓXᵀ).
    ///
    /// # Errors
    /// [`Error::Shape`] when a graph has more vertices than the first layer; else as [`QuadraticAssignment::new`].
    pub fn with_layer(mut self, a: Graph, b: Graph) -> Result<Self> {
        let n = self.size();
        Arc::make_mut(&mut self.layers).push(pair(n, &a, &b)?);
        self.vertices = (self.vertices.0.max(a.vertex_count()), self.vertices.1.max(b.vertex_count()));
        Ok(self.prepared())
    }

    /// Adds ⟨C, X⟩; C may be smaller than n × n when graphs were padded (the rest is 0).
    ///
    /// # Errors
    /// [`Error::Shape`] when C is larger than n × n, [`Error::Entry`] when an entry is not finite.
    pub fn with_linear(self, c: &DMatrix<f64>) -> Result<Self> {
        let term = LinearTerm::of_matrix(self.size(), c)?;
        self.plus_linear(term)
    }

    /// The same of a C that is 0 where it has no entry; those of one place are added up. O(entries) memory.
    ///
    /// # Errors
    /// As [`with_linear`](Self::with_linear).
    pub fn with_sparse_linear(self, c: &SparseMatrix) -> Result<Self> {
        let term = LinearTerm::of_entries(self.size(), c)?;
        self.plus_linear(term)
    }

    fn plus_linear(mut self, term: LinearTerm) -> Result<Self> {
        self.linear = LinearTerm::sum(self.linear.as_deref(), term)?.map(Arc::new);
        Ok(self.prepared())
    }

    pub(super) fn add_constant(&mut self, constant: f64) {
        self.constant += constant;
    }

    /// This objective, whose long computations end at `stop`.
    pub(super) fn stopping_at(&self, stop: &Stop) -> Self {
        QuadraticAssignment { stop: stop.clone(), ..self.clone() }
    }

    pub(super) fn linear_at(&self, p: &Permutation) -> f64 {
        self.linear.as_ref().map_or(0.0, |c| c.at_permutation(p))
    }

    /// `gradient` ← beta·`gradient` + t·∇f(Q); `kept` holds a product a layer, from one call to the next.
    pub(super) fn blend_with(
        &self,
        q: &Permutation,
        t: f64,
        beta: f64,
        kept: &mut Vec<KeptProduct>,
        gradient: &mut DMatrix<f64>,
    ) {
        let mut beta = beta;
        kept.resize_with(self.layers.len(), KeptProduct::default);
        for (layer, kept) in self.layers.iter().zip(kept) {
            layer.blend_product_at(&self.stop, self.sign * t, q, beta, kept, gradient);
            beta = 1.0;
        }
        if let Some(c) = &self.linear {
            c.add_to(t, gradient);
        }
    }
}

impl Objective for QuadraticAssignment {
    fn size(&self) -> usize {
        self.layers[0].size()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        let n = self.size();
        let mut product = DMatrix::zeros(n, n);
        self.layers.iter().for_each(|layer| layer.add_product(&self.stop, 0.5 * self.sign, x, &mut product));
        if self.stop.is_reached() {
            return f64::NAN;
        }
        product.dot(x) + self.linear.as_ref().map_or(0.0, |c| c.dot(x)) + self.constant
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        match &self.linear {
            Some(c) => c.copy_to(gradient),
            None => gradient.fill(0.0),
        }
        self.layers.iter().for_each(|layer| layer.add_product(&self.stop, self.sign, x, gradient));
    }

    /// f(X) = ½⟨∇f(X) + C, X⟩ + k.
    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        self.gradient(x, gradient);
        if self.stop.is_reached() {
            return f64::NAN;
        }
        0.5 * (gradient.dot(x) + self.linear.as_ref().map_or(0.0, |c| c.dot(x))) + self.constant
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        let quadratic: f64 = self.layers.iter().map(|layer| layer.inner_product_at(p)).sum();
        self.sign * quadratic + self.linear_at(p) + self.constant
    }

    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        let quadratic: f64 = self.layers.iter().map(|layer| layer.swap_change(p, i, k)).sum();
        self.sign * quadratic + self.linear.as_ref().map_or(0.0, |c| c.swap_change(p, i, k))
    }

    /// Dense layers: with G = ∇f(P) and Δ = (e_i − e_k)(e_p(k) − e_p(i))ᵀ, the change is ⟨G, Δ⟩ + s·Σ_ℓ tr(A_ℓᵀΔB_ℓΔᵀ),
    /// f being quadratic.
    fn swap_changes(&self, p: &Permutation) -> Option<Box<dyn Fn(usize, usize) -> f64 + '_>> {
        let (n, p) = (self.size(), p.clone());
        let mut gradient = DMatrix::zeros(n, n);
        self.blend_with(&p, 1.0, 0.0, &mut vec![], &mut gradient);
        if self.stop.is_reached() {
            return None;
        }
        Some(Box::new(move |i, k| {
            let curvature = |layer: &Exchange| layer.swap_curvature(i, k, p.apply(i), p.apply(k));
            p.linear_swap_change(&gradient, i, k) + self.sign * self.layers.iter().map(curvature).sum::<f64>()
        }))
    }

    /// Of the first layer, along its edges.
    fn draw_swap(
        &self,
        p: &Permutation,
        inverse: &Permutation,
        i: usize,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Option<usize> {
        self.layers[0].draw_swap(p, inverse, i, draw)
    }

    fn rounding(&self) -> Option<Rounding> {
        let products = self.magnitudes.iter().map(|layer| layer.product).sum::<f64>();
        let magnitude = self.sign.abs() * products + self.linear_magnitude + self.constant.abs();
        let terms = self.layers.iter().map(|layer| layer.a.arc_count()).sum::<usize>() + self.size();
        let exact_up_to = if self.is_exact { f64::INFINITY } else { -1.0 };
        let absolute = sum_error(terms) * magnitude;
        Some(Rounding { exact_up_to, absolute, relative: 0.0, linearization: f64::INFINITY })
    }

    fn swap_rounding(&self, p: &Permutation, i: usize, k: usize) -> Option<f64> {
        if self.is_exact {
            return Some(0.0);
        }
        let (pi, pk) = (p.apply(i), p.apply(k));
        let quadratic: f64 = self.magnitudes.iter().map(|layer| layer.of_swap(i, k, pi, pk)).sum();
        let linear = |c: &LinearTerm| [(i, pi), (i, pk), (k, pi), (k, pk)].map(|at| c.at(at).abs()).iter().sum::<f64>();
        Some(self.sign.abs() * quadratic + sum_error(8) * self.linear.as_deref().map_or(0.0, linear))
    }

    fn compare_at(&self, p: &Permutation, q: &Permutation) -> Option<Ordering> {
        let mut difference = ExactSum::new();
        for Exchange { a, b, .. } in self.layers.iter() {
            for (i, k, weight) in a.arcs() {
                let (at_p, at_q) = ((p.apply(i), p.apply(k)), (q.apply(i), q.apply(k)));
                if at_p != at_q {
                    // s is a power of two.
                    difference.add_product(self.sign * weight, b.weight(at_p.0, at_p.1));
                    difference.add_product(-self.sign * weight, b.weight(at_q.0, at_q.1));
                }
            }
        }
        if let Some(c) = &self.linear {
            c.add_difference(p, q, &mut difference);
        }
        Some(difference.sign())
    }

    /// Without a quadratic part, p is the best permutation if it is the best assignment by a margin that rounding does
    /// not reach.
    fn proves(&self, p: &Permutation) -> bool {
        let (Some(c), true) = (&self.linear, self.magnitudes.iter().all(|layer| layer.product == 0.0)) else {
            return false;
        };
        if self.size() > assignment::LARGEST_MARGIN {
            return false;
        }
        let (c, lost) = (c.to_matrix(), 2.0 * sum_error(self.size()) * self.linear_magnitude);
        assignment::solve(&c).is_ok_and(|best| best.permutation == *p && assignment::margin(&c, &best) > lost)
    }

    fn lattice(&self) -> Option<(f64, f64)> {
        self.step.filter(|_| self.is_exact).map(|step| (self.constant, step))
    }

    /// The Gilmore–Lawler bound (Gilmore 1962, Lawler 1963): the optimal assignment for the costs l_ij = the least that
    /// row i of A and row j of B can contribute when each is free to choose its own permutation of the rest:
    /// off the diagonal, their minimal scalar product. O(n³); −∞ above n = 1000, where it would outlast the search.
    fn trivial_bound(&self) -> f64 {
        let n = self.size();
        if n > LARGEST_BOUNDED {
            return f64::NEG_INFINITY;
        }
        let mut costs = self.linear.as_ref().map_or_else(|| DMatrix::zeros(n, n), |c| c.to_matrix().into_owned());
        self.layers.iter().for_each(|layer| layer.add_least_contributions(&self.stop, self.sign, &mut costs));
        let mut best = AssignmentSolver::new();
        if self.stop.is_reached() || !matches!(best.solve_until(&costs, 0.0, &self.stop), Ok(true)) {
            return f64::NEG_INFINITY;
        }
        let bound = assignment::lower_bound(&costs, best.column_duals()) + self.constant;
        if self.is_exact {
            return bound;
        }
        // Each cost is a sum of n products and what the layers before have added.
        let rows = |layer: &Magnitudes| layer.largest_rows().0 * layer.largest_rows().1;
        let products = self.sign.abs() * self.magnitudes.iter().map(rows).sum::<f64>();
        let magnitude = n as f64 * products + self.linear_magnitude + self.constant.abs();
        bound - sum_error(n + 4 * self.layers.len()) * magnitude
    }

    fn injective_form(&self) -> Option<Box<dyn Injective + '_>> {
        let (n_a, n_b) = self.vertices;
        let (small, large, turned) = if n_b < n_a { (n_b, n_a, true) } else { (n_a, n_b, false) };
        if !is_smaller(small, large) {
            return None;
        }
        let linear = self.unpadded_linear()?;
        let layers = self.layers.iter().map(|Exchange { a, b, .. }| {
            let (a, b) = if turned { (b, a) } else { (a, b) };
            InjectiveLayer::new(a.unpadded(small), b.unpadded(large))
        });
        let (layers, sign, constant, stop) = (layers.collect(), self.sign, self.constant, self.stop.clone());
        Some(Box::new(InjectiveQuadratic { layers, linear, sign, constant, turned, stop }))
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn until(&self, stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        Some(Box::new(self.stopping_at(stop)))
    }

    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        Some(Box::new(QuadraticVertexGradient { objective: self, kept: vec![] }))
    }
}

/// The pair, padded to n vertices, if its products neither overflow nor vanish.
fn pair(n: usize, a: &Graph, b: &Graph) -> Result<Exchange> {
    for (name, graph) in [("graph A", a), ("graph B", b)] {
        if graph.vertex_count() > n {
            let found = format!("{} vertices", graph.vertex_count());
            return Err(Error::shape(name, format!("at most {n} vertices"), found));
        }
        let squared = graph.squared_norm();
        if graph.arc_count() > 0 && !(1.0 / LARGEST_SQUARE..=LARGEST_SQUARE).contains(&squared) {
            let cause = format!(
                "{name} has Frobenius norm {:e}, but must be between 1e-70 and 1e70: rescale it",
                squared.sqrt()
            );
            return Err(Error::argument("weights", cause));
        }
    }
    Ok(Exchange::new(a.padded(n), b.padded(n)))
}

/// ‖A‖²_F above this, or below its inverse, leaves no room for fourth powers of weights.
const LARGEST_SQUARE: f64 = 1e140;

/// The largest n for which the O(n³) bound is worth its time.
const LARGEST_BOUNDED: usize = 1000;

struct QuadraticVertexGradient<'a> {
    objective: &'a QuadraticAssignment,
    kept: Vec<KeptProduct>,
}

impl VertexGradient for QuadraticVertexGradient<'_> {
    fn blend(&mut self, q: &Permutation, t: f64, gradient: &mut DMatrix<f64>) {
        self.objective.blend_with(q, t, 1.0 - t, &mut self.kept, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_erdos_renyi, rng};
    use rand::RngExt;

    #[test]
    fn all_swap_changes_at_once_are_the_single_ones() {
        let mut rng = rng(4, 0);
        let n = 11;
        let mut graph = || Graph::from_matrix(&DMatrix::from_fn(n, n, |_, _| rng.random::<f64>())).unwrap();
        let (a, b) = (graph(), graph());
        let c = graph().to_matrix();
        let unweighted = correlated_erdos_renyi(n, 0.6, 0.5, &mut rng).unwrap();
        let f = QuadraticAssignment::with_sign(-2.0, 1.0, a, b).unwrap().with_linear(&c).unwrap();
        let f = f.with_layer(unweighted.a, unweighted.b).unwrap();
        let p = Permutation::random(n, &mut rng);
        let changes = f.swap_changes(&p).expect("dense");
        for (i, k) in (0..n).flat_map(|i| (0..n).map(move |k| (i, k))).filter(|(i, k)| i != k) {
            assert!((changes(i, k) - f.swap_change(&p, i, k)).abs() < 1e-12 * n as f64);
        }
    }

    #[test]
    fn weights_whose_products_overflow_or_vanish_are_refused() {
        let edge = |weight| Graph::undirected(2, [(0, 1, weight)]).unwrap();
        for weight in [1e200, 1e-200] {
            let message = QuadraticAssignment::new(edge(weight), edge(1.0)).unwrap_err().to_string();
            assert!(message.contains("rescale"), "{message}");
            assert!(crate::objective::GraphMatching::new(edge(1.0), edge(weight)).is_err());
        }
        assert!(QuadraticAssignment::new(edge(1e60), edge(1e-60)).is_ok());
    }
}
