//! Local search on injections: exchanges of a place that is used with one that is used or free.

use crate::injection::Injection;
use crate::objective::Injective;
use crate::polytope::Injections;
use rand::{Rng, RngExt};

/// Moves vertices to better places, each to its best one, free or another vertex' own (which it then exchanges with),
/// in rounds over the face's free vertices, as long as f falls.
///
/// Ends where no such move lowers f, or once `stop` says so (it is asked once a vertex); f as computed falls with every
/// move, so that it ends. A round costs, for each vertex, [`Injective::costs`] and O(m) evaluations of
/// [`Injective::change`]. Returns the number of moves.
pub fn descend(objective: &dyn Injective, face: &Injections, p: &mut Injection, stop: &dyn Fn() -> bool) -> usize {
    let vertices = face.free_vertices();
    let (mut costs, mut moves, mut in_vain) = (vec![], 0, 0);
    let mut value = objective.value_at(p);
    for &i in vertices.iter().cycle() {
        if in_vain >= vertices.len() || stop() {
            break;
        }
        in_vain += 1;
        objective.costs(p, i, &mut costs);
        let free = face.free_places().iter().filter(|&&j| p.holder(j).is_none());
        let to_free = free.map(|&j| (costs[j] - costs[p.apply(i)], j));
        let exchanges = vertices.iter().map(|&k| p.apply(k)).filter(|&j| j != p.apply(i));
        let to_used = exchanges.map(|j| (objective.change(p, i, j), j));
        let Some((change, j)) = to_free.chain(to_used).min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        if change >= 0.0 {
            continue;
        }
        let from = p.apply(i);
        p.place(i, j);
        let moved = objective.value_at(p);
        if moved < value {
            (value, in_vain) = (moved, 0);
            moves += 1;
        } else {
            // Placing i back sends whoever was at j home.
            p.place(i, from);
        }
    }
    moves
}

/// How an annealed walk cools: temperatures in units of an arc in common, and how many moves are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cooling {
    /// The temperature at the beginning.
    pub first: f64,
    /// The temperature at the end.
    pub last: f64,
    /// Sweeps, at one temperature each, which falls geometrically.
    pub sweeps: usize,
}

/// Moves that [`anneal`] looks at for each vertex and sweep.
const MOVES_A_VERTEX: usize = 32;

/// Metropolis' walk over the moves of [`descend`], slowly cooled: p ← the best injection it meets, never a worse one.
///
/// As [`local_search::anneal`](super::anneal), with every other move drawn by [`Injective::draw_place`]. For sparse
/// graphs only, where [`Injective::arc_value`] says what an arc is worth. 32·m·sweeps evaluations of
/// [`Injective::change`]; `stop` is asked once a sweep. Returns how often p became better.
pub fn anneal(
    objective: &dyn Injective,
    face: &Injections,
    p: &mut Injection,
    cooling: Cooling,
    rng: &mut impl Rng,
    stop: &dyn Fn() -> bool,
) -> usize {
    let (vertices, places) = (face.free_vertices(), face.free_places());
    let Some(unit) = objective.arc_value() else { return 0 };
    if vertices.is_empty() {
        return 0;
    }
    let mut is_free = vec![false; p.places()];
    places.iter().for_each(|&j| is_free[j] = true);
    let factor = (cooling.last / cooling.first).powf(1.0 / (cooling.sweeps.max(2) - 1) as f64);
    let (mut walker, start, mut improvements) = (p.clone(), p.clone(), 0);
    let (mut value, mut least, mut temperature) = (0.0, 0.0, cooling.first * unit);
    for _ in 0..cooling.sweeps {
        if stop() {
            break;
        }
        for number in 0..vertices.len() * MOVES_A_VERTEX {
            let mut draw = |below| rng.random_range(0..below);
            let i = vertices[draw(vertices.len())];
            let gaining = if number % 2 == 0 { objective.draw_place(&walker, i, &mut draw) } else { None };
            let j = gaining.unwrap_or_else(|| places[draw(places.len())]);
            if j == walker.apply(i) || !is_free[j] {
                continue;
            }
            let change = objective.change(&walker, i, j);
            if change <= 0.0 || rng.random::<f64>() < (-change / temperature).exp() {
                walker.place(i, j);
                value += change;
                if value < least {
                    least = value;
                    p.clone_from(&walker);
                    improvements += 1;
                }
            }
        }
        temperature *= factor;
    }
    // What many small changes add up to is rounded.
    if improvements > 0 && objective.value_at(p) >= objective.value_at(&start) {
        *p = start;
        return 0;
    }
    improvements
}
