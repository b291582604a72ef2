//! The Birkhoff polytope D_n = {X ≥ 0, X1 = 1, Xᵀ1 = 1}: its points, its vertices, its faces.
//!
//! There is one feasible set, so this is a module of functions, not a trait. Its vertices are the permutation
//! matrices (Birkhoff 1946); known correspondences cut out a [`Face`].

mod face;
mod injections;
mod projection;
mod sinkhorn;

pub use face::Face;
pub use injections::Injections;
pub use projection::project;
pub(crate) use projection::project_until;
pub(crate) use sinkhorn::scale_from;
pub use sinkhorn::sinkhorn;

use crate::assignment::{self, Assignment, AssignmentSolver};
use crate::error::{Error, Result, require_finite};
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

/// J/n, the barycenter: every entry 1/n.
///
/// # Panics
/// When 8n² bytes are more than there can be.
pub fn barycenter(n: usize) -> DMatrix<f64> {
    assert!(n.checked_mul(n).is_some(), "a matrix of {n} x {n} entries");
    DMatrix::from_element(n, n, 1.0 / n as f64)
}

/// A random point in the interior: independent exponential entries, scaled by [`sinkhorn`] to sums within 1e-9 of 1.
///
/// Rows of exponentials scaled to sum 1 are uniform on the simplex; the law of the result is exchangeable in rows
/// and columns, not uniform on D_n.
///
/// # Panics
/// As [`barycenter`].
pub fn random_point(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    random_point_until(n, rng, &Stop::never())
}

/// [`random_point`], scaled as far as it came by `stop`.
pub(crate) fn random_point_until(n: usize, rng: &mut impl Rng, stop: &Stop) -> DMatrix<f64> {
    let mut log = barycenter(n);
    for mut column in log.column_iter_mut().take_while(|_| !stop.is_reached()) {
        column.apply(|log| {
            let entry: f64 = Exp1.sample(rng);
            *log = entry.max(1e-12).ln();
        });
    }
    scale_from(&mut vec![0.0; n], &log, 1e-9, 10_000, stop).expect("logarithms between -28 and 7").0
}

/// The linear minimization oracle: a vertex Q that minimizes ⟨G, Q⟩ over D_n, with the duals that prove it.
///
/// # Errors
/// As [`assignment::solve`]. One assignment, O(n³) at worst.
pub fn lmo(gradient: &DMatrix<f64>) -> Result<Assignment> {
    assignment::solve(gradient)
}

/// The permutation Π that maximizes ⟨X, Π⟩, that is, the one nearest to X in Frobenius norm (and, on D_n, in ℓ1).
///
/// A linear [`assignment`]. Row-argmax gives the same only where
/// [T2](crate::certificate) holds.
///
/// # Errors
/// [`Error::Shape`] when X is not square, [`Error::Entry`] when an entry is not finite. One assignment, O(n³) at worst.
///
/// ```
/// use birkhoff::polytope::round;
/// use nalgebra::dmatrix;
/// assert_eq!(round(&dmatrix![0.6, 0.4; 0.4, 0.6])?.image(), &[0, 1]);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn round(x: &DMatrix<f64>) -> Result<Permutation> {
    round_until(x, &Stop::never())
}

/// [`round`], or what there is of it at `stop`: a permutation that gives each row what it has for certain, and the
/// others what is left.
pub(crate) fn round_until(x: &DMatrix<f64>, stop: &Stop) -> Result<Permutation> {
    require_square_and_finite("matrix to round", x)?;
    let n = x.nrows();
    if n < 2 {
        return Ok(Permutation::identity(n));
    }
    // Sums of the largest entries have to stay finite.
    let factor = if x.iter().any(|v| v.abs() > LARGE) { -LARGE.recip() } else { -1.0 };
    let mut solver = AssignmentSolver::new();
    solver.solve_until(&(x * factor), 0.0, stop)?;
    Permutation::new(solver.columns().to_vec())
}

/// 2⁵⁰⁰.
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);

/// The largest violation of D_n's constraints: max of |row sum − 1|, |column sum − 1| and −X_ij; NaN where an entry is.
/// O(n²).
pub fn residual(x: &DMatrix<f64>) -> f64 {
    let mut rows = vec![0.0; x.nrows()];
    let mut worst: f64 = 0.0;
    for column in x.column_iter() {
        for (row, &v) in rows.iter_mut().zip(&column) {
            *row += v;
            worst = worst.max(-v);
        }
        worst = worse(worst, (column.sum() - 1.0).abs());
    }
    rows.iter().fold(worst, |worst, sum| worse(worst, (sum - 1.0).abs()))
}

/// The larger; NaN if one is, which [`f64::max`] would hide.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// The power of two below the largest absolute entry (1 for zeros): relative to it, sums and squares of the entries
/// neither overflow nor vanish, and no other digit changes.
pub(crate) fn unit(x: &DMatrix<f64>) -> f64 {
    let largest = x.amax();
    let fraction = (1 << (f64::MANTISSA_DIGITS - 1)) - 1;
    if largest == 0.0 { 1.0 } else { f64::from_bits(largest.to_bits() & !fraction).max(f64::MIN_POSITIVE) }
}

/// An error unless `x` is square with finite entries.
pub(crate) fn require_square_and_finite(what: &str, x: &DMatrix<f64>) -> Result<()> {
    if x.nrows() != x.ncols() {
        return Err(Error::shape(what, "a square matrix", format!("{} x {}", x.nrows(), x.ncols())));
    }
    require_finite(what, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;

    #[test]
    fn random_points_are_feasible_and_differ() {
        let (x, y) = (random_point(9, &mut rng(1, 0)), random_point(9, &mut rng(1, 1)));
        assert!(residual(&x) < 1e-9 && residual(&y) < 1e-9);
        assert!((x - y).norm() > 0.1);
    }

    #[test]
    fn residual_sees_each_kind_of_violation() {
        assert_eq!(residual(&barycenter(4)), 0.0);
        assert_eq!(residual(&(barycenter(4) * 2.0)), 1.0);
        assert_eq!(residual(&DMatrix::from_row_slice(2, 2, &[1.5, -0.5, -0.5, 1.5])), 0.5);
        for place in 0..4 {
            let mut x = barycenter(2);
            x[place] = f64::NAN;
            assert!(residual(&x).is_nan());
        }
    }

    #[test]
    fn rounding_recovers_a_blurred_permutation() {
        let mut rng = rng(2, 0);
        for n in [1, 2, 5, 40] {
            let p = Permutation::random(n, &mut rng);
            let blurred = p.to_matrix() * 0.3 + random_point(n, &mut rng) * 0.7;
            let exact = assignment::solve(&(-&blurred)).unwrap();
            assert_eq!(round(&blurred).unwrap(), exact.permutation);
        }
        assert_eq!(round(&DMatrix::zeros(0, 0)).unwrap().len(), 0);
        assert!(round(&DMatrix::zeros(2, 3)).is_err());
        assert!(round(&DMatrix::from_element(2, 2, f64::NAN)).unwrap_err().to_string().contains("(0, 0)"));
    }
}
