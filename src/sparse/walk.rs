//! Annealing by exchanges that each gain an arc.

use super::walker::Walker;
use crate::stop::Stop;
use rand::{Rng, RngExt};

/// Temperatures at the beginning and at the end, in common edges.
const TEMPERATURES: (f64, f64) = (0.5, 0.1);

/// Exchanges that are looked at: for each vertex, and for each lost arc of the side that has lost fewer, at most. What
/// only the other side has lost is noise, which no exchange mends.
const EXCHANGES: usize = 100;
const EXCHANGES_FOR_A_LOSS: usize = 1000;

/// Exchanges of a walk that finds out whether a longer one is worth it: some fifteen seconds. A mesh of 62,500 vertices
/// took three times as long with 2 million, for it needs the long one each time.
pub(super) const TRIAL: usize = 6_300_000;

/// Stretches of one temperature each.
const STRETCHES: usize = 50;

/// Exchanges between two questions whether to stop.
const BETWEEN_QUESTIONS: usize = 4096;

/// Metropolis' walk over exchanges that each keep an arc which was lost ([`Walker::draw`]). Where it ends may be worse
/// than where it began.
///
/// About 100·n exchanges are looked at, fewer where little is lost, and no more than `most`; T falls geometrically from
/// ½ to 1/10 of a common edge. Returns whether more would have been looked at.
pub(super) fn anneal(walker: &mut Walker, most: usize, rng: &mut impl Rng, stop: &Stop) -> bool {
    let edge = walker.layers.edge();
    let cooling = (TEMPERATURES.1 / TEMPERATURES.0).powf(1.0 / (STRETCHES - 1) as f64);
    let mut temperature = TEMPERATURES.0 * edge;
    let losses = walker.sides.iter().map(|(a, b)| a.lost.members.len().min(b.lost.members.len())).sum::<usize>();
    let all = (EXCHANGES * walker.partners.len()).min(EXCHANGES_FOR_A_LOSS * losses);
    let count = all.min(most).div_ceil(STRETCHES);
    for _ in 0..STRETCHES {
        for number in 0..count {
            if number.is_multiple_of(BETWEEN_QUESTIONS) && stop.is_reached() {
                return false;
            }
            let Some(exchange) = walker.draw(rng) else { continue };
            let gain = walker.gain(exchange);
            if gain >= 0.0 || rng.random::<f64>() < (gain / temperature).exp() {
                walker.make(exchange);
            }
        }
        temperature *= cooling;
    }
    all > most
}
