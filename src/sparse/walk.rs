//! Annealing by exchanges that each gain an arc.

use super::walker::Walker;
use crate::stop::Stop;
use rand::{Rng, RngExt};

/// Temperatures at the beginning and at the end, in common edges.
const TEMPERATURES: (f64, f64) = (0.5, 0.1);

/// Exchanges that are looked at, for each vertex.
const EXCHANGES: usize = 100;

/// Stretches of one temperature each.
const STRETCHES: usize = 50;

/// Exchanges between two questions whether to stop.
const BETWEEN_QUESTIONS: usize = 4096;

/// Metropolis' walk over exchanges that each keep an arc which was lost ([`Walker::draw`]): the walker is left where f
/// was largest at the end of a stretch, or where it began. Returns what f gained.
///
/// 100·n exchanges are looked at, T falls geometrically from ½ to 1/10 of a common edge.
pub(super) fn anneal(walker: &mut Walker, rng: &mut impl Rng, stop: &Stop) -> f64 {
    let edge = walker.layers.edge();
    let cooling = (TEMPERATURES.1 / TEMPERATURES.0).powf(1.0 / (STRETCHES - 1) as f64);
    let mut temperature = TEMPERATURES.0 * edge;
    let (mut now, mut best) = (0.0, (0.0, walker.partners.clone()));
    let count = (EXCHANGES * walker.partners.len()).div_ceil(STRETCHES);
    'walk: for _ in 0..STRETCHES {
        for number in 0..count {
            if number.is_multiple_of(BETWEEN_QUESTIONS) && stop.is_reached() {
                break 'walk;
            }
            let Some(exchange) = walker.draw(rng) else { continue };
            let gain = walker.gain(exchange);
            if gain >= 0.0 || rng.random::<f64>() < (gain / temperature).exp() {
                walker.make(exchange);
                now += gain;
            }
        }
        if now > best.0 {
            best.0 = now;
            best.1.clone_from(&walker.partners);
        }
        temperature *= cooling;
    }
    if walker.partners != best.1 {
        *walker = Walker::new(walker.layers, &best.1);
    }
    best.0
}
