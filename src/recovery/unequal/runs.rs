//! The runs on injections: from a start through the method to a polished injection.

use super::super::enumeration::{are_few, enumerate_injections};
use super::super::run::half_way;
use super::super::settings::{Effort, Method, Settings};
use super::super::start::{Asked, Start};
use crate::certificate::Optimality;
use crate::error::{Error, Result};
use crate::injection::Injection;
use crate::instance::rng;
use crate::local_search::injections::{Cooling, anneal, descend};
use crate::objective::{Embedding, EmbeddingSearch, Injective, Objective, is_much_smaller};
use crate::penalty::{Point, SlackNorms, WeightSchedule};
use crate::permutation::Permutation;
use crate::polytope::Injections;
use crate::solver::{InjectiveFrankWolfe, Iterate, Limits, Stage, Tilt, minimize_injective};
use crate::stop::Stop;
use nalgebra::DMatrix;

/// The weights of a path in shares of the schedule's last one, with the sign turned first: by default from −0.3κ to
/// −0.1κ, then from 0.05κ to 5κ. Below, nothing leaves the barycenter.
const CONVEX_WEIGHTS: WeightSchedule = WeightSchedule { first: 0.02, last: 0.06, stages: 4 };
const CONCAVE_WEIGHTS: WeightSchedule = WeightSchedule { first: 0.01, last: 1.0, stages: 6 };

/// A stage of a path ends when its gap is at most this many κ for each vertex.
const GAP: f64 = 5e-3;

/// Steps of a descent.
const DESCENT_STEPS: usize = 30;

/// A path ends after so many descents in a row that did not improve the answer, once X has left the barycenter …
const PATIENCE: usize = 2;

/// … which it has when P is below this share of what it is there.
const CONDENSED: f64 = 0.8;

/// w of a tilted start at the first stage, in units of κ and C's standard deviation, and what of it is left in the last
/// one.
const TILT: (f64, f64) = (0.05, 1e-3);

/// A walk from an answer: warmer, what a path found dissolves.
const WALK: Cooling = Cooling { first: 0.25, last: 0.12, sweeps: 800 };

/// The first search for an embedding looks at so many entries for each of X, and at so many at most, which takes some
/// tenths of a second; with the least effort, at a quarter of them.
const EMBEDDING_WORK: (u64, u64) = (8_000, 120_000_000);

/// The streams of random numbers of walks and of random points, each with the number of the run added.
const WALKS: u64 = 1 << 60;
const POINTS: u64 = 1 << 61;

/// One run's last iterate, and what rounding and local search made of it.
pub struct Run {
    pub last: Iterate,
    pub p: Injection,
    pub value: f64,
    /// Moves of the local search.
    pub moves: usize,
}

/// One objective on injections, one face, one set of settings.
pub struct Search<'a> {
    pub form: &'a dyn Injective,
    pub settings: &'a Settings,
    face: Injections,
    /// What holds for all runs; only the first is watched.
    pub limits: &'a Limits,
    /// Reached somewhat later than the limits: ends the rounding of what was cut short.
    grace: &'a Stop,
}

impl<'a> Search<'a> {
    pub fn new(
        form: &'a dyn Injective,
        settings: &'a Settings,
        (limits, grace): (&'a Limits, &'a Stop),
    ) -> Result<Self> {
        let (places, vertices) = form.shape();
        let anchors: Vec<_> = settings.anchors.iter().map(|&pair| form.oriented(pair)).collect();
        let face = Injections::new(vertices, places, &anchors)?;
        Ok(Search { form, settings, face, limits, grace })
    }

    pub fn stops(&self) -> bool {
        self.limits.stop.is_reached()
    }

    /// A search for an embedding, the `number`-th from 0 on: twice as long as the one before, and in another order.
    pub fn embedding(&self, number: u32) -> Embedding {
        let (of_entry, most) = EMBEDDING_WORK;
        let work = (self.entries() as u64).saturating_mul(of_entry).min(most);
        let work = if self.settings.effort == Effort::Quick { work / 4 } else { work };
        self.form.embed(&EmbeddingSearch {
            anchors: self.face.anchors(),
            work: work << number.min(20),
            rng_seed: self.settings.rng_seed.wrapping_add(number.into()),
            // A path needs some time of its own.
            stop: &half_way(self.limits).to_stop(),
        })
    }

    /// N·m.
    fn entries(&self) -> usize {
        let (places, vertices) = self.form.shape();
        places * vertices
    }

    pub fn is_much_smaller(&self) -> bool {
        let (places, vertices) = self.form.shape();
        is_much_smaller(vertices, places)
    }

    /// How often X goes into so many numbers, at most `most`.
    pub fn few_rounds(&self, (most, numbers): (usize, usize)) -> u32 {
        (numbers / self.entries()).min(most) as u32
    }

    /// Whether all injections are looked at.
    pub fn enumerates(&self) -> bool {
        are_few(&self.face)
    }

    /// The best injection as a permutation, and what is proved of it; `None` where a limit came first.
    pub fn enumerate(&self, objective: &dyn Objective) -> Result<Option<(Permutation, Optimality)>> {
        enumerate_injections(objective, self.form, &self.face, &self.limits.stop)
    }

    /// The run that begins, and ends, at an injection.
    pub fn at(&self, p: Injection) -> Run {
        let (places, vertices) = self.form.shape();
        let mut x = DMatrix::zeros(places, vertices);
        p.image().iter().enumerate().for_each(|(i, &j)| x[(j, i)] = 1.0);
        let mut last = Iterate::at(x);
        let value = self.form.value_at(&p);
        (last.value, last.penalty) = (value, 0.0);
        Run { last, p, value, moves: 0 }
    }

    /// Whether a search for an embedding went so far that [`completed`](Self::completed) may be better than a path, or
    /// is all there will be.
    pub fn is_worth_completing(&self, pairs: &[(usize, usize)]) -> bool {
        self.is_much_smaller() && (4 * pairs.len() > self.face.free_vertices().len() || self.stops())
    }

    /// From the pairs (vertex, place) that a search for an embedding placed before it ended; the others are placed as
    /// they come, and then move.
    pub fn completed(&self, pairs: &[(usize, usize)]) -> Result<Run> {
        let (places, vertices) = self.form.shape();
        let (mut image, mut is_free) = (vec![None; vertices], vec![true; places]);
        for &(i, j) in pairs.iter().chain(self.face.anchors()) {
            (image[i], is_free[j]) = (Some(j), false);
        }
        let mut free = (0..places).filter(|&j| is_free[j]);
        let image = image.into_iter().map(|place| place.or_else(|| free.next()));
        let image = image.collect::<Option<_>>().ok_or_else(|| Error::argument("pairs", "more than places"))?;
        let mut run = self.at(Injection::new(image, places)?);
        self.polish(&mut run)?;
        self.walk(&mut run, 0)?;
        Ok(run)
    }

    /// The method from a start, which only the penalized path knows.
    pub fn first(&self, start: &Start, limits: &Limits) -> Result<Run> {
        let x = match &self.settings.start {
            None => self.face.barycenter(),
            Some(x) if self.form.places_are_rows() => self.block(x),
            Some(x) => self.block(&x.transpose()),
        };
        if self.settings.method == Method::Faq {
            return self.descend(x, self.settings.relaxation_steps, limits);
        }
        let (places, vertices) = self.form.shape();
        let most = if self.form.places_are_rows() { (places, vertices) } else { (vertices, places) };
        let cost = start.scaled_cost(most, self.form.scale(), Asked::Again, &half_way(limits).to_stop())?;
        let cost = cost.map(|cost| if self.form.places_are_rows() { cost } else { cost.transpose() });
        // Where the cost knows fewer than all, the others are alike to it.
        let cost = cost.map(|cost| cost.resize(places, vertices, 0.0));
        let mut run = self.path(x, cost.as_ref(), limits)?;
        self.walk(&mut run, 0)?;
        Ok(run)
    }

    /// The unpadded part of a start of the user's own.
    fn block(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        x.view((0, 0), self.form.shape()).into_owned()
    }

    /// Frank–Wolfe on f + λP (+ w⟨C, X⟩), λ growing from negative, where −P is convex, through 0. The best of the
    /// descents from its stages; without descents, its end.
    fn path(&self, x: DMatrix<f64>, cost: Option<&DMatrix<f64>>, limits: &Limits) -> Result<Run> {
        let kappa = self.form.scale();
        let most = self.settings.schedule.last * kappa;
        let convex = CONVEX_WEIGHTS.weights().into_iter().rev().map(|share| -share * most);
        let weights = convex.chain(CONCAVE_WEIGHTS.weights().into_iter().map(|share| share * most));
        let (max_steps, gap_tolerance) = (self.settings.steps_per_weight, GAP * kappa * self.form.shape().1 as f64);
        let stages: Vec<_> = weights.map(|weight| Stage { weight, max_steps, gap_tolerance }).collect();
        let tilt = cost.map(|cost| Tilt::fading(cost, TILT, stages.len()));
        let condensed = CONDENSED * SlackNorms::of(&self.face.barycenter()).penalty();
        let unwatched = Limits { watcher: None, ..limits.clone() };
        let (mut best, mut in_vain) = (None::<Run>, 0);
        let (mut iterations, mut lap_calls) = (0, 0);
        let solver = InjectiveFrankWolfe::new(stages, &self.face).with_tilt(tilt).at_stage_ends(|_, last| {
            if !self.settings.descents {
                return Ok(false);
            }
            let run = self.descend(last.x.clone(), DESCENT_STEPS, &unwatched)?;
            iterations += run.last.iterations();
            lap_calls += run.last.lap_calls;
            let improves = best.as_ref().is_none_or(|best| run.value < best.value);
            in_vain = if improves || last.penalty > condensed { 0 } else { in_vain + 1 };
            if improves {
                best = Some(run);
            }
            Ok(in_vain >= PATIENCE)
        });
        let last = minimize_injective(self.form, solver, Iterate::at(x), limits)?;
        iterations += last.iterations();
        lap_calls += last.lap_calls;
        // Where the time was over within a stage, there was no descent from its end.
        let end = if best.is_none() || self.stops() { Some(self.finish(last)?) } else { None };
        let run = [best, end].into_iter().flatten().reduce(|best, end| if end.value < best.value { end } else { best });
        let run = run.expect("one of them is there");
        Ok(Run { last: run.last.counting(iterations, lap_calls), ..run })
    }

    /// Frank–Wolfe on f from X, rounded and polished.
    fn descend(&self, x: impl Into<Point>, max_steps: usize, limits: &Limits) -> Result<Run> {
        let stage = Stage { weight: 0.0, max_steps, gap_tolerance: self.settings.relaxation_gap * self.form.scale() };
        let solver = InjectiveFrankWolfe::new(vec![stage], &self.face);
        self.finish(minimize_injective(self.form, solver, Iterate::at(x), limits)?)
    }

    fn finish(&self, mut last: Iterate) -> Result<Run> {
        let p = self.face.round(&last.x, self.grace)?;
        // Nothing goes on from here, and it is as large as X.
        last.gradient = DMatrix::zeros(0, 0);
        let mut run = Run { last, p, value: f64::NAN, moves: 0 };
        self.polish(&mut run)?;
        Ok(run)
    }

    /// Moves to better places.
    fn polish(&self, run: &mut Run) -> Result<()> {
        if self.settings.polish {
            run.moves += descend(self.form, &self.face, &mut run.p, &|| self.stops());
        }
        run.value = self.form.value_at(&run.p);
        if run.value.is_finite() { Ok(()) } else { Err(Error::Breakdown(format!("value is {}", run.value))) }
    }

    /// With more than the least effort, an annealed walk where the graphs are sparse.
    fn walk(&self, run: &mut Run, number: u64) -> Result<()> {
        let Settings { polish, effort, rng_seed, .. } = *self.settings;
        if !polish || effort == Effort::Quick || self.stops() {
            return Ok(());
        }
        let mut rng = rng(rng_seed, WALKS + number);
        run.moves += anneal(self.form, &self.face, &mut run.p, WALK, &mut rng, &|| self.stops());
        self.polish(run)
    }

    /// The number-th restart: a descent from halfway between the barycenter and a random point, and with the penalized
    /// path a walk.
    pub fn restart(&self, number: u64) -> Result<Run> {
        let random = self.face.random_point(&mut rng(self.settings.rng_seed, POINTS + number));
        let is_faq = self.settings.method == Method::Faq;
        let steps = if is_faq { self.settings.relaxation_steps } else { DESCENT_STEPS };
        let mut run = self.descend((self.face.barycenter() + random) * 0.5, steps, self.limits)?;
        if !is_faq {
            self.walk(&mut run, number)?;
        }
        Ok(run)
    }
}
