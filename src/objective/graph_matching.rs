//! Graph matching, convex form.

use super::linear_term::LinearTerm;
use super::product::{Gram, KeptProduct};
use super::quadratic_assignment::QuadraticAssignment;
use super::rounding::linear_lattice;
use super::trivial_bounds::least_distance;
use super::{Injective, Objective, Rounding, VertexGradient};
use crate::error::Result;
use crate::exact::{DoubleSum, Lattice, sum_error};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::sparse_form::{Affinity, SparseForm};
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use nalgebra::DMatrix;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// f(X) = Σ_ℓ ‖A_ℓX − XB_ℓ‖²_F + ⟨C, X⟩, convex on all matrices; the permutations with f = 0 (for C = 0) are the
/// isomorphisms.
///
/// ∇f = Σ_ℓ 2(A_ℓᵀR_ℓ − R_ℓB_ℓᵀ) + C with R_ℓ = A_ℓX − XB_ℓ. On permutations f equals its
/// [indefinite form](Objective::indefinite_form) Σ_ℓ (‖A_ℓ‖² + ‖B_ℓ‖² − 2tr(A_ℓᵀXB_ℓXᵀ)) + ⟨C, X⟩: for
/// unweighted graphs, twice (undirected) or once (directed) the number of arcs that do not meet an arc.
///
/// Vertex i of A is matched to vertex p(i) of B, so for isomorphic graphs B = XᵀAX. Graphs may be weighted,
/// directed, with loops, in several layers, and of unequal size (the smaller one is padded with isolated vertices).
///
/// Where it fails ([§3](crate::mathematics#3-objectives)): if A and B are regular of equal degree, f(J/n) = 0 and the
/// relaxation sees nothing.
///
/// ```
/// use birkhoff::objective::{GraphMatching, Objective};
/// use birkhoff::{Graph, Permutation};
/// let hexagon = Graph::undirected(6, (0..6).map(|i| (i, (i + 1) % 6, 1.0)))?;
/// let triangles = Graph::undirected(6, (0..6).map(|i| (i, if i % 3 == 2 { i - 2 } else { i + 1 }, 1.0)))?;
/// let f = GraphMatching::new(hexagon, triangles)?;
/// assert_eq!(f.value_at(&Permutation::identity(6)), 8.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "network alignment")]
#[doc(alias = "isomorphism")]
#[derive(Debug, Clone)]
pub struct GraphMatching {
    indefinite: QuadraticAssignment,
    /// (AᵀA, BBᵀ) of each layer, made when they are first needed: the indefinite form never does.
    grams: Vec<Arc<OnceLock<(Gram, Gram)>>>,
    /// What ‖A_ℓP − PB_ℓ‖² is nowhere below, of each layer.
    least_distances: Vec<f64>,
    /// See [`Objective::trivial_bound`].
    trivial_bound: f64,
    /// Value of a permutation is in offset + step·ℤ.
    lattice: Option<(f64, f64)>,
    /// See [`Rounding`].
    exact_up_to: f64,
}

/// The square of a difference of weights above this, if it is not 0, is not rounded to 0.
const LEAST_WEIGHT: f64 = 1e-140;

impl GraphMatching {
    /// f(X) = ‖AX − XB‖²_F.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when both graphs are without vertices.
    pub fn new(a: Graph, b: Graph) -> Result<Self> {
        let constant = a.squared_norm() + b.squared_norm();
        let indefinite = QuadraticAssignment::with_sign(-2.0, constant, a, b)?;
        let (grams, least_distances) = (Vec::new(), Vec::new());
        let (trivial_bound, lattice, exact_up_to) = (0.0, None, -1.0);
        Ok(GraphMatching { indefinite, grams, least_distances, trivial_bound, lattice, exact_up_to }.prepared())
    }

    /// Adds ‖A_ℓX − XB_ℓ‖²_F for another pair of graphs on the same vertices.
    ///
    /// # Errors
    /// As [`QuadraticAssignment::with_layer`].
    pub fn with_layer(mut self, a: Graph, b: Graph) -> Result<Self> {
        self.indefinite.add_constant(a.squared_norm() + b.squared_norm());
        self.indefinite = self.indefinite.with_layer(a, b)?;
        Ok(self.prepared())
    }

    /// Adds ⟨C, X⟩, a cost of matching vertex i of A with vertex j of B (a similarity enters negative).
    ///
    /// # Errors
    /// As [`QuadraticAssignment::with_linear`].
    pub fn with_linear(mut self, c: &DMatrix<f64>) -> Result<Self> {
        self.indefinite = self.indefinite.with_linear(c)?;
        Ok(self.prepared())
    }

    /// The same of a C that is 0 where it has no entry; those of one place are added up. O(entries) memory: together
    /// with the [sparse search](crate::recovery::Engine), no matrix of n × n is made.
    ///
    /// # Errors
    /// As [`with_linear`](Self::with_linear).
    pub fn with_sparse_linear(mut self, c: &SparseMatrix) -> Result<Self> {
        self.indefinite = self.indefinite.with_sparse_linear(c)?;
        Ok(self.prepared())
    }

    /// Computes what follows from the layers and is not there yet.
    fn prepared(mut self) -> Self {
        self.grams.resize_with(self.indefinite.layers.len(), Arc::default);
        for layer in &self.indefinite.layers[self.least_distances.len()..] {
            self.least_distances.push(least_distance(&layer.a, &layer.b));
        }
        self.trivial_bound = self.least_value();
        self.lattice = self.lattice_of_values();
        self.exact_up_to = self.exact_values();
        self
    }

    /// Σ_ℓ of the layers' least distances, and of the least in each of C's rows, or columns if that is more.
    fn least_value(&self) -> f64 {
        let mut sum = DoubleSum::default();
        self.least_distances.iter().for_each(|&distance| sum.add(distance));
        let mut magnitude = self.least_distances.iter().sum::<f64>();
        let mut terms = self.least_distances.len();
        if let Some(c) = &self.indefinite.linear {
            magnitude += c.add_least(&mut sum);
            terms += self.size();
        }
        sum.rounded_down(terms, 2.0 * magnitude)
    }

    /// With weights in u·ℤ, ‖A‖² + ‖B‖² − 2tr(AᵀPBPᵀ) is ‖A‖² + ‖B‖² modulo 2u², and modulo 4u² where every product
    /// comes twice.
    fn lattice_of_values(&self) -> Option<(f64, f64)> {
        let unit = self.lattice_of_weights()?.square_root_of_step();
        let period: u64 = if self.indefinite.magnitudes.iter().all(|layer| layer.comes_twice()) { 4 } else { 2 };
        let square = |weight: f64| ((weight / unit).abs() as u64 % 4).pow(2);
        let residue = |graph: &Graph| graph.arcs().map(|(_, _, weight)| square(weight)).sum::<u64>();
        let residues = self.indefinite.layers.iter().map(|layer| residue(&layer.a) + residue(&layer.b));
        let offset = (residues.sum::<u64>() % period) as f64 * unit * unit;
        let quadratic = Lattice::of([period as f64 * unit * unit].into_iter())?;
        let step = quadratic.plus(linear_lattice(self.indefinite.linear.as_deref())?)?.step;
        (step > 0.0).then_some((offset, step))
    }

    fn lattice_of_weights(&self) -> Option<Lattice> {
        let layers = &self.indefinite.magnitudes;
        layers.iter().try_fold(Lattice::of(std::iter::empty())?, |all, layer| all.plus(layer.lattice_of_weights()?))
    }

    /// Up to which value sums of squares are exact, see [`Rounding::exact_up_to`].
    fn exact_values(&self) -> f64 {
        let QuadraticAssignment { layers, linear, linear_magnitude, .. } = &self.indefinite;
        if self.indefinite.is_exact() {
            return f64::INFINITY;
        }
        let squares = self.lattice_of_weights().map(|weights| weights.times(weights));
        let all = squares.zip(linear_lattice(linear.as_deref())).and_then(|(squares, linear)| squares.plus(linear));
        let none_vanishes = |graph: &Graph| graph.arcs().all(|(_, _, weight)| weight.abs() >= LEAST_WEIGHT);
        match all {
            Some(all) => 0.5 * all.exact_up_to() - 2.0 * linear_magnitude,
            // No square of a difference vanishes: 0 is 0.
            None if linear.is_none()
                && layers.iter().all(|layer| none_vanishes(&layer.a) && none_vanishes(&layer.b)) =>
            {
                0.0
            }
            None => -1.0,
        }
    }

    /// Σ_ℓ Σ_ij (A_ℓ\[i,j\] − B_ℓ\[p(i),p(j)\])²: with an error relative to itself, where the indefinite form cancels
    /// large numbers.
    fn squares_at(&self, p: &Permutation) -> f64 {
        self.indefinite.layers.iter().map(|layer| layer.squared_distance_at(p)).sum()
    }

    /// (AᵀA, BBᵀ) of the layers, as many as there are when the stop is reached.
    fn grams(&self) -> impl Iterator<Item = &(Gram, Gram)> {
        let layers = self.grams.iter().zip(self.indefinite.layers.iter());
        layers.map_while(|(grams, layer)| match grams.get() {
            Some(grams) => Some(grams),
            None => layer.grams(&self.indefinite.stop).map(|fresh| grams.get_or_init(|| fresh)),
        })
    }

    /// `target += 2·Σ_ℓ (A_ℓᵀA_ℓX + XB_ℓB_ℓᵀ)`.
    fn add_gram_product(&self, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        let stop = &self.indefinite.stop;
        for (ata, bbt) in self.grams() {
            bbt.add_times_on_the_right(stop, 2.0, x, target);
            ata.add_times(stop, 2.0, x, target);
        }
    }

    /// `target += 2t·Σ_ℓ (A_ℓᵀA_ℓQ + QB_ℓB_ℓᵀ)`: columns of the one and rows of the other, moved.
    fn add_gram_product_at(&self, q: &Permutation, t: f64, target: &mut DMatrix<f64>) {
        let (from, stop) = (q.inverse(), &self.indefinite.stop);
        for (ata, bbt) in self.grams() {
            ata.add_columns_moved(stop, 2.0 * t, &from, target);
            bbt.add_rows_moved(stop, 2.0 * t, q, &from, target);
        }
    }
}

impl Objective for GraphMatching {
    fn size(&self) -> usize {
        self.indefinite.size()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        let mut product = DMatrix::zeros(x.nrows(), x.ncols());
        self.add_gram_product(x, &mut product);
        let constant = self.grams().map(|(ata, bbt)| ata.trace() + bbt.trace()).sum::<f64>();
        // The indefinite form counts ‖A‖² + ‖B‖², which here is the gram term.
        self.indefinite.value(x) - constant + 0.5 * product.dot(x)
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        self.indefinite.gradient(x, gradient);
        self.add_gram_product(x, gradient);
    }

    /// f(X) = ½⟨∇f(X) + C, X⟩, f being quadratic with its minimum 0 at X = 0 when C = 0.
    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        self.gradient(x, gradient);
        if self.indefinite.stop.is_reached() {
            return f64::NAN;
        }
        0.5 * (gradient.dot(x) + self.indefinite.linear.as_ref().map_or(0.0, |c| c.dot(x)))
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        if self.indefinite.is_exact() {
            return self.indefinite.value_at(p);
        }
        self.squares_at(p) + self.indefinite.linear_at(p)
    }

    fn rounding(&self) -> Option<Rounding> {
        let QuadraticAssignment { layers, magnitudes, linear, linear_magnitude, .. } = &self.indefinite;
        let arcs: usize = layers.iter().map(|layer| layer.a.arc_count() + layer.b.arc_count()).sum();
        let n = self.size() as f64;
        // An entry of ∇f is at most 2(a + b)² for each layer, a and b the largest norms of a row or column (X has norm
        // 1), and |C|.
        let entry = |(a, b): (f64, f64)| 2.0 * (a + b).powi(2);
        let entries = magnitudes.iter().map(|layer| entry(layer.largest_rows())).sum::<f64>();
        let entries = 1.001 * (entries + linear.as_deref().map_or(0.0, LinearTerm::amax));
        let gradient = sum_error(4 * self.size() + 32 * layers.len()) * entries;
        Some(Rounding {
            exact_up_to: self.exact_up_to,
            absolute: 4.0 * sum_error(arcs + self.size()) * linear_magnitude + arcs as f64 * f64::MIN_POSITIVE,
            relative: 2.0 * sum_error(arcs + self.size()),
            // ∇f's own error in f(X) and in both inner products, and the n² terms of f(X).
            linearization: 3.0 * n * gradient + 2.0 * sum_error(self.size().pow(2)) * n * entries,
        })
    }

    fn swap_rounding(&self, p: &Permutation, i: usize, k: usize) -> Option<f64> {
        self.indefinite.swap_rounding(p, i, k)
    }

    fn compare_at(&self, p: &Permutation, q: &Permutation) -> Option<Ordering> {
        self.indefinite.compare_at(p, q)
    }

    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        self.indefinite.swap_change(p, i, k)
    }

    fn swap_changes(&self, p: &Permutation) -> Option<Box<dyn Fn(usize, usize) -> f64 + '_>> {
        self.indefinite.swap_changes(p)
    }

    fn draw_swap(
        &self,
        p: &Permutation,
        inverse: &Permutation,
        i: usize,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Option<usize> {
        self.indefinite.draw_swap(p, inverse, i, draw)
    }

    fn scale(&self) -> f64 {
        self.indefinite.scale() / 2.0
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn proves(&self, p: &Permutation) -> bool {
        self.indefinite.proves(p)
    }

    /// Σ_ℓ (‖A_ℓ‖² + ‖B_ℓ‖² − 2·the most weight that they can have in common, by degrees or by sorted weights), and the
    /// least of each of C's rows or columns.
    fn trivial_bound(&self) -> f64 {
        self.trivial_bound
    }

    /// The least of each of C's rows or columns, all squares being 0: how much two graphs can have in common by their
    /// degrees says nothing of how much a copy has kept.
    fn ideal_value(&self) -> f64 {
        match &self.indefinite.linear {
            Some(_) => self.trivial_bound - self.least_distances.iter().sum::<f64>(),
            None => 0.0,
        }
    }

    fn lattice(&self) -> Option<(f64, f64)> {
        self.lattice
    }

    fn until(&self, stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        Some(Box::new(GraphMatching { indefinite: self.indefinite.stopping_at(stop), ..self.clone() }))
    }

    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        Some(Box::new(ConvexVertexGradient { objective: self, kept: vec![] }))
    }

    fn injective_form(&self) -> Option<Box<dyn Injective + '_>> {
        self.indefinite.injective_form()
    }

    fn sparse_form(&self) -> Option<SparseForm> {
        let similarity = self.indefinite.similarity()?;
        Some(SparseForm { layers: self.indefinite.unpadded_layers(), affinity: Affinity::Product, similarity })
    }

    fn indefinite_form(&self) -> Option<&dyn Objective> {
        Some(&self.indefinite)
    }
}

struct ConvexVertexGradient<'a> {
    objective: &'a GraphMatching,
    kept: Vec<KeptProduct>,
}

impl VertexGradient for ConvexVertexGradient<'_> {
    fn blend(&mut self, q: &Permutation, t: f64, gradient: &mut DMatrix<f64>) {
        self.objective.indefinite.blend_with(q, t, 1.0 - t, &mut self.kept, gradient);
        self.objective.add_gram_product_at(q, t, gradient);
    }
}
