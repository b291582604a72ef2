//! What is minimized over the Birkhoff polytope: a trait, so that users can bring their own.

mod common_subgraph;
mod embedding;
pub mod graph_matching;
mod injective;
mod injective_quadratic;
mod linear_term;
mod product;
pub mod quadratic_assignment;
mod rounding;
mod trivial_bounds;
pub mod two_layer;
mod weighted_overlap;

pub use graph_matching::GraphMatching;
pub use injective::{Embedding, EmbeddingSearch, Injective, is_much_smaller};
pub use quadratic_assignment::QuadraticAssignment;
pub use rounding::Rounding;
pub use weighted_overlap::WeightedOverlap;

use crate::permutation::Permutation;
use crate::sparse_form::SparseForm;
use crate::stop::Stop;
use nalgebra::DMatrix;
use std::cmp::Ordering;

/// A differentiable function f on the Birkhoff polytope D_n ∋ X.
///
/// Only [`size`](Objective::size), [`value`](Objective::value) and [`gradient`](Objective::gradient) are required. All
/// else tells a search more, by defaults that know nothing:
///
/// - *The same numbers for less*: [`value_and_gradient`](Objective::value_and_gradient),
///   [`value_at`](Objective::value_at), [`swap_change`](Objective::swap_change),
///   [`swap_changes`](Objective::swap_changes), and [`vertex_gradient`](Objective::vertex_gradient), from which
///   Frank–Wolfe keeps ∇f up to date ([§5](crate::mathematics#5-the-engine)). They may differ from the defaults in the
///   last digits.
/// - *Another search*: [`scale`](Objective::scale), [`is_convex`](Objective::is_convex),
///   [`indefinite_form`](Objective::indefinite_form), [`injective_form`](Objective::injective_form),
///   [`sparse_form`](Objective::sparse_form) and [`draw_swap`](Objective::draw_swap) decide which runs are made, and so
///   which answer is found.
/// - *What is proved, and when a search may end*: bounds, the lattice and rounding.
///
/// [`until`](Objective::until) lets the time limit end a long product.
///
/// Ours panic where a matrix or a permutation is not of size n; a search never gives them one.
pub trait Objective: Sync {
    /// n.
    fn size(&self) -> usize;

    /// f(X), X n × n; finite on D_n.
    fn value(&self, x: &DMatrix<f64>) -> f64;

    /// `gradient` ← ∇f(X), both n × n.
    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>);

    /// `gradient` ← ∇f(X); returns f(X), which may come almost free with it.
    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        self.gradient(x, gradient);
        self.value(x)
    }

    /// f at the permutation matrix of p. By default as costly as [`value`](Objective::value), plus n² for the matrix.
    fn value_at(&self, p: &Permutation) -> f64 {
        self.value(&p.to_matrix())
    }

    /// f(p ∘ (i k)) − f(p): the change of the value when p(i) and p(k) are exchanged. By default two values: swap
    /// descent asks for n²/2 of them a sweep, so that a shorter way pays first of all.
    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        let mut swapped = p.clone();
        swapped.swap(i, k);
        self.value_at(&swapped) - self.value_at(p)
    }

    /// All of [`swap_change`](Objective::swap_change) at p, each in about O(1) after one gradient: worth it where most
    /// pairs are to be looked at. `None` where there is no such way.
    fn swap_changes(&self, _p: &Permutation) -> Option<Box<dyn Fn(usize, usize) -> f64 + '_>> {
        None
    }

    /// A row k whose exchange of images with i may pay, drawn at random: `draw(m)` is uniform below m. For sparse
    /// graphs, where almost no exchange does. `None` where f cannot tell, or drew none.
    fn draw_swap(
        &self,
        _p: &Permutation,
        _inverse: &Permutation,
        _i: usize,
        _draw: &mut dyn FnMut(usize) -> usize,
    ) -> Option<usize> {
        None
    }

    /// κ > 0, the unit of the penalty's weight: of the order of an entry of ∇f's variation over D_n. The default path
    /// goes from 0.005κ, where P hardly counts, to 5κ, where it outweighs f; ‖A‖_F‖B‖_F/n for graph matching.
    fn scale(&self) -> f64 {
        1.0
    }

    /// Whether f is convex on D_n. Only then does f(X) − gap(X) bound f from below.
    fn is_convex(&self) -> bool {
        false
    }

    /// How far rounding can carry what is computed here from what f's data say; `None` where that is not known, and
    /// then no answer of more than a few vertices is called proved.
    fn rounding(&self) -> Option<Rounding> {
        None
    }

    /// [`swap_change`](Objective::swap_change) and [`swap_changes`](Objective::swap_changes) are this far from the true
    /// change at most; `None` where no bound is known.
    fn swap_rounding(&self, _p: &Permutation, _i: usize, _k: usize) -> Option<f64> {
        None
    }

    /// How f(p) compares with f(q), without any rounding: f's data are taken as the rational numbers that they are.
    /// `None` where f cannot tell.
    fn compare_at(&self, _p: &Permutation, _q: &Permutation) -> Option<Ordering> {
        None
    }

    /// Whether f has a way of its own to prove that no other permutation has a smaller value than p, rounding included.
    fn proves(&self, _p: &Permutation) -> bool {
        false
    }

    /// A number that f is nowhere below on the permutations, rounding included, known without solving a relaxation; −∞
    /// if there is none.
    fn trivial_bound(&self) -> f64 {
        f64::NEG_INFINITY
    }

    /// What f would be if each of its terms were at its least by itself, as ‖AP − PB‖² = 0: the zero of the scale on
    /// which answers are doubted ([`DOUBTFUL`](crate::recovery::DOUBTFUL)). Nowhere above the
    /// [`trivial_bound`](Objective::trivial_bound), which is the default.
    fn ideal_value(&self) -> f64 {
        self.trivial_bound()
    }

    /// (offset, step) when every permutation has its value in offset + step·ℤ, without rounding, as for graphs with
    /// whole weights: a lower bound may then be raised to the next such number.
    fn lattice(&self) -> Option<(f64, f64)> {
        None
    }

    /// This objective, whose long computations give up soon after `stop` is reached. From then on values are NaN or as
    /// they should be, the [`trivial_bound`](Objective::trivial_bound) may be −∞ and
    /// [`swap_changes`](Objective::swap_changes) `None`, and a gradient or a blended one is not to be used: who asked
    /// for it asks `stop` next. Values [at permutations](Objective::value_at) and the changes of single swaps stay.
    ///
    /// `None` where nothing takes longer than some hundredths of a second: then it is enough to ask between the
    /// computations.
    fn until(&self, _stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        None
    }

    /// The oracle for ∇f at permutations, when f is quadratic (that is, ∇f affine); `None` otherwise.
    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        None
    }

    /// Another objective with the same values on the permutations, indefinite where this one is convex: what
    /// FAQ (Vogelstein et al., PLoS ONE 2015) runs on. `None` if f is its own.
    fn indefinite_form(&self) -> Option<&dyn Objective> {
        None
    }

    /// The graphs and similarities that f is made of, for searches that never form a matrix. `None` elsewhere.
    fn sparse_form(&self) -> Option<SparseForm> {
        None
    }

    /// The same values on injections, where one side has at most half as many vertices as the other, and padded ones
    /// are all alike; `None` elsewhere.
    fn injective_form(&self) -> Option<Box<dyn Injective + '_>> {
        None
    }
}

/// ∇f at permutation matrices, for a quadratic f ([§5](crate::mathematics#5-the-engine)); it may keep what it computed
/// for the last one.
pub trait VertexGradient {
    /// `gradient` ← (1 − t)·`gradient` + t·∇f(Q), Q the matrix of q, 0 ≤ t ≤ 1.
    ///
    /// With `gradient` = ∇f(X) before, it is ∇f((1−t)X + tQ) after, because ∇f is affine.
    fn blend(&mut self, q: &Permutation, t: f64, gradient: &mut DMatrix<f64>);
}
