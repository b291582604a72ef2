//! The runs of a recovery: from a start through the method to a polished permutation.

use super::enumeration::is_small;
use super::path::{DESCENT_STEPS, Path, Tilt};
use super::settings::{Effort, Method, RestartFrom, Settings};
use crate::error::{Error, Result};
use crate::instance::rng;
use crate::local_search::{anneal, swap_descent};
use crate::objective::Objective;
use crate::penalty::WeightSchedule;
use crate::permutation::Permutation;
use crate::polytope::{Face, random_point_until, require_square_and_finite, residual};
use crate::solver::{FrankWolfe, Iterate, Limits, ProjectedGradient, Projection, SinkhornLbfgs, Stage, minimize};
use crate::stop::Stop;
use nalgebra::DMatrix;
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Instant;

/// Random permutations whose mean value tells what knowing nothing is worth.
const RANDOM_VALUES: usize = 32;

/// w in the relaxation of a tilted start, in units of κ and C's standard deviation.
const TILT: f64 = 0.05;

/// w where a reheated path begins.
const REHEATED_TILT: f64 = 0.005;

/// The share of a first answer in the point that a reheated path starts from.
const REHEATED: f64 = 0.6;

/// The weights of a reheated path as shares of the last one: from 0.2κ to 0.65κ by default. Below nothing moves, and
/// what its descents do not find there they do not find later (docs/frontier.md).
const REHEATED_WEIGHTS: WeightSchedule = WeightSchedule { first: 0.04, last: 0.13, stages: 6 };

/// Probes that are made by short paths, before all others.
const SHORT_PROBES: usize = 16;

/// Steps of a short probe at each weight, and its weights as shares of the last one: from 0.028κ to 0.16κ by default.
/// It tells for little what is nearly found without it (docs/frontier.md).
const SHORT_PROBE: (usize, WeightSchedule) = (20, WeightSchedule { first: 0.0056, last: 0.032, stages: 3 });

/// The same of a long probe, from 0.005κ on: on large graphs it finds many times as much, at some two to four times the
/// cost.
const LONG_PROBE: (usize, WeightSchedule) = (50, WeightSchedule { first: 0.001, last: 0.032, stages: 7 });

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
    random_mean: OnceLock<f64>,
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
        self.frank_wolfe(objective, vec![self.relaxation_stage(objective)], Iterate::at(start), limits)
    }

    /// Whether every permutation is looked at, after the first run: on few free rows, by the default method.
    pub fn enumerates(&self) -> bool {
        let Settings { method, descents, restarts, .. } = self.settings;
        *method == Method::Penalized && *descents && *restarts == 0 && is_small(self.face)
    }

    pub fn relaxation_stage(&self, objective: &dyn Objective) -> Stage {
        let gap_tolerance = self.settings.relaxation_gap * objective.scale();
        Stage { weight: 0.0, max_steps: self.settings.relaxation_steps, gap_tolerance }
    }

    pub fn frank_wolfe(
        &self,
        objective: &dyn Objective,
        stages: Vec<Stage>,
        start: Iterate,
        limits: &Limits,
    ) -> Result<Iterate> {
        let solver = FrankWolfe::new(self.settings.penalty, stages, self.face.clone())
            .with_vertex_tolerance(self.settings.vertex_tolerance);
        minimize(objective, solver, start, limits)
    }

    /// The penalized path from the relaxed minimizer of f + w⟨C, X⟩, w fading from stage to stage.
    pub fn tilted_run(&self, cost: &DMatrix<f64>, start: Iterate, limits: &Limits) -> Result<Run> {
        let stages = std::iter::once(self.relaxation_stage(self.objective)).chain(self.stages()).collect();
        self.follow(Path { stages, tilt: Some(self.tilt(cost)), may_settle: true }, start, limits)
    }

    /// The relaxed minimizer of f + w⟨C, X⟩.
    pub fn tilted_relaxation(&self, cost: &DMatrix<f64>, start: Iterate, limits: &Limits) -> Result<Iterate> {
        let stages = vec![self.relaxation_stage(self.objective)];
        self.walk(stages, Some(self.tilt(cost)), start, (limits, limits), |_, _| Ok(false))
    }

    /// The term of a tilted start, which fades along a whole path.
    fn tilt<'c>(&self, cost: &'c DMatrix<f64>) -> Tilt<'c> {
        Tilt::fading(cost, TILT, 1 + self.settings.schedule.stages)
    }

    /// The path from X = (1 − m)·J/n + m·P, P an earlier answer, at weights that leave it room; with a little of the
    /// first start's term, if it had one.
    pub fn reheat(&self, answer: &Permutation, cost: Option<&DMatrix<f64>>, limits: &Limits) -> Result<Run> {
        let x = self.face.barycenter() * (1.0 - REHEATED) + answer.to_matrix() * REHEATED;
        let stages = self.stages_of(self.shares(REHEATED_WEIGHTS));
        let tilt = cost.map(|cost| Tilt::fading(cost, REHEATED_TILT, stages.len()));
        // Its first descents find the answer that it starts from.
        self.follow(Path { stages, tilt, may_settle: false }, Iterate::at(x), limits)
    }

    /// The path's stages. A convex f has its relaxation behind it; for others the weight rises from −last·κ through 0.
    fn stages(&self) -> Vec<Stage> {
        self.stages_of(self.settings.schedule)
    }

    fn stages_of(&self, schedule: WeightSchedule) -> Vec<Stage> {
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
    fn shares(&self, WeightSchedule { first, last, stages }: WeightSchedule) -> WeightSchedule {
        let end = self.settings.schedule.last;
        WeightSchedule { first: first * end, last: last * end, stages }
    }

    /// The method from a relaxed iterate, or from a point.
    pub fn run(&self, relaxed: Option<&Iterate>, start: &DMatrix<f64>, limits: &Limits) -> Result<Run> {
        let (objective, settings) = (self.objective, self.settings);
        let indefinite = objective.indefinite_form().unwrap_or(objective);
        let faq = |x: DMatrix<f64>| self.relax(indefinite, x, limits);
        let gradient = |projection| {
            let solver = ProjectedGradient::new(settings.penalty, self.stages(), self.face.clone(), projection);
            minimize(objective, solver, Iterate::at(start.clone()), limits)
        };
        let last = match settings.method {
            Method::Penalized => {
                let start = relaxed.map_or_else(|| Iterate::at(start.clone()), Iterate::resumed);
                return self.follow(Path { stages: self.stages(), tilt: None, may_settle: true }, start, limits);
            }
            Method::Relaxation => match relaxed {
                Some(relaxed) => relaxed.clone(),
                None => self.relax(objective, start.clone(), limits)?,
            },
            Method::Faq => faq(start.clone())?,
            Method::RelaxationFaq => faq(relaxed.map_or_else(|| start.clone(), |relaxed| relaxed.x.clone()))?,
            Method::ProjectedGradient => gradient(Projection::Scale)?,
            Method::ProjectedGradientExact => gradient(Projection::Euclidean)?,
            Method::Sinkhorn => SinkhornLbfgs::default().minimize(objective, self.face, start, limits)?,
        };
        self.finish(last)
    }

    /// Rounds and polishes a last iterate.
    pub fn finish(&self, mut last: Iterate) -> Result<Run> {
        let permutation = self.face.round_until(&last.x, self.grace)?;
        // Nothing goes on from here, and it is as large as X.
        last.gradient = DMatrix::zeros(0, 0);
        let mut run = Run { last, permutation, value: f64::NAN, swaps: 0, agreed: false };
        self.polish(&mut run)?;
        Ok(run)
    }

    /// Swap descent.
    fn polish(&self, run: &mut Run) -> Result<()> {
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

    /// Restart number `index` ≥ 1, as [`Settings::restart_from`] says; `pairs` are the likeliest ones of a relaxed
    /// iterate.
    pub fn restart(
        &self,
        index: usize,
        pairs: &[(usize, usize)],
        relaxed: Option<&Iterate>,
        start: &DMatrix<f64>,
        limits: &Limits,
    ) -> Result<Run> {
        match (relaxed, self.settings.restart_from) {
            (Some(relaxed), RestartFrom::LikelyPairs) => {
                self.anchored_run(pairs.get(index - 1).copied(), &relaxed.x, |anchored, start| {
                    let relaxed = anchored.relax(anchored.objective, start.x, limits)?;
                    let mut run = anchored.run(Some(&relaxed), &relaxed.x, limits)?;
                    run.last.add_counts_of(&relaxed);
                    Ok(run)
                })
            }
            _ => {
                let from = self.random_point(index, relaxed.map_or(start, |relaxed| &relaxed.x));
                self.run(None, &from, limits)
            }
        }
    }

    /// Probe number `number`, from 0 on: the beginning of a path with one pair more anchored, tilted by `cost`. Its
    /// descents tell whether the pair is right, long before the path would.
    pub fn probe(
        &self,
        number: usize,
        pair: (usize, usize),
        x: &DMatrix<f64>,
        cost: Option<&DMatrix<f64>>,
        limits: &Limits,
    ) -> Result<Run> {
        let (steps, schedule) = probe_path(number);
        self.anchored_run(Some(pair), x, |anchored, start| {
            let rising = anchored.stages_of(self.shares(schedule));
            let stages = std::iter::once(anchored.relaxation_stage(self.objective)).chain(rising);
            let stages = stages.map(|stage| Stage { max_steps: steps, ..stage }).collect();
            anchored.follow(Path { stages, tilt: cost.map(|cost| self.tilt(cost)), may_settle: true }, start, limits)
        })
    }

    /// The most iterations that probe number `number` can take.
    pub fn probe_iterations(&self, number: usize) -> u64 {
        let (steps, WeightSchedule { stages, .. }) = probe_path(number);
        (steps * (1 + stages) + DESCENT_STEPS * stages) as u64
    }

    /// A run on the face where one pair more is anchored, from X moved there; polishing may give up that pair.
    fn anchored_run(
        &self,
        pair: Option<(usize, usize)>,
        x: &DMatrix<f64>,
        run: impl FnOnce(&Search, Iterate) -> Result<Run>,
    ) -> Result<Run> {
        let anchors: Vec<_> = self.settings.anchors.iter().copied().chain(pair).collect();
        let face = Face::new(self.face.size(), &anchors)?;
        let anchored = Search::new(self.objective, self.settings, &face, (self.stop, self.grace));
        let start = pair.map_or_else(|| x.clone(), |pair| moved(x, pair));
        let mut run = run(&anchored, Iterate::at(start))?;
        // A bound on a smaller face bounds nothing else.
        run.last.lower_bound = f64::NEG_INFINITY;
        self.polish(&mut run)?;
        Ok(run)
    }

    /// How far `value` is from `zero`, where the mean value of random permutations is at 1: see
    /// [`DOUBTFUL`](super::DOUBTFUL). Not at all once the stop is reached.
    pub fn excess(&self, value: f64, zero: f64) -> f64 {
        let Some(mean) = self.random_mean() else { return 0.0 };
        if mean > zero { (value - zero) / (mean - zero) } else { 0.0 }
    }

    /// `None` where the stop comes first.
    fn random_mean(&self) -> Option<f64> {
        if let Some(&mean) = self.random_mean.get() {
            return Some(mean);
        }
        let mut rng = rng(self.settings.rng_seed, u64::MAX);
        let m = self.face.free_rows().len();
        let mut sum = 0.0;
        for _ in 0..RANDOM_VALUES {
            if self.stop.is_reached() {
                return None;
            }
            sum += self.objective.value_at(&self.face.vertex(Permutation::random(m, &mut rng).image()));
        }
        Some(*self.random_mean.get_or_init(|| sum / RANDOM_VALUES as f64))
    }

    /// Halfway between `center` and a random point of the face, from the stream of restart `index`.
    fn random_point(&self, index: usize, center: &DMatrix<f64>) -> DMatrix<f64> {
        let mut rng = rng(self.settings.rng_seed, index as u64);
        let random = self.face.embed(&random_point_until(self.face.free_rows().len(), &mut rng, self.stop));
        (center + random) * 0.5
    }
}

/// The limits with half of the time that is left: by then there should be something to improve.
pub(super) fn half_way(limits: &Limits) -> Limits {
    let now = Instant::now();
    let half = |deadline: Instant| now + deadline.saturating_duration_since(now) / 2;
    Limits { deadline: limits.deadline.map(half), ..limits.clone() }
}

/// The ranks of the pairs of the probes with these numbers, of the first ones that are alike: the likeliest pairs are
/// probed by short paths, then all by long ones, the likeliest first.
pub(super) fn probe_ranks(numbers: Range<usize>) -> Range<usize> {
    match numbers.start.checked_sub(SHORT_PROBES) {
        None => numbers.start..numbers.end.min(SHORT_PROBES),
        Some(first) => first..numbers.end - SHORT_PROBES,
    }
}

/// The path of probe number `number`.
fn probe_path(number: usize) -> (usize, WeightSchedule) {
    if number < SHORT_PROBES { SHORT_PROBE } else { LONG_PROBE }
}

/// X moved onto the face of one pair more: Y_rc = X_rc + X_rj·X_ic / (1 − X_ij), where what row i and column j held
/// elsewhere is shared out. Doubly stochastic if X is.
fn moved(x: &DMatrix<f64>, (i, j): (usize, usize)) -> DMatrix<f64> {
    let left = 1.0 - x[(i, j)];
    let mut y = x.clone();
    if left > f64::EPSILON {
        y.ger(1.0 / left, &x.column(j), &x.row(i).transpose(), 1.0);
    }
    y.row_mut(i).fill(0.0);
    y.column_mut(j).fill(0.0);
    y[(i, j)] = 1.0;
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_point_is_doubly_stochastic_and_holds_the_anchor() {
        // Doubly stochastic to the last bits, which a random point is not.
        let mut rng = rng(1, 0);
        let x = (0..16).map(|_| Permutation::random(6, &mut rng).to_matrix() / 16.0).sum();
        let y = moved(&x, (2, 4));
        assert!(residual(&y) < 1e-12 && y.min() >= 0.0);
        assert_eq!((y[(2, 4)], y[(2, 0)], y[(0, 4)]), (1.0, 0.0, 0.0));
        let p = Permutation::identity(3).to_matrix();
        assert_eq!(moved(&p, (1, 1)), p);
    }
}
