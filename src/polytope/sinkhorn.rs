//! Scaling to the Birkhoff polytope.

use super::require_square_and_finite;
use crate::error::{Error, Result};
use crate::stop::Stop;
use nalgebra::DMatrix;

/// X = diag(e^u)·e^K·diag(e^v) ∈ D_n up to `tolerance`, and the number of rounds it took: the minimizer over D_n of
/// the relative entropy to e^K (Sinkhorn and Knopp 1967).
///
/// `log_kernel` is K, n × n, within ±10¹²: the sums are formed in the log domain, and carry some roundings of K's size,
/// which beyond would leave no digit behind the point. A round scales columns, then rows; it ends when every column sum
/// is within `tolerance` of 1 (rows are, up to rounding), or after `max_rounds`. O(n²) a round; linear convergence,
/// slow when K's range is large (n = 50 and a range of 50 can take thousands).
///
/// # Errors
/// [`Error::Shape`] when K is not square, [`Error::Entry`] when an entry is not within ±10¹².
///
/// ```
/// use birkhoff::polytope::{residual, sinkhorn};
/// use nalgebra::dmatrix;
/// let (x, _) = sinkhorn(&dmatrix![0.0, 1000.0; 1000.0, 0.0], 1e-12, 100)?;
/// assert_eq!(x[(0, 1)], 1.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "knopp")]
#[doc(alias = "matrix scaling")]
pub fn sinkhorn(log_kernel: &DMatrix<f64>, tolerance: f64, max_rounds: usize) -> Result<(DMatrix<f64>, usize)> {
    scale_from(&mut vec![0.0; log_kernel.nrows()], log_kernel, tolerance, max_rounds, &Stop::never())
}

/// The largest absolute entry of a kernel.
const LARGEST: f64 = 1e12;

/// [`sinkhorn`] from the row potentials u of a kernel not far from this one, which become its own; in at most the round
/// under way at `stop`.
pub(crate) fn scale_from(
    u: &mut [f64],
    log_kernel: &DMatrix<f64>,
    tolerance: f64,
    max_rounds: usize,
    stop: &Stop,
) -> Result<(DMatrix<f64>, usize)> {
    require_square_and_finite("kernel", log_kernel)?;
    let n = log_kernel.nrows();
    if let Some(k) = log_kernel.iter().position(|entry| entry.abs() > LARGEST) {
        let (what, row, column) = ("kernel".to_string(), k % n, k / n);
        return Err(Error::Entry { what, row, column, value: log_kernel[k], required: "between -1e12 and 1e12" });
    }
    let mut v = vec![0.0; n];
    let mut rounds = 0;
    while rounds < max_rounds {
        rounds += 1;
        let mut worst: f64 = 0.0;
        for (j, v) in v.iter_mut().enumerate() {
            let log_sum = log_sum_exp(log_kernel.column(j).iter().zip(&*u).map(|(k, u)| k + u));
            // Before scaling, column j sums to e^(log_sum + v).
            worst = worst.max(((log_sum + *v).exp() - 1.0).abs());
            *v = -log_sum;
        }
        if rounds > 1 && worst <= tolerance || stop.is_reached() {
            break;
        }
        for (u, log_sum) in u.iter_mut().zip(row_log_sums(log_kernel, &v)) {
            *u = -log_sum;
        }
    }
    let x = DMatrix::from_fn(n, n, |i, j| (log_kernel[(i, j)] + u[i] + v[j]).exp());
    Ok((x, rounds))
}

/// ln Σ e^t, safe for any finite t.
fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + terms.map(|t| (t - largest).exp()).sum::<f64>().ln()
}

/// ln Σ_j e^(K_ij + v_j) for each row i; by columns, the way the matrix lies in memory.
fn row_log_sums(log_kernel: &DMatrix<f64>, v: &[f64]) -> Vec<f64> {
    let mut largest = vec![f64::NEG_INFINITY; log_kernel.nrows()];
    for (column, v) in log_kernel.column_iter().zip(v) {
        largest.iter_mut().zip(&column).for_each(|(m, k)| *m = m.max(k + v));
    }
    let mut sums = vec![0.0; log_kernel.nrows()];
    for (column, v) in log_kernel.column_iter().zip(v) {
        sums.iter_mut().zip(&column).zip(&largest).for_each(|((s, k), m)| *s += (k + v - m).exp());
    }
    sums.iter().zip(&largest).map(|(s, m)| m + s.ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polytope::residual;

    #[test]
    fn a_feasible_kernel_is_left_alone() {
        let x = DMatrix::from_row_slice(2, 2, &[0.3, 0.7, 0.7, 0.3]);
        let (scaled, rounds) = sinkhorn(&x.map(f64::ln), 1e-12, 100).unwrap();
        assert!((scaled - x).norm() < 1e-14);
        assert_eq!(rounds, 2);
    }

    #[test]
    fn extreme_kernels_neither_overflow_nor_vanish() {
        for scale in [1e-3, 1.0, 1e3] {
            let kernel = DMatrix::from_fn(5, 5, |i, j| scale * ((3 * i + 7 * j) % 5) as f64);
            let (x, _) = sinkhorn(&kernel, 1e-10, 10_000).unwrap();
            assert!(residual(&x) < 1e-9, "scale {scale}: {}", residual(&x));
        }
        assert!(sinkhorn(&DMatrix::from_element(2, 2, f64::INFINITY), 1e-9, 10).is_err());
        // At 1e200 rounding alone made row sums of 2, or infinite entries.
        for size in [1e13, 1e200, 1e308, -1e308] {
            let message = sinkhorn(&DMatrix::from_element(2, 2, size), 1e-9, 10).unwrap_err().to_string();
            assert!(message.contains("between -1e12 and 1e12"), "{message}");
        }
        let (x, _) = sinkhorn(&DMatrix::from_row_slice(2, 2, &[1e12, 1e12, -1e12, -1e12]), 1e-9, 10).unwrap();
        assert!(residual(&x) < 1e-3);
    }
}
