//! One search: paths, each with local search at its end.

use super::finish::{Finished, finish, polished};
use super::layers::Layers;
use super::matching::matrix;
use super::options::Options;
use super::parts::Parts;
use super::path::{Form, Stage, blend, follow, indefinite};
use super::start::Start;
use crate::checkpoint::{FirstPath, Part};
use crate::error::Result;
use crate::features::Candidates;
use crate::instance::rng;
use crate::penalty::WeightSchedule;
use crate::solver::Limits;
use crate::sparse_form::Affinity;
use crate::sparse_matrix::SparseMatrix;

/// The stream of random numbers of the first local search; those of later ones follow.
const STREAM: u64 = (1 << 62) + 1;

/// The first path: f itself, then f with a term that hardens X.
const FIRST: [Stage; 3] = [indefinite(0.0, 40), indefinite(-0.1, 8), indefinite(-0.5, 8)];

/// The same where vertices have many arcs: with f itself X is nearly a matching after two steps, wherever it began. A
/// term that softens it a little lets votes compete for longer.
const FIRST_OF_MANY: [Stage; 3] = [indefinite(0.01, 10), indefinite(0.0, 12), indefinite(-0.1, 8)];

/// Weights of the penalty on a reheated path, which is on the convex form; and steps at each.
const WEIGHTS: WeightSchedule = WeightSchedule { first: 0.05, last: 2.0, stages: 10 };
const STEPS: usize = 4;

/// The share of a match to begin with in the first path's start.
const GIVEN: f64 = 0.5;

/// The share of the last answer in the start of a reheated path.
const REHEATED: f64 = 0.5;

/// Candidates that a reheated path starts from, about, but a few in each row at least: its time and memory go with
/// them.
const ENTRIES: usize = 1_000_000;
const FEWEST_ENTRIES: usize = 6;

/// Reheated paths, at most.
const ROUNDS: u64 = 4;

/// Nothing is reheated where Σ d² is more: at 6·10⁶ a path on the convex form took 70 s.
const SQUARED_DEGREES: usize = 4_000_000;

/// Reheating ends when it brings less than this share; as long as edges are hidden, less than the second: they are for
/// finding out whether an answer is found, and the rest is better found with all edges.
const LEAST_GAIN: f64 = 2e-4;
const LEAST_GAIN_FOR_A_TEST: f64 = 1e-2;

/// What paths and local search found.
pub(super) struct Found<'a> {
    pub start: Start<'a>,
    pub recall: f64,
    /// X where the first path ended.
    pub x: SparseMatrix,
    pub best: Finished,
    /// Whether it may gain by reheating.
    is_doubtful: bool,
    pub steps: u64,
    /// Local searches so far.
    rounds: u64,
}

pub(super) struct Search<'a> {
    pub options: &'a Options,
    /// Their stop is reached with any of them.
    limits: &'a Limits,
    parts: &'a Parts,
}

impl<'a> Search<'a> {
    pub fn new(options: &'a Options, limits: &'a Limits, parts: &'a Parts) -> Self {
        Search { options, limits, parts }
    }

    pub fn with_options(&self, options: &'a Options) -> Self {
        Search { options, ..*self }
    }

    pub fn is_stopped(&self) -> bool {
        self.parts.is_stopped()
    }

    /// The first path. `None` where a limit came before there were candidates.
    pub fn first<'l>(&self, layers: &'l Layers) -> Result<Option<Found<'l>>> {
        let rng_seed = self.options.rng_seed;
        let start = Start::new(layers, self.options, self.limits);
        let part = self.parts.next(layers, true, || {
            let Some(Candidates { x, recall }) = start.candidates()? else { return Ok(None) };
            let given = start.given();
            let stages = if layers.has_many_arcs() { &FIRST_OF_MANY } else { &FIRST };
            let from = given.map_or_else(|| x.clone(), |given| blend(x, GIVEN, given));
            let (end, partners, steps) = follow(layers, stages, from, self.limits)?;
            let (mut best, further) = finish(layers, x, partners, &mut rng(rng_seed, STREAM), self.limits)?;
            if let Some(given) = given {
                best.cross(layers, &polished(layers, given.to_vec(), self.limits));
            }
            Ok(Some(best.into_part(steps + further, Some(FirstPath { x: end, recall: *recall }))))
        })?;
        let Some(Part { partners, gain, steps, first: Some(FirstPath { x, recall }) }) = part else { return Ok(None) };
        let best = Finished::new(layers, partners, gain);
        let is_doubtful = best.is_doubtful(layers);
        Ok(Some(Found { start, recall, x, best, is_doubtful, steps, rounds: 1 }))
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
        if !is_reheatable(layers) {
            return Ok(());
        }
        let most = (ENTRIES / layers.shape().0.max(1)).max(FEWEST_ENTRIES);
        for _ in 0..ROUNDS {
            if !found.is_doubtful || self.is_stopped() {
                break;
            }
            let from = |candidates: &SparseMatrix, best: &[u32]| blend(&candidates.largest(|_| most), REHEATED, best);
            let Some(next) = self.convex_path(layers, found, from)? else { break };
            let before = found.best.value;
            found.best.cross(layers, &next.partners);
            let gain = found.best.value - before;
            found.is_doubtful = gain > least_gain * before.abs() && !layers.is_most(found.best.value);
        }
        Ok(())
    }

    /// The end of a path on the convex form, after local search. It begins where `from` says, of the candidates and the
    /// best answer. `None` where a limit came first.
    pub fn convex_path(
        &self,
        layers: &Layers,
        found: &mut Found,
        from: impl FnOnce(&SparseMatrix, &[u32]) -> SparseMatrix,
    ) -> Result<Option<Finished>> {
        self.further(layers, found, |candidates, best| {
            let stage = |lambda| Stage { form: Form::Convex(self.options.penalty, lambda), most_steps: STEPS };
            let stages: Vec<Stage> = WEIGHTS.weights().into_iter().map(stage).collect();
            let (_, partners, steps) = follow(layers, &stages, from(candidates, best), self.limits)?;
            Ok((partners, steps))
        })
    }

    /// Local search by all edges, where some were hidden, and where vertices have many arcs the first path once more;
    /// and where that is doubtful, what is better in a second answer.
    pub fn unhide<'l>(&self, layers: &'l Layers, found: &mut Found<'l>) -> Result<()> {
        found.best.value = layers.value(&found.best.partners);
        if layers.has_many_arcs() {
            let path = |_: &SparseMatrix, best: &[u32]| {
                let from = matrix(layers.shape(), best);
                let (_, partners, steps) = follow(layers, &FIRST_OF_MANY, from, self.limits)?;
                Ok((partners, steps))
            };
            if let Some(next) = self.further(layers, found, path)? {
                found.best.cross(layers, &next.partners);
            }
        } else if let Some(best) = self.further(layers, found, |_, best| Ok((best.to_vec(), 0)))? {
            found.best = best;
        }
        found.is_doubtful = !layers.is_most(found.best.value) && (found.is_doubtful || found.best.is_doubtful(layers));
        if found.is_doubtful
            && let Some(second) = self.first(layers)?
        {
            found.start = second.start;
            found.steps += second.steps;
            found.best.cross(layers, &second.best.partners);
        }
        Ok(())
    }

    /// Local search from the end of a path, of which its partners and steps are given. `None` where a limit came before
    /// there were candidates.
    fn further(
        &self,
        layers: &Layers,
        found: &mut Found,
        path: impl FnOnce(&SparseMatrix, &[u32]) -> Result<(Vec<u32>, u64)>,
    ) -> Result<Option<Finished>> {
        let part = self.parts.next(layers, false, || {
            let Some(Candidates { x, .. }) = found.start.candidates()? else { return Ok(None) };
            let (partners, steps) = path(x, &found.best.partners)?;
            let rng = &mut rng(self.options.rng_seed, STREAM + found.rounds);
            let (finished, further) = finish(layers, x, partners, rng, self.limits)?;
            Ok(Some(finished.into_part(steps + further, None)))
        })?;
        let Some(Part { partners, gain, steps, .. }) = part else { return Ok(None) };
        found.rounds += 1;
        found.steps += steps;
        Ok(Some(Finished::new(layers, partners, gain)))
    }
}

/// Whether there is a convex form, of products, and a path on it is short enough: what its steps cost goes with Σ d².
pub(super) fn is_reheatable(layers: &Layers) -> bool {
    if layers.affinity != Affinity::Product {
        return false;
    }
    let squares = |i: usize| layers.directions.iter().map(|layer| layer.a.neighbours(i).0.len().pow(2)).sum::<usize>();
    (0..layers.shape().0).map(squares).sum::<usize>() <= SQUARED_DEGREES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn what_has_large_hubs_is_not_reheated() {
        let star = |n: usize| Graph::undirected(n, (1..n).map(|i| (0, i, 1.0))).unwrap();
        let is_reheated = |n: usize| is_reheatable(&Layers::new(vec![(star(n), star(n))], &[]).unwrap());
        assert!(is_reheated(1000) && !is_reheated(3000));
    }
}
