//! T6: how near a matrix is to an injection.

use super::{Certificate, DISTANCE_FACTOR, FEASIBILITY, Theorem};
use crate::error::{Error, Result, require_finite};
use crate::injection::Injection;
use crate::penalty::SlackNorms;
use nalgebra::DMatrix;

/// 3 − 3/√2: P(X) below this makes the largest entry of every column X's unique rounding to an injection
/// ([T6](crate::mathematics#t6-injections)). Attained where a vertex is shared by two free places.
pub const INJECTION_RADIUS: f64 = 3.0 - 3.0 * std::f64::consts::FRAC_1_SQRT_2;

/// Certifies an N × m matrix, m ≤ N, by [T6](crate::mathematics#t6-injections): P is that of [`SlackNorms`], distances
/// are to the matrices of injections.
///
/// O(N·m). Speaks only of X ≥ 0 with column sums 1 and row sums ≤ 1 (up to [`FEASIBILITY`]), and allows 8N·residual for
/// what rounding errors can change. Beside the certificate, whose permutation stays empty, the injection that the
/// largest entries of the columns give, where it is certified.
///
/// # Errors
/// [`Error::Shape`] when X has more columns than rows, [`Error::Entry`] when an entry is not finite.
///
/// ```
/// use birkhoff::certificate::certify_injection;
/// use nalgebra::dmatrix;
/// let (near, p) = certify_injection(&dmatrix![0.9, 0.0; 0.1, 0.1; 0.0, 0.9])?;
/// assert!(near.is_certified());
/// assert_eq!(p.unwrap().image(), &[0, 2]);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn certify_injection(x: &DMatrix<f64>) -> Result<(Certificate, Option<Injection>)> {
    let (places, vertices) = x.shape();
    if vertices > places {
        return Err(Error::shape(
            "matrix to certify",
            "at least as many rows as columns",
            format!("{places} x {vertices}"),
        ));
    }
    require_finite("matrix to certify", x)?;
    let norms = SlackNorms::of(x);
    let off = |sum: f64| (sum - 1.0).abs();
    let columns = x.column_iter().map(|column| off(column.sum())).fold(0.0, f64::max);
    let rows = x.row_iter().map(|row| row.sum() - 1.0).fold(0.0, f64::max);
    let residual = x.iter().fold(columns.max(rows), |worst, &entry| worst.max(-entry));
    let (penalty, deficit) = (norms.penalty().max(0.0), norms.column_deficit().max(0.0));
    let slack = 8.0 * places as f64 * residual;
    let feasible = residual <= FEASIBILITY;
    let largest = |column: usize| (0..places).max_by(|&a, &b| x[(a, column)].total_cmp(&x[(b, column)]));
    let injection = (feasible && penalty + slack < INJECTION_RADIUS)
        .then(|| (0..vertices).filter_map(largest).collect())
        .and_then(|image| Injection::new(image, places).ok());
    let certificate = Certificate {
        penalty,
        residual,
        theorem: injection.as_ref().map(|_| Theorem::T6),
        distance_at_least: if feasible { (2.0 * deficit).max(2.0 / 3.0 * penalty) - slack } else { 0.0 }.max(0.0),
        distance_at_most: feasible.then_some(2.0 * DISTANCE_FACTOR * deficit + slack),
        permutation: None,
    };
    Ok((certificate, injection))
}
