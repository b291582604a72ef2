//! The Euclidean projection onto the Birkhoff polytope.

use super::{LARGE, require_square_and_finite};
use crate::assignment::AssignmentSolver;
use crate::error::{Error, Result};
use crate::stop::Stop;
use nalgebra::{DMatrix, DVector};
use std::ops::AddAssign;

/// Newton steps after which the projection gives up; ten are usual.
const MAX_NEWTON_STEPS: usize = 500;

/// Newton can go round in circles where entries at the edge of 0 switch with every step; this often, and when no
/// step leads up, a sweep of exact ascent puts it elsewhere.
const SWEEP_EVERY: usize = 20;

/// Larger entries are brought down first: sums of them would not be exact enough.
const SMALL: f64 = 4.0;

/// What lies so far below the best assignment is not told apart at first, …
const DEEP: f64 = -16.0;

/// … and then so many times as far, where that was not right.
const DEEPER: f64 = 16.0;

/// The point of D_n nearest to Y in Frobenius norm: argmin ½‖X − Y‖²_F over D_n, with all sums within `tolerance` of 1.
///
/// X = max(Y + u1ᵀ + 1vᵀ, 0), where (u, v) maximizes the concave dual −½‖max(Y + u1ᵀ + 1vᵀ, 0)‖² + Σu + Σv.
/// Solved by a semismooth Newton method with conjugate gradients and a line search on the dual (Li, Sun and Toh,
/// *On the efficient computation of a projector over the Birkhoff polytope*, SIAM J. Optim. 2020). Y is n × n
/// and finite, 2⁻⁵² ≤ `tolerance` < 1.
///
/// Y may be as large as it likes: the projection of Y + u1ᵀ + 1vᵀ is that of Y, and with the duals of the best
/// assignment all entries become ≤ 0, those on the assignment 0; what is far below has X = 0. Only differences below
/// 2⁻⁵⁰·‖Y‖_max are lost.
///
/// Cost: O(n²) for each of (some ten Newton steps) × (some ten conjugate gradient steps).
///
/// # Errors
/// [`Error::Shape`], [`Error::Entry`] for a bad Y, [`Error::Argument`] for a bad tolerance; [`Error::Breakdown`] when
/// it cannot be reached: below some 2⁻⁵²·n that is left to chance.
///
/// ```
/// use birkhoff::polytope::project;
/// use nalgebra::dmatrix;
/// let x = project(&dmatrix![3.0, 0.0; 0.0, 3.0], 1e-12)?;
/// assert!((x - dmatrix![1.0, 0.0; 0.0, 1.0]).norm() < 1e-12);
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Panics
/// Never.
pub fn project(y: &DMatrix<f64>, tolerance: f64) -> Result<DMatrix<f64>> {
    Ok(project_until(y, tolerance, &Stop::never())?.expect("it was not stopped"))
}

/// [`project`], or `None` where `stop` came first.
pub(crate) fn project_until(y: &DMatrix<f64>, tolerance: f64, stop: &Stop) -> Result<Option<DMatrix<f64>>> {
    require_square_and_finite("matrix to project", y)?;
    if !(f64::EPSILON..1.0).contains(&tolerance) {
        let cause = format!("is {tolerance:e}, but must be at least 2^-52 and below 1");
        return Err(Error::argument("tolerance", cause));
    }
    if y.is_empty() || y.amax() <= SMALL {
        return maximize(y, tolerance, stop);
    }
    let Some(reduced) = reduced(y, stop)? else { return Ok(None) };
    let mut floor = DEEP;
    loop {
        let Some(x) = maximize(&reduced.map(|v| v.max(floor)), tolerance, stop)? else { return Ok(None) };
        // An entry that vanishes at the floor vanishes below it with the same duals.
        if x.iter().zip(&reduced).all(|(&x, &v)| v >= floor || x == 0.0) {
            return Ok(Some(x));
        }
        floor *= DEEPER;
    }
}

/// Y + u1ᵀ + 1vᵀ ≤ 0 with the duals of the best assignment, on which it is 0; `None` where `stop` came first.
/// Differences that rounding may have made are 0, too.
fn reduced(y: &DMatrix<f64>, stop: &Stop) -> Result<Option<DMatrix<f64>>> {
    // A power of two that keeps sums of the duals finite.
    let scale = if y.amax() > LARGE { 1.0 / LARGE } else { 1.0 };
    let cost = y * -scale;
    let mut best = AssignmentSolver::new();
    if !best.solve_until(&cost, 0.0, stop)? {
        return Ok(None);
    }
    let (u, v) = (best.row_duals(), best.column_duals());
    let mut reduced = DMatrix::from_fn(y.nrows(), y.ncols(), |i, j| {
        let difference = u[i] + v[j] - cost[(i, j)];
        let rounding = 4.0 * f64::EPSILON * (u[i].abs() + v[j].abs() + cost[(i, j)].abs());
        if difference >= -rounding { 0.0 } else { difference / scale }
    });
    best.columns().iter().enumerate().for_each(|(i, &j)| reduced[(i, j)] = 0.0);
    Ok(Some(reduced))
}

/// The projection, by Newton's method on the dual; `None` where `stop` came first.
fn maximize(y: &DMatrix<f64>, tolerance: f64, stop: &Stop) -> Result<Option<DMatrix<f64>>> {
    if y.is_empty() {
        return Ok(Some(y.clone()));
    }
    let mut dual = start(y);
    let mut point = Point::at(y, &dual);
    for iteration in 1..=MAX_NEWTON_STEPS {
        let residual = &point.residual;
        if residual.amax() <= tolerance {
            return Ok(Some(point.x));
        }
        if stop.is_reached() {
            return Ok(None);
        }
        if iteration % SWEEP_EVERY == 0 {
            dual = swept(y, dual);
            point = Point::at(y, &dual);
            continue;
        }
        let direction = point.newton_direction(stop);
        let slope = direction.dot(residual);
        let mut step = 1.0;
        while !stop.is_reached() {
            let trial_dual = &dual + &direction * step;
            let trial = Point::at(y, &trial_dual);
            // Armijo on the concave dual; near the optimum its differences drown in rounding, the residual does not.
            let rises = trial.dual_value >= point.dual_value + 1e-4 * step * slope;
            if rises || trial.residual.norm() < 0.9 * residual.norm() {
                (dual, point) = (trial_dual, trial);
                break;
            }
            step *= 0.5;
            if step < 1e-12 {
                dual = swept(y, dual);
                point = Point::at(y, &dual);
                break;
            }
        }
    }
    Err(Error::Breakdown(format!("projection: residual {:e} after {MAX_NEWTON_STEPS} steps", point.residual.amax())))
}

/// The duals after exact ascent in one row's or column's dual after the other: slow, but nothing stops it.
fn swept(y: &DMatrix<f64>, mut dual: DVector<f64>) -> DVector<f64> {
    let n = y.nrows();
    for i in 0..n {
        dual[i] = threshold((0..n).map(|j| y[(i, j)] + dual[n + j]).collect());
    }
    for j in 0..n {
        dual[n + j] = threshold((0..n).map(|i| y[(i, j)] + dual[i]).collect());
    }
    dual
}

/// The t with Σ max(v_i + t, 0) = 1: the projection onto the simplex.
fn threshold(mut values: Vec<f64>) -> f64 {
    values.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut t) = (0.0, f64::INFINITY);
    for (k, value) in values.into_iter().enumerate() {
        if value + t <= 0.0 {
            break;
        }
        sum += value;
        t = (1.0 - sum) / (k + 1) as f64;
    }
    t
}

/// The duals (u, v) of the projection onto the affine hull, where nothing is cut off.
fn start(y: &DMatrix<f64>) -> DVector<f64> {
    let n = y.nrows() as f64;
    let (rows, columns) = (y.column_sum(), y.row_sum());
    let total = rows.sum();
    let u = rows.iter().map(|sum| (1.0 - sum) / n);
    let v = columns.iter().map(|sum| (total / n - sum) / n);
    DVector::from_iterator(2 * y.nrows(), u.chain(v))
}

/// X(u, v), and what the dual says there.
struct Point {
    x: DMatrix<f64>,
    /// (1 − row sums, 1 − column sums): the dual's gradient.
    residual: DVector<f64>,
    dual_value: f64,
}

impl Point {
    fn at(y: &DMatrix<f64>, dual: &DVector<f64>) -> Self {
        let n = y.nrows();
        let (u, v) = (dual.rows(0, n), dual.rows(n, n));
        let x = DMatrix::from_fn(n, n, |i, j| (y[(i, j)] + u[i] + v[j]).max(0.0));
        let (rows, columns) = (x.column_sum(), x.row_sum());
        let sums = rows.iter().chain(columns.iter()).map(|sum| 1.0 - sum);
        let residual = DVector::from_iterator(2 * n, sums);
        let dual_value = dual.sum() - 0.5 * x.norm_squared();
        Point { x, residual, dual_value }
    }

    /// (H + εI)⁻¹·residual by conjugate gradients, as far as they came by `stop`, H = \[diag(row counts), S; Sᵀ,
    /// diag(column counts)\], S the support of X.
    fn newton_direction(&self, stop: &Stop) -> DVector<f64> {
        let n = self.x.nrows();
        let support = self.x.map(|v| if v > 0.0 { 1.0 } else { 0.0 });
        let counts: Vec<f64> = support.column_sum().iter().chain(support.row_sum().iter()).copied().collect();
        let diagonal = DVector::from_vec(counts);
        // H is singular along (1, −1) and on empty rows: a little of the identity keeps the steps bounded.
        let shift = 1e-6_f64.max(1e-4 * self.residual.norm().min(1.0));
        let apply = |d: &DVector<f64>| {
            let mut product = d.component_mul(&diagonal) + d * shift;
            let to_rows = &support * d.rows(n, n);
            let to_columns = support.tr_mul(&d.rows(0, n));
            product.rows_mut(0, n).add_assign(&to_rows);
            product.rows_mut(n, n).add_assign(&to_columns);
            product
        };
        let precondition = |r: &DVector<f64>| r.zip_map(&diagonal, |r, d| r / (d + shift));
        let tolerance = self.residual.norm() * 0.01_f64.min(self.residual.norm());
        let mut solution = DVector::zeros(2 * n);
        let mut r = self.residual.clone();
        let mut z = precondition(&r);
        let mut direction = z.clone();
        let mut rz = r.dot(&z);
        for _ in (0..4 * n + 20).take_while(|_| !stop.is_reached()) {
            let product = apply(&direction);
            let alpha = rz / direction.dot(&product);
            solution.axpy(alpha, &direction, 1.0);
            r.axpy(-alpha, &product, 1.0);
            if r.norm() <= tolerance {
                break;
            }
            z = precondition(&r);
            let next = r.dot(&z);
            direction = &z + direction * (next / rz);
            rz = next;
        }
        solution
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use crate::polytope::{lmo, random_point, residual};
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn projection_of_a_feasible_point_is_itself() {
        let x = random_point(8, &mut rng(3, 0));
        assert!((project(&x, 1e-12).unwrap() - x).norm() < 1e-8);
    }

    /// X is the projection iff ⟨X − Y, Z − X⟩ ≥ 0 for all Z ∈ D_n: one LMO call decides.
    #[test]
    fn no_vertex_is_on_the_far_side() {
        let mut rng = rng(4, 0);
        for (n, scale) in [(1, 1.0), (2, 1.0), (7, 1e-3), (7, 1.0), (7, 1e3), (40, 1.0), (40, 10.0)] {
            let y = DMatrix::from_fn(n, n, |_, _| {
                let v: f64 = StandardNormal.sample(&mut rng);
                v * scale
            });
            let x = project(&y, 1e-11).unwrap();
            assert!(residual(&x) < 1e-10 * scale.max(1.0), "n {n} scale {scale}: {}", residual(&x));
            let outward = &x - &y;
            let nearest = lmo(&outward).unwrap().value;
            assert!(nearest - outward.dot(&x) > -1e-7 * scale.max(1.0) * n as f64);
            let again = project(&x, 1e-11).unwrap();
            assert!((again - x).norm() < 1e-8 * scale.max(1.0));
        }
    }

    #[test]
    fn bad_matrices_are_refused() {
        assert!(project(&DMatrix::zeros(2, 3), 1e-9).is_err());
        assert!(project(&DMatrix::from_element(2, 2, f64::NAN), 1e-9).is_err());
        assert!(project(&DMatrix::zeros(0, 0), 1e-9).is_ok());
    }
}
