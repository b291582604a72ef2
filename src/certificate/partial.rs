//! How near a substochastic matrix of few entries is to a matching.

use super::{Certificate, DISTANCE_FACTOR, FEASIBILITY, ROUNDING_RADIUS, Theorem};
use crate::error::{Error, Result};
use crate::sparse_matrix::SparseMatrix;

/// Certifies an n × m matrix X ≥ 0 with row and column sums of at most 1 by T1 and T2, on the doubly stochastic matrix
/// \[X, diag(s); diag(t), Xᵀ\] of size n + m, s and t being what the rows and columns lack of 1.
///
/// Its permutations that are symmetric in the same way are the matchings of rows with columns. Penalty and distances
/// are those of this matrix, in which each entry of X comes twice; the certificate holds no permutation. O(entries).
///
/// # Errors
/// [`Error::Entry`] when an entry is not finite.
///
/// ```
/// use birkhoff::SparseMatrix;
/// use birkhoff::certificate::certify_partial;
/// let at = |x: f64| SparseMatrix::from_rows((1, 1), || (), |(), _, row| row.push(0, x));
/// assert!(certify_partial(&at(0.9))?.is_certified());
/// // Matched and alone are equally near: P = 4(1 − √½).
/// let torn = certify_partial(&at(0.5))?;
/// assert!(!torn.is_certified() && (torn.penalty - 4.0 * (1.0 - 0.5f64.sqrt())).abs() < 1e-15);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn certify_partial(x: &SparseMatrix) -> Result<Certificate> {
    let (height, width) = x.shape();
    let (mut rows, mut columns) = (vec![(0.0, 0.0); height], vec![(0.0, 0.0); width]);
    let mut residual: f64 = 0.0;
    for (i, row_sums) in rows.iter_mut().enumerate() {
        for (j, value) in x.entries(i) {
            if !value.is_finite() {
                let what = "matrix to certify".to_string();
                return Err(Error::Entry { what, row: i, column: j, value, required: "finite" });
            }
            residual = residual.max(-value);
            for sums in [&mut *row_sums, &mut columns[j]] {
                sums.0 += value;
                sums.1 += value * value;
            }
        }
    }
    let mut penalty = 0.0;
    for (sum, squares) in rows.into_iter().chain(columns) {
        residual = residual.max(sum - 1.0);
        let lacks: f64 = (1.0 - sum).max(0.0);
        penalty += 2.0 * (sum + lacks - (squares + lacks * lacks).sqrt());
    }
    let feasible = residual <= FEASIBILITY;
    let slack = 8.0 * (height + width) as f64 * residual;
    let is_near = feasible && penalty + slack < ROUNDING_RADIUS;
    Ok(Certificate {
        penalty,
        residual,
        theorem: is_near.then_some(Theorem::T2),
        distance_at_least: if feasible { (penalty - slack).max(0.0) } else { 0.0 },
        distance_at_most: feasible.then_some(DISTANCE_FACTOR * penalty + slack),
        permutation: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::certify;
    use nalgebra::DMatrix;

    #[test]
    fn the_certificate_is_that_of_the_extended_matrix() {
        for (shape, share) in [((5, 7), 0.2), ((6, 4), 0.02), ((4, 4), 1e-4)] {
            let x = SparseMatrix::from_rows(
                shape,
                || (),
                |(), i, row| {
                    if i < shape.1 && i != 1 {
                        row.push(i, 1.0 - 3.0 * share);
                        row.push((i + 1) % shape.1, share);
                    }
                },
            );
            let n = shape.0 + shape.1;
            let mut whole = DMatrix::zeros(n, n);
            for i in 0..shape.0 {
                for (j, value) in x.entries(i) {
                    (whole[(i, j)], whole[(shape.0 + j, shape.1 + i)]) = (value, value);
                }
            }
            for i in 0..shape.0 {
                whole[(i, shape.1 + i)] = 1.0 - x.entries(i).map(|(_, value)| value).sum::<f64>();
            }
            for j in 0..shape.1 {
                whole[(shape.0 + j, j)] = 1.0 - whole.view((0, j), (shape.0, 1)).sum();
            }
            let (ours, expected) = (certify_partial(&x).unwrap(), certify(&whole).unwrap());
            assert!((ours.penalty - expected.penalty).abs() < 1e-12, "{} {}", ours.penalty, expected.penalty);
            assert_eq!(ours.theorem == Some(Theorem::T2), expected.theorem == Some(Theorem::T2));
            assert!((ours.distance_at_most.unwrap() - expected.distance_at_most.unwrap()).abs() < 1e-9);
        }
    }
}
