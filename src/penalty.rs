//! Penalties that vanish exactly at the permutations, and the growing weight they carry.
//!
//! On the Birkhoff polytope D_n every member of the family is concave, non-negative, and zero exactly at the
//! permutation matrices. The paper's is [`Penalty::L1MinusL2`]; the other two are there to compare with.

mod point;
mod slack;

pub use point::Point;
pub use slack::SlackNorms;

use crate::columns::{BLOCK, map_blocks};
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
#[non_exhaustive]
pub enum Penalty {
    /// P(X) = Σ_i (‖X_i:‖₁ − ‖X_i:‖₂) + Σ_j (‖X_:j‖₁ − ‖X_:j‖₂), the exact penalty of AutoShuffleNet.
    ///
    /// On D_n: 0 ≤ P ≤ 2(n − √n); the bounds [T1](crate::mathematics#t1-global-bound-sharp) to
    /// [T3](crate::mathematics#t3-approximately-feasible-matrices) are about this one.
    #[default]
    #[serde(rename = "l1-minus-l2")]
    L1MinusL2,
    /// P(X) = n − ‖X‖²_F, quadratic; 0 ≤ P ≤ n − 1 on D_n.
    Frobenius,
    /// P(X) = −Σ X_ij ln X_ij; 0 ≤ P ≤ n ln n on D_n. Its gradient is infinite at 0, so entries below 1e-12 count as
    /// 1e-12 there.
    Entropy,
}

/// Below this, an entry counts as this in the entropy's gradient.
const ENTROPY_FLOOR: f64 = 1e-12;

impl Penalty {
    /// All of them.
    pub const ALL: [Penalty; 3] = [Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy];

    /// The name in files, on command lines and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Penalty::L1MinusL2 => "l1-minus-l2",
            Penalty::Frobenius => "frobenius",
            Penalty::Entropy => "entropy",
        }
    }

    /// P(X) for X ≥ 0, any shape for l1−l2 and entropy; n is the number of rows for Frobenius. O(entries).
    ///
    /// l1−l2 is right for entries of any size: ∞ only where P itself is beyond 1.8e308. NaN where an entry is not
    /// finite.
    pub fn value(self, x: &DMatrix<f64>) -> f64 {
        match self {
            Penalty::L1MinusL2 => {
                let norms = Norms::of(x);
                let (sum, norms) = (2.0 * x.sum(), norms.sum());
                if sum < HUGE { sum - norms } else { deficits(x) }
            }
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
    ///
    /// # Panics
    /// When the shapes differ.
    pub fn add_gradient(self, weight: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) -> f64 {
        assert_eq!(x.shape(), target.shape(), "a gradient of another shape");
        match self {
            Penalty::L1MinusL2 => {
                let gradient = target.clone();
                return self.total_gradient(weight, x, &Norms::of(x), &gradient, target).penalty;
            }
            Penalty::Frobenius => target.zip_apply(x, |t, v| *t -= 2.0 * weight * v),
            Penalty::Entropy => target.zip_apply(x, |t, v| *t -= weight * (1.0 + v.max(ENTROPY_FLOOR).ln())),
        }
        self.value(x)
    }

    /// `total` ← G + weight·∇P(X) as by [`add_gradient`](Self::add_gradient), with what else a Frank–Wolfe step asks of
    /// these matrices, in one pass (l1−l2). `norms` are those of X, `gradient` is G.
    pub(crate) fn total_gradient(
        self,
        weight: f64,
        x: &DMatrix<f64>,
        norms: &Norms,
        gradient: &DMatrix<f64>,
        total: &mut DMatrix<f64>,
    ) -> Products {
        if self != Penalty::L1MinusL2 {
            total.copy_from(gradient);
            let penalty = self.add_gradient(weight, x, total);
            return Products { penalty, gradient: gradient.dot(x), total: total.dot(x) };
        }
        let by_row: Vec<f64> = norms.rows.iter().map(|&norm| weight * inverse(norm)).collect();
        let n = x.nrows();
        let by_block = map_blocks(total, |columns, total| {
            let (mut products, mut sums) = ([0.0; LANES], [0.0; LANES]);
            for (j, total) in columns.zip(total.chunks_exact_mut(n)) {
                let by_column = weight * inverse(norms.columns[j]);
                let rows = j * n..(j + 1) * n;
                let (x, x_tail) = x.as_slice()[rows.clone()].as_chunks::<LANES>();
                let (g, g_tail) = gradient.as_slice()[rows].as_chunks::<LANES>();
                let (t, t_tail) = total.as_chunks_mut::<LANES>();
                let (r, r_tail) = by_row.as_chunks::<LANES>();
                for (((x, g), t), r) in x.iter().zip(g).zip(t).zip(r) {
                    for lane in 0..LANES {
                        t[lane] = g[lane] - x[lane] * (r[lane] + by_column);
                        products[lane] += g[lane] * x[lane];
                        sums[lane] += x[lane];
                    }
                }
                for (((x, g), t), r) in x_tail.iter().zip(g_tail).zip(t_tail).zip(r_tail) {
                    *t = g - x * (r + by_column);
                    products[0] += g * x;
                    sums[0] += x;
                }
            }
            (products.iter().sum::<f64>(), sums.iter().sum::<f64>())
        });
        let (product, sum) = by_block.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        let norms = norms.sum();
        // ⟨X, X_ij/‖X_i:‖⟩ = Σ‖X_i:‖, and so for the columns.
        let total = product - weight * norms;
        Products { penalty: 2.0 * sum - norms, gradient: product, total }
    }
}

/// Sums that run side by side.
const LANES: usize = 8;

/// What [`Penalty::total_gradient`] gathers.
pub(crate) struct Products {
    /// P(X).
    pub penalty: f64,
    /// ⟨G, X⟩.
    pub gradient: f64,
    /// ⟨G + λ∇P(X), X⟩, ∇P without its constant.
    pub total: f64,
}

impl std::fmt::Display for Penalty {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
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
    /// The norms of `x`, of entries of any size. O(entries).
    pub fn of(x: &DMatrix<f64>) -> Self {
        let blocks = x.as_slice().chunks(BLOCK * x.nrows().max(1));
        let norms = Norms::sum_up(x.nrows(), blocks.map(|entries| Squares::of(entries, x.nrows())));
        // Squares of other norms may have lost what they are made of.
        let are_exact = norms.rows.iter().chain(&norms.columns).all(|norm| (TINY..HUGE).contains(norm));
        if are_exact { norms } else { Norms::relative(x) }
    }

    /// The same by squares relative to the largest entry of each row and column.
    fn relative(x: &DMatrix<f64>) -> Self {
        let norm = |(largest, _, norm)| largest * norm;
        Norms { rows: rows_of(x).map(norm).collect(), columns: columns_of(x).map(norm).collect() }
    }

    fn sum_up(rows: usize, blocks: impl IntoIterator<Item = Squares>) -> Self {
        let mut norms = Norms { rows: vec![0.0; rows], columns: vec![] };
        for block in blocks {
            norms.rows.iter_mut().zip(block.rows).for_each(|(row, squares)| *row += squares);
            norms.columns.extend(block.columns);
        }
        norms.rows.iter_mut().chain(&mut norms.columns).for_each(|norm| *norm = norm.sqrt());
        norms
    }

    /// Σ‖row‖₂ + Σ‖column‖₂, which is 2n − P(X) on D_n. O(n).
    pub fn sum(&self) -> f64 {
        self.rows.iter().sum::<f64>() + self.columns.iter().sum::<f64>()
    }
}

/// Squares of numbers between these keep all digits, and thousands of them may be added.
const TINY: f64 = 1e-140;
const HUGE: f64 = 1e140;

/// Of a row or column v: the largest |v_k|, and Σ v_k and ‖v‖₂ in units of it. NaN where an entry is not finite.
type Line = (f64, f64, f64);

fn rows_of(x: &DMatrix<f64>) -> impl Iterator<Item = Line> {
    x.row_iter().map(|row| line(row.iter().copied()))
}

fn columns_of(x: &DMatrix<f64>) -> impl Iterator<Item = Line> {
    x.column_iter().map(|column| line(column.iter().copied()))
}

fn line(entries: impl Iterator<Item = f64> + Clone) -> Line {
    let largest = entries.clone().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    // Without an entry above 0 there may be NaN among them still.
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let (sum, squares) = entries.map(|v| v / unit).fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
    (unit, sum, squares.sqrt())
}

/// Σ over rows and columns of ‖·‖₁ − ‖·‖₂ for X ≥ 0, each relative to its largest entry.
fn deficits(x: &DMatrix<f64>) -> f64 {
    let deficit = |(largest, sum, norm)| largest * (sum - norm);
    rows_of(x).map(deficit).sum::<f64>() + columns_of(x).map(deficit).sum::<f64>()
}

/// Sums of the squares in the rows and columns of a block of columns.
struct Squares {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Squares {
    fn of(entries: &[f64], rows: usize) -> Self {
        let mut squares = Squares { rows: vec![0.0; rows], columns: vec![] };
        squares.columns =
            entries.chunks_exact(rows.max(1)).map(|column| add_squares(&mut squares.rows, column)).collect();
        squares
    }
}

/// Adds the squares of a column to those of the rows; returns their sum.
fn add_squares(rows: &mut [f64], column: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (chunks, tail) = column.as_chunks::<LANES>();
    let (rows, rows_tail) = rows.as_chunks_mut::<LANES>();
    for (row, v) in rows.iter_mut().zip(chunks) {
        for lane in 0..LANES {
            let square = v[lane] * v[lane];
            row[lane] += square;
            lanes[lane] += square;
        }
    }
    for (row, v) in rows_tail.iter_mut().zip(tail) {
        *row += v * v;
        lanes[0] += v * v;
    }
    lanes.iter().sum()
}

/// 1/norm, and 0 where the norm is 0: the subgradient of ‖·‖₂ there that keeps zeros at zero.
fn inverse(norm: f64) -> f64 {
    if norm > 0.0 { 1.0 / norm } else { 0.0 }
}

/// The weights λ_1 < … < λ_k of a path: geometric from `first`·κ to `last`·κ, where κ is the objective's
/// [`scale`](crate::objective::Objective::scale).
///
/// [T4](crate::mathematics#t4-exact-penalization) says why the weight must grow: above λ = L every permutation is a
/// strict local minimum, so a path that started there would stay at its first permutation; only above (1 + 1/√2)L is
/// the penalty sure to be exact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSchedule {
    /// First weight, in units of κ; > 0.
    pub first: f64,
    /// Last weight, in units of κ; ≥ `first`.
    pub last: f64,
    /// Number of weights; between 1 and [`MOST_STAGES`](Self::MOST_STAGES).
    pub stages: usize,
}

impl Default for WeightSchedule {
    /// From 0.005 κ to 5 κ in 25 stages: what shorter schedules lose is in `docs/engine.md`, *Shorter paths*.
    fn default() -> Self {
        WeightSchedule { first: 0.005, last: 5.0, stages: 25 }
    }
}

impl WeightSchedule {
    /// The most weights that a path may have.
    pub const MOST_STAGES: usize = 1_000_000;

    /// λ_1, …, λ_k in units of κ; λ_j = first·(last/first)^((j − 1)/(k − 1)). O(k).
    ///
    /// # Panics
    /// When there are more than [`MOST_STAGES`](Self::MOST_STAGES).
    pub fn weights(&self) -> Vec<f64> {
        assert!(self.stages <= Self::MOST_STAGES, "a path of {} weights", self.stages);
        let steps = (self.stages.max(2) - 1) as f64;
        let ratio = self.last / self.first;
        let weight = |share: f64| {
            if ratio.is_finite() {
                return self.first * ratio.powf(share);
            }
            let root = (0.5 * share * (self.last.ln() - self.first.ln())).exp();
            root * self.first * root
        };
        (0..self.stages).map(|stage| weight(stage as f64 / steps)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2·(2 − √2)·scale for a 2 × 2 matrix of equal entries.
    #[test]
    fn the_penalty_is_homogeneous_whatever_the_size_of_the_entries() {
        for exponent in [-1074, -1000, -600, -300, 0, 300, 520, 1000, 1021] {
            let scale = 2f64.powi(exponent);
            let x = DMatrix::from_element(2, 2, scale);
            let expected = 4.0 * (2.0 - 2f64.sqrt()) * scale;
            let error = (Penalty::L1MinusL2.value(&x) - expected).abs();
            assert!(error <= 1e-15 * expected + f64::from_bits(2), "2^{exponent}: off by {error:e}");
            // Norms of the least numbers there are have no digits.
            let gradient = Penalty::L1MinusL2.gradient(&x);
            assert!(exponent < -1020 || gradient.add_scalar(2f64.sqrt() - 2.0).amax() < 1e-15, "2^{exponent}");
        }
        let mixed = DMatrix::from_row_slice(2, 2, &[1e300, 0.0, 0.0, 1e-300]);
        assert_eq!(Penalty::L1MinusL2.value(&mixed), 0.0);
        assert_eq!(Norms::of(&mixed).rows, [1e300, 1e-300]);
        assert_eq!(Penalty::L1MinusL2.value(&DMatrix::zeros(3, 3)), 0.0);
        assert!(Penalty::L1MinusL2.value(&DMatrix::from_element(2, 2, f64::NAN)).is_nan());
    }

    #[test]
    fn weights_grow_geometrically_over_any_range() {
        let weights = WeightSchedule { first: 1e-300, last: 1e300, stages: 3 }.weights();
        assert!((weights[1] - 1.0).abs() < 1e-12 && weights[2] / 1e300 < 1.0 + 1e-12, "{weights:?}");
        assert_eq!(WeightSchedule { first: 0.5, last: 8.0, stages: 3 }.weights(), [0.5, 2.0, 8.0]);
    }

    #[test]
    #[should_panic(expected = "a path of 18446744073709551615 weights")]
    fn a_path_without_end_is_refused() {
        WeightSchedule { stages: usize::MAX, ..WeightSchedule::default() }.weights();
    }
}
