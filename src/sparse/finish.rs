//! What local search makes of the end of a path.

use super::chain::relocate;
use super::confidence::sure;
use super::crossover::crossed;
use super::layers::Layers;
use super::matching::{complete, matrix};
use super::path::{Stage, follow, indefinite};
use super::polish::polish;
use super::similarity_descent::descend_by_similarity;
use super::vote_descent::descend_by_votes;
use super::walk::{TRIAL, anneal};
use super::walker::Walker;
use crate::checkpoint::{FirstPath, Part};
use crate::error::Result;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use rand::Rng;

/// A path from where a matching is sure.
const GROWTH: [Stage; 3] = [indefinite(0.0, 30), indefinite(-0.1, 8), indefinite(-0.5, 8)];

/// A matching is grown again that loses more than the first share of all that there is to keep, as long as that brings
/// more than the second.
const GROWN: (f64, f64) = (0.03, 1e-3);

/// A trial of annealing that gains more than this share is followed by a longer walk.
const WORTH_MORE: f64 = 2e-4;

/// An answer is doubtful that local search made better than the path left it, by more than this share: what single
/// moves mend in so many places is wrong in larger ones, too.
const DOUBTFUL: f64 = 5e-4;

/// None is doubtful that loses less than this share of all that there is to keep.
const NOTHING_LOST: f64 = 5e-5;

/// What local search made of the end of a path.
#[derive(Clone)]
pub(super) struct Finished {
    pub partners: Vec<u32>,
    pub value: f64,
    /// What it gained over the polished rounding.
    pub mended: f64,
}

impl Finished {
    pub fn new(layers: &Layers, partners: Vec<u32>, mended: f64) -> Self {
        Finished { value: layers.value(&partners), partners, mended }
    }

    /// The part of a search that ends here.
    pub fn into_part(self, steps: u64, first: Option<FirstPath>) -> Part {
        Part { partners: self.partners, gain: self.mended, steps, first }
    }

    /// Takes the better parts of another answer.
    pub fn cross(&mut self, layers: &Layers, other: &[u32]) {
        self.partners = crossed(layers, &self.partners, other);
        self.value = layers.value(&self.partners);
    }

    pub fn is_doubtful(&self, layers: &Layers) -> bool {
        let loses = self.value < (1.0 - NOTHING_LOST) * layers.most();
        loses && is_mended(self.mended, self.value) && !layers.is_lost(&self.partners)
    }
}

/// Whether local search has gained so much that an answer is [`DOUBTFUL`].
fn is_mended(gain: f64, value: f64) -> bool {
    gain > DOUBTFUL * value.abs()
}

/// Anneals what a path ended with, grows it again from where it is sure, relocates its regions, and grows it again.
/// Also returns the steps of the paths that grew.
pub(super) fn finish(
    layers: &Layers,
    candidates: &SparseMatrix,
    partners: Vec<u32>,
    rng: &mut impl Rng,
    limits: &Limits,
) -> Result<(Finished, u64)> {
    let mut best = Matching::polished(layers, partners, limits);
    let rounded = best.value;
    best.anneal(layers, rng, limits);
    let mut steps = 0;
    if is_mended(best.value - rounded, best.value) {
        steps += best.grow(layers, rng, limits)?;
    }
    // Where vertices have many arcs no region is so small that it follows.
    if !layers.has_many_arcs() && !layers.is_most(best.value) && !limits.stop.is_reached() {
        best = Matching::polished(layers, best.relocated(layers, candidates, rng, limits), limits);
        if is_mended(best.value - rounded, best.value) {
            steps += best.grow(layers, rng, limits)?;
        }
    }
    if !layers.is_most(best.value) {
        best.descend(layers, candidates, limits);
    }
    let Matching { partners, value } = best;
    Ok((Finished { partners, value, mended: value - rounded }, steps))
}

/// A complete matching that votes make of this one.
pub(super) fn polished(layers: &Layers, mut partners: Vec<u32>, limits: &Limits) -> Vec<u32> {
    // Votes take seconds to set up on large graphs.
    if !limits.stop.is_reached() && !layers.has_many_arcs() {
        partners = polish(layers, partners, &limits.stop);
    }
    complete(layers, &mut partners);
    if !limits.stop.is_reached() && layers.has_many_arcs() {
        partners = descend_by_votes(layers, partners, &limits.stop);
    }
    partners
}

/// A matching that is complete, and f there.
struct Matching {
    partners: Vec<u32>,
    value: f64,
}

impl Matching {
    fn polished(layers: &Layers, partners: Vec<u32>, limits: &Limits) -> Self {
        limits.report("polishing", || layers.share(&partners));
        Matching::at(layers, polished(layers, partners, limits))
    }

    /// The partners after [`relocate`].
    fn relocated(&self, layers: &Layers, candidates: &SparseMatrix, rng: &mut impl Rng, limits: &Limits) -> Vec<u32> {
        limits.report("relocation", || layers.share(&self.partners));
        let mut walker = Walker::new(layers, &self.partners);
        relocate(&mut walker, candidates, rng, &limits.stop);
        walker.partners
    }

    fn at(layers: &Layers, partners: Vec<u32>) -> Self {
        Matching { value: layers.value(&partners), partners }
    }

    /// With the better parts of another.
    fn crossed(&self, layers: &Layers, other: &[u32]) -> Self {
        Matching::at(layers, crossed(layers, &self.partners, other))
    }

    /// Takes what is better in an annealed copy; on large graphs in a trial, and then in a longer walk if that brings
    /// much.
    fn anneal(&mut self, layers: &Layers, rng: &mut impl Rng, limits: &Limits) {
        let mut anneal_for = |most: usize| {
            if limits.stop.is_reached() {
                return false;
            }
            limits.report("annealing", || layers.share(&self.partners));
            let mut walker = Walker::new(layers, &self.partners);
            let is_trial = anneal(&mut walker, most, rng, &limits.stop);
            let before = std::mem::replace(self, self.crossed(layers, &walker.partners));
            is_trial && self.value - before.value > WORTH_MORE * self.value.abs()
        };
        if anneal_for(TRIAL) {
            anneal_for(usize::MAX);
        }
    }

    /// Makes the exchanges that similarities speak for: those that votes pass over, as their auction ends within ε.
    fn descend(&mut self, layers: &Layers, candidates: &SparseMatrix, limits: &Limits) {
        if layers.similarity.is_some() && !limits.stop.is_reached() {
            let mut walker = Walker::new(layers, &self.partners);
            descend_by_similarity(&mut walker, candidates, &limits.stop);
            *self = Matching::at(layers, walker.partners);
        }
    }

    /// Whether it loses much, and is not lost.
    fn may_grow(&self, layers: &Layers) -> bool {
        layers.share(&self.partners) < 1.0 - GROWN.0 && !layers.is_lost(&self.partners)
    }

    /// Paths from where it is sure, annealed, for as long as they bring much. Returns their steps.
    fn grow(&mut self, layers: &Layers, rng: &mut impl Rng, limits: &Limits) -> Result<u64> {
        let mut steps = 0;
        while !limits.stop.is_reached() && self.may_grow(layers) {
            limits.report("growth", || layers.share(&self.partners));
            let from = matrix(layers.shape(), &sure(layers, &self.partners));
            let (_, partners, of_path) = follow(layers, &GROWTH, from, limits)?;
            steps += of_path;
            let mut next = Matching::polished(layers, partners, limits);
            next.anneal(layers, rng, limits);
            let before = std::mem::replace(self, self.crossed(layers, &next.partners));
            let gain = self.value - before.value;
            if gain <= GROWN.1 * before.value.abs() {
                break;
            }
        }
        Ok(steps)
    }
}
