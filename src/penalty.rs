//! Penalties that vanish exactly at the permutations, and the growing weight they carry.
//!
//! On the Birkhoff polytope D_n every member of the family is concave, non-negative, and zero exactly at the
//! permutation matrices. The paper's is [`Penalty::L1MinusL2`]; the other two are there to compare with.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// A concave penalty P on D_n with P(X) = 0 exactly at the permutation matrices.
///
/// ```
/// use birkhoff::penalty::Penalty;
/// use nalgebra::DMatrix;
/// let half = DMatrix::from_element(2, 2, 0.5);
/// // The 2 × 2 barycenter attains the maximum 2(n − √n) = 4 − 2√2.
/// assert!((Penalty::L1MinusL2.value(&half) - (4.0 - 2.0 * 2f64.sqrt())).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// P(X) = Σ_i (‖X_i:‖₁ − ‖X_i:‖₂) + Σ_j (‖X_:j‖₁ − ‖X_:j‖₂), the exact penalty of AutoShuffleNet.
    ///
    /// On D_n: 0 ≤ P ≤ 2(n − √n); the bounds T1–T3 of [`certificate`](crate::certificate) are about this one.
    #[default]
    #[serde(rename = "l1-minus-l2")]
    L1MinusL2,
    /// P(X) = n − ‖X‖²_F, quadratic; 0 ≤ P ≤ n − 1 on D_n.
    Frobenius,
    /// P(X) = −Σ X_ij ln X_ij; 0 ≤ P ≤ n ln n on D_n. Its gradient is infinite at 0, so entries below 1e-12 count as 1e-12 there.
    Entropy,
}

/// Below this, an entry counts as this in the entropy's gradient.
const ENTROPY_FLOOR: f64 = 1e-12;

impl Penalty {
    /// P(X) for X ≥ 0, any shape for l1−l2 and entropy; n is the number of rows for Frobenius. O(entries).
    pub fn value(self, x: &DMatrix<f64>) -> f64 {
        match self {
            Penalty::L1MinusL2 => 2.0 * x.sum() - Norms::of(x).sum(),
            Penalty::Frobenius => x.nrows() as f64 - x.norm_squared(),
            Penalty::Entropy => -x.iter().map(|&v| if v > 0.0 { v * v.ln() } else { 0.0 }).sum::<f64>(),
        }
    }

    /// ∇P(X), the shape of X. O(entries).
    ///
    /// l1−l2: 2 − X_ij/‖X_i:‖₂ − X_ij/‖X_:j‖₂ (a zero row or column contributes its subgradient 1);
    /// Frobenius: −2 X_ij; entropy: −1 − ln X_ij.
    pub fn gradient(self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut gradient = DMatrix::zeros(x.nrows(), x.ncols());
        self.add_gradient(1.0, x, &mut gradient);
        if self == Penalty::L1MinusL2 {
            gradient.add_scalar_mut(2.0);
        }
        gradient
    }

    /// `target += weight · ∇P(X)`, up to a constant matrix, which no vertex of D_n can see (l1−l2: without its 2);
    /// returns P(X). O(entries).
    pub fn add_gradient(self, weight: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) -> f64 {
        match self {
            Penalty::L1MinusL2 => {
                let norms = Norms::of(x);
                let by_row: Vec<f64> = norms.rows.iter().map(|&norm| weight * inverse(norm)).collect();
                let mut total = 0.0;
                for (j, &norm) in norms.columns.iter().enumerate() {
                    let by_column = weight * inverse(norm);
                    for ((t, &v), by_row) in target.column_mut(j).iter_mut().zip(&x.column(j)).zip(&by_row) {
                        *t -= v * (by_row + by_column);
                        total += v;
                    }
                }
                return 2.0 * total - norms.sum();
            }
            Penalty::Frobenius => target.zip_apply(x, |t, v| *t -= 2.0 * weight * v),
            Penalty::Entropy => target.zip_apply(x, |t, v| *t -= weight * (1.0 + v.max(ENTROPY_FLOOR).ln())),
        }
        self.value(x)
    }
}

impl std::fmt::Display for Penalty {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Penalty::L1MinusL2 => "l1-minus-l2",
            Penalty::Frobenius => "frobenius",
            Penalty::Entropy => "entropy",
        })
    }
}

/// Euclidean norms of the rows and columns of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Norms {
    /// ‖X_i:‖₂.
    pub rows: Vec<f64>,
    /// ‖X_:j‖₂.
    pub columns: Vec<f64>,
}

impl Norms {
    /// The norms of `x`. O(entries).
    pub fn of(x: &DMatrix<f64>) -> Self {
        let mut rows = vec![0.0; x.nrows()];
        let mut columns = Vec::with_capacity(x.ncols());
        for column in x.column_iter() {
            let mut squared = 0.0;
            for (row, &v) in rows.iter_mut().zip(&column) {
                *row += v * v;
                squared += v * v;
            }
            columns.push(squared.sqrt());
        }
        rows.iter_mut().for_each(|row| *row = row.sqrt());
        Norms { rows, columns }
    }

    /// Σ‖row‖₂ + Σ‖column‖₂.
    pub fn sum(&self) -> f64 {
        self.rows.iter().sum::<f64>() + self.columns.iter().sum::<f64>()
    }
}

/// 1/norm, and 0 where the norm is 0: the subgradient of ‖·‖₂ there that keeps zeros at zero.
fn inverse(norm: f64) -> f64 {
    if norm > 0.0 { 1.0 / norm } else { 0.0 }
}

/// The weights λ_1 < … < λ_k of a path: geometric from `first`·κ to `last`·κ, where κ is the objective's
/// [`scale`](crate::objective::Objective::scale).
///
/// T4 (docs/mathematics.md §2) says why the weight must grow: above λ = L every permutation is a strict local minimum, so a
/// path that started there would stay at its first permutation; only above 2L is the penalty sure to be exact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSchedule {
    /// First weight, in units of κ; > 0.
    pub first: f64,
    /// Last weight, in units of κ; ≥ `first`.
    pub last: f64,
    /// Number of weights; ≥ 1.
    pub stages: usize,
}

impl Default for WeightSchedule {
    /// From 0.005 κ to 5 κ in 25 stages.
    fn default() -> Self {
        WeightSchedule { first: 0.005, last: 5.0, stages: 25 }
    }
}

impl WeightSchedule {
    /// λ_1, …, λ_k in units of κ.
    pub fn weights(&self) -> Vec<f64> {
        let steps = (self.stages.max(2) - 1) as f64;
        (0..self.stages).map(|stage| self.first * (self.last / self.first).powf(stage as f64 / steps)).collect()
    }
}
