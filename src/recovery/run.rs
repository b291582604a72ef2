//! What every run of a recovery begins and ends with: the search's stages, rounding, polishing, annealing.

use super::enumeration::is_small;
use super::settings::{Effort, Method, Settings};
use crate::error::{Error, Result};
use crate::instance::rng;
use crate::local_search::{anneal, swap_descent};
use crate::objective::Objective;
use crate::penalty::WeightSchedule;
use crate::permutation::Permutation;
use crate::polytope::{Face, require_square_and_finite, residual};
use crate::solver::{FrankWolfe, Iterate, Limits, Stage, minimize};
use crate::stop::Stop;
use argmin::core::TerminationReason;
use nalgebra::DMatrix;
use std::sync::OnceLock;
use std::time::Instant;

/// The stream of random numbers of every annealed walk.
const ANNEALING_STREAM: u64 = u64::MAX - 1;

/// An error unless the start of the user's own, if there is one, lies on the face of D_n.
pub(super) fn check_start(settings: &Settings, n: usize) -> Result<()> {
    let Some(start) = &settings.start else { return Ok(()) };
    require_square_and_finite("start", start)?;
    if start.nrows() != n {
        let found = format!("{} x {}", start.nrows(), start.ncols());
        return Err(Error::shape("start", format!("{n} x {n}"), found));
    }
    if residual(start) > 1e-6 {
        return Err(Error::argument("start", format!("is not doubly stochastic: residual {:e}", residual(start))));
    }
    if let Some((i, j)) = settings.anchors.iter().find(|&&(i, j)| (start[(i, j)] - 1.0).abs() > 1e-6) {
        return Err(Error::argument("start", format!("contradicts the anchor ({i}, {j})")));
    }
    Ok(())
}

/// One run's last iterate, and what rounding and polishing made of it.
pub(super) struct Run {
    pub last: Iterate,
    pub permutation: Permutation,
    pub value: f64,
    pub swaps: usize,
    /// Whether it ended because its descents agreed, and nothing improved their answer since: then no path from there
    /// does.
    pub agreed: bool,
}

/// One objective, one face, one set of settings.
pub(super) struct Search<'a> {
    pub objective: &'a dyn Objective,
    pub settings: &'a Settings,
    pub face: &'a Face,
    /// Reached when the limits are: the objective gives up then, too.
    pub stop: &'a Stop,
    /// Reached somewhat later: ends the rounding of what was cut short.
    pub grace: &'a Stop,
    /// The mean value of random permutations, once somebody asked for it.
    pub random_mean: OnceLock<f64>,
}

impl<'a> Search<'a> {
    pub fn new(
        objective: &'a dyn Objective,
        settings: &'a Settings,
        face: &'a Face,
        (stop, grace): (&'a Stop, &'a Stop),
    ) -> Self {
        Search { objective, settings, face, stop, grace, random_mean: OnceLock::new() }
    }

    /// Frank–Wolfe at weight 0.
    pub fn relax(&self, objective: &dyn Objective, start: DMatrix<f64>, limits: &Limits) -> Result<Iterate> {
        let solver = self.frank_wolfe(vec![self.relaxation_stage(objective)]);
        minimize(objective, solver, Iterate::at(start), limits)
    }

    /// Whether every permutation is looked at, after the first run: on few free rows, by the default method.
    pub fn enumerates(&self) -> bool {
        let Settings { method, descents, restarts, .. } = self.settings;
        *method == Method::Penalized && *descents && *restarts == 0 && is_small(self.face)
    }

    /// Whether further runs may begin where the relaxation ended: not where the effort pays for one run, and no start
    /// asks for another.
    pub fn goes_on(&self, starts: usize) -> bool {
        let Settings { method, restarts, effort, starts: most, .. } = self.settings;
        *method == Method::Penalized && *restarts == 0 && (*effort != Effort::Quick || starts > 1 || most.is_some())
    }

    pub fn relaxation_stage(&self, objective: &dyn Objective) -> Stage {
        let gap_tolerance = self.settings.relaxation_gap * objective.scale();
        Stage { weight: 0.0, max_steps: self.settings.relaxation_steps, gap_tolerance }
    }

    pub fn frank_wolfe<'b>(&self, stages: Vec<Stage>) -> FrankWolfe<'b> {
        FrankWolfe::new(self.settings.penalty, stages, self.face.clone())
            .with_vertex_tolerance(self.settings.vertex_tolerance)
    }

    /// The path's stages. A convex f has its relaxation behind it; for others the weight rises from −last·κ through 0.
    pub fn stages(&self) -> Vec<Stage> {
        self.stages_of(self.settings.schedule)
    }

    pub fn stages_of(&self, schedule: WeightSchedule) -> Vec<Stage> {
        let scale = self.objective.scale();
        let stage = |weight: f64| Stage {
            weight: weight * scale,
            max_steps: self.settings.steps_per_weight,
            gap_tolerance: 1e-9 * scale,
        };
        let rising = schedule.weights();
        let convexifying = if self.objective.is_convex() { vec![] } else { rising.iter().rev().map(|w| -w).collect() };
        convexifying.into_iter().chain(rising).map(stage).collect()
    }

    /// A schedule in shares of the last weight, in units of κ.
    pub fn shares(&self, WeightSchedule { first, last, stages }: WeightSchedule) -> WeightSchedule {
        let end = self.settings.schedule.last;
        WeightSchedule { first: first * end, last: last * end, stages }
    }

    /// Rounds and polishes a last iterate.
    pub fn finish(&self, mut last: Iterate) -> Result<Run> {
        // Nothing goes on from here, and it is as large as X.
        last.gradient = DMatrix::zeros(0, 0);
        let permutation = self.face.round_until(&last.x, self.grace)?;
        let mut run = Run { last, permutation, value: f64::NAN, swaps: 0, agreed: false };
        self.polish(&mut run)?;
        Ok(run)
    }

    /// Swap descent.
    pub fn polish(&self, run: &mut Run) -> Result<()> {
        if self.settings.polish && !self.stop.is_reached() {
            let stop = || self.stop.is_reached();
            run.swaps += swap_descent(self.objective, self.face, &mut run.permutation, &stop);
        }
        run.value = self.objective.value_at(&run.permutation);
        if run.value.is_finite() { Ok(()) } else { Err(Error::Breakdown(format!("value is {}", run.value))) }
    }

    /// With more than the least effort, an annealed walk where the graphs are sparse.
    pub fn anneal(&self, run: &mut Run) -> Result<()> {
        if !self.settings.polish || self.settings.effort == Effort::Quick || self.stop.is_reached() {
            return Ok(());
        }
        let mut rng = rng(self.settings.rng_seed, ANNEALING_STREAM);
        let stop = || self.stop.is_reached();
        let before = run.value;
        run.swaps += anneal(self.objective, self.face, &mut run.permutation, &mut rng, &stop);
        self.polish(run)?;
        run.agreed &= run.value == before;
        Ok(())
    }
}

/// The limits with half of the time that is left: by then there should be something to improve.
pub(super) fn half_way(limits: &Limits) -> Limits {
    let now = Instant::now();
    let half = |deadline: Instant| now + deadline.saturating_duration_since(now) / 2;
    Limits { deadline: limits.deadline.map(half), ..limits.clone() }
}

/// Whether a run ended because a limit came.
pub(super) fn is_limit(reason: &TerminationReason) -> bool {
    matches!(reason, TerminationReason::Timeout | TerminationReason::Interrupt)
}
