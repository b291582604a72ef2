//! What T0–T4 say of one matrix, straight from their statements, and how near the matrix comes to violating them.

use birkhoff::assignment;
use birkhoff::certificate::{DISTANCE_FACTOR, FEASIBILITY, ROUNDING_RADIUS, row_argmax};
use birkhoff::error::Result;
use birkhoff::penalty::{Norms, Penalty};
use birkhoff::permutation::Permutation;
use birkhoff::polytope::residual;
use nalgebra::DMatrix;

/// Of distances and penalties this much per row is rounding: sums of n numbers of size 1 lose n·1e-16 at most, and
/// Sinkhorn scaling leaves sums off by [`FEASIBILITY`].
const ROUNDING: f64 = 1e-13;

/// One matrix against the bounds. Ratios are of what is bounded to its bound's variable part; NaN where they say
/// nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// P(X).
    pub penalty: f64,
    /// min ‖X − Π‖₁, by an optimal assignment.
    pub distance: f64,
    /// Whether X ∈ D_n.
    pub is_feasible: bool,
    /// Whether T2 applies.
    pub is_within_radius: bool,
    /// Whether T3 applies.
    pub is_within_t3: bool,
    /// ‖X − Π‖₁/(2P + max(E_r, E_c)), where T3 applies; at most 1.
    pub t3_ratio: f64,
    /// ‖tangent ∇P‖/2√n; at most 1.
    pub lipschitz_ratio: f64,
    /// (2/n)‖D‖²/(−⟨D, ∇²P D⟩) for D towards the barycenter; at most 1.
    pub curvature_ratio: f64,
    /// The least λ/L that makes all minimizers of f + λP permutations, f = ½‖· − X‖²_F, by f(X) = 0 alone; at most 1 +
    /// 1/√2.
    pub t4_ratio: f64,
    /// Statements that X violates.
    pub violated: Vec<&'static str>,
}

impl Verdict {
    /// distance/P; NaN where P is too small to divide by.
    pub fn ratio(&self) -> f64 {
        if self.penalty > 1e-7 { self.distance / self.penalty } else { f64::NAN }
    }
}

/// Judges a matrix X ≥ 0.
///
/// # Errors
/// When X is not square or not finite.
pub fn judge(x: &DMatrix<f64>) -> Result<Verdict> {
    let n = x.nrows();
    let penalty = Penalty::L1MinusL2.value(x);
    // Σ|X − Π| = ΣX + Σ_i (|1 − X_iπ(i)| − X_iπ(i)).
    let nearest = assignment::solve(&x.map(|v| (1.0 - v).abs() - v))?;
    let distance = (x.sum() + nearest.value).max(0.0);
    let norms = Norms::of(x);
    let off = residual(x);
    let slack = n as f64 * (ROUNDING + 8.0 * if off <= FEASIBILITY { off } else { 0.0 });
    let mut verdict = Verdict {
        penalty,
        distance,
        is_feasible: off <= FEASIBILITY,
        is_within_radius: false,
        is_within_t3: false,
        t3_ratio: f64::NAN,
        lipschitz_ratio: f64::NAN,
        curvature_ratio: f64::NAN,
        t4_ratio: f64::NAN,
        violated: vec![],
    };
    if verdict.is_feasible {
        feasible(x, &norms, &nearest.permutation, slack, &mut verdict);
    }
    approximately_feasible(x, &norms, slack, &mut verdict);
    Ok(verdict)
}

/// T0, T1, T2, T4 and the constants of P.
fn feasible(x: &DMatrix<f64>, norms: &Norms, nearest: &Permutation, slack: f64, verdict: &mut Verdict) {
    let n = x.nrows() as f64;
    let Verdict { penalty, distance, .. } = *verdict;
    let mut claim = |holds: bool, name: &'static str| {
        if !holds {
            verdict.violated.push(name);
        }
    };
    claim(penalty >= -slack && (penalty > slack || distance <= DISTANCE_FACTOR * 2.0 * slack), "T0");
    claim(penalty <= distance + slack, "T1 below");
    claim(distance <= DISTANCE_FACTOR * penalty + slack, "T1 above");
    claim(penalty <= 2.0 * (n - n.sqrt()) + slack, "largest penalty");
    if penalty < ROUNDING_RADIUS - slack {
        let half = 0.5 - slack;
        claim(x.row_iter().all(|row| row.max() > half) && x.column_iter().all(|column| column.max() > half), "T2 half");
        claim(row_argmax(x) == nearest.image(), "T2 rounding");
        verdict.is_within_radius = true;
    }
    // The tangent part of ∇P, whose constant is seen by no tangent.
    let gradient =
        DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| -x[(i, j)] * (1.0 / norms.rows[i] + 1.0 / norms.columns[j]));
    verdict.lipschitz_ratio = tangent(&gradient).norm() / (2.0 * n.sqrt());
    let direction = x.add_scalar(-1.0 / n);
    let bend = -second_derivative(x, norms, &direction);
    if direction.norm() > 1e-6 {
        verdict.curvature_ratio = 2.0 / n * direction.norm_squared() / bend;
    }
    // f = ½‖· − X‖² has |∂f/∂X_ij| ≤ L = max(X_ij, 1 − X_ij) on D_n.
    let steepest = x.iter().map(|&v| v.max(1.0 - v)).fold(0.0, f64::max);
    let away = 0.5 * (x - nearest.to_matrix()).norm_squared();
    if penalty > 1e-7 {
        verdict.t4_ratio = away / (steepest * penalty);
    }
    let too_large = |ratio: f64, most: f64| ratio > most * (1.0 + 1e-6);
    for (wrong, name) in [
        (too_large(verdict.lipschitz_ratio, 1.0), "Lipschitz"),
        (too_large(verdict.curvature_ratio, 1.0), "curvature"),
        (too_large(verdict.t4_ratio, DISTANCE_FACTOR), "T4"),
    ] {
        if wrong {
            verdict.violated.push(name);
        }
    }
}

/// T3.
fn approximately_feasible(x: &DMatrix<f64>, norms: &Norms, slack: f64, verdict: &mut Verdict) {
    let rows: Vec<f64> = x.column_sum().iter().copied().collect();
    let columns: Vec<f64> = x.row_sum().iter().copied().collect();
    let off = |sums: &[f64]| sums.iter().map(|sum| (sum - 1.0).abs()).collect::<Vec<f64>>();
    let (off_rows, off_columns) = (off(&rows), off(&columns));
    let eta = off_rows.iter().chain(&off_columns).copied().fold(0.0, f64::max);
    let sums = || rows.iter().zip(&norms.rows).chain(columns.iter().zip(&norms.columns));
    let deficit = sums().map(|(sum, norm)| sum - norm).fold(0.0, f64::max);
    if x.min() < 0.0 || eta >= 1.0 / 3.0 || deficit >= (1.0 - 3.0 * eta) / 4.0 {
        return;
    }
    verdict.is_within_t3 = true;
    let Ok(rounding) = Permutation::new(row_argmax(x)) else {
        verdict.violated.push("T3 rounding");
        return;
    };
    let distance = (x - rounding.to_matrix()).lp_norm(1);
    let deviation = off_rows.iter().sum::<f64>().max(off_columns.iter().sum());
    let bound = 2.0 * verdict.penalty + deviation;
    if distance > bound + slack {
        verdict.violated.push("T3 distance");
    }
    if bound > 1e-7 {
        verdict.t3_ratio = distance / bound;
    }
}

/// The part of a matrix whose rows and columns sum to 0.
fn tangent(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let (rows, columns, mean) = (matrix.column_mean(), matrix.row_mean(), matrix.mean());
    DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] - rows[i] - columns[j] + mean)
}

/// ⟨D, ∇²P D⟩ = −Σ (‖D_i‖²/‖r_i‖ − (r_i·D_i)²/‖r_i‖³) over rows and columns.
fn second_derivative(x: &DMatrix<f64>, norms: &Norms, direction: &DMatrix<f64>) -> f64 {
    let bend = |square: f64, product: f64, norm: f64| square / norm - product * product / norm.powi(3);
    let rows = (0..x.nrows()).map(|i| {
        let (x, d) = (x.row(i), direction.row(i));
        bend(d.norm_squared(), x.dot(&d), norms.rows[i])
    });
    let columns = (0..x.ncols()).map(|j| {
        let (x, d) = (x.column(j), direction.column(j));
        bend(d.norm_squared(), x.dot(&d), norms.columns[j])
    });
    -(rows.sum::<f64>() + columns.sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use birkhoff::polytope::barycenter;
    use nalgebra::dmatrix;

    #[test]
    fn the_extremal_matrices_attain_and_violate_nothing() {
        let half = judge(&dmatrix![0.5, 0.5, 0.0; 0.5, 0.5, 0.0; 0.0, 0.0, 1.0]).unwrap();
        assert!((half.ratio() - DISTANCE_FACTOR).abs() < 1e-12 && half.violated.is_empty() && !half.is_within_radius);
        let near = judge(&dmatrix![0.999, 0.001; 0.001, 0.999]).unwrap();
        assert!((near.ratio() - 1.0).abs() < 1e-3 && near.is_within_radius && near.violated.is_empty());
        assert!((near.curvature_ratio - 1.0).abs() < 1e-2, "{}", near.curvature_ratio);
        assert!(judge(&barycenter(7)).unwrap().lipschitz_ratio < 1e-12);
    }

    #[test]
    fn planted_violations_are_seen() {
        // Feasible sums with a negative entry are not feasible at all, and nothing is claimed.
        assert!(!judge(&dmatrix![1.2, -0.2; -0.2, 1.2]).unwrap().is_feasible);
        // The penalty and the distance of matrices that do not belong to them.
        let norms = |x: &DMatrix<f64>| Norms::of(x);
        for (penalty, distance, expected) in [
            (1.0, 0.5, "T1 below"),
            (1.0, 1.8, "T1 above"),
            (-1.0, 0.0, "T0"),
            (1e-16, 1.0, "T0"),
            (9.0, 9.0, "largest penalty"),
        ] {
            let x = barycenter(3);
            let mut verdict = judge(&x).unwrap();
            (verdict.penalty, verdict.distance) = (penalty, distance);
            verdict.violated.clear();
            feasible(&x, &norms(&x), &Permutation::identity(3), 1e-12, &mut verdict);
            assert!(verdict.violated.contains(&expected), "{expected}: {:?}", verdict.violated);
        }
        let x = barycenter(2);
        let mut verdict = judge(&x).unwrap();
        verdict.penalty = 1.0;
        feasible(&x, &norms(&x), &Permutation::new(vec![1, 0]).unwrap(), 0.0, &mut verdict);
        assert!(verdict.violated.contains(&"T2 half") && verdict.violated.contains(&"T2 rounding"));
        // Two rows that agree on a column, with norms that hide it.
        let x = dmatrix![0.9, 0.1; 0.9, 0.1];
        let mut verdict = judge(&x).unwrap();
        verdict.violated.clear();
        approximately_feasible(&(&x * 0.75), &norms(&dmatrix![1.0, 0.0; 0.0, 1.0]), 0.0, &mut verdict);
        assert!(verdict.violated.is_empty() && !verdict.is_within_t3, "column sums are off by more than a third");
    }
}
