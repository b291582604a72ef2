//! Frank–Wolfe on f + λP over the injections, λ constant or growing in stages.

use super::frank_wolfe::{forget_unfinished, parabola_minimizer, take_refreshed};
use super::stage::{Stage, StageEnd, leave, next_stage, status};
use super::tilt::Tilt;
use super::{ArgminResult, Iterate};
use crate::certificate::INJECTION_RADIUS;
use crate::error::{Error, Result};
use crate::objective::Injective;
use crate::polytope::Injections;
use argmin::core::{Problem, Solver, State, TerminationReason, TerminationStatus};
use nalgebra::DMatrix;

/// Steps after which ∇f and f are computed afresh.
const REFRESH_EVERY: usize = 100;

/// Halvings of the interval in which a step is sought.
const HALVINGS: usize = 30;

/// Frank–Wolfe over a face of the polytope of [`Injections`] on f + λ_k P, stage after stage, each from the last
/// iterate; P as in [`SlackNorms`](crate::penalty::SlackNorms).
///
/// A step is that of [`FrankWolfe`](super::FrankWolfe), with a rectangular assignment: G = ∇f(X) + λ∇P(X), Q = argmin
/// ⟨G, Q⟩, D = Q − X, and for λ ≥ 0 t = 1 if c ≤ g, else g/c, g = −⟨G, D⟩, c = ⟨D, ∇²f D⟩: P is concave. For λ < 0, f
/// is a parabola along D and P known at every point in O(N + m) (`SlackNorms::along`), and t a local minimizer of
/// their sum: the better of t = 1 and one found by bisection of the slope.
///
/// It ends when the last stage does, or after a stage with λ > 0 where the rounding is certified
/// ([T6](crate::mathematics#t6-injections)). One assignment and one product of the objective a step; O(N·m) memory.
/// Requires the start to lie on the face.
#[derive(Debug)]
pub struct InjectiveFrankWolfe<'a> {
    stages: Vec<Stage>,
    face: &'a Injections,
    tilt: Option<Tilt<'a>>,
    stage_end: StageEnd<'a>,
    /// Of the linear problem; kept to save its allocation.
    cost: DMatrix<f64>,
}

impl<'a> InjectiveFrankWolfe<'a> {
    /// The given stages over `face`.
    pub fn new(stages: Vec<Stage>, face: &'a Injections) -> Self {
        InjectiveFrankWolfe { stages, face, tilt: None, stage_end: StageEnd::default(), cost: DMatrix::zeros(0, 0) }
    }

    /// With w⟨C, X⟩ added to the function, C of size N × m; values and gradients stay those of f.
    pub fn tilted(self, weight: f64, cost: &'a DMatrix<f64>) -> Self {
        self.with_tilt(Some(Tilt { cost, weight, fade: 1.0 }))
    }

    /// [`tilted`](Self::tilted) by a term that fades from stage to stage.
    pub(crate) fn with_tilt(mut self, tilt: Option<Tilt<'a>>) -> Self {
        self.tilt = tilt;
        self
    }

    /// Asks at the end of each stage whether the run ends.
    pub(crate) fn at_stage_ends(mut self, asked: impl FnMut(&Stage, &Iterate) -> Result<bool> + 'a) -> Self {
        self.stage_end = StageEnd::ask(asked);
        self
    }

    /// One step at the current stage's weight. Returns false, with X as it was, if it was cut short.
    fn step(&mut self, objective: &dyn Injective, state: &mut Iterate) -> Result<bool> {
        let cost = &mut self.cost;
        cost.resize_mut(state.x.nrows(), state.x.ncols(), 0.0);
        let tilt = self.tilt.map(|tilt| (tilt.weight_in(state.stage), tilt.cost));
        let weight = self.stages[state.stage].weight;
        let (x, norms) = state.x.with_slack_norms();
        let (mut total, product) = norms.total_gradient(weight, x, &state.gradient, cost);
        (state.weight, state.penalty) = (weight, norms.penalty());
        let mut tilted = 0.0;
        if let Some((weight, linear)) = tilt {
            cost.zip_apply(linear, |cost, c| *cost += weight * c);
            tilted = weight * linear.dot(&state.x);
            total += tilted;
        }
        let q = self.face.minimize(cost, &state.stop)?;
        state.lap_calls += 1;
        let Some(q) = q else { return Ok(false) };
        let at_q = |matrix: &DMatrix<f64>| q.image().iter().enumerate().map(|(i, &j)| matrix[(j, i)]).sum::<f64>();
        state.gap = total - at_q(cost);
        if !state.gap.is_finite() {
            return Err(Error::Breakdown(format!("Frank-Wolfe gap is {}", state.gap)));
        }
        let slope = at_q(&state.gradient) - product;
        let curvature = 2.0 * (objective.value_at(&q) - state.value - slope);
        let of_tilt = tilt.map_or(0.0, |(weight, linear)| weight * at_q(linear) - tilted);
        let t = if weight >= 0.0 {
            parabola_minimizer(state.gap, curvature)
        } else {
            let (x, norms) = state.x.with_slack_norms();
            let penalty = norms.along(q.image(), x);
            minimize_on_segment(|t| {
                let (value, rise) = penalty(t);
                let slope = slope + of_tilt;
                (t * (slope + 0.5 * t * curvature) + weight * value, slope + t * curvature + weight * rise)
            })
        };
        state.value += t * (slope + 0.5 * t * curvature);
        state.step_size = t;
        state.x.move_to_vertex(q.image(), t);
        objective.blend(&q, t, &mut state.gradient);
        state.steps_since_refresh += 1;
        if state.steps_since_refresh >= REFRESH_EVERY {
            refresh(objective, state)?;
        }
        forget_unfinished(state);
        Ok(true)
    }
}

/// ∇f(X) and f(X) afresh.
fn refresh(objective: &dyn Injective, state: &mut Iterate) -> Result<()> {
    let value = objective.value_and_gradient(&state.x, &mut state.gradient);
    take_refreshed(value, state)
}

/// A local minimizer in [0, 1] of a function with its slope, or 1 where that is better; 0 where neither is better
/// than 0.
fn minimize_on_segment(f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        // Where it rises, a minimum lies before.
        *(if f(middle).1 >= 0.0 { &mut high } else { &mut low }) = middle;
    }
    let best = if f(1.0).0 <= f(low).0 { 1.0 } else { low };
    if f(best).0 < f(0.0).0 { best } else { 0.0 }
}

impl<'a> Solver<&'a dyn Injective, Iterate> for InjectiveFrankWolfe<'_> {
    fn name(&self) -> &str {
        "Frank-Wolfe on injections"
    }

    fn init(&mut self, problem: &mut Problem<&'a dyn Injective>, mut state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        let shape = self.face.shape();
        if state.x.is_empty() {
            state.x = self.face.barycenter().into();
        }
        if objective.shape() != shape || state.x.shape() != shape {
            let found = format!("objective {:?}, start {:?}", objective.shape(), state.x.shape());
            return Err(Error::shape("Frank-Wolfe on injections", format!("{shape:?}"), found).into());
        }
        if state.gradient.shape() != shape {
            state.gradient = DMatrix::zeros(shape.0, shape.1);
            refresh(objective, &mut state)?;
        }
        state.penalty = state.x.with_slack_norms().1.penalty();
        (state.stage, state.stage_steps) = (next_stage(&self.stages, 0), 0);
        Ok((state, None))
    }

    fn next_iter(&mut self, problem: &mut Problem<&'a dyn Injective>, mut state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        let shape = self.face.shape();
        if state.gradient.shape() != shape || !self.step(objective, &mut state)? {
            return Ok((state, None));
        }
        state.stage_steps += 1;
        let stage = self.stages[state.stage];
        let converged = state.gap <= stage.gap_tolerance || state.step_size == 0.0;
        if !converged && state.stage_steps < stage.max_steps {
            return Ok((state, None));
        }
        let ends = self.stage_end.ends_path(&stage, &state)?;
        if ends || stage.weight > 0.0 && state.x.with_slack_norms().1.penalty() < INJECTION_RADIUS {
            return Ok((state.terminate_with(TerminationReason::SolverConverged), None));
        }
        Ok((leave(&self.stages, state, converged), None))
    }

    fn terminate(&mut self, state: &Iterate) -> TerminationStatus {
        status(&self.stages, state)
    }
}
