//! The runs of a recovery: from a start through the method to a polished permutation.

use super::settings::{DOUBTFUL, Method, RestartFrom, Settings};
use crate::error::{Error, Result};
use crate::instance::rng;
use crate::local_search::swap_descent;
use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::{Face, random_point, require_square_and_finite, residual};
use crate::solver::{FrankWolfe, Iterate, Limits, ProjectedGradient, Projection, SinkhornLbfgs, Stage, minimize};
use nalgebra::DMatrix;

/// Random permutations whose mean value tells what knowing nothing is worth.
const RANDOM_VALUES: usize = 32;

/// Where the first run starts.
pub(super) fn start_point(settings: &Settings, face: &Face) -> Result<DMatrix<f64>> {
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
pub(super) struct Run {
    pub last: Iterate,
    pub permutation: Permutation,
    pub value: f64,
    pub swaps: usize,
}

/// One objective, one face, one set of settings.
pub(super) struct Search<'a> {
    pub objective: &'a dyn Objective,
    pub settings: &'a Settings,
    pub face: &'a Face,
}

impl Search<'_> {
    /// Frank–Wolfe at weight 0.
    pub fn relax(&self, objective: &dyn Objective, start: DMatrix<f64>, limits: &Limits) -> Result<Iterate> {
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
        let solver = FrankWolfe::new(self.settings.penalty, stages, self.face.clone())
            .with_vertex_tolerance(self.settings.vertex_tolerance);
        minimize(objective, solver, start, limits)
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
    pub fn run(&self, relaxed: Option<&Iterate>, start: &DMatrix<f64>, limits: &Limits) -> Result<Run> {
        self.finish(self.solve(relaxed, start, limits)?, limits)
    }

    fn solve(&self, relaxed: Option<&Iterate>, start: &DMatrix<f64>, limits: &Limits) -> Result<Iterate> {
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
        Ok(last)
    }

    /// Rounds and polishes a last iterate.
    fn finish(&self, last: Iterate, limits: &Limits) -> Result<Run> {
        let mut permutation = self.face.round(&last.x)?;
        let stop = || limits.reached().is_some();
        let swaps =
            if self.settings.polish { swap_descent(self.objective, self.face, &mut permutation, &stop) } else { 0 };
        let value = self.objective.value_at(&permutation);
        if !value.is_finite() {
            return Err(Error::Breakdown(format!("value is {value}")));
        }
        Ok(Run { last, permutation, value, swaps })
    }

    /// Restart number `index` ≥ 1, as [`Settings::restart_from`] says.
    pub fn restart(
        &self,
        index: usize,
        relaxed: Option<&Iterate>,
        start: &DMatrix<f64>,
        limits: &Limits,
    ) -> Result<Run> {
        match (relaxed, self.settings.restart_from) {
            (Some(relaxed), RestartFrom::LikelyPairs) => {
                let pair = self.likely_pair(&relaxed.x, index - 1);
                let anchors: Vec<_> = self.settings.anchors.iter().copied().chain(pair).collect();
                let face = Face::new(self.face.size(), &anchors)?;
                self.probe(&Search { face: &face, ..*self }, limits)
            }
            _ => {
                let from = self.random_point(index, relaxed.map_or(start, |relaxed| &relaxed.x));
                self.run(None, &from, limits)
            }
        }
    }

    /// A whole run on the smaller face of `probe`; polishing may leave that face.
    fn probe(&self, probe: &Search, limits: &Limits) -> Result<Run> {
        let relaxed = probe.relax(probe.objective, probe.face.barycenter(), limits)?;
        let mut last = probe.solve(Some(&relaxed), &relaxed.x, limits)?;
        last.add_counts_of(&relaxed);
        // A bound on a smaller face bounds nothing else.
        last.lower_bound = f64::NEG_INFINITY;
        self.finish(last, limits)
    }

    /// The free pair at the `rank`-th largest entry of X.
    fn likely_pair(&self, x: &DMatrix<f64>, rank: usize) -> Option<(usize, usize)> {
        let columns = self.face.free_columns().iter();
        let mut pairs: Vec<_> = columns.flat_map(|&j| self.face.free_rows().iter().map(move |&i| (i, j))).collect();
        if rank >= pairs.len() {
            return None;
        }
        let larger_first = |a: &(usize, usize), b: &(usize, usize)| x[*b].total_cmp(&x[*a]).then(a.cmp(b));
        Some(*pairs.select_nth_unstable_by(rank, larger_first).1)
    }

    /// Whether `value` looks like that of a path that went astray: see [`DOUBTFUL`].
    pub fn is_doubtful(&self, value: f64, lower_bound: f64) -> bool {
        let mut rng = rng(self.settings.rng_seed, u64::MAX);
        let m = self.face.free_rows().len();
        let mut random_value = || self.objective.value_at(&self.face.vertex(Permutation::random(m, &mut rng).image()));
        let mean = (0..RANDOM_VALUES).map(|_| random_value()).sum::<f64>() / RANDOM_VALUES as f64;
        value - lower_bound > DOUBTFUL * (mean - lower_bound)
    }

    /// Halfway between `center` and a random point of the face, from the stream of restart `index`.
    fn random_point(&self, index: usize, center: &DMatrix<f64>) -> DMatrix<f64> {
        let mut rng = rng(self.settings.rng_seed, index as u64);
        let random = self.face.embed(&random_point(self.face.free_rows().len(), &mut rng));
        (center + random) * 0.5
    }
}
