//! From candidates to a matching.

use super::chain::relocate;
use super::layers::Layers;
use super::matching::{complete, matrix};
use super::path::{Form, Stage, blend, follow};
use super::polish::polish;
use super::walk::anneal;
use super::walker::Walker;
use crate::assignment::NONE;
use crate::error::{Error, Result};
use crate::features::candidates;
use crate::instance::rng;
use crate::penalty::{Penalty, WeightSchedule};
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use rand::Rng;

/// The stream of random numbers of the walk.
const STREAM: u64 = (1 << 62) + 1;

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

/// Reheating ends when it brings less than this share.
const LEAST_GAIN: f64 = 2e-4;

/// Matches two sparse graphs from their vertices' features: the path on the indefinite form and local search; where
/// that was doubtful, paths on the convex form with `penalty` (l1−l2 or Frobenius) from mixtures of the answer and the
/// first start. Where a limit comes before there are candidates, vertices are paired by their weights.
///
/// # Errors
/// As [`candidates`]; [`Error::Argument`] for the entropy, whose gradient is infinite where X is 0.
pub fn search(layers: &Layers, penalty: Penalty, rng_seed: u64, limits: &Limits) -> Result<Answer> {
    if penalty == Penalty::Entropy {
        return Err(Error::argument("penalty", "is the entropy, which large sparse graphs are not searched with"));
    }
    let convex = |lambda| Stage { form: Form::Convex(penalty, lambda), most_steps: STEPS };
    let stop = limits.to_stop();
    let Some(found) = candidates(&layers.a, &layers.b, rng_seed, &stop)? else { return Ok(unsearched(layers)) };
    let start = anchored(layers, found.x);
    let (x, partners, mut steps) = follow(layers, &FIRST, start.clone(), limits)?;
    let mut best = Finished::of(layers, &start, partners, x, &mut rng(rng_seed, STREAM), &stop);
    let mut is_doubtful = best.mended > DOUBTFUL * best.value;
    for round in 1..=ROUNDS {
        if !is_doubtful || stop.is_reached() {
            break;
        }
        let stages: Vec<Stage> = WEIGHTS.weights().into_iter().map(convex).collect();
        let (x, partners, more) = follow(layers, &stages, blend(&start, REHEATED, &best.partners), limits)?;
        steps += more;
        let next = Finished::of(layers, &start, partners, x, &mut rng(rng_seed, STREAM + round), &stop);
        is_doubtful = next.value - best.value > LEAST_GAIN * best.value;
        if next.value > best.value {
            best = next;
        }
    }
    let Finished { partners, value, x, .. } = best;
    Ok(Answer { partners: as_options(&partners), value, x, steps, recall: found.recall })
}

/// Vertices paired by their weights, without a search.
fn unsearched(layers: &Layers) -> Answer {
    let mut partners = layers.anchors.clone();
    complete(layers, &mut partners);
    let (value, x) = (layers.value(&partners), matrix(layers.shape(), &layers.anchors));
    Answer { partners: as_options(&partners), value, x, steps: 0, recall: 0.0 }
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
        partners: Vec<u32>,
        x: SparseMatrix,
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
