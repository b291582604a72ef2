//! From candidates to a matching.

use super::layers::Layers;
use super::path::follow;
use super::polish::{complete, polish};
use super::walk::anneal;
use crate::assignment::NONE;
use crate::error::Result;
use crate::features::candidates;
use crate::instance::rng;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;

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

/// Matches two sparse graphs from their vertices' features: path, polish, annealing, polish. `None` where a limit came
/// before there were candidates.
///
/// # Errors
/// As [`candidates`].
pub fn search(layers: &Layers, rng_seed: u64, limits: &Limits) -> Result<Option<Answer>> {
    let stop = limits.to_stop();
    let Some(found) = candidates(&layers.a, &layers.b, rng_seed, &stop)? else { return Ok(None) };
    let start = anchored(layers, found.x);
    let (x, partners, steps) = follow(layers, start, limits)?;
    let mut partners = polish(layers, partners, &stop);
    complete(layers, &mut partners);
    anneal(layers, &mut partners, &mut rng(rng_seed, STREAM), &stop);
    let mut partners = polish(layers, partners, &stop);
    complete(layers, &mut partners);
    let value = layers.value(&partners);
    let partners = partners.into_iter().map(|j| (j != NONE).then_some(j as usize)).collect();
    Ok(Some(Answer { partners, value, x, steps, recall: found.recall }))
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
