//! From candidates to a matching.

use super::consensus::agree;
use super::exploration::{Found, Search};
use super::finish::Finished;
use super::hiding::Hidden;
use super::layers::Layers;
use super::matching::{complete, matrix};
use super::options::Options;
use super::parts::Parts;
use crate::assignment::NONE;
use crate::error::{Error, Result};
use crate::held_out::HeldOut;
use crate::instance::rng;
use crate::penalty::Penalty;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;

/// The stream of random numbers that hide edges.
const STREAM: u64 = (1 << 62) - 1;

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

/// Matches two sparse graphs from their vertices' features: the path on the indefinite form and local search; where
/// that was doubtful, paths on the convex form with the penalty from mixtures of the answer and the first start. Where
/// a limit comes before there are candidates, vertices are paired by their weights. On graphs of less than 6000
/// vertices further searches with other random numbers follow until three agree, or paths from what most of them agree
/// on.
///
/// With a [share to hold out](Options::hold_out) all of that is done without the hidden edges. Then the answer is
/// [tested](crate::held_out) by them, and local search goes on with all edges.
///
/// With a [keeper](Limits::keeper) each path is kept once its local search has ended, and the search goes on from what
/// was kept before, to the same answer.
///
/// # Errors
/// As [`candidates`](crate::features::candidates); [`Error::Argument`] for the entropy, whose gradient is infinite
/// where X is 0, and for a share that is not within 0 to ½; the keeper's, where what it has is of another search.
pub fn search(layers: &Layers, options: &Options, limits: &Limits) -> Result<Answer> {
    if options.penalty == Penalty::Entropy {
        return Err(Error::argument("penalty", "is the entropy, which large sparse graphs are not searched with"));
    }
    if !(0.0..=0.5).contains(&options.hold_out) {
        return Err(Error::argument("hold_out", format!("is {}, but must be within 0 to 0.5", options.hold_out)));
    }
    let limits = &Limits { stop: limits.to_stop(), ..limits.clone() };
    let parts = Parts::begin(layers, options, limits)?;
    let search = Search::new(options, limits, &parts);
    let hidden = Hidden::drawn(layers, options.hold_out, &mut rng(options.rng_seed, STREAM));
    let shown = hidden.as_ref().map(|hidden| hidden.without(layers)).transpose()?;
    let Some(mut found) = search.first(shown.as_ref().unwrap_or(layers))? else { return Ok(unsearched(layers)) };
    let mut held_out = None;
    if let (Some(hidden), Some(shown)) = (&hidden, &shown) {
        search.reheat_for_a_test(shown, &mut found)?;
        held_out = Some(hidden.test(layers, &found.best.partners));
        search.unhide(layers, &mut found)?;
    }
    search.reheat(layers, &mut found)?;
    if options.repeats {
        agree(&search, layers, &mut found)?;
    }
    parts.end()?;
    let Found { best: Finished { partners, value, .. }, x, recall, steps, .. } = found;
    Ok(Answer { partners: as_options(&partners), value, x, steps, recall, held_out })
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
