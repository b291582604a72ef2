//! Frank–Wolfe on f + λP, λ constant or growing in stages.

use super::stage::{Stage, StageEnd, leave, next_stage, status};
use super::tilt::{Tilt, Tilted};
use super::{ArgminResult, Iterate, check_state, prepared};
use crate::assignment::{AssignmentSolver, MongeOrder};
use crate::certificate::{ROUNDING_RADIUS, row_argmax};
use crate::error::{Error, Result};
use crate::local_search::is_swap_minimum_until;
use crate::objective::{Objective, VertexGradient};
use crate::penalty::Penalty;
use crate::permutation::Permutation;
use crate::polytope::Face;
use crate::stop::Stop;
use argmin::core::{Problem, Solver, State, TerminationReason, TerminationStatus};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Steps after which ∇f and f are computed afresh, which bounds what the recurrences lose.
const REFRESH_EVERY: usize = 100;

/// With λ > 0 vertices need to be better by this factor: the last decisions are taken there, between values that are
/// close.
const CLOSER: f64 = 0.25;

/// P(X) below this is a permutation matrix, up to rounding.
const HARD: f64 = 1e-9;

/// Frank–Wolfe over a face of D_n on f + λ_k P, stage after stage, each from the last iterate.
///
/// A step: G = ∇f(X) + λ∇P(X); Q = argmin ⟨G, Q⟩ (one assignment, started from the last one's duals); D = Q − X, g =
/// −⟨G, D⟩, c = ⟨D, ∇²f D⟩; X ← X + tD with t = 1 if c ≤ g, else g/c. As P is concave on D_n, f's parabola along D lies
/// above f + λP for λ ≥ 0, so the step never increases it, with no line search in P
/// ([§4](crate::mathematics#4-solvers)). For a quadratic f, c = 2(f(Q) − f(X) − ⟨∇f(X), D⟩) needs f at a permutation
/// only, and ∇f(X) is kept by its affine recurrence ([§5](crate::mathematics#5-the-engine)). Where f is not quadratic
/// or λ < 0, c is estimated by the secant and doubled until the parabola lies above (Pedregosa et al., AISTATS 2020).
///
/// The first step of a quadratic f goes to the mean of the best vertices where ties make many of them and sorting finds
/// all, as it does from the barycenter: the mean favours no vertex of a graph by its number. Later Q may miss the
/// minimum by an allowance, see [`with_vertex_tolerance`](Self::with_vertex_tolerance).
///
/// It ends when the last stage does, or after a stage with λ > 0 when X is a permutation (P ≤ 1e-9) or
/// [T2](crate::mathematics#t2-rounding-radius-sharp) certifies its rounding and no swap improves that.
///
/// One assignment and one product of the objective a step; O(n²) memory. Requires the start to lie on the face.
#[doc(alias = "frank-wolfe")]
#[doc(alias = "faq")]
#[doc(alias = "conditional gradient")]
#[derive(Debug, Serialize, Deserialize)]
pub struct FrankWolfe<'a> {
    penalty: Penalty,
    stages: Vec<Stage>,
    face: Face,
    vertex_tolerance: f64,
    #[serde(skip)]
    tilt: Option<Tilt<'a>>,
    /// w of the term in the kept f(X) and ∇f(X).
    #[serde(skip)]
    tilted_by: f64,
    /// What ends the first stage; what ends the run, while that is under way.
    #[serde(skip)]
    other_stop: Option<Stop>,
    #[serde(skip)]
    stage_end: StageEnd<'a>,
    #[serde(skip)]
    workspace: Option<Workspace<'a>>,
}

/// What is computed anew in every step, kept for a stage to save its allocation: no part of what a solver is.
struct Workspace<'a> {
    oracle: Option<Box<dyn VertexGradient + 'a>>,
    assignment: AssignmentSolver,
    cost: DMatrix<f64>,
    free_cost: DMatrix<f64>,
}

impl std::fmt::Debug for Workspace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Workspace")
    }
}

impl<'a> Workspace<'a> {
    fn new(objective: &'a dyn Objective, state: &Iterate) -> Result<Self> {
        let n = objective.size();
        let mut assignment = AssignmentSolver::new();
        if let Some((row_duals, columns)) = &state.last_assignment {
            assignment.warm_start(row_duals, columns)?;
        }
        let oracle = objective.vertex_gradient();
        Ok(Workspace { oracle, assignment, cost: DMatrix::zeros(n, n), free_cost: DMatrix::zeros(0, 0) })
    }
}

impl<'a> FrankWolfe<'a> {
    /// The given stages over `face`.
    pub fn new(penalty: Penalty, stages: Vec<Stage>, face: Face) -> Self {
        FrankWolfe {
            penalty,
            stages,
            face,
            vertex_tolerance: 0.0,
            tilt: None,
            tilted_by: 0.0,
            other_stop: None,
            stage_end: StageEnd::default(),
            workspace: None,
        }
    }

    /// Lets a vertex be worse than the best one by `share` ≥ 0 of the last gap, and by a quarter of that with λ > 0.
    ///
    /// Frank–Wolfe converges as fast with such errors (Jaggi, ICML 2013), and the assignment need not fight its price
    /// wars to the end ([`AssignmentSolver::solve_within`]). The last step of a stage, and one that would end it early,
    /// stay exact, and bounds allow for the error. But a vertex that is not the best one depends on how the vertices of
    /// the graphs are numbered.
    pub fn with_vertex_tolerance(mut self, share: f64) -> Self {
        self.vertex_tolerance = share;
        self
    }

    /// Adds a linear term. The iterates' values and gradients are then those of f with the term, and there is no lower
    /// bound.
    pub(crate) fn tilted(mut self, tilt: Option<Tilt<'a>>) -> Self {
        self.tilt = tilt;
        self
    }

    /// The first stage, not the run, ends at `stop`.
    pub(crate) fn with_first_stage_until(mut self, stop: Stop) -> Self {
        self.other_stop = Some(stop);
        self
    }

    /// Asks at the end of each stage, unless X is hard there, whether the run ends. While it is asked the solver holds
    /// no matrices but the iterate's.
    pub(crate) fn at_stage_ends(mut self, asked: impl FnMut(&Stage, &Iterate) -> Result<bool> + 'a) -> Self {
        self.stage_end = StageEnd::ask(asked);
        self
    }

    /// f with the term as it is in this stage.
    fn tilted_objective(&self, objective: &'a dyn Objective) -> Option<Tilted<'a>> {
        self.tilt.map(|Tilt { cost, .. }| Tilted { objective, cost, weight: self.tilted_by })
    }

    /// Whether the first stage ends here, be its steps made or not.
    fn is_cut(&self, state: &Iterate) -> bool {
        self.other_stop.is_some() && state.stop.is_reached()
    }

    /// Begins the stage that `state` is at: what is known at X moves with the term, or is computed where nothing is, as
    /// at the start or where a step was cut short.
    fn enter_stage(&mut self, objective: &'a dyn Objective, state: &mut Iterate) -> Result<()> {
        let change = self.tilt.map_or(0.0, |tilt| tilt.weight_in(state.stage) - self.tilted_by);
        self.tilted_by += change;
        let tilted = self.tilted_objective(objective);
        let n = self.face.size();
        if state.gradient.shape() != (n, n) {
            state.gradient = DMatrix::zeros(n, n);
            return refresh(tilted.as_ref().map_or(objective, |tilted| tilted), state);
        }
        if let Some(tilted) = tilted {
            tilted.retilt(change, state);
        }
        Ok(())
    }

    /// Ends the stage that `state` is at, and begins the next one if there is one and the run goes on.
    fn end_stage(&mut self, objective: &'a dyn Objective, mut state: Iterate, converged: bool) -> ArgminResult {
        let stage = self.stages[state.stage];
        // What is made between stages needs room: all that goes on is in the state.
        self.workspace = None;
        if let Some(stop) = self.other_stop.take() {
            state.stop = stop;
        }
        let is_hard = stage.weight > 0.0 && has_hardened(objective, &self.face, &state);
        if is_hard || self.stage_end.ends_path(&stage, &state)? {
            return Ok((state.terminate_with(TerminationReason::SolverConverged), None));
        }
        state = leave(&self.stages, state, converged);
        if state.stage < self.stages.len() {
            self.enter_stage(objective, &mut state)?;
        }
        Ok((state, None))
    }

    /// One step at the current stage's weight. Returns false, with X as it was, if it was cut short.
    fn step(&mut self, objective: &'a dyn Objective, state: &mut Iterate) -> Result<bool> {
        if self.workspace.is_none() {
            self.workspace = Some(Workspace::new(objective, state)?);
        }
        let tilted = self.tilted_objective(objective);
        let objective: &dyn Objective = tilted.as_ref().map_or(objective, |tilted| tilted);
        let stage = self.stages[state.stage];
        let is_first = state.last_assignment.is_none();
        let mut tolerance = self.allowance(stage, state);
        let Some(Workspace { oracle, assignment, cost, free_cost }) = &mut self.workspace else { unreachable!() };
        let (x, norms) = state.x.with_norms();
        let products = self.penalty.total_gradient(stage.weight, x, norms, &state.gradient, cost);
        (state.weight, state.penalty) = (stage.weight, products.penalty);
        let free_cost: &DMatrix<f64> = if self.face.is_whole() {
            cost
        } else {
            self.face.restrict(cost, free_cost);
            free_cost
        };

        let q = loop {
            let solved = assignment.solve_until(free_cost, tolerance, &state.stop)?;
            state.lap_calls += 1;
            if !solved {
                return Ok(false);
            }
            let q = self.face.vertex(assignment.columns());
            state.gap = products.total - q.inner_product(cost);
            // What would end the stage is made sure of.
            if tolerance == 0.0 || state.gap > stage.gap_tolerance.max(tolerance) {
                break q;
            }
            tolerance = 0.0;
        };
        let free_columns = Permutation::new(assignment.columns().to_vec())?;
        state.last_assignment = Some((assignment.row_duals().to_vec(), free_columns));
        if !state.gap.is_finite() {
            return Err(Error::Breakdown(format!("Frank-Wolfe gap is {}", state.gap)));
        }
        if stage.weight == 0.0 && objective.is_convex() && tilted.is_none() {
            state.lower_bound = state.lower_bound.max(state.value - state.gap - tolerance);
        }

        let oracle = if stage.weight >= 0.0 { oracle.as_mut() } else { None };
        let Some(oracle) = oracle else {
            self.search(objective, state, &q);
            return refresh(objective, state).map(|()| true);
        };
        let center = if is_first { center_of_ties(free_cost, assignment.value()) } else { None };
        if let Some(center) = center {
            let center = if self.face.is_whole() { center } else { self.face.embed(&center) };
            // The costs are not needed any more.
            if !move_to_center(objective, state, &center, products.gradient, cost) {
                return Ok(false);
            }
        } else {
            let slope = q.inner_product(&state.gradient) - products.gradient;
            let t = minimize_along(state, slope, objective.value_at(&q));
            state.x.move_to_vertex(q.inverse().image(), t);
            oracle.blend(&q, t, &mut state.gradient);
            if let Some(tilted) = &tilted {
                tilted.blend(t, &mut state.gradient);
            }
            forget_unfinished(state);
        }
        state.steps_since_refresh += 1;
        if state.steps_since_refresh >= REFRESH_EVERY {
            refresh(objective, state)?;
        }
        Ok(true)
    }

    /// How much worse than the best the next vertex may be. The last step of a stage is exact, for the sake of the
    /// bound.
    fn allowance(&self, stage: Stage, state: &Iterate) -> f64 {
        if state.stage_steps + 1 >= stage.max_steps || !state.gap.is_finite() {
            return 0.0;
        }
        let closer = if stage.weight == 0.0 { 1.0 } else { CLOSER };
        closer * self.vertex_tolerance * state.gap.max(0.0)
    }

    /// A step without a known curvature: doubles an estimate until the parabola lies above f + λP at its minimizer.
    fn search(&self, objective: &dyn Objective, state: &mut Iterate, q: &Permutation) {
        let total = |x: &DMatrix<f64>, value: f64| value + state.weight * self.penalty.value(x);
        let here = total(&state.x, state.value);
        let there = total(&q.to_matrix(), objective.value_at(q));
        let mut curvature = 2.0 * (there - here + state.gap);
        let rounding = 1e-12 * (here.abs() + there.abs());
        let mut trial = state.x.clone_owned();
        loop {
            let t = parabola_minimizer(state.gap, curvature);
            trial.copy_from(&state.x);
            move_towards(q, t, &mut trial);
            let predicted = here - t * state.gap + 0.5 * t * t * curvature;
            if state.stop.is_reached() {
                state.step_size = 0.0;
                return;
            }
            if t < 1e-10 || total(&trial, objective.value(&trial)) <= predicted + rounding {
                state.step_size = t;
                state.x = trial.into();
                return;
            }
            curvature = 2.0 * curvature.max(state.gap);
        }
    }
}

/// ∇f(X) and f(X) afresh.
fn refresh(objective: &dyn Objective, state: &mut Iterate) -> Result<()> {
    let value = objective.value_and_gradient(&state.x, &mut state.gradient);
    take_refreshed(value, state)
}

/// f(X), computed with ∇f(X), becomes what is known, unless it was cut short.
pub(super) fn take_refreshed(value: f64, state: &mut Iterate) -> Result<()> {
    if forget_unfinished(state) {
        return Ok(());
    }
    (state.value, state.steps_since_refresh) = (value, 0);
    if value.is_finite() { Ok(()) } else { Err(Error::Breakdown(format!("value is {value}"))) }
}

/// Whether ∇f may be unfinished, as its computation may have been cut short: then it is dropped.
pub(super) fn forget_unfinished(state: &mut Iterate) -> bool {
    let unfinished = state.stop.is_reached();
    if unfinished {
        state.gradient = DMatrix::zeros(0, 0);
    }
    unfinished
}

/// Whether a path has arrived: X is a permutation, or its certified rounding is a local minimum under the swaps of the
/// face. False where the state's stop comes first.
fn has_hardened(objective: &dyn Objective, face: &Face, state: &Iterate) -> bool {
    let penalty = state.current_penalty();
    if penalty <= HARD {
        return true;
    }
    // T2
    penalty < ROUNDING_RADIUS
        && Permutation::new(row_argmax(&state.x)).is_ok_and(|p| is_swap_minimum_until(objective, face, &p, &state.stop))
}

/// The step size towards a point with value `there` of a quadratic f whose slope towards it is `slope`; f follows.
fn minimize_along(state: &mut Iterate, slope: f64, there: f64) -> f64 {
    let curvature = 2.0 * (there - state.value - slope);
    let t = parabola_minimizer(state.gap, curvature);
    state.value += t * (slope + 0.5 * t * curvature);
    state.step_size = t;
    t
}

/// A minimizer of ⟨cost, X⟩ that favours none of the rows and columns that are tied, if there is one that is found by
/// sorting; `least` is the minimum.
fn center_of_ties(cost: &DMatrix<f64>, least: f64) -> Option<DMatrix<f64>> {
    let center = MongeOrder::of(cost)?.center()?;
    let rounding = 1e-12 * cost.nrows() as f64 * cost.amax();
    (cost.dot(&center) <= least + rounding).then_some(center)
}

/// A step of a quadratic f towards `center` in the place of a vertex; `product` is ⟨∇f(X), X⟩. One gradient, written to
/// `spare`. Returns false, with X as it was, if it was cut short.
///
/// From the barycenter vertices of equal degree are alike, and each of the many best vertices would favour some of them
/// by their numbers. Their mean is as good to first order, curves less, and follows a renumbering.
fn move_to_center(
    objective: &dyn Objective,
    state: &mut Iterate,
    center: &DMatrix<f64>,
    product: f64,
    spare: &mut DMatrix<f64>,
) -> bool {
    let there = objective.value_and_gradient(center, spare);
    if state.stop.is_reached() {
        return false;
    }
    let slope = state.gradient.dot(center) - product;
    let t = minimize_along(state, slope, there);
    state.x.move_to(center, t);
    state.gradient.zip_apply(spare, |here, there| *here = (1.0 - t) * *here + t * there);
    true
}

/// argmin over t ∈ [0, 1] of −g·t + ½c·t², g ≥ 0.
pub(super) fn parabola_minimizer(g: f64, c: f64) -> f64 {
    if g <= 0.0 {
        0.0
    } else if c <= g {
        1.0
    } else {
        g / c
    }
}

/// X ← (1 − t)X + tQ.
fn move_towards(q: &Permutation, t: f64, x: &mut DMatrix<f64>) {
    *x *= 1.0 - t;
    q.image().iter().enumerate().for_each(|(i, &j)| x[(i, j)] += t);
}

impl<'a> Solver<&'a dyn Objective, Iterate> for FrankWolfe<'a> {
    fn name(&self) -> &str {
        "Frank-Wolfe"
    }

    fn init(&mut self, problem: &mut Problem<&'a dyn Objective>, state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        let mut state = prepared("Frank-Wolfe", objective, &self.face, state)?;
        if let Some(stop) = &mut self.other_stop {
            std::mem::swap(stop, &mut state.stop);
        }
        if self.tilt.is_some() {
            // A bound on f bounds nothing else.
            state.lower_bound = f64::NEG_INFINITY;
        }
        state.penalty = self.penalty.value(&state.x);
        (state.stage, state.stage_steps) = (next_stage(&self.stages, 0), 0);
        self.enter_stage(objective, &mut state)?;
        Ok((state, None))
    }

    fn next_iter(&mut self, problem: &mut Problem<&'a dyn Objective>, mut state: Iterate) -> ArgminResult {
        let objective = *problem.problem.as_ref().expect("argmin holds the problem");
        if self.is_cut(&state) {
            return self.end_stage(objective, state, false);
        }
        check_state("Frank-Wolfe", objective, self.face.size(), &self.stages, &state)?;
        if !self.step(objective, &mut state)? {
            return if self.is_cut(&state) { self.end_stage(objective, state, false) } else { Ok((state, None)) };
        }
        state.stage_steps += 1;
        let stage = self.stages[state.stage];
        let converged = state.gap <= stage.gap_tolerance || state.step_size == 0.0;
        if converged || state.stage_steps >= stage.max_steps {
            return self.end_stage(objective, state, converged);
        }
        Ok((state, None))
    }

    fn terminate(&mut self, state: &Iterate) -> TerminationStatus {
        status(&self.stages, state)
    }
}
