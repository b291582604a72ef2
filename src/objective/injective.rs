//! Objectives on injections: what an objective on permutations becomes where one side is much smaller, and padded.

use crate::injection::Injection;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// A quadratic function f of injections p of the m vertices of the smaller side into the N places of the larger, and of
/// N × m matrices X with column sums 1 and row sums ≤ 1: X\[p(i), i\] = 1 is the matrix of p.
///
/// At the permutations that extend p it has the value of the [`Objective`](super::Objective) that hands it out, whose
/// padded vertices see nothing. It takes O(N·m) memory where that takes O(N²).
pub trait Injective: Sync {
    /// (N, m), the shape of X; 0 < m ≤ N.
    fn shape(&self) -> (usize, usize);

    /// `gradient` ← ∇f(X), both N × m; returns f(X).
    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64;

    /// `gradient` ← (1 − t)·`gradient` + t·∇f(P), P the matrix of p: as
    /// [`VertexGradient::blend`](super::VertexGradient::blend).
    fn blend(&self, p: &Injection, t: f64, gradient: &mut DMatrix<f64>);

    /// f(p).
    fn value_at(&self, p: &Injection) -> f64;

    /// The change of f when vertex i goes to place j, and the vertex that is there to i's.
    fn change(&self, p: &Injection, i: usize, j: usize) -> f64;

    /// `costs[j]` ← what f says of vertex i at place j, the other vertices staying where they are: for free places j, f
    /// changes by `costs[j] − costs[p(i)]` when i goes there.
    fn costs(&self, p: &Injection, i: usize, costs: &mut Vec<f64>);

    /// A place for vertex i where it has an arc to a neighbour of its own, drawn at random: `draw(m)` is uniform below
    /// m. `None` where i has no neighbour, or that is nobody's.
    fn draw_place(&self, p: &Injection, i: usize, draw: &mut dyn FnMut(usize) -> usize) -> Option<usize>;

    /// κ > 0, the unit of the penalty's weight: Σ_ℓ ‖A_ℓ‖_F‖B_ℓ‖_F / √(N·m).
    fn scale(&self) -> f64;

    /// By how much f typically falls with an arc in common, where arcs are few; `None` where the graphs are dense, or f
    /// is not about arcs alone.
    fn arc_value(&self) -> Option<f64>;

    /// Whether all arcs can be kept, and if not, how few are lost: see [`Embedding`].
    fn embed(&self, search: &EmbeddingSearch) -> Embedding;

    /// The permutation of N that p stands for: the padded vertices take what is left in ascending order.
    fn permutation(&self, p: &Injection) -> Permutation;

    /// What a permutation of N is on the m vertices.
    fn injection(&self, p: &Permutation) -> Injection;

    /// (vertex, place) of a pair (vertex of A, vertex of B).
    fn oriented(&self, pair: (usize, usize)) -> (usize, usize);

    /// Whether the places are the vertices of A: then X is n_A × n_B as it stands, else it is transposed.
    fn places_are_rows(&self) -> bool;
}

/// Whether m vertices are so much fewer than N places that a search without padding finds more: at most a tenth.
/// Beyond, the convex relaxation of the padded problem leads better, as X cannot spread far.
pub fn is_much_smaller(m: usize, n: usize) -> bool {
    m > 0 && 10 * m <= n
}

/// Whether there is a form on injections: up to half as many vertices as places.
pub(super) fn is_smaller(m: usize, n: usize) -> bool {
    m > 0 && 2 * m <= n
}

/// What a search for an embedding is asked.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddingSearch<'a> {
    /// Pairs (vertex, place) that are kept.
    pub anchors: &'a [(usize, usize)],
    /// It ends after about so many entries of lists of places and neighbours have been looked at: some 10⁸ a second.
    pub work: u64,
    /// Seed of the order in which places are tried.
    pub rng_seed: u64,
    /// When to give up.
    pub stop: &'a Stop,
}

/// Whether an injection exists that keeps every arc of the smaller side, in every layer. Nothing is better: where it
/// applies, the weights of each layer's larger graph are all equal, those of the smaller one have the sign that makes
/// arcs in common welcome, and there is no linear term. Of at most 8 vertices, whose arcs are all worth the same, the
/// most arcs are kept that can be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Embedding {
    /// This one has the least value.
    Best(Injection),
    /// f is more than this at every injection.
    Worse {
        /// What f would be with the fewest arcs lost that are not ruled out yet, less one; or with none lost.
        than: f64,
    },
    /// Nobody knows. The most vertices that could be placed, as (vertex, place), without a loss.
    Unknown(Vec<(usize, usize)>),
}
