//! Certificates: how near a matrix is to a permutation, and how good a permutation provably is.
//!
//! Three words, kept apart: **certified** says that X is near *a* permutation, and which; **recovered** that the
//! permutation is the hidden one; **optimal** that no permutation has a smaller value. No one implies another.
//!
//! Proofs of [T1](crate::mathematics#t1-global-bound-sharp), [T2](crate::mathematics#t2-rounding-radius-sharp),
//! [T3](crate::mathematics#t3-approximately-feasible-matrices), and of [T6](crate::mathematics#t6-injections) for
//! injections, are in [`mathematics`](crate::mathematics). P is the l1−l2 penalty, ‖·‖₁ the entrywise ℓ1 norm, η the
//! largest |sum − 1|.

mod injection;
mod partial;

pub use injection::{INJECTION_RADIUS, certify_injection};
pub use partial::certify_partial;

use crate::assignment::{self, AssignmentSolver};
use crate::error::{Error, Result, require_finite};
use crate::exact::DoubleSum;
use crate::objective::Objective;
use crate::penalty::Norms;
use crate::permutation::Permutation;
use crate::polytope::Face;
use crate::stop::Stop;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// 4 − 2√2: on D_n, P(X) below this makes row-argmax the unique nearest permutation
/// ([T2](crate::mathematics#t2-rounding-radius-sharp)). Attained at ½(I + swap) ⊕ I.
pub const ROUNDING_RADIUS: f64 = 4.0 - 2.0 * std::f64::consts::SQRT_2;

/// 1 + 1/√2: on D_n, min ‖X − Π‖₁ ≤ (1 + 1/√2)·P(X) ([T1](crate::mathematics#t1-global-bound-sharp)). Attained at ½(I +
/// swap) ⊕ I.
pub const DISTANCE_FACTOR: f64 = 1.0 + std::f64::consts::FRAC_1_SQRT_2;

/// Sums this close to 1 (and entries this little below 0) count as feasible: well above what floating point
/// loses in 10⁵ convex combinations, well below what changes a bound's fourth digit.
pub const FEASIBILITY: f64 = 1e-9;

/// What brought the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Theorem {
    /// [T2](crate::mathematics#t2-rounding-radius-sharp): X ∈ D_n and P(X) < 4 − 2√2.
    T2,
    /// [T3](crate::mathematics#t3-approximately-feasible-matrices): X ≥ 0, η < 1/3, and every row and column has ‖·‖₁ −
    /// ‖·‖₂ < (1 − 3η)/4.
    T3,
    /// [T6](crate::mathematics#t6-injections): X an N × m matrix on the polytope of injections and P(X) < 3 − 3/√2.
    T6,
}

impl Theorem {
    /// Its name in [`mathematics`](crate::mathematics).
    pub fn name(self) -> &'static str {
        match self {
            Theorem::T2 => "T2",
            Theorem::T3 => "T3",
            Theorem::T6 => "T6",
        }
    }
}

impl std::fmt::Display for Theorem {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How near a matrix X is to a permutation matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// P(X) = Σ(‖row‖₁ − ‖row‖₂) + Σ(‖column‖₁ − ‖column‖₂).
    pub penalty: f64,
    /// Largest violation of X ≥ 0, X1 = 1, Xᵀ1 = 1.
    pub residual: f64,
    /// The theorem under which row-argmax is a permutation and X's unique rounding; `None` if neither applies.
    pub theorem: Option<Theorem>,
    /// Lower bound on min ‖X − Π‖₁ over permutations: P(X) for X ∈ D_n (T1), 0 otherwise.
    pub distance_at_least: f64,
    /// Upper bound on min ‖X − Π‖₁: (1 + 1/√2)·P(X) on D_n (T1), 2P(X) + max(E_r, E_c) under T3; `None` if no theorem
    /// speaks.
    pub distance_at_most: Option<f64>,
    /// The permutation that row-argmax gives, where it is certified.
    pub permutation: Option<Permutation>,
}

impl Certificate {
    /// Whether rounding is proved unique: row-argmax gives a permutation, and it is the maximum assignment.
    pub fn is_certified(&self) -> bool {
        self.theorem.is_some()
    }
}

/// Certifies a square matrix by T1, T2 and T3.
///
/// O(n²). On D_n (residual ≤ [`FEASIBILITY`]) T1 always bounds the distance and T2 applies within its radius, less a
/// slack of 8n·residual for what rounding errors can change in P; elsewhere only T3 can speak.
///
/// # Errors
/// [`Error::Shape`] when X is not square, [`Error::Entry`] when an entry is not finite, [`Error::Argument`] when a sum
/// of entries is not. A negative entry is no error: nothing is certified then.
///
/// ```
/// use birkhoff::certificate::certify;
/// use nalgebra::dmatrix;
/// let near = certify(&dmatrix![0.9, 0.1; 0.1, 0.9])?;
/// assert!(near.is_certified());
/// assert_eq!(near.permutation.unwrap().image(), &[0, 1]);
/// assert!(!certify(&dmatrix![0.5, 0.5; 0.5, 0.5])?.is_certified());
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn certify(x: &DMatrix<f64>) -> Result<Certificate> {
    if x.nrows() != x.ncols() {
        return Err(Error::shape("matrix to certify", "a square matrix", format!("{} x {}", x.nrows(), x.ncols())));
    }
    require_finite("matrix to certify", x)?;
    let n = x.nrows();
    let sums = Sums::of(x);
    if !(sums.penalty.is_finite() && sums.total_deviation.is_finite()) {
        return Err(Error::argument("matrix to certify", "has entries whose sums are beyond 1.8e308"));
    }
    let residual = sums.eta.max(-sums.smallest_entry);
    let feasible = residual <= FEASIBILITY;
    let slack = 8.0 * n as f64 * residual;

    let within_t2 = feasible && sums.penalty + slack < ROUNDING_RADIUS;
    let within_t3 =
        sums.smallest_entry >= 0.0 && sums.eta < 1.0 / 3.0 && sums.largest_deficit < (1.0 - 3.0 * sums.eta) / 4.0;
    let theorem = if within_t2 {
        Some(Theorem::T2)
    } else if within_t3 {
        Some(Theorem::T3)
    } else {
        None
    };
    let permutation = theorem.and_then(|_| Permutation::new(row_argmax(x)).ok());
    let distance_at_most = match theorem {
        _ if feasible => Some(DISTANCE_FACTOR * sums.penalty + slack),
        Some(_) => Some(2.0 * sums.penalty + sums.total_deviation),
        None => None,
    };
    let distance_at_least = if feasible { (sums.penalty - slack).max(0.0) } else { 0.0 };
    let theorem = theorem.filter(|_| permutation.is_some());
    Ok(Certificate { penalty: sums.penalty, residual, theorem, distance_at_least, distance_at_most, permutation })
}

/// Whether a matrix in training may be replaced by a permutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Hardening {
    /// Yes: rounding decides nothing any more.
    Ready {
        /// What to put in its place.
        permutation: Permutation,
        /// T2 on D_n, T3 where sums are 1 only nearly, as after one scaling a step.
        theorem: Theorem,
        /// ‖X − Π‖₁ is at most this: an output that is L-Lipschitz in X's entries changes by at most L times as much.
        change_at_most: f64,
    },
    /// No: rounding would decide what training has not.
    Wait {
        /// P(X).
        penalty: f64,
        /// Largest violation of X ≥ 0, X1 = 1, Xᵀ1 = 1.
        residual: f64,
    },
}

/// The rule for hardening: as soon as [T2](crate::mathematics#t2-rounding-radius-sharp) or
/// [T3](crate::mathematics#t3-approximately-feasible-matrices) certifies the rounding, and never before. O(n²).
///
/// P(X) < 4 − 2√2 suffices on D_n; with sums off by up to η, deficits below (1 − 3η)/4 in every row and column do. A
/// large matrix waits for its worst row, whatever its average.
///
/// # Errors
/// As [`certify`].
///
/// ```
/// use birkhoff::certificate::{Hardening, hardening};
/// use nalgebra::dmatrix;
/// assert!(matches!(hardening(&dmatrix![0.97, 0.04; 0.03, 0.97])?, Hardening::Ready { .. }));
/// assert!(matches!(hardening(&dmatrix![0.5, 0.5; 0.5, 0.5])?, Hardening::Wait { .. }));
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn hardening(x: &DMatrix<f64>) -> Result<Hardening> {
    let Certificate { penalty, residual, theorem, distance_at_most, permutation, .. } = certify(x)?;
    Ok(match (permutation, theorem, distance_at_most) {
        (Some(permutation), Some(theorem), Some(change_at_most)) => {
            Hardening::Ready { permutation, theorem, change_at_most }
        }
        _ => Hardening::Wait { penalty, residual },
    })
}

/// The column of the largest entry of each row, the first one on ties; 0 where no entry is a number.
pub fn row_argmax(x: &DMatrix<f64>) -> Vec<usize> {
    let mut best = vec![(f64::NEG_INFINITY, 0); x.nrows()];
    for (j, column) in x.column_iter().enumerate() {
        for (best, &v) in best.iter_mut().zip(&column) {
            if v > best.0 {
                *best = (v, j);
            }
        }
    }
    best.into_iter().map(|(_, j)| j).collect()
}

/// Everything T1–T3 ask about rows and columns.
struct Sums {
    penalty: f64,
    smallest_entry: f64,
    /// η = max |sum − 1|.
    eta: f64,
    largest_deficit: f64,
    /// max(E_r, E_c), the larger of Σ|row sum − 1| and Σ|column sum − 1|.
    total_deviation: f64,
}

impl Sums {
    fn of(x: &DMatrix<f64>) -> Self {
        let norms = Norms::of(x);
        let mut rows = vec![0.0; x.nrows()];
        let mut columns = Vec::with_capacity(x.ncols());
        let mut smallest_entry = f64::INFINITY;
        for column in x.column_iter() {
            let mut sum = 0.0;
            for (row, &v) in rows.iter_mut().zip(&column) {
                *row += v;
                sum += v;
                smallest_entry = smallest_entry.min(v);
            }
            columns.push(sum);
        }
        let sums = || rows.iter().zip(&norms.rows).chain(columns.iter().zip(&norms.columns));
        let deviation = |sums: &[f64]| sums.iter().map(|sum| (sum - 1.0).abs()).sum::<f64>();
        Sums {
            penalty: sums().map(|(sum, norm)| sum - norm).sum::<f64>().max(0.0),
            smallest_entry: smallest_entry.min(0.0),
            eta: sums().map(|(sum, _)| (sum - 1.0).abs()).fold(0.0, f64::max),
            largest_deficit: sums().map(|(sum, norm)| sum - norm).fold(0.0, f64::max),
            total_deviation: deviation(&rows).max(deviation(&columns)),
        }
    }
}

/// What is known of an answer's distance from the optimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// No permutation (of the face, if there are anchors) has a smaller value: proved, rounding errors included.
    Proved,
    /// None is below it by more than 1e-9 of the value or of κ, or than rounding can tell: but that is no proof.
    WithinRounding,
    /// A better one is not ruled out.
    Open,
}

/// A bound L ≤ min f over the permutations, and the gap it leaves.
///
/// L holds for f's data as they are, rounding errors included ([`Objective::rounding`]). It comes from [`linear_bound`]
/// where f is convex, from the objective itself ([`Objective::trivial_bound`]), or from enumeration; and it is raised
/// to the next attainable value where the values lie on a [lattice](Objective::lattice).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Optimality {
    /// f at the permutation.
    pub value: f64,
    /// L ≤ f at every permutation (of the face, if there are anchors); −∞ when nothing is known.
    pub lower_bound: f64,
    /// value − L ≥ 0.
    pub gap: f64,
    /// What follows.
    pub standing: Standing,
}

/// Numbers of a lattice up to so many steps from 0 are f64, as steps have fewer than 27 digits where they are no powers
/// of two.
const MOST_STEPS: f64 = (1u64 << 26) as f64;

/// Gaps below this share of the value, or of κ, are called within rounding.
const WITHIN_ROUNDING: f64 = 1e-9;

impl Optimality {
    /// The gap that a lower bound of the caller's and the objective's own leave at p, `value` = f(p).
    pub fn of(objective: &dyn Objective, p: &Permutation, value: f64, bound: f64) -> Self {
        let mut lower_bound = bound.max(objective.trivial_bound());
        if let (Some((offset, step)), true) = (objective.lattice(), lower_bound.is_finite()) {
            lower_bound = lower_bound.max(raised(lower_bound, offset, step));
        }
        let rounding = objective.rounding();
        if rounding.is_some_and(|rounding| value + rounding.of_value(value) <= lower_bound) {
            return Self::proved(value);
        }
        let lost = rounding.map_or(0.0, |rounding| {
            let linearization = Some(rounding.linearization).filter(|lost| lost.is_finite());
            rounding.of_value(value) + linearization.unwrap_or(0.0)
        });
        // Rounding may have lost more of the value than of the bound.
        lower_bound = lower_bound.min(value);
        let gap = value - lower_bound;
        let is_within = gap <= WITHIN_ROUNDING * objective.scale().max(value.abs()) || gap <= 2.0 * lost;
        if is_within && objective.proves(p) {
            return Self::proved(value);
        }
        let standing = if is_within { Standing::WithinRounding } else { Standing::Open };
        Optimality { value, lower_bound, gap, standing }
    }

    /// Of a value that is proved to be the least, as by enumeration.
    pub fn proved(value: f64) -> Self {
        Optimality { value, lower_bound: value, gap: 0.0, standing: Standing::Proved }
    }

    /// Whether the permutation is proved optimal.
    pub fn is_proved(&self) -> bool {
        self.standing == Standing::Proved
    }

    /// Whether nothing is left to gain but what rounding hides.
    pub fn is_settled(&self) -> bool {
        self.standing != Standing::Open
    }
}

/// The least number of offset + step·ℤ that is not below `bound`, or the one before it where rounding cannot tell;
/// `bound` itself where such numbers are no f64.
fn raised(bound: f64, offset: f64, step: f64) -> f64 {
    let steps = (bound - offset) / step;
    if steps.abs() + (offset / step).abs() > MOST_STEPS {
        return bound;
    }
    let rounding = 4.0 * f64::EPSILON * ((bound.abs() + offset.abs()) / step + 1.0);
    offset + (steps - rounding).ceil() * step
}

/// A lower bound of a convex f over the permutations of a face, rounding included: f(X) − ⟨∇f(X), X⟩ + min ⟨∇f(X), P⟩
/// from any X in D_n.
///
/// It is f(X) − gap(X) of Frank–Wolfe (Jaggi, ICML 2013), computed afresh: one gradient, and one assignment whose duals
/// are checked. Without [`Objective::rounding`] it is a bound but for rounding. `start` is an assignment on the face's
/// free rows and columns (its row duals, and p) to begin with; it only saves time.
///
/// # Errors
/// What the assignment says of a gradient that is not finite, and of a start of another size.
pub fn linear_bound(
    objective: &dyn Objective,
    face: &Face,
    x: &DMatrix<f64>,
    start: Option<&(Vec<f64>, Permutation)>,
) -> Result<f64> {
    linear_bound_until(objective, face, x, start, &Stop::never())
}

/// [`linear_bound`], or −∞ where `stop` comes before it can be told.
///
/// # Errors
/// As [`linear_bound`].
pub(crate) fn linear_bound_until(
    objective: &dyn Objective,
    face: &Face,
    x: &DMatrix<f64>,
    start: Option<&(Vec<f64>, Permutation)>,
    stop: &Stop,
) -> Result<f64> {
    let mut gradient = DMatrix::zeros(x.nrows(), x.ncols());
    let value = objective.value_and_gradient(x, &mut gradient);
    if stop.is_reached() {
        return Ok(f64::NEG_INFINITY);
    }
    let mut constant = DoubleSum::default();
    constant.add(value);
    gradient.iter().zip(x).for_each(|(g, x)| constant.add(-g * x));
    face.anchors().iter().for_each(|&(i, j)| constant.add(gradient[(i, j)]));
    let mut free = DMatrix::zeros(0, 0);
    face.restrict(&gradient, &mut free);
    let mut solver = AssignmentSolver::new();
    if let Some((row_duals, columns)) = start {
        solver.warm_start(row_duals, columns)?;
    }
    // Duals of a solution that was cut short bound it as well.
    solver.solve_until(&free, 0.0, stop)?;
    constant.add(assignment::lower_bound(&free, solver.column_duals()));
    // The products −g·x and the sum are off by less than the linearization's own error allows for.
    let lost = objective.rounding().map_or(0.0, |rounding| 2.0 * rounding.linearization);
    Ok(constant.value() - lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polytope::barycenter;
    use nalgebra::dmatrix;

    #[test]
    fn the_radius_of_t2_is_sharp() {
        let x = dmatrix![0.5, 0.5, 0.0; 0.5, 0.5, 0.0; 0.0, 0.0, 1.0];
        let certificate = certify(&x).unwrap();
        assert!((certificate.penalty - ROUNDING_RADIUS).abs() < 1e-12);
        assert!(!certificate.is_certified());
        let t = 0.49;
        let inside = certify(&dmatrix![1.0 - t, t; t, 1.0 - t]).unwrap();
        assert_eq!(inside.theorem, Some(Theorem::T2));
        assert!(inside.distance_at_least <= 4.0 * t && 4.0 * t <= inside.distance_at_most.unwrap());
    }

    #[test]
    fn far_from_the_vertices_only_t1_speaks() {
        let certificate = certify(&barycenter(5)).unwrap();
        assert!((certificate.penalty - 2.0 * (5.0 - 5f64.sqrt())).abs() < 1e-12);
        assert_eq!((certificate.theorem, certificate.permutation), (None, None));
        let distance = 2.0 * (5.0 - 1.0);
        assert!(certificate.distance_at_least <= distance && distance <= certificate.distance_at_most.unwrap());
    }

    #[test]
    fn approximately_feasible_matrices_fall_to_t3() {
        let certificate = certify(&dmatrix![0.95, 0.02; 0.01, 1.03]).unwrap();
        assert_eq!(certificate.theorem, Some(Theorem::T3));
        assert!(certificate.distance_at_most.unwrap() >= 0.05 + 0.02 + 0.01 + 0.03);
        assert_eq!(certificate.permutation.unwrap().image(), &[0, 1]);
        let negative = certify(&dmatrix![1.1, -0.1; -0.1, 1.1]).unwrap();
        assert_eq!((negative.theorem, negative.distance_at_most), (None, None));
    }

    #[test]
    fn hardening_waits_for_the_worst_row() {
        let mut x = DMatrix::identity(30, 30);
        assert!(matches!(hardening(&x).unwrap(), Hardening::Ready { theorem: Theorem::T2, .. }));
        // One undecided pair among thirty rows.
        (x[(0, 0)], x[(0, 1)], x[(1, 0)], x[(1, 1)]) = (0.5, 0.5, 0.5, 0.5);
        assert!(matches!(hardening(&x).unwrap(), Hardening::Wait { .. }));
        let Hardening::Ready { permutation, theorem, change_at_most } =
            hardening(&dmatrix![0.1, 0.88; 0.9, 0.07]).unwrap()
        else {
            panic!("T3 holds")
        };
        assert_eq!((permutation.image(), theorem), (&[1, 0][..], Theorem::T3));
        assert!(change_at_most >= 0.1 + 0.12 + 0.1 + 0.07);
    }

    #[test]
    fn broken_matrices_are_refused() {
        assert!(certify(&DMatrix::zeros(2, 3)).unwrap_err().to_string().contains("2 x 3"));
        assert!(certify(&DMatrix::from_element(2, 2, f64::INFINITY)).is_err());
    }
}
