//! What a search starts from.

use super::layers::Layers;
use super::matching::matrix;
use super::options::Options;
use super::similarity::with_similar;
use crate::assignment::NONE;
use crate::error::Result;
use crate::features::{Candidates, candidates};
use crate::graph::Graph;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use std::cell::OnceCell;

/// A vertex keeps so many candidates over its degree, in mean degrees, and some at least: the votes of its neighbours
/// cost the product of its degree with theirs, and hubs are few that look alike.
const OF_HUBS: f64 = 256.0;
const LEAST_OF_HUBS: f64 = 4.0;

/// What the votes of all candidates may cost, about, in products: more than a second, and some fifty times on a path.
const VOTES: f64 = 1e9;

/// Fewer candidates of each vertex do not make a start as good as a match.
const ENOUGH: f64 = 8.0;

/// A match to begin with, and candidates, which are looked for when they are first asked for: a search that goes on
/// from a checkpoint may do without them.
pub(super) struct Start<'a> {
    layers: &'a Layers,
    rng_seed: u64,
    limits: Limits,
    given: Option<Vec<u32>>,
    found: OnceCell<Candidates>,
}

impl<'a> Start<'a> {
    pub fn new(layers: &'a Layers, options: &Options, limits: &Limits) -> Self {
        let given = options.start_match.as_ref().map(|partners| given(layers, partners));
        Start { layers, rng_seed: options.rng_seed, limits: limits.clone(), given, found: OnceCell::new() }
    }

    /// The [match to begin with](Options::start_match), where there is one, with the anchors.
    pub fn given(&self) -> Option<&[u32]> {
        self.given.as_deref()
    }

    /// A complete match to begin with takes their place where votes for them are dear. `None` where a limit comes
    /// before they are found.
    pub fn candidates(&self) -> Result<Option<&Candidates>> {
        if self.found.get().is_none() {
            let Some(found) = self.find()? else { return Ok(None) };
            let _ = self.found.set(found);
        }
        Ok(self.found.get())
    }

    fn find(&self) -> Result<Option<Candidates>> {
        let (n_a, n_b) = self.layers.shape();
        let is_complete = |given: &&[u32]| given.iter().filter(|&&j| j != NONE).count() == n_a.min(n_b);
        if let Some(given) = self.given().filter(is_complete)
            && affordable(self.layers) < ENOUGH
        {
            return Ok(Some(Candidates { x: matrix((n_a, n_b), given), recall: 0.0 }));
        }
        self.limits.report("comparing vertices", || 0.0);
        let Layers { a, b, .. } = self.layers;
        let found = candidates(a, b, self.rng_seed, &self.limits.stop)?;
        Ok(found.map(|Candidates { x, recall }| {
            let x = anchored(self.layers, &with_similar(self.layers, x));
            Candidates { x, recall }
        }))
    }
}

/// The partners of vertices of A, as far as anchors leave them and B's vertices free; and the anchors.
fn given(layers: &Layers, partners: &[Option<usize>]) -> Vec<u32> {
    let partner = |(i, &anchor): (usize, &u32)| match partners.get(i).copied().flatten() {
        Some(j) if anchor == NONE && layers.is_free.get(j) == Some(&true) => j as u32,
        _ => anchor,
    };
    layers.anchors.iter().enumerate().map(partner).collect()
}

/// The candidates of each vertex whose votes are not too dear.
fn affordable(layers: &Layers) -> f64 {
    let (_, n_b) = layers.shape();
    let arcs = layers.directions.iter().map(|layer| layer.a.arc_count()).sum::<usize>() as f64;
    let mean_of_b = layers.b.iter().map(Graph::arc_count).sum::<usize>() as f64 / n_b.max(1) as f64;
    VOTES / (arcs * mean_of_b).max(1.0)
}

/// Candidates with the anchors' rows and columns as they must be, few in the rows of hubs, and fewer in all where their
/// votes would cost too much.
fn anchored(layers: &Layers, x: &SparseMatrix) -> SparseMatrix {
    let (n_a, _) = layers.shape();
    let degree = |i: usize| layers.directions.iter().map(|layer| layer.a.neighbours(i).0.len()).sum::<usize>();
    let mean = (0..n_a).map(degree).sum::<usize>() as f64 / n_a.max(1) as f64;
    let affordable = affordable(layers);
    let most =
        |i: usize| (OF_HUBS * mean / degree(i).max(1) as f64).max(LEAST_OF_HUBS).min(affordable).max(1.0) as usize;
    let few = x.largest(most);
    SparseMatrix::from_rows(
        x.shape(),
        || (),
        |(), i, row| {
            if layers.anchors[i] != NONE {
                row.push(layers.anchors[i] as usize, 1.0);
            } else {
                few.entries(i).filter(|&(j, _)| layers.is_free[j]).for_each(|(j, entry)| row.push(j, entry));
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hubs_keep_their_few_largest_candidates_and_anchors_themselves() {
        // A star: the mean degree is about 2, the hub's 999.
        let star = Graph::undirected(1000, (1..1000).map(|i| (0, i, 1.0))).unwrap();
        let layers = Layers::new(vec![(star.clone(), star)], &[(7, 9)]).unwrap();
        let all = SparseMatrix::from_rows(
            (1000, 1000),
            || (),
            |(), _, row| {
                (0..32).for_each(|j| row.push(j, 0.001 * (j + 1) as f64));
            },
        );
        let start = anchored(&layers, &all);
        let columns = |i: usize| start.entries(i).map(|(j, _)| j).collect::<Vec<_>>();
        assert_eq!(columns(0), [28, 29, 30, 31]);
        assert_eq!(columns(7), [9]);
        // All but the anchored column.
        assert_eq!(columns(1).len(), 31);
    }
}
