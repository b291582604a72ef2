//! The deep module: path, solve, round, polish and certify in one call.

use crate::certificate::{Certificate, Optimality, certify};
use crate::error::{Error, Result};
use crate::instance::rng;
use crate::local_search::swap_descent;
use crate::objective::Objective;
use crate::penalty::{Penalty, WeightSchedule};
use crate::permutation::Permutation;
use crate::polytope::{Face, random_point, require_square_and_finite, residual};
use crate::solver::{FrankWolfe, Iterate, Limits, ProjectedGradient, Projection, SinkhornLbfgs, Stage, minimize};
use argmin::core::TerminationReason;
use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How a permutation is sought. [`solver`](crate::solver) says which to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Frank–Wolfe on f over D_n to a set gap, then rounding.
    Relaxation,
    /// The penalized path: the relaxation, then f + λP with λ growing until X is a permutation.
    #[default]
    Penalized,
    /// Frank–Wolfe on the indefinite form from the barycenter, or from [`Settings::start`].
    Faq,
    /// The relaxation, then Frank–Wolfe on the indefinite form from its solution.
    RelaxationFaq,
    /// Projected gradient on f + λP with threshold and scaling, as in training.
    ProjectedGradient,
    /// Projected gradient on f + λP with the exact Euclidean projection.
    ProjectedGradientExact,
    /// L-BFGS over the log-parameters of Sinkhorn scaling.
    Sinkhorn,
}

impl Method {
    /// Every method, in the order of the table in [`solver`](crate::solver).
    pub const ALL: [Method; 7] = [
        Method::Relaxation,
        Method::Penalized,
        Method::Faq,
        Method::RelaxationFaq,
        Method::ProjectedGradient,
        Method::ProjectedGradientExact,
        Method::Sinkhorn,
    ];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Relaxation => "relaxation",
            Method::Penalized => "penalized",
            Method::Faq => "faq",
            Method::RelaxationFaq => "relaxation-faq",
            Method::ProjectedGradient => "projected-gradient",
            Method::ProjectedGradientExact => "projected-gradient-exact",
            Method::Sinkhorn => "sinkhorn",
        }
    }

    fn needs_relaxation(self) -> bool {
        matches!(self, Method::Relaxation | Method::Penalized | Method::RelaxationFaq)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`recover`] is asked to do. The defaults are meant to be left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The method.
    pub method: Method,
    /// P.
    pub penalty: Penalty,
    /// The weights of the penalized path, in units of κ.
    pub schedule: WeightSchedule,
    /// At most this many steps at each weight.
    pub steps_per_weight: usize,
    /// At most this many Frank–Wolfe steps of the relaxation (and of FAQ).
    pub relaxation_steps: usize,
    /// The relaxation ends when its gap is at most this times κ.
    pub relaxation_gap: f64,
    /// Further runs from random points of the polytope; the best value is kept.
    pub restarts: usize,
    /// Seed of the restarts' random points: the same seed gives the same answer on any number of threads.
    pub rng_seed: u64,
    /// Seconds after which the best answer so far is returned; none means no limit.
    pub time_limit: Option<f64>,
    /// Whether the rounded permutation is improved by [`swap_descent`].
    pub polish: bool,
    /// Known correspondences (vertex of A, vertex of B), kept fixed.
    #[serde(skip)]
    pub anchors: Vec<(usize, usize)>,
    /// A start of the user's own, n × n on the anchors' face of D_n; none means the barycenter.
    #[serde(skip)]
    pub start: Option<DMatrix<f64>>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            method: Method::default(),
            penalty: Penalty::default(),
            schedule: WeightSchedule::default(),
            steps_per_weight: 25,
            relaxation_steps: 200,
            relaxation_gap: 1e-3,
            restarts: 0,
            rng_seed: 0,
            time_limit: None,
            polish: true,
            anchors: Vec::new(),
            start: None,
        }
    }
}

impl Settings {
    /// The defaults with another method.
    pub fn of(method: Method) -> Self {
        Settings { method, ..Settings::default() }
    }

    fn validate(&self) -> Result<()> {
        let WeightSchedule { first, last, stages } = self.schedule;
        if !(first > 0.0 && last >= first && last.is_finite() && stages >= 1) {
            return Err(Error::argument(
                "schedule",
                format!("needs 0 < first <= last and stages >= 1, not {first}, {last}, {stages}"),
            ));
        }
        if self.steps_per_weight == 0 {
            return Err(Error::argument("steps_per_weight", "is 0"));
        }
        if self.relaxation_gap.is_nan() || self.relaxation_gap < 0.0 {
            return Err(Error::argument("relaxation_gap", format!("is {}, but must be >= 0", self.relaxation_gap)));
        }
        if self.time_limit.is_some_and(|seconds| !(seconds > 0.0 && seconds.is_finite())) {
            return Err(Error::argument("time_limit", "must be a positive number of seconds"));
        }
        Ok(())
    }
}

/// A permutation, and everything that can be said of it.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The answer: vertex i of A goes to vertex p(i) of B.
    pub permutation: Permutation,
    /// Its value, and the proved gap to the best one.
    pub optimality: Optimality,
    /// How near the winning run's X was to a permutation before rounding.
    pub certificate: Certificate,
    /// The winning run's X before rounding.
    pub x: DMatrix<f64>,
    /// Iterations of all runs.
    pub iterations: u64,
    /// Assignments solved by all runs, the final roundings not counted.
    pub lap_calls: u64,
    /// Swaps that polishing made in the winning run.
    pub swaps: usize,
    /// The run that won: 0 the first, r ≥ 1 the r-th restart.
    pub winner: usize,
    /// Runs that were made: 1 + restarts, or fewer when a limit came first.
    pub runs: usize,
    /// How the winning run ended; a limit's reason if one cut short any run.
    pub termination: TerminationReason,
    /// Wall-clock time.
    pub elapsed: Duration,
}

/// Recovers the permutation that minimizes `objective`, as `settings` say.
///
/// Runs the method on D_n (on the face of the anchors), rounds by the maximum assignment, polishes by swaps, and
/// certifies. With restarts, all runs share the relaxation, go in parallel, and the smallest value wins, the earlier
/// run on ties: the answer does not depend on the number of threads. On an objective that is not convex (a QAP) the
/// penalized path starts at negative weights, where −P convexifies.
///
/// # Errors
/// [`Error::Argument`] and [`Error::Shape`] for settings that make no sense; [`Error::Breakdown`] when values stop being finite.
///
/// ```
/// use birkhoff::objective::GraphMatching;
/// use birkhoff::recovery::{Settings, recover};
/// use birkhoff::{Graph, Permutation};
/// // A triangle with a tail of two, and the same graph with its vertices renamed.
/// let a = Graph::undirected(5, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (2, 3, 1.0), (3, 4, 1.0)])?;
/// let b = Graph::undirected(5, [(4, 1, 1.0), (1, 0, 1.0), (0, 4, 1.0), (0, 2, 1.0), (2, 3, 1.0)])?;
/// let recovery = recover(&GraphMatching::new(a, b)?, &Settings::default())?;
/// assert_eq!(recovery.permutation.image()[2..], [0, 2, 3]);
/// assert!(recovery.optimality.is_proved());
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn recover(objective: &dyn Objective, settings: &Settings) -> Result<Recovery> {
    recover_within(objective, settings, &Limits::default())
}

/// [`recover`] under limits of the caller's: an interrupt flag, a deadline, a watcher that sees every iterate of the first run.
///
/// # Errors
/// As [`recover`].
pub fn recover_within(objective: &dyn Objective, settings: &Settings, limits: &Limits) -> Result<Recovery> {
    let began = Instant::now();
    settings.validate()?;
    let face = Face::new(objective.size(), &settings.anchors)?;
    let start = start_point(settings, &face)?;
    let mut limits = limits.clone();
    if let Some(seconds) = settings.time_limit {
        let deadline = began + Duration::from_secs_f64(seconds);
        limits.deadline = Some(limits.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    let search = Search { objective, settings, face: &face };
    let relaxed = if settings.method.needs_relaxation() && objective.is_convex() {
        Some(search.relax(objective, start.clone(), &limits)?)
    } else {
        None
    };
    let unwatched = Limits { watcher: None, ..limits.clone() };
    let runs: Vec<Run> = (0..=settings.restarts)
        .into_par_iter()
        .map(|index| {
            if index == 0 {
                search.run(relaxed.as_ref(), &start, &limits).map(Some)
            } else if unwatched.reached().is_some() {
                Ok(None)
            } else {
                let from = search.restart_point(index, relaxed.as_ref().map_or(&start, |relaxed| &relaxed.x));
                search.run(None, &from, &unwatched).map(Some)
            }
        })
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();

    // Where the relaxation is the method, it is the first run and counted there.
    let before = relaxed.as_ref().filter(|_| settings.method != Method::Relaxation);
    let spent = |count: fn(&Iterate) -> u64| -> u64 {
        before.map_or(0, count) + runs.iter().map(|run| count(&run.last)).sum::<u64>()
    };
    let (iterations, lap_calls) = (spent(Iterate::iterations), spent(|iterate| iterate.lap_calls));
    let count = runs.len();
    let cut_short = runs.iter().find_map(|run| run.last.termination().filter(|reason| is_limit(reason)).cloned());
    let (winner, run) = runs
        .into_iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value))
        .expect("the first run is always made");
    let bound = relaxed.map_or(f64::NEG_INFINITY, |relaxed| relaxed.lower_bound).max(run.last.lower_bound);
    let bound = if objective.is_convex() { bound } else { f64::NEG_INFINITY };
    Ok(Recovery {
        optimality: Optimality::of(objective, run.value, bound),
        certificate: certify(&run.last.x)?,
        permutation: run.permutation,
        iterations,
        lap_calls,
        swaps: run.swaps,
        winner,
        runs: count,
        termination: cut_short
            .or_else(|| run.last.termination().cloned())
            .unwrap_or(TerminationReason::SolverConverged),
        x: run.last.x,
        elapsed: began.elapsed(),
    })
}

fn is_limit(reason: &TerminationReason) -> bool {
    matches!(reason, TerminationReason::Timeout | TerminationReason::Interrupt)
}

/// Where the first run starts.
fn start_point(settings: &Settings, face: &Face) -> Result<DMatrix<f64>> {
    let Some(start) = &settings.start else { return Ok(face.barycenter()) };
    require_square_and_finite("start", start)?;
    if start.nrows() != face.size() {
        let found = format!("{} x {}", start.nrows(), start.ncols());
        return Err(Error::shape("start", format!("{0} x {0}", face.size()), found));
    }
    if residual(start) > 1e-6 {
        return Err(Error::argument("start", format!("is not doubly stochastic: residual {:e}", residual(start))));
    }
    if let Some((i, j)) = settings.anchors.iter().find(|&&(i, j)| (start[(i, j)] - 1.0).abs() > 1e-6) {
        return Err(Error::argument("start", format!("contradicts the anchor ({i}, {j})")));
    }
    Ok(start.clone())
}

/// One run's last iterate, and what rounding and polishing made of it.
struct Run {
    last: Iterate,
    permutation: Permutation,
    value: f64,
    swaps: usize,
}

struct Search<'a> {
    objective: &'a dyn Objective,
    settings: &'a Settings,
    face: &'a Face,
}

impl Search<'_> {
    /// Frank–Wolfe at weight 0.
    fn relax(&self, objective: &dyn Objective, start: DMatrix<f64>, limits: &Limits) -> Result<Iterate> {
        self.frank_wolfe(objective, vec![self.relaxation_stage(objective)], Iterate::at(start), limits)
    }

    fn relaxation_stage(&self, objective: &dyn Objective) -> Stage {
        let gap_tolerance = self.settings.relaxation_gap * objective.scale();
        Stage { weight: 0.0, max_steps: self.settings.relaxation_steps, gap_tolerance }
    }

    fn frank_wolfe(
        &self,
        objective: &dyn Objective,
        stages: Vec<Stage>,
        start: Iterate,
        limits: &Limits,
    ) -> Result<Iterate> {
        minimize(objective, FrankWolfe::new(self.settings.penalty, stages, self.face.clone()), start, limits)
    }

    /// The path's stages. A convex f has its relaxation behind it; for others the weight rises from −last·κ through 0.
    fn stages(&self) -> Vec<Stage> {
        let scale = self.objective.scale();
        let stage = |weight: f64| Stage {
            weight: weight * scale,
            max_steps: self.settings.steps_per_weight,
            gap_tolerance: 1e-9 * scale,
        };
        let rising = self.settings.schedule.weights();
        let convexifying = if self.objective.is_convex() { vec![] } else { rising.iter().rev().map(|w| -w).collect() };
        convexifying.into_iter().chain(rising).map(stage).collect()
    }

    /// The method from a relaxed iterate, or from a point.
    fn run(&self, relaxed: Option<&Iterate>, start: &DMatrix<f64>, limits: &Limits) -> Result<Run> {
        let (objective, settings) = (self.objective, self.settings);
        let begin = || relaxed.map_or_else(|| Iterate::at(start.clone()), Iterate::resumed);
        let indefinite = objective.indefinite_form().unwrap_or(objective);
        let faq = |x: DMatrix<f64>| self.relax(indefinite, x, limits);
        let gradient = |projection| {
            let solver = ProjectedGradient::new(settings.penalty, self.stages(), self.face.clone(), projection);
            minimize(objective, solver, Iterate::at(start.clone()), limits)
        };
        let last = match settings.method {
            Method::Relaxation => match relaxed {
                Some(relaxed) => relaxed.clone(),
                None => self.relax(objective, start.clone(), limits)?,
            },
            Method::Penalized => self.frank_wolfe(objective, self.stages(), begin(), limits)?,
            Method::Faq => faq(start.clone())?,
            Method::RelaxationFaq => faq(relaxed.map_or_else(|| start.clone(), |relaxed| relaxed.x.clone()))?,
            Method::ProjectedGradient => gradient(Projection::Scale)?,
            Method::ProjectedGradientExact => gradient(Projection::Euclidean)?,
            Method::Sinkhorn => SinkhornLbfgs::default().minimize(objective, self.face, start, limits)?,
        };
        let mut permutation = self.face.round(&last.x)?;
        let swaps =
            if settings.polish { swap_descent(objective, self.face, &mut permutation, limits.deadline) } else { 0 };
        let value = objective.value_at(&permutation);
        if !value.is_finite() {
            return Err(Error::Breakdown(format!("value is {value}")));
        }
        Ok(Run { last, permutation, value, swaps })
    }

    /// Halfway between `center` and a random point of the face, from the stream of restart `index`.
    fn restart_point(&self, index: usize, center: &DMatrix<f64>) -> DMatrix<f64> {
        let mut rng = rng(self.settings.rng_seed, index as u64);
        let random = self.face.embed(&random_point(self.face.free_rows().len(), &mut rng));
        (center + random) * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::objective::GraphMatching;

    fn hexagon_and_triangles() -> GraphMatching {
        let ring = |i: usize| (i, (i + 1) % 6, 1.0);
        let triangles = |i: usize| (i, if i % 3 == 2 { i - 2 } else { i + 1 }, 1.0);
        let graph = |edge: &dyn Fn(usize) -> (usize, usize, f64)| Graph::undirected(6, (0..6).map(edge)).unwrap();
        GraphMatching::new(graph(&ring), graph(&triangles)).unwrap()
    }

    #[test]
    fn a_hexagon_is_no_pair_of_triangles_and_nothing_is_claimed() {
        let recovery = recover(&hexagon_and_triangles(), &Settings::default()).unwrap();
        let Optimality { value, lower_bound, gap } = recovery.optimality;
        assert_eq!((value, lower_bound, gap), (8.0, 0.0, 8.0));
        assert!(!recovery.optimality.is_proved());
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let f = hexagon_and_triangles();
        let message = |settings: Settings| recover(&f, &settings).unwrap_err().to_string();
        let schedule = WeightSchedule { first: 2.0, last: 1.0, stages: 3 };
        assert!(message(Settings { schedule, ..Settings::default() }).contains("first <= last"));
        assert!(message(Settings { time_limit: Some(-1.0), ..Settings::default() }).contains("time_limit"));
        assert!(message(Settings { steps_per_weight: 0, ..Settings::default() }).contains("steps_per_weight"));
        assert!(message(Settings { relaxation_gap: f64::NAN, ..Settings::default() }).contains("relaxation_gap"));
        assert!(message(Settings { anchors: vec![(0, 9)], ..Settings::default() }).contains("(0, 9)"));
        assert!(message(Settings { start: Some(DMatrix::zeros(6, 6)), ..Settings::default() }).contains("residual"));
        let start = Some(crate::polytope::barycenter(6));
        assert!(message(Settings { start, anchors: vec![(0, 1)], ..Settings::default() }).contains("anchor (0, 1)"));
        assert!(message(Settings { start: Some(DMatrix::zeros(2, 2)), ..Settings::default() }).contains("6 x 6"));
    }
}
