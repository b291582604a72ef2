//! Stochastic gradient on f + λP: the training setting of AutoShuffleNet.

use super::projected_gradient::scale_once;
use super::stage::{Stage, next_stage, proceed, status};
use super::{ArgminResult, Iterate, check_state, prepared};
use crate::error::{Error, Result, require_finite};
use crate::objective::Objective;
use crate::penalty::Penalty;
use crate::polytope::Face;
use argmin::core::{Problem, Solver, State, TerminationStatus};
use nalgebra::DMatrix;

/// X ← Scale(max(X − η(∇f_k(X) + λ∇P(X)), 0)), f_k the loss on minibatch number k, λ growing in stages.
///
/// Scale divides the columns by their sums, then the rows, once a step, as a training loop does: rows sum to 1, columns
/// nearly. Each stage makes all of its steps, since a noisy gradient never vanishes (`gap_tolerance` has no say). The
/// iterate's `value` is the loss on the step's minibatch before the step. One gradient a step; no assignment, no lower
/// bound.
#[expect(missing_debug_implementations, reason = "a function has nothing to show")]
pub struct StochasticGradient<'a> {
    penalty: Penalty,
    stages: Vec<Stage>,
    step_size: f64,
    batch: Box<dyn Fn(u64) -> Result<Box<dyn Objective>> + 'a>,
}

impl<'a> StochasticGradient<'a> {
    /// The given stages with η = `step_size` > 0; `batch(k)` makes f_k, k = 0, 1, …, and must be a function of k alone
    /// for reproducible runs.
    pub fn new(
        penalty: Penalty,
        stages: Vec<Stage>,
        step_size: f64,
        batch: impl Fn(u64) -> Result<Box<dyn Objective>> + 'a,
    ) -> Self {
        StochasticGradient { penalty, stages, step_size, batch: Box::new(batch) }
    }
}

impl<'a> Solver<&'a dyn Objective, Iterate> for StochasticGradient<'_> {
    fn name(&self) -> &str {
        "stochastic gradient"
    }

    fn init(&mut self, problem: &mut Problem<&'a dyn Objective>, state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        let n = objective.size();
        let mut state = prepared("stochastic gradient", objective, &Face::new(n, &[])?, state)?;
        state.gradient = DMatrix::zeros(n, n);
        state.penalty = self.penalty.value(&state.x);
        state.stage = next_stage(&self.stages, 0);
        Ok((state, None))
    }

    fn next_iter(&mut self, problem: &mut Problem<&'a dyn Objective>, mut state: Iterate) -> ArgminResult {
        let n = problem.problem.as_ref().expect("argmin holds the problem").size();
        let loss = (self.batch)(state.get_iter())?;
        check_state("stochastic gradient", &*loss, n, &self.stages, &state)?;
        state.weight = self.stages[state.stage].weight;
        state.step_size = self.step_size;
        state.value = loss.value_and_gradient(&state.x, &mut state.gradient);
        // The threshold would take a NaN for 0.
        require_finite("gradient", &state.gradient)?;
        if !state.value.is_finite() {
            return Err(Error::Breakdown(format!("value is {}", state.value)).into());
        }
        // With its constant, which scaling does see: without it λ∇P only multiplies rows and columns, and scaling
        // undoes that.
        state.gradient += self.penalty.gradient(&state.x) * state.weight;
        let mut x = std::mem::take(&mut state.x).into_matrix();
        x.zip_apply(&state.gradient, |x, g| *x = (*x - self.step_size * g).max(0.0));
        scale_once(&mut x);
        state.x = x.into();
        state.penalty = self.penalty.value(&state.x);
        state.stage_steps += 1;
        Ok((proceed(&self.stages, state, false), None))
    }

    fn terminate(&mut self, state: &Iterate) -> TerminationStatus {
        status(&self.stages, state)
    }
}
