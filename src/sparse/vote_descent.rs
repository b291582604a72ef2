//! Exchanges that a matching's own votes ask for.

use super::layers::Layers;
use super::matching::matrix;
use super::walker::Walker;
use crate::stop::Stop;

/// Sweeps, at most.
const SWEEPS: usize = 20;

/// Votes in each row whose exchanges are looked at, see [`fill_row`](super::votes::fill_row).
const VOTES: usize = 32;

/// Makes every exchange that brings a vertex to a column which it has a large vote for, and that gains, until a sweep
/// finds none. For graphs whose vertices have many arcs: a vote is a sum over all of them, and says more than an arc
/// that is lost. A sweep takes O(Σ d²) for the votes and O(64·arcs) for the exchanges.
pub(super) fn descend_by_votes(layers: &Layers, partners: Vec<u32>, stop: &Stop) -> Vec<u32> {
    let mut walker = Walker::new(layers, &partners);
    // Gains are sums of weights, rounded.
    let least_gain = 1e-9 * layers.edge();
    for _ in 0..SWEEPS {
        let votes = layers.votes(&matrix(layers.shape(), &walker.partners), VOTES, stop, |_, _, _, votes| votes);
        let mut has_gained = false;
        for i in 0..partners.len() {
            if stop.is_reached() {
                return walker.partners;
            }
            for (j, _) in votes.entries(i) {
                let Some(exchange) = walker.allowed(i, j) else { continue };
                if walker.gain(exchange) > least_gain {
                    walker.make(exchange);
                    has_gained = true;
                }
            }
        }
        if !has_gained {
            break;
        }
    }
    walker.partners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Graph;
    use crate::instance::rng;
    use crate::sparse_form::Affinity;
    use rand::RngExt;

    #[test]
    fn vertices_that_were_exchanged_come_back() {
        let mut rng = rng(81, 0);
        let arc = |_| (rng.random_range(0..60), rng.random_range(0..60), f64::from(rng.random_range(1..9)));
        let graph = Graph::directed(60, (0..3000).map(arc).collect::<Vec<_>>()).unwrap();
        let layers = Layers::with_affinity(Affinity::Minimum, vec![(graph.clone(), graph)], &[(7, 7)]).unwrap();
        let mut partners: Vec<u32> = (0..60).collect();
        [(1, 50), (3, 20), (20, 40), (8, 9)].into_iter().for_each(|(i, k)| partners.swap(i, k));
        assert_eq!(descend_by_votes(&layers, partners, &Stop::never()), (0..60).collect::<Vec<u32>>());
    }
}
