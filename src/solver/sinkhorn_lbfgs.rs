//! f of a Sinkhorn-scaled matrix, minimized by argmin's L-BFGS: a baseline.

use super::{Iterate, Limited, Limits, Watcher};
use crate::error::{Error, Result};
use crate::objective::Objective;
use crate::polytope::{Face, require_finite, scale_from};
use argmin::core::observers::{Observe, ObserverMode};
use argmin::core::{CostFunction, Executor, Gradient, IterState, KV, State, TerminationReason};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use nalgebra::{DMatrix, DVector};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

/// Minimizes g(Y) = f(S(Y)), S(Y) = diag(e^u)·e^Y·diag(e^v) ∈ D_n the Sinkhorn scaling, over log-parameters Y, by L-BFGS.
///
/// ∇g by implicit differentiation: with G = ∇f(X), ∇g = X ∘ (G − α1ᵀ − 1βᵀ), where (α, β) solves
/// \[I, X; Xᵀ, I\](α, β) = ((G∘X)1, (G∘X)ᵀ1), by conjugate gradients. X stays in the interior of the face, so it never
/// is a permutation. O(n²) a Sinkhorn round or conjugate gradient step, some tens of each an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct SinkhornLbfgs {
    /// At most this many L-BFGS iterations.
    pub max_iterations: u64,
    /// Ends when ‖∇g‖ is at most this times κ.
    pub tolerance: f64,
    /// Pairs of vectors that L-BFGS remembers.
    pub memory: usize,
}

impl Default for SinkhornLbfgs {
    fn default() -> Self {
        SinkhornLbfgs { max_iterations: 200, tolerance: 1e-6, memory: 10 }
    }
}

type LbfgsState = IterState<DVector<f64>, DVector<f64>, (), (), (), f64>;

impl SinkhornLbfgs {
    /// Runs from `start` (n × n, on the face), until it ends or a limit is reached.
    ///
    /// A line search that finds no better point ends the run with what was reached before it.
    ///
    /// # Errors
    /// [`Error::Breakdown`] and [`Error::Entry`] when f or ∇f is not finite where it is evaluated.
    pub fn minimize(
        &self,
        objective: &dyn Objective,
        face: &Face,
        start: &DMatrix<f64>,
        limits: &Limits,
    ) -> Result<Iterate> {
        let mut block = DMatrix::zeros(0, 0);
        face.restrict(start, &mut block);
        let y = DVector::from_iterator(block.len(), block.iter().map(|v| v.max(1e-12).ln()));
        let breakdown = |error: argmin::core::Error| Error::Breakdown(error.to_string());
        let scale = objective.scale();
        let lbfgs = LBFGS::new(MoreThuenteLineSearch::new(), self.memory)
            .with_tolerance_grad(self.tolerance * scale)
            .and_then(|lbfgs| lbfgs.with_tolerance_cost(1e-12 * scale))
            .map_err(breakdown)?;
        let reached = Arc::new(Mutex::new(Reached { y: y.clone(), iterations: 0 }));
        let keep = Keep { reached: reached.clone(), face: face.clone(), watcher: limits.watcher.clone() };
        let run = Executor::new(Scaled::new(objective, face), Limited { solver: lbfgs, limits: limits.clone() })
            .configure(|state: LbfgsState| state.param(y).max_iters(self.max_iterations))
            .ctrlc(false)
            .timer(false)
            .add_observer(keep, ObserverMode::Always)
            .run();
        let reason = match run {
            Ok(result) => result.state.get_termination_reason().cloned().unwrap_or(TerminationReason::SolverConverged),
            // Our own errors are the objective's, argmin's the line search's.
            Err(error) => match error.downcast::<Error>() {
                Ok(broken) => return Err(broken),
                Err(exit) => TerminationReason::SolverExit(exit.to_string()),
            },
        };
        let reached = reached.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut iterate = Iterate::at(point(face, &reached.y)?).with_iterations(reached.iterations);
        iterate.value = objective.value(&iterate.x);
        iterate.penalty = iterate.current_penalty();
        if !iterate.value.is_finite() {
            return Err(Error::Breakdown(format!("value is {}", iterate.value)));
        }
        Ok(iterate.terminate_with(reason))
    }
}

/// S(Y) from the row potentials of an earlier scaling, which become its own.
fn scaling(y: &DVector<f64>, potentials: &mut Vec<f64>) -> Result<DMatrix<f64>> {
    let m = y.len().isqrt();
    potentials.resize(m, 0.0);
    Ok(scale_from(potentials, &DMatrix::from_column_slice(m, m, y.as_slice()), 1e-10, 2_000)?.0)
}

/// S(Y), embedded in the face.
fn point(face: &Face, y: &DVector<f64>) -> Result<DMatrix<f64>> {
    Ok(face.embed(&scaling(y, &mut Vec::new())?))
}

/// g as argmin sees it. It asks for value and gradient at the same Y, one after the other.
struct Scaled<'a> {
    objective: &'a dyn Objective,
    face: &'a Face,
    last: RefCell<LastScaling>,
}

#[derive(Default)]
struct LastScaling {
    y: DVector<f64>,
    block: DMatrix<f64>,
    potentials: Vec<f64>,
}

impl<'a> Scaled<'a> {
    fn new(objective: &'a dyn Objective, face: &'a Face) -> Self {
        Scaled { objective, face, last: RefCell::default() }
    }

    /// S(Y), kept from the last call if Y is the same.
    fn block(&self, y: &DVector<f64>) -> Result<DMatrix<f64>> {
        let last = &mut *self.last.borrow_mut();
        if last.y != *y {
            last.block = scaling(y, &mut last.potentials)?;
            last.y.clone_from(y);
        }
        Ok(last.block.clone())
    }
}

impl CostFunction for Scaled<'_> {
    type Param = DVector<f64>;
    type Output = f64;

    fn cost(&self, y: &DVector<f64>) -> std::result::Result<f64, argmin::core::Error> {
        Ok(self.objective.value(&self.face.embed(&self.block(y)?)))
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
        Ok(through_scaling(&block, &gradient))
    }
}

/// ∇g from X = S(Y) and G = ∇f(X).
fn through_scaling(x: &DMatrix<f64>, gradient: &DMatrix<f64>) -> DVector<f64> {
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
    let duals = conjugate_gradients(apply, &right, 1e-12, 2 * m);
    let mut result = weighted;
    for j in 0..m {
        for i in 0..m {
            result[(i, j)] -= x[(i, j)] * (duals[i] + duals[m + j]);
        }
    }
    DVector::from_column_slice(result.as_slice())
}

/// d with apply(d) = right up to `tolerance`·‖right‖, from 0, in at most `max_steps` steps.
fn conjugate_gradients(
    apply: impl Fn(&DVector<f64>) -> DVector<f64>,
    right: &DVector<f64>,
    tolerance: f64,
    max_steps: usize,
) -> DVector<f64> {
    let mut solution = DVector::zeros(right.len());
    let mut residual = right.clone();
    let mut direction = residual.clone();
    let mut squared = residual.norm_squared();
    let target = (tolerance * right.norm()).powi(2);
    for _ in 0..max_steps {
        if squared <= target {
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
    watcher: Option<Watcher>,
}

impl Observe<LbfgsState> for Keep {
    fn observe_iter(&mut self, state: &LbfgsState, _kv: &KV) -> std::result::Result<(), argmin::core::Error> {
        let Some(y) = state.get_param() else { return Ok(()) };
        let iterations = state.get_iter() + 1;
        if let Some(watcher) = &self.watcher {
            let mut iterate = Iterate::at(point(&self.face, y)?).with_iterations(state.get_iter());
            iterate.value = state.get_cost();
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

    #[test]
    fn the_gradient_through_scaling_is_that_of_differences() {
        let mut rng = rng(11, 0);
        let instance = correlated_erdos_renyi(7, 0.5, 0.8, &mut rng).unwrap();
        let objective = GraphMatching::new(instance.a, instance.b).unwrap();
        let face = Face::new(7, &[(2, 5)]).unwrap();
        let problem = Scaled::new(&objective, &face);
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
