//! Chains of exchanges that move a whole region.

use super::walker::{Exchange, Made, Walker};
use crate::assignment::NONE;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use rand::{Rng, RngExt};

/// Rounds at most, with a chain begun for each vertex in each.
const ROUNDS: usize = 10;

/// Exchanges of a chain, at most.
const LENGTH: usize = 60;

/// A chain ends when it is so many common edges below its best.
const PATIENCE: f64 = 12.0;

/// Exchanges that are compared for the next one of a chain, at most.
const COMPARED: usize = 24;

/// Chains between two questions whether to stop.
const BETWEEN_QUESTIONS: usize = 256;

/// Begins chains of exchanges in the manner of Lin and Kernighan (Operations Research 21, 1973), and keeps of each as
/// much as is best. A round that gains nothing is the last one.
///
/// The first exchange brings a vertex that has lost an arc, of A or B, to one of its candidates (rows and columns of
/// `candidates`), wherever that is; each further one keeps an arc at a vertex that has moved, so that a region follows.
/// That relocates what no exchange alone can: small components, and regions whose neighbours are as wrong as they are.
pub(super) fn relocate(walker: &mut Walker, candidates: &SparseMatrix, rng: &mut impl Rng, stop: &Stop) {
    let (n_a, n_b) = walker.layers.shape();
    let mut room = Room { made: vec![], has_moved: (vec![false; n_a], vec![false; n_b]) };
    let candidates = (candidates, candidates.transpose());
    for _ in 0..ROUNDS {
        let mut gain = 0.0;
        for number in 0..n_a {
            if number.is_multiple_of(BETWEEN_QUESTIONS) && stop.is_reached() {
                return;
            }
            if let Some(first) = first(walker, &candidates, rng) {
                gain += chain(walker, first, &mut room);
            }
        }
        if gain == 0.0 {
            break;
        }
    }
}

/// What chains use again and again.
struct Room {
    made: Vec<Made>,
    /// Vertices of A and of B.
    has_moved: (Vec<bool>, Vec<bool>),
}

/// An exchange at a lost arc of either side: its source goes to one of its candidates.
fn first(walker: &Walker, candidates: &(&SparseMatrix, SparseMatrix), rng: &mut impl Rng) -> Option<Exchange> {
    let (a, b) = walker.sides.first()?;
    let of_b = rng.random::<bool>();
    let (side, candidates) = if of_b { (b, &candidates.1) } else { (a, candidates.0) };
    let arc = drawn(&side.lost.members, rng)?;
    let source = side.sources[arc as usize] as usize;
    let other = drawn(candidates.row(source).0, rng)? as usize;
    if of_b { walker.allowed(other, source) } else { walker.allowed(source, other) }
}

fn drawn(among: &[u32], rng: &mut impl Rng) -> Option<u32> {
    (!among.is_empty()).then(|| among[rng.random_range(0..among.len())])
}

/// Makes the chain that begins with `first`, back to where f was largest. What it gained.
fn chain(walker: &mut Walker, first: Exchange, room: &mut Room) -> f64 {
    let Room { made, has_moved } = room;
    made.clear();
    let patience = PATIENCE * walker.layers.edge();
    // Gains are sums of weights, rounded.
    let least_gain = 1e-9 * patience;
    let (mut gain, mut best, mut best_length, mut frontier) = (0.0, 0.0, 0, 0);
    let mut next = Some((walker.gain(first), first));
    while let Some((rise, exchange)) = next {
        made.push(walker.make(exchange));
        (has_moved.0[exchange.i], has_moved.1[exchange.j]) = (true, true);
        gain += rise;
        if gain > best + least_gain {
            (best, best_length) = (gain, made.len());
        }
        if made.len() == LENGTH || gain < best - patience {
            break;
        }
        next = None;
        while next.is_none() && frontier < made.len() {
            next = best_beside(walker, made[frontier].exchange, has_moved);
            frontier += usize::from(next.is_none());
        }
    }
    for Made { exchange: Exchange { i, j }, .. } in made.iter() {
        (has_moved.0[*i], has_moved.1[*j]) = (false, false);
    }
    made.drain(best_length..).rev().for_each(|made| walker.undo(made));
    best
}

/// The exchange of most gain among those that keep a lost arc at (i, j), of vertices that have not moved.
fn best_beside(
    walker: &Walker,
    Exchange { i, j }: Exchange,
    has_moved: &(Vec<bool>, Vec<bool>),
) -> Option<(f64, Exchange)> {
    let mut best: Option<(f64, Exchange)> = None;
    let mut compared = 0;
    for (a, b) in &walker.sides {
        let directions = [(a.graph, b.graph), (&a.turned, &b.turned)];
        let count = if a.graph.is_symmetric() && b.graph.is_symmetric() { 1 } else { 2 };
        for (a, b) in &directions[..count] {
            let (of_i, of_j) = (a.neighbours(i).0, b.neighbours(j).0);
            let is_among = |vertices: &[usize], v: u32| v != NONE && vertices.binary_search(&(v as usize)).is_ok();
            for &k in of_i.iter().filter(|&&k| !has_moved.0[k] && !is_among(of_j, walker.partners[k])) {
                for &l in of_j.iter().filter(|&&l| !has_moved.1[l] && !is_among(of_i, walker.holders[l])) {
                    let Some(exchange) = walker.allowed(k, l) else { continue };
                    compared += 1;
                    if compared > COMPARED {
                        return best;
                    }
                    let gain = walker.gain(exchange);
                    if best.is_none_or(|(most, _)| gain > most) {
                        best = Some((gain, exchange));
                    }
                }
            }
        }
    }
    best
}
