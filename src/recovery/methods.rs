//! The runs that are made: from a start through the method to a polished permutation.

use super::path::Path;
use super::run::{Run, Search};
use super::settings::{Method, RestartFrom};
use crate::error::Result;
use crate::instance::rng;
use crate::penalty::WeightSchedule;
use crate::permutation::Permutation;
use crate::polytope::random_point_until;
use crate::solver::{Iterate, Limits, ProjectedGradient, Projection, SinkhornLbfgs, Tilt, minimize};
use nalgebra::DMatrix;

/// w in the relaxation of a tilted start, in units of κ and C's standard deviation. Chosen by hand.
const TILT: f64 = 0.05;

/// The share of w that is left in the last stage of a whole path. Chosen by hand.
const FADED: f64 = 1e-3;

/// w where a reheated path begins: better than none on three instances, which cannot tell it from 0.05
/// (`docs/frontier.md`, *Reheating*).
const REHEATED_TILT: f64 = 0.005;

/// The share of a first answer in the point that a reheated path starts from. 0.6 and 0.8 were tried on three
/// instances, and neither is clearly better (`docs/frontier.md`, *Reheating*).
const REHEATED: f64 = 0.6;

/// The weights of a reheated path as shares of the last one: from 0.2κ to 0.65κ by default. Below nothing moves, and
/// what its descents do not find there they do not find later (`docs/frontier.md`, *Reheating*).
const REHEATED_WEIGHTS: WeightSchedule = WeightSchedule { first: 0.04, last: 0.13, stages: 6 };

/// Where a run begins.
#[expect(clippy::large_enum_variant, reason = "one is made for each run")]
pub(super) enum Beginning {
    /// The relaxed minimizer, with what is known there.
    Relaxed(Iterate),
    /// A point.
    Point(DMatrix<f64>),
}

impl Beginning {
    fn into_point(self) -> DMatrix<f64> {
        match self {
            Beginning::Relaxed(relaxed) => relaxed.x.into_matrix(),
            Beginning::Point(x) => x,
        }
    }
}

impl Search<'_> {
    /// The penalized path from the relaxed minimizer of f + w⟨C, X⟩, w fading from stage to stage.
    pub fn tilted_run(&self, cost: &DMatrix<f64>, start: Iterate, limits: &Limits) -> Result<Run> {
        let stages = std::iter::once(self.relaxation_stage(self.objective)).chain(self.stages()).collect();
        self.follow(Path { stages, tilt: Some(self.tilt(cost)), may_settle: true }, start, limits)
    }

    /// The relaxed minimizer of f + w⟨C, X⟩.
    pub fn tilted_relaxation(&self, cost: &DMatrix<f64>, start: Iterate, limits: &Limits) -> Result<Iterate> {
        let stages = vec![self.relaxation_stage(self.objective)];
        minimize(self.objective, self.frank_wolfe(stages).tilted(Some(self.tilt(cost))), start, limits)
    }

    /// The term of a tilted start, which fades along a whole path.
    pub fn tilt<'c>(&self, cost: &'c DMatrix<f64>) -> Tilt<'c> {
        Tilt::fading(cost, (TILT, FADED), 1 + self.settings.schedule.stages)
    }

    /// The path from X = (1 − m)·J/n + m·P, P an earlier answer, at weights that leave it room; with a little of the
    /// first start's term, if it had one.
    pub fn reheat(&self, answer: &Permutation, cost: Option<&DMatrix<f64>>, limits: &Limits) -> Result<Run> {
        let x = self.face.barycenter() * (1.0 - REHEATED) + answer.to_matrix() * REHEATED;
        let stages = self.stages_of(self.shares(REHEATED_WEIGHTS));
        let tilt = cost.map(|cost| Tilt::fading(cost, (REHEATED_TILT, FADED), stages.len()));
        // Its first descents find the answer that it starts from.
        self.follow(Path { stages, tilt, may_settle: false }, Iterate::at(x), limits)
    }

    /// The method from where it begins.
    pub fn run(&self, beginning: Beginning, limits: &Limits) -> Result<Run> {
        let (objective, settings) = (self.objective, self.settings);
        let indefinite = objective.indefinite_form().unwrap_or(objective);
        let faq = |x: DMatrix<f64>| self.relax(indefinite, x, limits);
        let gradient = |x, projection| {
            let solver = ProjectedGradient::new(settings.penalty, self.stages(), self.face.clone(), projection);
            minimize(objective, solver, Iterate::at(x), limits)
        };
        let last = match settings.method {
            Method::Penalized => {
                let start = match beginning {
                    Beginning::Relaxed(relaxed) => relaxed.resumed(),
                    Beginning::Point(x) => Iterate::at(x),
                };
                return self.follow(Path { stages: self.stages(), tilt: None, may_settle: true }, start, limits);
            }
            Method::Relaxation => match beginning {
                Beginning::Relaxed(relaxed) => relaxed,
                Beginning::Point(x) => self.relax(objective, x, limits)?,
            },
            Method::Faq | Method::RelaxationFaq => faq(beginning.into_point())?,
            Method::ProjectedGradient => gradient(beginning.into_point(), Projection::Scale)?,
            Method::ProjectedGradientExact => gradient(beginning.into_point(), Projection::Euclidean)?,
            Method::Sinkhorn => {
                SinkhornLbfgs::default().minimize(objective, self.face, &beginning.into_point(), limits)?
            }
        };
        self.finish(last)
    }

    /// Restart number `index` ≥ 1, as [`Settings::restart_from`] says; `pairs` are the likeliest ones of X, if that is
    /// relaxed.
    pub fn restart(
        &self,
        index: usize,
        pairs: &[(usize, usize)],
        (x, is_relaxed): (&DMatrix<f64>, bool),
        limits: &Limits,
    ) -> Result<Run> {
        if is_relaxed && self.settings.restart_from == RestartFrom::LikelyPairs {
            return self.anchored_run(pairs.get(index - 1).copied(), x, |anchored, start| {
                let relaxed = anchored.relax(anchored.objective, start.x.into_matrix(), limits)?;
                let counts = relaxed.counts();
                let mut run = anchored.run(Beginning::Relaxed(relaxed), limits)?;
                run.last.add_counts(counts);
                Ok(run)
            });
        }
        self.run(Beginning::Point(self.random_point(index, x)), limits)
    }

    /// Halfway between `center` and a random point of the face, from the stream of restart `index`.
    fn random_point(&self, index: usize, center: &DMatrix<f64>) -> DMatrix<f64> {
        let mut rng = rng(self.settings.rng_seed, index as u64);
        let random = self.face.embed(&random_point_until(self.face.free_rows().len(), &mut rng, self.stop));
        (center + random) * 0.5
    }
}
