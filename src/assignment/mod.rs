//! Linear assignment: each row gets a column of its own, at the least total cost, with a proof.
//!
//! min over permutations p of Σ_i c\[i, p(i)\] equals, by duality, max Σ_i u_i + Σ_j v_j over u_i + v_j ≤ c\[i, j\].
//! Every solver here returns p *and* u, v, with equality on the assigned entries: whoever doubts the answer can check
//! it in O(n²).
//!
//! [`solve`] is for one square matrix, [`AssignmentSolver`] for a sequence of similar ones (it starts from its last
//! answer), [`solve_rectangular`] for the others, [`auction`] for a few allowed pairs, within ε.
//!
//! # Method
//! Shortest augmenting paths (Jonker & Volgenant, *A shortest augmenting path algorithm for dense and sparse linear
//! assignment problems*, Computing 38, 1987) with their column reduction and augmenting row reduction. What is
//! different:
//!
//! - *Shortlists.* All phases work on the about 15 entries of smallest reduced cost of each column, with a bound on the
//!   entries left out. One of the duals only ever falls, so a bound stays true; where a step needs more than the bound
//!   allows, it reads the dense column again. So nearly all the work is on a sparse matrix, and the answer is that of
//!   the dense one.
//! - *Auction.* Where the row reduction leaves many columns free (all rows want the same columns: the gradients of
//!   graph matching do that), auctions of falling ε (Bertsekas, *The auction algorithm*, Annals of Operations Research
//!   14, 1988) find prices near the optimal ones first. They only choose where the exact search starts.
//! - *Sorting.* A cold start on what looks like a Monge matrix with sorted rows and columns (Hoffman 1963) begins with
//!   the diagonal.
//!
//! # What pays
//! CPU milliseconds on a shared Xeon with AVX-512. "Gradients": 21 stretches of a penalized path for three pairs of
//! random graphs, n = 500 and 1000, the mean of one problem.
//!
//! | | uniform 1000 | uniform 4000 | gradients, cold | gradients, warm |
//! | --- | --- | --- | --- | --- |
//! | Jonker-Volgenant on shortlists | 4.8 | 63 | 68 | 3.9 |
//! | with auction and vectorized scans | 3.4 | 47 | 6.5 | 2.1 |
//!
//! On a cold gradient of size 500 the auction brought 80 → 13 ms, the vectorized scans 13 → 8.5, guessing a shortlist's
//! threshold and its dosage 8.5 → 7.2. Did not pay, as far as a noisy machine could tell: an auction in every case
//! (uniform 1000: 7.6 ms), longer or shorter shortlists (40, 16 entries), a threshold guessed from the neighbouring
//! column.
//!
//! # Rounding
//! All arithmetic is f64. Integers whose sums stay below 2⁵³ are solved exactly. Otherwise u_i + v_j ≤ c\[i, j\] + δ
//! for all i, j, and ≥ c\[i, j\] − δ where j = p(i), with δ = 40(n + 3)·2⁻⁵²·max |c| (n times as much where pairs are
//! forbidden), however many problems came before; on usual costs some units of rounding of max |c| are lost in all.
//! With forbidden pairs written as a big constant M, differences below 2⁻⁵²·M may be lost. Write them as
//! `f64::INFINITY` instead.
//!
//! *Why.* Let M = max |c|. At an optimum of finite costs, v_k' − v_k ≤ c_lk' − c_lk ≤ 2M with l the line that holds k,
//! so that centered duals are at most 4M. A warm start takes prices up to 8M only, and else begins afresh; so no number
//! in play is above 13M. A warm start keeps a line where it misses its best place by 6 roundings of such a number at
//! most; each augmentation may add 3; there are n at most.

mod auction;
mod engine;
mod holdings;
mod kernel;
mod margin;
mod monge;
mod rectangular;
mod search;
mod shortlist;
mod solver;

pub use auction::{Auction, auction};
pub use holdings::NONE;
pub(crate) use margin::LARGEST_MARGIN;
pub use margin::margin;
pub(crate) use monge::MongeOrder;
pub use rectangular::{RectangularAssignment, solve_rectangular, solve_rectangular_until};
pub use solver::AssignmentSolver;

use crate::error::{Error, Result};
use crate::exact::{DoubleSum, two_sum};
use crate::permutation::Permutation;
use nalgebra::DMatrix;

/// An optimal assignment of the rows of an n × n matrix to its columns, and the duals that prove it.
///
/// u_i + v_j ≤ c\[i, j\] for all i, j, with equality where j = p(i); hence Σ u + Σ v = value ≤ the cost of any
/// permutation (each up to rounding).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Assignment {
    /// p: row i gets column p(i).
    pub permutation: Permutation,
    /// Σ_i c\[i, p(i)\].
    pub value: f64,
    /// u, one for each row.
    pub row_duals: Vec<f64>,
    /// v, one for each column.
    pub column_duals: Vec<f64>,
}

/// A permutation p that minimizes Σ_i c\[i, p(i)\] over all n! of them.
///
/// `cost` is n × n; its entries are finite, or `f64::INFINITY` to forbid a pair. n = 0 is allowed. O(n³) time in the
/// worst case, about 2 to 5 passes over the matrix on usual ones; O(n) memory beyond the matrix. Deterministic; between
/// several optimal permutations the choice is arbitrary. For a maximum, negate the matrix.
///
/// Source: Jonker & Volgenant 1987, on shortlists (see the [module](self)).
///
/// # Errors
/// [`Error::Shape`] when the matrix is not square, [`Error::Entry`] for NaN and −∞, [`Error::Infeasible`] when every
/// permutation meets a forbidden entry, [`Error::Argument`] when the least sum, or a dual, is beyond 1.8e308.
///
/// ```
/// use birkhoff::assignment;
/// use nalgebra::dmatrix;
/// let cost = dmatrix![4.0, 1.0, 3.0; 2.0, 0.0, 5.0; 3.0, 2.0, 2.0];
/// let best = assignment::solve(&cost)?;
/// assert_eq!(best.permutation.image(), &[1, 0, 2]);
/// assert_eq!(best.value, 5.0);
/// assert_eq!(best.row_duals.iter().chain(&best.column_duals).sum::<f64>(), 5.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "hungarian")]
#[doc(alias = "lapjv")]
#[doc(alias = "linear_sum_assignment")]
pub fn solve(cost: &DMatrix<f64>) -> Result<Assignment> {
    let mut solver = AssignmentSolver::new();
    solver.solve(cost)?;
    Ok(solver.assignment())
}

/// A number that no assignment costs less than, rounding included, whatever the column duals v: Σ_j v_j + Σ_i min_j
/// (c\[i, j\] − v_j).
///
/// With optimal duals it is the least cost, less what rounding took. Sums and differences are followed in twice the
/// precision, so that whole costs and duals lose nothing. `cost` is n × n, +∞ where a pair is forbidden. O(n²).
pub(crate) fn lower_bound(cost: &DMatrix<f64>, column_duals: &[f64]) -> f64 {
    let (mut sum, mut magnitude) = (DoubleSum::default(), 0.0);
    let mut least = vec![(f64::INFINITY, 0.0); cost.nrows()];
    for (column, &v) in cost.column_iter().zip(column_duals) {
        for (least, &c) in least.iter_mut().zip(&column) {
            let (difference, error) = if c.is_finite() { two_sum(c, -v) } else { (c, 0.0) };
            if difference < least.0 || (difference == least.0 && error < least.1) {
                *least = (difference, error);
            }
        }
        sum.add(v);
        magnitude += v.abs();
    }
    for (difference, error) in least {
        if difference == f64::INFINITY {
            return f64::INFINITY;
        }
        sum.add(difference);
        sum.add(error);
        magnitude += difference.abs();
    }
    sum.rounded_down(3 * cost.nrows(), magnitude)
}

/// What an entry has to be.
const REQUIRED: &str = "a finite number, or +infinity to forbid the pair";

const TOO_LARGE: &str = "its entries are so large that sums of them are beyond 1.8e308: scale them";

/// Costs are scaled down when one exceeds 2⁹⁰⁰ ≈ 1e271, so that sums of them stay finite.
const LARGE: f64 = f64::from_bits((1023 + 900) << 52);

/// The largest finite absolute value of one line; `place` names the entry (row, column) of a position.
fn inspect(costs: &[f64], entry_at: impl Fn(usize) -> (usize, usize)) -> Result<f64> {
    let mut largest: f64 = 0.0;
    for (k, &value) in costs.iter().enumerate() {
        if value.is_nan() || value == f64::NEG_INFINITY {
            let (row, column) = entry_at(k);
            return Err(Error::Entry { what: "cost".to_string(), row, column, value, required: REQUIRED });
        }
        if value.is_finite() {
            largest = largest.max(value.abs());
        }
    }
    Ok(largest)
}

/// The power of two that brings `largest` down to 2⁹⁰⁰; 1 for smaller ones.
fn scale_for(largest: f64) -> f64 {
    let mut scale = 1.0;
    while largest * scale > LARGE {
        scale *= 0.5;
    }
    scale
}
