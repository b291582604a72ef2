//! The state every solver works on.

use crate::penalty::{Penalty, Point};
use crate::permutation::Permutation;
use crate::stop::Stop;
use argmin::core::{Problem, State, TerminationReason, TerminationStatus};
use nalgebra::DMatrix;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// Where a run stands: an [`argmin::core::State`] that holds each n × n matrix once.
///
/// It is all a solver needs to go on, so a checkpoint of it resumes to the same bits (on dense weighted graphs up to
/// rounding: their product at the last vertex is formed anew).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Iterate {
    /// X, n × n; 0 × 0 before the first iteration if the solver shall choose its start.
    #[serde(deserialize_with = "point")]
    pub x: Point,
    /// ∇f(X), where the solver keeps it; 0 × 0 where it is not known, as after a step that was cut short.
    #[serde(deserialize_with = "matrix")]
    pub gradient: DMatrix<f64>,
    /// f(X).
    pub value: f64,
    /// P(X), of the l1−l2 penalty unless the solver was given another.
    pub penalty: f64,
    /// The penalty's weight λ in the last step.
    pub weight: f64,
    /// The step taken last: from X to (1 − t)X + tQ for Frank–Wolfe, the multiple of the gradient otherwise.
    pub step_size: f64,
    /// Frank–Wolfe gap ⟨∇(f + λP)(X), X − Q⟩ ≥ 0 of the last step; NaN where it is not computed.
    pub gap: f64,
    /// Largest f(X) − gap(X) seen at λ = 0: a lower bound on min f over the face if f is convex; −∞ if it is not.
    pub lower_bound: f64,
    /// Index of the weight in the path.
    pub stage: usize,
    /// Steps taken at this weight.
    pub stage_steps: usize,
    /// Steps since ∇f was last computed afresh.
    pub steps_since_refresh: usize,
    /// Assignments solved so far.
    pub lap_calls: u64,
    /// Row duals and columns of the last assignment (over the free rows and columns): the next one starts from them.
    pub last_assignment: Option<(Vec<f64>, Permutation)>,
    /// What ends a step early; [`minimize`](super::minimize) sets it to what its limits say.
    #[serde(skip)]
    pub stop: Stop,
    iteration: u64,
    max_iterations: u64,
    elapsed: Option<Duration>,
    counts: HashMap<String, u64>,
    status: TerminationStatus,
}

/// A matrix as nalgebra writes it: the entries, then the sides, whose product nalgebra lets overflow.
fn matrix<'de, D: Deserializer<'de>>(source: D) -> Result<DMatrix<f64>, D::Error> {
    let (entries, rows, columns): (Vec<f64>, usize, usize) = Deserialize::deserialize(source)?;
    if rows.checked_mul(columns) != Some(entries.len()) {
        return Err(D::Error::custom(format!("{} entries in a matrix of {rows} x {columns}", entries.len())));
    }
    Ok(DMatrix::from_vec(rows, columns, entries))
}

fn point<'de, D: Deserializer<'de>>(source: D) -> Result<Point, D::Error> {
    matrix(source).map(Point::from)
}

impl Iterate {
    /// A run that starts at X.
    pub fn at(x: impl Into<Point>) -> Self {
        Iterate { x: x.into(), ..Iterate::new() }
    }

    /// At most this many iterations.
    pub fn max_iterations(mut self, max_iterations: u64) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// A new run from where this one ended: X and what is known there stay, the counts start again.
    pub fn resumed(self) -> Self {
        Iterate {
            stage: 0,
            stage_steps: 0,
            lap_calls: 0,
            iteration: 0,
            counts: HashMap::new(),
            status: TerminationStatus::NotTerminated,
            ..self
        }
    }

    /// A copy for a run that goes on from here, to which ∇f goes: here it is not known any more.
    pub(crate) fn hand_over(&mut self) -> Self {
        let gradient = std::mem::take(&mut self.gradient);
        Iterate { gradient, ..self.clone() }
    }

    /// Iterations and assignments so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.iteration, self.lap_calls)
    }

    /// Adds the [counts](Self::counts) of an earlier run to this one's.
    pub(crate) fn add_counts(&mut self, (iterations, lap_calls): (u64, u64)) {
        self.iteration += iterations;
        self.lap_calls += lap_calls;
    }

    /// With other counts, those of a search that this is the last iterate of.
    pub(crate) fn counting(mut self, iterations: u64, lap_calls: u64) -> Self {
        (self.iteration, self.lap_calls) = (iterations, lap_calls);
        self
    }

    /// As if this many iterations lay behind.
    pub(super) fn with_iterations(mut self, iterations: u64) -> Self {
        self.iteration = iterations;
        self
    }

    /// Iterations so far.
    pub fn iterations(&self) -> u64 {
        self.iteration
    }

    /// Why the run ended, if it did.
    pub fn termination(&self) -> Option<&TerminationReason> {
        self.get_termination_reason()
    }

    /// P(X), computed afresh.
    pub fn current_penalty(&self) -> f64 {
        Penalty::L1MinusL2.value(&self.x)
    }
}

impl State for Iterate {
    type Param = DMatrix<f64>;
    type Float = f64;

    fn new() -> Self {
        Iterate {
            x: Point::default(),
            gradient: DMatrix::zeros(0, 0),
            value: f64::INFINITY,
            penalty: f64::INFINITY,
            weight: 0.0,
            step_size: 0.0,
            gap: f64::NAN,
            lower_bound: f64::NEG_INFINITY,
            stage: 0,
            stage_steps: 0,
            steps_since_refresh: 0,
            lap_calls: 0,
            last_assignment: None,
            stop: Stop::never(),
            iteration: 0,
            max_iterations: u64::MAX,
            elapsed: None,
            counts: HashMap::new(),
            status: TerminationStatus::NotTerminated,
        }
    }

    /// Nothing to do: along a path of growing weights the last iterate is the one that counts.
    fn update(&mut self) {}

    fn get_param(&self) -> Option<&DMatrix<f64>> {
        Some(&self.x)
    }

    fn get_best_param(&self) -> Option<&DMatrix<f64>> {
        Some(&self.x)
    }

    fn get_max_iters(&self) -> u64 {
        self.max_iterations
    }

    fn increment_iter(&mut self) {
        self.iteration += 1;
    }

    fn get_iter(&self) -> u64 {
        self.iteration
    }

    fn get_cost(&self) -> f64 {
        self.value + self.weight * self.penalty
    }

    fn get_best_cost(&self) -> f64 {
        self.get_cost()
    }

    fn get_target_cost(&self) -> f64 {
        f64::NEG_INFINITY
    }

    fn func_counts<O>(&mut self, problem: &Problem<O>) {
        self.counts.extend(problem.counts.iter().map(|(name, &count)| (name.to_string(), count)));
    }

    fn get_func_counts(&self) -> &HashMap<String, u64> {
        &self.counts
    }

    fn time(&mut self, time: Option<Duration>) -> &mut Self {
        self.elapsed = time;
        self
    }

    fn get_time(&self) -> Option<Duration> {
        self.elapsed
    }

    fn get_last_best_iter(&self) -> u64 {
        self.iteration
    }

    fn is_best(&self) -> bool {
        true
    }

    fn terminate_with(mut self, reason: TerminationReason) -> Self {
        self.status = TerminationStatus::Terminated(reason);
        self
    }

    fn get_termination_status(&self) -> &TerminationStatus {
        &self.status
    }

    fn get_termination_reason(&self) -> Option<&TerminationReason> {
        match &self.status {
            TerminationStatus::Terminated(reason) => Some(reason),
            TerminationStatus::NotTerminated => None,
        }
    }
}
