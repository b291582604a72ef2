//! One search: paths, each with local search at its end.

use super::chain::relocate;
use super::layers::Layers;
use super::matching::complete;
use super::options::Options;
use super::path::{Form, Stage, blend, follow};
use super::polish::polish;
use super::walk::anneal;
use super::walker::Walker;
use crate::assignment::NONE;
use crate::error::Result;
use crate::features::{Candidates, candidates};
use crate::instance::rng;
use crate::penalty::WeightSchedule;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use rand::Rng;

/// The stream of random numbers of the first local search; those of later ones follow.
const STREAM: u64 = (1 << 62) + 1;

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

/// Candidates that a reheated path starts from, about, but a few in each row at least: its time and memory go with
/// them.
const ENTRIES: usize = 1_000_000;
const FEWEST_ENTRIES: usize = 6;

/// Reheated paths, at most.
const ROUNDS: u64 = 4;

/// An answer is doubtful that local search made better than the path left it, by more than this share: what single
/// moves mend in so many places is wrong in larger ones, too.
const DOUBTFUL: f64 = 1e-3;

/// Reheating ends when it brings less than this share; as long as edges are hidden, less than the second: they are for
/// finding out whether an answer is found, and the rest is better found with all edges.
const LEAST_GAIN: f64 = 2e-4;
const LEAST_GAIN_FOR_A_TEST: f64 = 1e-2;

/// What paths and local search found.
pub(super) struct Found {
    /// Candidates.
    pub start: SparseMatrix,
    pub recall: f64,
    pub best: Finished,
    /// Whether it may gain by reheating.
    is_doubtful: bool,
    pub steps: u64,
    /// Local searches so far.
    rounds: u64,
}

pub(super) struct Search<'a> {
    pub options: &'a Options,
    limits: &'a Limits,
    pub stop: Stop,
}

impl<'a> Search<'a> {
    pub fn new(options: &'a Options, limits: &'a Limits) -> Self {
        Search { options, limits, stop: limits.to_stop() }
    }

    pub fn with_options<'b>(&self, options: &'b Options) -> Search<'b>
    where
        'a: 'b,
    {
        Search { options, limits: self.limits, stop: self.stop.clone() }
    }

    /// The first path. `None` where a limit came before there were candidates.
    pub fn first(&self, layers: &Layers) -> Result<Option<Found>> {
        let rng_seed = self.options.rng_seed;
        let Some(Candidates { x, recall }) = candidates(&layers.a, &layers.b, rng_seed, &self.stop)? else {
            return Ok(None);
        };
        let start = anchored(layers, x);
        let (x, partners, steps) = follow(layers, &FIRST, start.clone(), self.limits)?;
        let best = Finished::of(layers, &start, (partners, x), &mut rng(rng_seed, STREAM), &self.stop);
        let is_doubtful = best.mended > DOUBTFUL * best.value;
        Ok(Some(Found { start, recall, best, is_doubtful, steps, rounds: 1 }))
    }

    /// Paths on the convex form, each from a mixture of the answer and the start, as long as they bring something.
    pub fn reheat(&self, layers: &Layers, found: &mut Found) -> Result<()> {
        self.reheat_until(LEAST_GAIN, layers, found)
    }

    /// The same as long as they bring much, on what is not hidden.
    pub fn reheat_for_a_test(&self, shown: &Layers, found: &mut Found) -> Result<()> {
        self.reheat_until(LEAST_GAIN_FOR_A_TEST, shown, found)
    }

    fn reheat_until(&self, least_gain: f64, layers: &Layers, found: &mut Found) -> Result<()> {
        let most = (ENTRIES / layers.shape().0.max(1)).max(FEWEST_ENTRIES);
        for _ in 0..ROUNDS {
            if !found.is_doubtful || self.stop.is_reached() {
                break;
            }
            let from = blend(&largest(&found.start, most), REHEATED, &found.best.partners);
            let next = self.convex_path(layers, from, found)?;
            found.is_doubtful = next.value - found.best.value > least_gain * found.best.value;
            if next.value > found.best.value {
                found.best = next;
            }
        }
        Ok(())
    }

    /// The end of a path on the convex form, after local search.
    pub fn convex_path(&self, layers: &Layers, from: SparseMatrix, found: &mut Found) -> Result<Finished> {
        let stage = |lambda| Stage { form: Form::Convex(self.options.penalty, lambda), most_steps: STEPS };
        let stages: Vec<Stage> = WEIGHTS.weights().into_iter().map(stage).collect();
        let (x, partners, steps) = follow(layers, &stages, from, self.limits)?;
        found.steps += steps;
        Ok(self.finish(layers, found, (partners, x)))
    }

    /// Candidates and local search by all edges, where some were hidden; then reheating may gain again.
    pub fn unhide(&self, layers: &Layers, found: &mut Found) -> Result<()> {
        if let Some(Candidates { x, .. }) = candidates(&layers.a, &layers.b, self.options.rng_seed, &self.stop)? {
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
        Finished::of(layers, &found.start, end, rng, &self.stop)
    }
}

/// The `most` largest entries of each row.
fn largest(x: &SparseMatrix, most: usize) -> SparseMatrix {
    SparseMatrix::from_rows(x.shape(), Vec::new, |entries: &mut Vec<(usize, f64)>, i, row| {
        entries.clear();
        entries.extend(x.entries(i));
        if entries.len() > most {
            entries.select_nth_unstable_by(most, |k, l| l.1.total_cmp(&k.1).then(k.0.cmp(&l.0)));
            entries.truncate(most);
            entries.sort_unstable_by_key(|&(j, _)| j);
        }
        entries.iter().for_each(|&(j, entry)| row.push(j, entry));
    })
}

/// What local search made of the end of a path.
#[derive(Clone)]
pub(super) struct Finished {
    pub partners: Vec<u32>,
    pub value: f64,
    /// What it gained over the polished rounding.
    mended: f64,
    pub x: SparseMatrix,
}

impl Finished {
    #[cfg(test)]
    pub fn new(partners: Vec<u32>, value: f64, x: SparseMatrix) -> Self {
        Finished { partners, value, mended: 0.0, x }
    }

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
