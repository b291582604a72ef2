//! f of a Sinkhorn-scaled matrix, minimized by argmin's L-BFGS: a baseline.

use super::{Iterate, Limited, Limits, Watcher};
use crate::error::{Error, Result, require_finite};
use crate::objective::Objective;
use crate::polytope::{Face, scale_from};
use crate::stop::Stop;
use argmin::core::observers::{Observe, ObserverMode};
use argmin::core::{CostFunction, Executor, Gradient, IterState, KV, State, TerminationReason};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use nalgebra::{DMatrix, DVector};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

/// Minimizes g(Y) = f(S(Y)), S(Y) = diag(e^u)·e^Y·diag(e^v) ∈ D_n the Sinkhorn scaling, over log-parameters Y, by
/// L-BFGS.
///
/// ∇g by implicit differentiation: with G = ∇f(X), ∇g = X ∘ (G − α1ᵀ − 1βᵀ), where (α, β) solves
/// \[I, X; Xᵀ, I\](α, β) = ((G∘X)1, (G∘X)ᵀ1), by conjugate gradients. X stays in the interior of the face, so it never
/// is a permutation. O(n²) a Sinkhorn round or conjugate gradient step, some tens of each an evaluation.
#[doc(alias = "sinkhorn")]
#[derive(Debug, Clone, Copy)]
pub struct SinkhornLbfgs {
    /// At most this many L-BFGS iterations. Default: 200, chosen by hand.
    pub max_iterations: u64,
    /// Ends when ‖∇g‖ is at most this times κ. Default: 10⁻⁶, chosen by hand.
    pub tolerance: f64,
    /// Pairs of vectors that L-BFGS remembers, 2n² numbers each. Default: 10, chosen by hand.
    pub memory: usize,
}

impl Default for SinkhornLbfgs {
    fn default() -> Self {
        SinkhornLbfgs { max_iterations: 200, tolerance: 1e-6, memory: 10 }
    }
}

/// Rounds of scaling at an evaluation. Near the boundary of D_n thousands may be missing; the next evaluation, of a
/// similar Y, goes on from where this one ended.
const ROUNDS: usize = 200;

type LbfgsState = IterState<DVector<f64>, DVector<f64>, (), (), (), f64>;

impl SinkhornLbfgs {
    /// Runs from `start` (n × n, on the face), until it ends or a limit is reached.
    ///
    /// A line search that finds no better point ends the run with what was reached before it.
    ///
    /// # Errors
    /// [`Error::Shape`] when the sizes differ, [`Error::Argument`] when `memory` is 0 or `tolerance` not at least 0;
    /// [`Error::Breakdown`] and [`Error::Entry`] when the start is not finite, or f or ∇f is not where it is evaluated.
    pub fn minimize(
        &self,
        objective: &dyn Objective,
        face: &Face,
        start: &DMatrix<f64>,
        limits: &Limits,
    ) -> Result<Iterate> {
        let n = objective.size();
        if face.size() != n || start.shape() != (n, n) {
            let found = format!("face {}, start {:?}", face.size(), start.shape());
            return Err(Error::shape("Sinkhorn L-BFGS", format!("size {n}"), found));
        }
        require_finite("start", start)?;
        if self.memory == 0 {
            return Err(Error::argument("memory", "is 0"));
        }
        if self.tolerance.is_nan() || self.tolerance < 0.0 {
            return Err(Error::argument("tolerance", format!("is {}, but must be >= 0", self.tolerance)));
        }
        let mut block = DMatrix::zeros(0, 0);
        face.restrict(start, &mut block);
        let y = DVector::from_iterator(block.len(), block.iter().map(|v| v.max(1e-12).ln()));
        let breakdown = |error: argmin::core::Error| Error::Breakdown(error.to_string());
        let unit = unit(objective.scale());
        let scale = objective.scale() / unit;
        let lbfgs = LBFGS::new(MoreThuenteLineSearch::new(), self.memory)
            .with_tolerance_grad(self.tolerance * scale)
            .and_then(|lbfgs| lbfgs.with_tolerance_cost(1e-12 * scale))
            .map_err(breakdown)?;
        let reached = Arc::new(Mutex::new(Reached { y: y.clone(), iterations: 0 }));
        let limits = Limits { stop: limits.to_stop(), ..limits.clone() };
        let stop = &limits.stop;
        let watcher = limits.watcher.clone();
        let keep = Keep { reached: reached.clone(), face: face.clone(), unit, stop: stop.clone(), watcher };
        let run =
            Executor::new(Scaled::new(objective, face, unit, stop), Limited { solver: lbfgs, limits: limits.clone() })
                .configure(|state: LbfgsState| state.param(y).max_iters(self.max_iterations))
                .ctrlc(false)
                .timer(false)
                .add_observer(keep, ObserverMode::Always)
                .run();
        let reason = match run {
            Ok(result) => result.state.get_termination_reason().cloned().unwrap_or(TerminationReason::SolverConverged),
            // What is computed while a run is cut short is no reason to blame anything else.
            Err(_) if stop.is_reached() => limits.reached().unwrap_or(TerminationReason::Interrupt),
            // Our own errors are the objective's, argmin's the line search's.
            Err(error) => match error.downcast::<Error>() {
                Ok(broken) => return Err(broken),
                Err(exit) => TerminationReason::SolverExit(exit.to_string()),
            },
        };
        let reached = reached.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut iterate = Iterate::at(point(face, &reached.y, stop)?).with_iterations(reached.iterations);
        iterate.value = objective.value(&iterate.x);
        iterate.penalty = iterate.current_penalty();
        if !iterate.value.is_finite() && !stop.is_reached() {
            return Err(Error::Breakdown(format!("value is {}", iterate.value)));
        }
        Ok(iterate.terminate_with(reason))
    }
}

/// S(Y) from the row potentials of an earlier scaling, which become its own; scaled as far as it came in `rounds` or by
/// `stop`.
fn scaling(y: &DVector<f64>, potentials: &mut Vec<f64>, rounds: usize, stop: &Stop) -> Result<DMatrix<f64>> {
    let m = y.len().isqrt();
    potentials.resize(m, 0.0);
    Ok(scale_from(potentials, &DMatrix::from_column_slice(m, m, y.as_slice()), 1e-10, rounds, stop)?.0)
}

/// S(Y), embedded in the face.
fn point(face: &Face, y: &DVector<f64>, stop: &Stop) -> Result<DMatrix<f64>> {
    Ok(face.embed(&scaling(y, &mut Vec::new(), 10 * ROUNDS, stop)?))
}

/// In units of what f is minimized. The line search begins with steps of the gradient's size, which suit a κ that is
/// not too far from 1.
fn unit(scale: f64) -> f64 {
    if (1e-6..=1e6).contains(&scale) { 1.0 } else { scale }
}

/// g, in units, as argmin sees it. It asks for value and gradient at the same Y, one after the other.
struct Scaled<'a> {
    objective: &'a dyn Objective,
    face: &'a Face,
    unit: f64,
    stop: &'a Stop,
    last: RefCell<LastScaling>,
}

#[derive(Default)]
struct LastScaling {
    y: DVector<f64>,
    block: DMatrix<f64>,
    potentials: Vec<f64>,
}

impl<'a> Scaled<'a> {
    fn new(objective: &'a dyn Objective, face: &'a Face, unit: f64, stop: &'a Stop) -> Self {
        Scaled { objective, face, unit, stop, last: RefCell::default() }
    }

    /// S(Y), kept from the last call if Y is the same.
    fn block(&self, y: &DVector<f64>) -> Result<DMatrix<f64>> {
        let last = &mut *self.last.borrow_mut();
        if last.y != *y {
            last.block = scaling(y, &mut last.potentials, ROUNDS, self.stop)?;
            last.y.clone_from(y);
        }
        if self.stop.is_reached() {
            return Err(Error::Breakdown("cut short".to_string()));
        }
        Ok(last.block.clone())
    }
}

impl CostFunction for Scaled<'_> {
    type Param = DVector<f64>;
    type Output = f64;

    fn cost(&self, y: &DVector<f64>) -> std::result::Result<f64, argmin::core::Error> {
        Ok(self.objective.value(&self.face.embed(&self.block(y)?)) / self.unit)
    }
}

impl Gradient for Scaled<'_> {
    type Param = DVector<f64>;
    type Gradient = DVector<f64>;

    fn gradient(&self, y: &DVector<f64>) -> std::result::Result<DVector<f64>, argmin::core::Error> {
        let block = self.block(y)?;
        let x = self.face.embed(&block);
        let mut full = DMatrix::zeros(x.nrows(), x.ncols());
        self.objective.gradient(&x, &mut full);
        require_finite("gradient", &full)?;
        let mut gradient = DMatrix::zeros(0, 0);
        self.face.restrict(&full, &mut gradient);
        gradient /= self.unit;
        Ok(through_scaling(&block, &gradient, self.stop))
    }
}

/// ∇g from X = S(Y) and G = ∇f(X); inexact where `stop` came first.
fn through_scaling(x: &DMatrix<f64>, gradient: &DMatrix<f64>, stop: &Stop) -> DVector<f64> {
    let m = x.nrows();
    let weighted = gradient.component_mul(x);
    let sums = weighted.column_sum().into_iter().copied().chain(weighted.row_sum().into_iter().copied()).collect();
    let right = DVector::from_vec(sums);
    // The system is singular along (1, −1), to which the right side is orthogonal: conjugate gradients do not mind.
    let apply = |d: &DVector<f64>| {
        let mut product = d.clone();
        let (to_rows, to_columns) = (x * d.rows(m, m), x.tr_mul(&d.rows(0, m)));
        product.rows_mut(0, m).zip_apply(&to_rows, |p, v| *p += v);
        product.rows_mut(m, m).zip_apply(&to_columns, |p, v| *p += v);
        product
    };
    let duals = conjugate_gradients(apply, &right, 1e-12, 2 * m, stop);
    let mut result = weighted;
    for j in 0..m {
        for i in 0..m {
            result[(i, j)] -= x[(i, j)] * (duals[i] + duals[m + j]);
        }
    }
    DVector::from_column_slice(result.as_slice())
}

/// d with apply(d) = right up to `tolerance`·‖right‖, from 0, in at most `max_steps` steps or until `stop`.
fn conjugate_gradients(
    apply: impl Fn(&DVector<f64>) -> DVector<f64>,
    right: &DVector<f64>,
    tolerance: f64,
    max_steps: usize,
    stop: &Stop,
) -> DVector<f64> {
    let mut solution = DVector::zeros(right.len());
    let mut residual = right.clone();
    let mut direction = residual.clone();
    let mut squared = residual.norm_squared();
    let target = (tolerance * right.norm()).powi(2);
    for _ in 0..max_steps {
        if squared <= target || stop.is_reached() {
            break;
        }
        let product = apply(&direction);
        let alpha = squared / direction.dot(&product);
        solution.axpy(alpha, &direction, 1.0);
        residual.axpy(-alpha, &product, 1.0);
        let next = residual.norm_squared();
        direction = &residual + direction * (next / squared);
        squared = next;
    }
    solution
}

/// The last accepted Y: argmin drops its state when a line search fails.
struct Reached {
    y: DVector<f64>,
    iterations: u64,
}

struct Keep {
    reached: Arc<Mutex<Reached>>,
    face: Face,
    unit: f64,
    stop: Stop,
    watcher: Option<Watcher>,
}

impl Observe<LbfgsState> for Keep {
    fn observe_iter(&mut self, state: &LbfgsState, _kv: &KV) -> std::result::Result<(), argmin::core::Error> {
        let Some(y) = state.get_param() else { return Ok(()) };
        let iterations = state.get_iter() + 1;
        if let Some(watcher) = &self.watcher {
            let mut iterate = Iterate::at(point(&self.face, y, &self.stop)?).with_iterations(state.get_iter());
            iterate.value = state.get_cost() * self.unit;
            iterate.penalty = iterate.current_penalty();
            watcher(&iterate);
        }
        *self.reached.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Reached { y: y.clone(), iterations };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_erdos_renyi, rng};
    use crate::objective::GraphMatching;
    use crate::polytope::random_point;

    static NEVER: Stop = Stop::never();

    #[test]
    fn the_gradient_through_scaling_is_that_of_differences() {
        let mut rng = rng(11, 0);
        let instance = correlated_erdos_renyi(7, 0.5, 0.8, &mut rng).unwrap();
        let objective = GraphMatching::new(instance.a, instance.b).unwrap();
        let face = Face::new(7, &[(2, 5)]).unwrap();
        let problem = Scaled::new(&objective, &face, 1.0, &NEVER);
        let y = DVector::from_column_slice(random_point(6, &mut rng).map(f64::ln).as_slice());
        let gradient = problem.gradient(&y).unwrap();
        for k in [0, 7, 20, 35] {
            let at = |h: f64| {
                let mut moved = y.clone();
                moved[k] += h;
                problem.cost(&moved).unwrap()
            };
            let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((difference - gradient[k]).abs() < 1e-5 * (1.0 + gradient.amax()), "{k}");
        }
    }
}
