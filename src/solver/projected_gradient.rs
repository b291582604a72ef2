//! Projected gradient on f + λP: the training step of AutoShuffleNet, and its exact variant.

use super::stage::{Stage, next_stage, proceed, status};
use super::{ArgminResult, Iterate, check_state, prepared};
use crate::error::{Error, Result, require_finite};
use crate::objective::Objective;
use crate::penalty::Penalty;
use crate::polytope::{Face, project_until};
use crate::stop::Stop;
use argmin::core::{Problem, Solver, TerminationStatus};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// How a point is brought back to D_n after a gradient step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Projection {
    /// Entries below 0 become 0; then columns and rows are scaled to sum 1, in turn: what training does. O(n²) a round,
    /// feasible up to 1e-9 or for as far as 50 rounds bring it: not at all where the entries above 0 have no
    /// permutation among them (rows then sum to 1, columns do not). Nor is it a projection: its fixed points are not
    /// minima.
    #[default]
    Scale,
    /// The exact Euclidean projection, [`project`](crate::polytope::project).
    Euclidean,
}

/// Rounds of scaling after a step, at most.
const SCALING_ROUNDS: usize = 50;

/// Steps of the power iteration that estimates the gradient's Lipschitz constant.
const POWER_STEPS: usize = 12;

/// X ← Proj(X − η(∇f(X) + λ∇P(X))), λ growing in stages, η = 1/L with L the largest |eigenvalue| of f's Hessian near
/// the start.
///
/// Each step costs one fresh gradient. A stage ends after its steps, or when a step moves X by less than its
/// `gap_tolerance`·η (Frobenius). It never solves an assignment, and knows no lower bound.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProjectedGradient {
    penalty: Penalty,
    stages: Vec<Stage>,
    face: Face,
    projection: Projection,
    /// η.
    step_size: f64,
}

impl ProjectedGradient {
    /// The given stages over `face`.
    pub fn new(penalty: Penalty, stages: Vec<Stage>, face: Face, projection: Projection) -> Self {
        ProjectedGradient { penalty, stages, face, projection, step_size: 0.0 }
    }

    /// `None` where `stop` came first.
    fn feasible(&self, x: &DMatrix<f64>, stop: &Stop) -> Result<Option<DMatrix<f64>>> {
        let mut block = DMatrix::zeros(0, 0);
        self.face.restrict(x, &mut block);
        let block = match self.projection {
            Projection::Euclidean => project_until(&block, 1e-10, stop)?,
            Projection::Scale => {
                threshold_and_scale(&mut block, stop);
                (!stop.is_reached()).then_some(block)
            }
        };
        Ok(block.map(|block| self.face.embed(&block)))
    }
}

/// max(X, 0), then columns and rows scaled to sum 1 in turn, until `stop`. An empty row or column becomes uniform
/// first.
fn threshold_and_scale(x: &mut DMatrix<f64>, stop: &Stop) {
    x.apply(|v| *v = v.max(0.0));
    for _ in 0..SCALING_ROUNDS {
        if stop.is_reached() || scale_once(x) < 1e-9 {
            return;
        }
    }
}

/// Scales the columns of X ≥ 0, then its rows, to sum 1; returns how far the rows were from it. Empty ones become
/// uniform.
pub(super) fn scale_once(x: &mut DMatrix<f64>) -> f64 {
    let n = x.nrows();
    for mut column in x.column_iter_mut() {
        let sum = column.sum();
        if sum > 0.0 { column /= sum } else { column.fill(1.0 / n as f64) }
    }
    let sums = x.column_sum();
    for mut column in x.column_iter_mut() {
        column.zip_apply(&sums, |v, sum| *v = if sum > 0.0 { *v * (1.0 / sum) } else { 1.0 / n as f64 });
    }
    sums.iter().map(|sum| (sum - 1.0).abs()).fold(0.0, f64::max)
}

/// The largest |eigenvalue| of f's Hessian, by power iteration on gradient differences at X, until `stop`.
fn lipschitz_constant(objective: &dyn Objective, x: &DMatrix<f64>, gradient: &DMatrix<f64>, stop: &Stop) -> f64 {
    let n = x.nrows();
    // A direction without symmetry, the same for every run.
    let mut direction = DMatrix::from_fn(n, n, |i, j| ((1 + i * n + j) as f64 * 0.618_033_988_75).fract() - 0.5);
    let mut there = DMatrix::zeros(n, n);
    let mut estimate = 0.0;
    for _ in (0..POWER_STEPS).take_while(|_| !stop.is_reached()) {
        direction /= direction.norm();
        let step = 1e-3;
        objective.gradient(&(x + &direction * step), &mut there);
        direction = (&there - gradient) / step;
        estimate = direction.norm();
        if estimate == 0.0 {
            break;
        }
    }
    estimate
}

impl<'a> Solver<&'a dyn Objective, Iterate> for ProjectedGradient {
    fn name(&self) -> &str {
        "projected gradient"
    }

    fn init(&mut self, problem: &mut Problem<&'a dyn Objective>, state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        let n = self.face.size();
        let mut state = prepared("projected gradient", objective, &self.face, state)?;
        state.gradient = DMatrix::zeros(n, n);
        objective.gradient(&state.x, &mut state.gradient);
        state.value = objective.value(&state.x);
        state.penalty = self.penalty.value(&state.x);
        let lipschitz = lipschitz_constant(objective, &state.x, &state.gradient, &state.stop);
        self.step_size = 1.0 / if lipschitz > 0.0 { lipschitz } else { objective.scale() };
        state.stage = next_stage(&self.stages, 0);
        Ok((state, None))
    }

    fn next_iter(&mut self, problem: &mut Problem<&'a dyn Objective>, mut state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        check_state("projected gradient", objective, self.face.size(), &self.stages, &state)?;
        let stage = self.stages[state.stage];
        state.weight = stage.weight;
        state.step_size = self.step_size;
        // The threshold would take a NaN for 0.
        require_finite("gradient", &state.gradient)?;
        // With its constant, which scaling does see: without it λ∇P only multiplies rows and columns, and scaling
        // undoes that.
        state.gradient += self.penalty.gradient(&state.x) * stage.weight;
        let Some(moved) = self.feasible(&(&*state.x - &state.gradient * self.step_size), &state.stop)? else {
            return Ok((state, None));
        };
        objective.gradient(&moved, &mut state.gradient);
        let value = objective.value(&moved);
        if state.stop.is_reached() {
            return Ok((state, None));
        }
        let distance = (&moved - &*state.x).norm();
        (state.x, state.value) = (moved.into(), value);
        state.penalty = self.penalty.value(&state.x);
        if !state.value.is_finite() {
            return Err(Error::Breakdown(format!("value is {}", state.value)).into());
        }
        state.stage_steps += 1;
        let converged = distance <= stage.gap_tolerance * self.step_size;
        Ok((proceed(&self.stages, state, converged), None))
    }

    fn terminate(&mut self, state: &Iterate) -> TerminationStatus {
        status(&self.stages, state)
    }
}
