//! What rounding can do to the numbers of a quadratic objective, bounded from its data alone.
//!
//! Products of weights add up to at most ‖A‖_F‖B‖_F at a permutation (Cauchy–Schwarz), and a sum of m terms in any
//! order is off by at most about m·u times the sum of their absolute values (Higham, *Accuracy and Stability of
//! Numerical Algorithms*, 2002, §4.2), u = 2⁻⁵³. Where all data are multiples of a power of two that is not too small,
//! nothing is rounded at all.

use super::linear_term::LinearTerm;
use crate::exact::{Lattice, sum_error};
use crate::graph::Graph;

/// How far what an objective computes can be from what its data say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// Values at permutations up to this absolute value are exact; negative where none is, ∞ where all are.
    pub exact_up_to: f64,
    /// Any other value v at a permutation is off by at most this …
    pub absolute: f64,
    /// … plus this times |v|.
    pub relative: f64,
    /// f(X) + ⟨∇f(X), P − X⟩, as [`value_and_gradient`](super::Objective::value_and_gradient) gives f(X) and ∇f(X), is
    /// off by at most this for every X in D_n and every permutation P.
    pub linearization: f64,
}

impl Rounding {
    /// How far f(p) can be from the computed value.
    pub fn of_value(&self, value: f64) -> f64 {
        if value.abs() <= self.exact_up_to { 0.0 } else { self.absolute + self.relative * value.abs() }
    }
}

/// What of a pair of graphs decides the rounding: the norms of its rows and columns, and on which lattices its weights
/// lie.
#[derive(Debug, Clone)]
pub(super) struct Magnitudes {
    /// max(‖row i‖₂, ‖column i‖₂) of A and of B.
    pub rows_of_a: Vec<f64>,
    pub rows_of_b: Vec<f64>,
    /// The most terms a row or column of A has.
    degree: usize,
    /// ‖A‖_F‖B‖_F.
    pub product: f64,
    lattice_a: Option<Lattice>,
    lattice_b: Option<Lattice>,
    /// Both graphs are undirected, and one has no loops: then every product of weights comes twice.
    comes_twice: bool,
}

impl Magnitudes {
    pub fn of(a: &Graph, b: &Graph) -> Self {
        let lattice = |graph: &Graph| Lattice::of(graph.arcs().map(|(_, _, weight)| weight));
        let has_loops = |graph: &Graph| (0..graph.vertex_count()).any(|i| graph.weight(i, i) != 0.0);
        let (rows_of_a, degree) = rows_and_degree(a);
        Magnitudes {
            rows_of_a,
            rows_of_b: rows_and_degree(b).0,
            degree,
            product: (a.squared_norm() * b.squared_norm()).sqrt(),
            lattice_a: lattice(a),
            lattice_b: lattice(b),
            comes_twice: a.is_symmetric() && b.is_symmetric() && !(has_loops(a) && has_loops(b)),
        }
    }

    /// The lattice of A's and B's weights together.
    pub fn lattice_of_weights(&self) -> Option<Lattice> {
        self.lattice_a?.plus(self.lattice_b?)
    }

    /// The lattice of tr(AᵀPBPᵀ) over the permutations.
    pub fn lattice_of_products(&self) -> Option<Lattice> {
        let Lattice { power, step } = self.lattice_a?.times(self.lattice_b?);
        Some(Lattice { power, step: if self.comes_twice { 2.0 * step } else { step } })
    }

    /// Whether every product of weights at a permutation comes twice.
    pub fn comes_twice(&self) -> bool {
        self.comes_twice
    }

    /// The largest ‖row‖₂ or ‖column‖₂ of A and of B.
    pub fn largest_rows(&self) -> (f64, f64) {
        let largest = |norms: &[f64]| norms.iter().copied().fold(0.0, f64::max);
        (largest(&self.rows_of_a), largest(&self.rows_of_b))
    }

    /// A bound of the rounding error of tr(AᵀPBPᵀ)'s change when the images of r and s are exchanged, by either
    /// formula.
    pub fn of_swap(&self, r: usize, s: usize, pr: usize, ps: usize) -> f64 {
        // Eight sums over a row or a column of A against one of B, and four products of differences.
        let magnitude = (self.rows_of_a[r] + self.rows_of_a[s]) * (self.rows_of_b[pr] + self.rows_of_b[ps]);
        4.0 * sum_error(2 * self.degree + 16) * magnitude
    }
}

/// max(‖row i‖₂, ‖column i‖₂), rounded up, and the most entries that a row or column has.
fn rows_and_degree(graph: &Graph) -> (Vec<f64>, usize) {
    let n = graph.vertex_count();
    let (mut out, mut into) = (vec![0.0; n], vec![0.0; n]);
    let (mut arcs_out, mut arcs_into) = (vec![0; n], vec![0; n]);
    for (i, j, weight) in graph.arcs() {
        out[i] += weight * weight;
        into[j] += weight * weight;
        arcs_out[i] += 1;
        arcs_into[j] += 1;
    }
    let degree = arcs_out.into_iter().chain(arcs_into).max().unwrap_or(0);
    let up = 1.0 + sum_error(degree);
    let norms = out.iter().zip(&into).map(|(&out, &into): (&f64, &f64)| out.max(into).sqrt() * up).collect();
    (norms, degree)
}

/// The lattice of a linear term's entries; step 0 without one.
pub(super) fn linear_lattice(linear: Option<&LinearTerm>) -> Option<Lattice> {
    Lattice::of(linear.into_iter().flat_map(LinearTerm::entries))
}
