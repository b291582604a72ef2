//! Scaling to the Birkhoff polytope.

use super::require_square_and_finite;
use crate::error::{Error, Result};
use crate::stop::Stop;
use nalgebra::DMatrix;

/// X = diag(e^u)·e^K·diag(e^v) ∈ D_n up to `tolerance`, and the number of rounds it took: the minimizer over D_n of
/// the relative entropy to e^K (Sinkhorn and Knopp 1967).
///
/// `log_kernel` is K, n × n, within ±10¹²: potentials are kept in the log domain, and carry some roundings of K's size,
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
    let mut scaling = Scaling { log_kernel, u, v: vec![0.0; n], absorbed: DMatrix::zeros(0, 0), a: vec![], b: vec![] };
    let mut rounds = 0;
    while rounds < max_rounds {
        rounds += 1;
        let worst = scaling.scale_columns();
        if rounds > 1 && worst <= tolerance || stop.is_reached() {
            break;
        }
        scaling.scale_rows();
    }
    Ok((scaling.into_matrix(), rounds))
}

/// Beyond e^±50 a factor is absorbed. What fell below the least f64, e^-745, can then have grown to e^-645 at most:
/// nothing, in a sum near 1.
const LARGEST_FACTOR: f64 = 5e21;

/// X = diag(a)·exp(u + K + v)·diag(b): rounds multiply by a and b where they can, and take logarithms where a factor
/// leaves its range ("absorption": Schmitzer, SIAM J. Sci. Comput. 2019).
struct Scaling<'a> {
    log_kernel: &'a DMatrix<f64>,
    u: &'a mut [f64],
    v: Vec<f64>,
    /// exp(u_i + K_ij + v_j); empty while the rounds are in the log domain.
    absorbed: DMatrix<f64>,
    a: Vec<f64>,
    b: Vec<f64>,
}

impl Scaling<'_> {
    /// Makes all column sums 1; returns how far one was from 1 at most.
    fn scale_columns(&mut self) -> f64 {
        let mut worst: f64 = 0.0;
        if self.is_absorbed() {
            let factors = self.absorbed.column_iter().map(|column| {
                let sum: f64 = column.iter().zip(&self.a).map(|(k, a)| k * a).sum();
                1.0 / sum
            });
            let factors: Vec<f64> = factors.collect();
            if factors.iter().all(|&b| in_range(b)) {
                let sums = self.b.iter().zip(&factors).map(|(old, new)| old / new);
                worst = sums.fold(0.0, |worst, sum| worst.max((sum - 1.0).abs()));
                self.b = factors;
                return worst;
            }
            self.absorb();
        }
        for (j, v) in self.v.iter_mut().enumerate() {
            let log_sum = log_sum_exp(self.log_kernel.column(j).iter().zip(&*self.u).map(|(k, u)| k + u));
            // Before scaling, column j sums to e^(log_sum + v).
            worst = worst.max(((log_sum + *v).exp() - 1.0).abs());
            *v = -log_sum;
        }
        worst
    }

    /// Makes all row sums 1.
    fn scale_rows(&mut self) {
        if self.is_absorbed() {
            let mut sums = vec![0.0; self.a.len()];
            for (column, b) in self.absorbed.column_iter().zip(&self.b) {
                sums.iter_mut().zip(&column).for_each(|(sum, k)| *sum += k * b);
            }
            if sums.iter().all(|&sum| in_range(sum)) {
                self.a.iter_mut().zip(&sums).for_each(|(a, sum)| *a = 1.0 / sum);
                return;
            }
            self.absorb();
        }
        for (u, log_sum) in self.u.iter_mut().zip(row_log_sums(self.log_kernel, &self.v)) {
            *u = -log_sum;
        }
        self.absorbed = self.exponentials();
        self.a = vec![1.0; self.u.len()];
        self.b = vec![1.0; self.v.len()];
    }

    fn is_absorbed(&self) -> bool {
        !self.a.is_empty()
    }

    /// a and b go into u and v.
    fn absorb(&mut self) {
        self.u.iter_mut().zip(self.a.drain(..)).for_each(|(u, a)| *u += a.ln());
        self.v.iter_mut().zip(self.b.drain(..)).for_each(|(v, b)| *v += b.ln());
    }

    fn exponentials(&self) -> DMatrix<f64> {
        let n = self.log_kernel.nrows();
        DMatrix::from_fn(n, n, |i, j| (self.log_kernel[(i, j)] + self.u[i] + self.v[j]).exp())
    }

    fn into_matrix(mut self) -> DMatrix<f64> {
        self.absorb();
        self.absorbed = DMatrix::zeros(0, 0);
        self.exponentials()
    }
}

fn in_range(factor: f64) -> bool {
    (1.0 / LARGEST_FACTOR..=LARGEST_FACTOR).contains(&factor)
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
    fn factors_leave_their_range_and_come_back() {
        // Its factors drift by e^51 in so many rounds, past what is multiplied.
        let (n, rounds) = (6, 5000);
        let kernel = DMatrix::from_fn(n, n, |i, j| 300.0 * ((2 * i * j + i) as f64).cos());
        let (mut u, mut v) = (vec![0.0; n], vec![0.0; n]);
        for _ in 0..rounds {
            v = (0..n).map(|j| -log_sum_exp(kernel.column(j).iter().zip(&u).map(|(k, u)| k + u))).collect();
            u = row_log_sums(&kernel, &v).iter().map(|sum| -sum).collect();
        }
        let mut potentials = vec![0.0; n];
        let (x, made) = scale_from(&mut potentials, &kernel, 0.0, rounds, &Stop::never()).unwrap();
        assert_eq!(made, rounds);
        assert!(potentials.iter().zip(&u).all(|(p, u)| (p - u).abs() < 1e-9), "{potentials:?} {u:?}");
        assert!((x - DMatrix::from_fn(n, n, |i, j| (kernel[(i, j)] + u[i] + v[j]).exp())).amax() < 1e-9);
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
