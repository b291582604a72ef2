//! One search: paths, each with local search at its end.

use super::finish::{Finished, finish};
use super::layers::Layers;
use super::matching::matrix;
use super::options::Options;
use super::path::{Form, Stage, blend, follow, indefinite};
use super::polish::polish;
use crate::assignment::NONE;
use crate::error::Result;
use crate::features::{Candidates, candidates};
use crate::graph::Graph;
use crate::instance::rng;
use crate::penalty::WeightSchedule;
use crate::solver::Limits;
use crate::sparse_form::Affinity;
use crate::sparse_matrix::SparseMatrix;

/// The stream of random numbers of the first local search; those of later ones follow.
const STREAM: u64 = (1 << 62) + 1;

/// The first path: f itself, then f with a term that hardens X.
const FIRST: [Stage; 3] = [indefinite(0.0, 40), indefinite(-0.1, 8), indefinite(-0.5, 8)];

/// A vertex keeps so many candidates over its degree, in mean degrees, and some at least: the votes of its neighbours
/// cost the product of its degree with theirs, and hubs are few that look alike.
const OF_HUBS: f64 = 256.0;
const LEAST_OF_HUBS: f64 = 4.0;

/// What the votes of all candidates may cost, about, in products: more than a second, and some fifty times on a path.
const VOTES: f64 = 1e9;

/// Fewer candidates of each vertex do not make a start as good as a match.
const ENOUGH: f64 = 8.0;

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
    /// Their stop is reached with any of them.
    limits: Limits,
}

impl<'a> Search<'a> {
    pub fn new(options: &'a Options, limits: &Limits) -> Self {
        Search { options, limits: Limits { stop: limits.to_stop(), ..limits.clone() } }
    }

    pub fn with_options<'b>(&self, options: &'b Options) -> Search<'b> {
        Search { options, limits: self.limits.clone() }
    }

    pub fn is_stopped(&self) -> bool {
        self.limits.stop.is_reached()
    }

    /// The first path. `None` where a limit came before there were candidates.
    pub fn first(&self, layers: &Layers) -> Result<Option<Found>> {
        let rng_seed = self.options.rng_seed;
        let given = self.given(layers);
        let Some((start, recall)) = self.start(layers, given.as_deref())? else { return Ok(None) };
        let from = given.as_ref().map_or_else(|| start.clone(), |given| blend(&start, GIVEN, given));
        let (x, partners, steps) = follow(layers, &FIRST, from, &self.limits)?;
        let rng = &mut rng(rng_seed, STREAM);
        let (mut best, further) = finish(layers, &start, (partners, x), rng, &self.limits)?;
        if let Some(given) = given {
            best.cross(layers, &polish(layers, given, &self.limits.stop));
        }
        let is_doubtful = best.is_doubtful(layers);
        Ok(Some(Found { start, recall, best, is_doubtful, steps: steps + further, rounds: 1 }))
    }

    /// Candidates, and their recall. A complete match to begin with takes their place where votes for them are dear.
    /// `None` where a limit came first.
    fn start(&self, layers: &Layers, given: Option<&[u32]>) -> Result<Option<(SparseMatrix, f64)>> {
        let (n_a, n_b) = layers.shape();
        let is_complete = |given: &&[u32]| given.iter().filter(|&&j| j != NONE).count() == n_a.min(n_b);
        if let Some(given) = given.filter(is_complete)
            && affordable(layers) < ENOUGH
        {
            return Ok(Some((matrix(layers.shape(), given), 0.0)));
        }
        self.limits.report("comparing vertices", || 0.0);
        let found = candidates(&layers.a, &layers.b, self.options.rng_seed, &self.limits.stop)?;
        Ok(found.map(|Candidates { x, recall }| (anchored(layers, &x), recall)))
    }

    /// The [match to begin with](Options::start_match), where there is one, with the anchors.
    fn given(&self, layers: &Layers) -> Option<Vec<u32>> {
        let given = self.options.start_match.as_ref()?;
        let partner = |(i, &anchor): (usize, &u32)| match given.get(i).copied().flatten() {
            Some(j) if anchor == NONE && layers.is_free.get(j) == Some(&true) => j as u32,
            _ => anchor,
        };
        Some(layers.anchors.iter().enumerate().map(partner).collect())
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
            let from = blend(&largest(&found.start, |_| most), REHEATED, &found.best.partners);
            let next = self.convex_path(layers, from, found)?;
            let before = found.best.value;
            found.best.cross(layers, &next.partners);
            let gain = found.best.value - before;
            found.is_doubtful = gain > least_gain * before && !layers.is_most(found.best.value);
        }
        Ok(())
    }

    /// The end of a path on the convex form, after local search.
    pub fn convex_path(&self, layers: &Layers, from: SparseMatrix, found: &mut Found) -> Result<Finished> {
        let stage = |lambda| Stage { form: Form::Convex(self.options.penalty, lambda), most_steps: STEPS };
        let stages: Vec<Stage> = WEIGHTS.weights().into_iter().map(stage).collect();
        let (x, partners, steps) = follow(layers, &stages, from, &self.limits)?;
        found.steps += steps;
        self.finish(layers, found, (partners, x))
    }

    /// Local search by all edges, where some were hidden; and where that is doubtful, what is better in a second
    /// answer.
    pub fn unhide(&self, layers: &Layers, found: &mut Found) -> Result<()> {
        let end = (found.best.partners.clone(), found.best.x.clone());
        found.best = self.finish(layers, found, end)?;
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

    fn finish(&self, layers: &Layers, found: &mut Found, end: (Vec<u32>, SparseMatrix)) -> Result<Finished> {
        let rng = &mut rng(self.options.rng_seed, STREAM + found.rounds);
        found.rounds += 1;
        let (finished, steps) = finish(layers, &found.start, end, rng, &self.limits)?;
        found.steps += steps;
        Ok(finished)
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

/// The largest entries of each row, so many as `most` says for it.
fn largest(x: &SparseMatrix, most: impl Fn(usize) -> usize + Sync + Send) -> SparseMatrix {
    SparseMatrix::from_rows(x.shape(), Vec::new, |entries: &mut Vec<(usize, f64)>, i, row| {
        entries.clear();
        entries.extend(x.entries(i));
        let most = most(i);
        if entries.len() > most {
            entries.select_nth_unstable_by(most, |k, l| l.1.total_cmp(&k.1).then(k.0.cmp(&l.0)));
            entries.truncate(most);
            entries.sort_unstable_by_key(|&(j, _)| j);
        }
        entries.iter().for_each(|&(j, entry)| row.push(j, entry));
    })
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
    let few = largest(x, most);
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

    #[test]
    fn what_has_large_hubs_is_not_reheated() {
        let star = |n: usize| Graph::undirected(n, (1..n).map(|i| (0, i, 1.0))).unwrap();
        let is_reheated = |n: usize| is_reheatable(&Layers::new(vec![(star(n), star(n))], &[]).unwrap());
        assert!(is_reheated(1000) && !is_reheated(3000));
    }
}
