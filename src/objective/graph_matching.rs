//! Graph matching, convex form.

use super::exchange::Gram;
use super::kept::KeptProduct;
use super::quadratic_assignment::QuadraticAssignment;
use super::{Objective, VertexGradient};
use crate::error::Result;
use crate::graph::Graph;
use crate::permutation::Permutation;
use nalgebra::DMatrix;

/// f(X) = Σ_ℓ ‖A_ℓX − XB_ℓ‖²_F + ⟨C, X⟩, convex on all matrices; the permutations with f = 0 (for C = 0) are the isomorphisms.
///
/// ∇f = Σ_ℓ 2(A_ℓᵀR_ℓ − R_ℓB_ℓᵀ) + C with R_ℓ = A_ℓX − XB_ℓ. On permutations f equals its
/// [indefinite form](Objective::indefinite_form) Σ_ℓ (‖A_ℓ‖² + ‖B_ℓ‖² − 2tr(A_ℓᵀXB_ℓXᵀ)) + ⟨C, X⟩: for
/// unweighted graphs, twice (undirected) or once (directed) the number of arcs that do not meet an arc.
///
/// Vertex i of A is matched to vertex p(i) of B, so for isomorphic graphs B = XᵀAX. Graphs may be weighted,
/// directed, with loops, in several layers, and of unequal size (the smaller one is padded with isolated vertices).
///
/// Where it fails (docs/mathematics.md §3): if A and B are regular of equal degree, f(J/n) = 0 and the relaxation sees nothing.
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
#[derive(Debug, Clone)]
pub struct GraphMatching {
    indefinite: QuadraticAssignment,
    /// (AᵀA, BBᵀ) of each layer.
    grams: Vec<(Gram, Gram)>,
    /// Value of a permutation is in offset + step·ℤ.
    lattice: Option<(f64, f64)>,
}

impl GraphMatching {
    /// f(X) = ‖AX − XB‖²_F.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when both graphs are without vertices.
    pub fn new(a: Graph, b: Graph) -> Result<Self> {
        let constant = a.squared_norm() + b.squared_norm();
        let indefinite = QuadraticAssignment::with_sign(-2.0, constant, a, b)?;
        Ok(GraphMatching { indefinite, grams: Vec::new(), lattice: None }.prepared())
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

    /// Computes what follows from the layers and is not there yet.
    fn prepared(mut self) -> Self {
        for layer in &self.indefinite.layers[self.grams.len()..] {
            self.grams.push(layer.grams());
        }
        let whole = |graph: &Graph| graph.arcs().all(|(_, _, weight)| weight.fract() == 0.0);
        let layers = &self.indefinite.layers;
        let is_whole =
            self.indefinite.linear.is_none() && layers.iter().all(|layer| whole(&layer.a) && whole(&layer.b));
        self.lattice = is_whole.then(|| {
            let undirected =
                |graph: &Graph| graph.is_symmetric() && (0..graph.vertex_count()).all(|i| graph.weight(i, i) == 0.0);
            let all_undirected = layers.iter().all(|layer| undirected(&layer.a) && undirected(&layer.b));
            let offset = layers.iter().map(|layer| layer.a.squared_norm() + layer.b.squared_norm()).sum();
            (offset, if all_undirected { 4.0 } else { 2.0 })
        });
        self
    }

    /// `target += 2·Σ_ℓ (A_ℓᵀA_ℓX + XB_ℓB_ℓᵀ)`.
    fn add_gram_product(&self, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        for (ata, bbt) in &self.grams {
            bbt.add_times_on_the_right(2.0, x, target);
            ata.add_times(2.0, x, target);
        }
    }

    /// `target += 2t·Σ_ℓ (A_ℓᵀA_ℓQ + QB_ℓB_ℓᵀ)`: columns of the one and rows of the other, moved.
    fn add_gram_product_at(&self, q: &Permutation, t: f64, target: &mut DMatrix<f64>) {
        let from = q.inverse();
        for (ata, bbt) in &self.grams {
            ata.add_columns_moved(2.0 * t, &from, target);
            bbt.add_rows_moved(2.0 * t, q, &from, target);
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
        let constant = self.grams.iter().map(|(ata, bbt)| ata.trace() + bbt.trace()).sum::<f64>();
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
        0.5 * (gradient.dot(x) + self.indefinite.linear.as_ref().map_or(0.0, |c| c.dot(x)))
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        self.indefinite.value_at(p)
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

    /// Σ of the row minima of C, the squares being ≥ 0.
    fn trivial_bound(&self) -> f64 {
        let linear = self.indefinite.linear.as_ref();
        linear.map_or(0.0, |c| c.row_iter().map(|row| row.min()).sum())
    }

    fn lattice(&self) -> Option<(f64, f64)> {
        self.lattice
    }

    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        Some(Box::new(ConvexVertexGradient { objective: self, kept: vec![] }))
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
