//! From candidates to a matching.

use super::chain::relocate;
use super::hiding::Hidden;
use super::layers::Layers;
use super::matching::{complete, matrix};
use super::path::{Form, Stage, blend, follow};
use super::polish::polish;
use super::walk::anneal;
use super::walker::Walker;
use crate::assignment::NONE;
use crate::error::{Error, Result};
use crate::features::{Candidates, candidates};
use crate::held_out::HeldOut;
use crate::instance::rng;
use crate::penalty::{Penalty, WeightSchedule};
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use rand::Rng;

/// The streams of random numbers of the walks (a number for each round, this one for the first), and of hiding.
const STREAM: u64 = (1 << 62) + 1;
const STREAM_OF_HIDING: u64 = STREAM - 2;

/// What is asked of a [`search`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// That of the convex form: l1−l2 (the default) or Frobenius.
    pub penalty: Penalty,
    /// Seed of all that is random.
    pub rng_seed: u64,
    /// The share of B's edges that are hidden until the search has an answer, 0 to ½. Default: 0, and no test is made.
    pub hold_out: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { penalty: Penalty::default(), rng_seed: 0, hold_out: 0.0 }
    }
}

impl Options {
    /// Sets [`penalty`](Self::penalty).
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Options { penalty, ..self }
    }

    /// Sets [`rng_seed`](Self::rng_seed).
    pub fn with_rng_seed(self, rng_seed: u64) -> Self {
        Options { rng_seed, ..self }
    }

    /// Sets [`hold_out`](Self::hold_out).
    pub fn with_hold_out(self, hold_out: f64) -> Self {
        Options { hold_out, ..self }
    }
}

/// A matching of sparse graphs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The partner in B of each vertex of A; `None` for those without, where A is the larger graph.
    pub partners: Vec<Option<usize>>,
    /// f there, see [`Layers`].
    pub value: f64,
    /// X where the path ended, before it was rounded.
    pub x: SparseMatrix,
    /// Steps of the path, each with one assignment.
    pub steps: u64,
    /// What was to be expected of the start, see [`Candidates::recall`](crate::features::Candidates::recall).
    pub recall: f64,
    /// What became of the hidden edges, where there were some.
    pub held_out: Option<HeldOut>,
}

/// The first path: f itself, then f with a term that hardens X.
const FIRST: [Stage; 3] = [indefinite(0.0, 40), indefinite(-0.1, 8), indefinite(-0.5, 8)];

const fn indefinite(c: f64, most_steps: usize) -> Stage {
    Stage { form: Form::Indefinite(c), most_steps }
}

/// Weights of the penalty on a reheated path, which is on the convex form; and steps at each.
const WEIGHTS: WeightSchedule = WeightSchedule { first: 0.05, last: 2.0, stages: 10 };
const STEPS: usize = 4;

/// The share of the last answer in the start of a reheated path.
const REHEATED: f64 = 0.5;

/// Reheated paths, at most.
const ROUNDS: u64 = 4;

/// An answer is doubtful that local search made better than the path left it, by more than this share: what single
/// moves mend in so many places is wrong in larger ones, too.
const DOUBTFUL: f64 = 1e-3;

/// Reheating ends when it brings less than this share; as long as edges are hidden, than the first of these: they are
/// for finding out whether an answer is found, and the rest is better found with all edges.
const LEAST_GAIN: (f64, f64) = (1e-2, 2e-4);

/// Matches two sparse graphs from their vertices' features: the path on the indefinite form and local search; where
/// that was doubtful, paths on the convex form with the penalty from mixtures of the answer and the first start. Where
/// a limit comes before there are candidates, vertices are paired by their weights.
///
/// With a [share to hold out](Options::hold_out) all of that is done without the hidden edges. Then the answer is
/// [tested](crate::held_out) by them, and local search goes on with all edges.
///
/// # Errors
/// As [`candidates`]; [`Error::Argument`] for the entropy, whose gradient is infinite where X is 0, and for a share
/// that is not within 0 to ½.
pub fn search(layers: &Layers, options: &Options, limits: &Limits) -> Result<Answer> {
    if options.penalty == Penalty::Entropy {
        return Err(Error::argument("penalty", "is the entropy, which large sparse graphs are not searched with"));
    }
    if !(0.0..=0.5).contains(&options.hold_out) {
        return Err(Error::argument("hold_out", format!("is {}, but must be within 0 to 0.5", options.hold_out)));
    }
    let search = Search { options, limits, stop: &limits.to_stop() };
    let hidden = Hidden::drawn(layers, options.hold_out, &mut rng(options.rng_seed, STREAM_OF_HIDING));
    let shown = hidden.as_ref().map(|hidden| hidden.without(layers)).transpose()?;
    let Some(mut found) = search.first(shown.as_ref().unwrap_or(layers))? else { return Ok(unsearched(layers)) };
    let mut held_out = None;
    if let (Some(hidden), Some(shown)) = (hidden, shown) {
        search.reheat(&shown, &mut found, LEAST_GAIN.0)?;
        held_out = Some(hidden.test(layers, &found.best.partners));
        search.unhide(layers, &mut found)?;
    }
    search.reheat(layers, &mut found, LEAST_GAIN.1)?;
    let Found { best: Finished { partners, value, x, .. }, recall, steps, .. } = found;
    Ok(Answer { partners: as_options(&partners), value, x, steps, recall, held_out })
}

/// What paths and local search found.
struct Found {
    /// Candidates.
    start: SparseMatrix,
    recall: f64,
    best: Finished,
    /// Whether it may gain by reheating.
    is_doubtful: bool,
    steps: u64,
    /// Local searches so far.
    rounds: u64,
}

struct Search<'a> {
    options: &'a Options,
    limits: &'a Limits,
    stop: &'a Stop,
}

impl Search<'_> {
    /// The first path. `None` where a limit came before there were candidates.
    fn first(&self, layers: &Layers) -> Result<Option<Found>> {
        let rng_seed = self.options.rng_seed;
        let Some(Candidates { x, recall }) = candidates(&layers.a, &layers.b, rng_seed, self.stop)? else {
            return Ok(None);
        };
        let start = anchored(layers, x);
        let (x, partners, steps) = follow(layers, &FIRST, start.clone(), self.limits)?;
        let best = Finished::of(layers, &start, (partners, x), &mut rng(rng_seed, STREAM), self.stop);
        let is_doubtful = best.mended > DOUBTFUL * best.value;
        Ok(Some(Found { start, recall, best, is_doubtful, steps, rounds: 1 }))
    }

    /// Paths on the convex form, each from a mixture of the answer and the start, as long as each brings that share.
    fn reheat(&self, layers: &Layers, found: &mut Found, least_gain: f64) -> Result<()> {
        let convex = |lambda| Stage { form: Form::Convex(self.options.penalty, lambda), most_steps: STEPS };
        let stages: Vec<Stage> = WEIGHTS.weights().into_iter().map(convex).collect();
        for _ in 0..ROUNDS {
            if !found.is_doubtful || self.stop.is_reached() {
                break;
            }
            let from = blend(&found.start, REHEATED, &found.best.partners);
            let (x, partners, steps) = follow(layers, &stages, from, self.limits)?;
            found.steps += steps;
            let next = self.finish(layers, found, (partners, x));
            found.is_doubtful = next.value - found.best.value > least_gain * found.best.value;
            if next.value > found.best.value {
                found.best = next;
            }
        }
        Ok(())
    }

    /// Candidates and local search by all edges, where some were hidden; then reheating may gain again.
    fn unhide(&self, layers: &Layers, found: &mut Found) -> Result<()> {
        if let Some(Candidates { x, .. }) = candidates(&layers.a, &layers.b, self.options.rng_seed, self.stop)? {
            found.start = anchored(layers, x);
        }
        let end = (found.best.partners.clone(), found.best.x.clone());
        found.best = self.finish(layers, found, end);
        found.is_doubtful |= found.best.mended > DOUBTFUL * found.best.value;
        Ok(())
    }

    fn finish(&self, layers: &Layers, found: &mut Found, end: (Vec<u32>, SparseMatrix)) -> Finished {
        let rng = &mut rng(self.options.rng_seed, STREAM + found.rounds);
        found.rounds += 1;
        Finished::of(layers, &found.start, end, rng, self.stop)
    }
}

/// Vertices paired by their weights, without a search.
fn unsearched(layers: &Layers) -> Answer {
    let mut partners = layers.anchors.clone();
    complete(layers, &mut partners);
    let (value, x) = (layers.value(&partners), matrix(layers.shape(), &layers.anchors));
    Answer { partners: as_options(&partners), value, x, steps: 0, recall: 0.0, held_out: None }
}

fn as_options(partners: &[u32]) -> Vec<Option<usize>> {
    partners.iter().map(|&j| (j != NONE).then_some(j as usize)).collect()
}

/// What local search made of the end of a path.
struct Finished {
    partners: Vec<u32>,
    value: f64,
    /// What it gained over the polished rounding.
    mended: f64,
    x: SparseMatrix,
}

impl Finished {
    fn of(
        layers: &Layers,
        candidates: &SparseMatrix,
        (partners, x): (Vec<u32>, SparseMatrix),
        rng: &mut impl Rng,
        stop: &Stop,
    ) -> Self {
        let mut partners = polish(layers, partners, stop);
        complete(layers, &mut partners);
        let mut walker = Walker::new(layers, &partners);
        let mended = anneal(&mut walker, rng, stop) + relocate(&mut walker, candidates, rng, stop);
        let mut partners = polish(layers, walker.partners, stop);
        complete(layers, &mut partners);
        Finished { value: layers.value(&partners), partners, mended, x }
    }
}

/// X with the anchors' rows and columns as they must be.
fn anchored(layers: &Layers, x: SparseMatrix) -> SparseMatrix {
    SparseMatrix::from_rows(
        x.shape(),
        || (),
        |(), i, row| {
            if layers.anchors[i] != NONE {
                row.push(layers.anchors[i] as usize, 1.0);
            } else {
                x.entries(i).filter(|&(j, _)| layers.is_free[j]).for_each(|(j, entry)| row.push(j, entry));
            }
        },
    )
}
