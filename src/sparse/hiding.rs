//! Edges that the search does not see.

use super::layers::Layers;
use super::matching::holders;
use crate::assignment::NONE;
use crate::error::Result;
use crate::graph::Graph;
use crate::held_out::HeldOut;
use rand::Rng;
use rand::seq::index::sample;

/// Edges of B's first layer (each once; arcs where a graph is directed), sorted.
pub(super) struct Hidden {
    edges: Vec<(usize, usize)>,
}

impl Hidden {
    /// A `share` of the edges drawn at random; of those between two anchors none, as they tell nothing. `None` where
    /// that is not one edge.
    pub fn drawn(layers: &Layers, share: f64, rng: &mut impl Rng) -> Option<Self> {
        let b = layers.b.first()?;
        let tells = |&(j, l, _): &(usize, usize, f64)| {
            (layers.is_free[j] || layers.is_free[l]) && (layers.is_directed() || j <= l)
        };
        let edges: Vec<(usize, usize)> = b.arcs().filter(tells).map(|(j, l, _)| (j, l)).collect();
        let count = (share * edges.len() as f64).round() as usize;
        if count == 0 {
            return None;
        }
        let mut drawn: Vec<(usize, usize)> = sample(rng, edges.len(), count).iter().map(|k| edges[k]).collect();
        drawn.sort_unstable();
        Some(Hidden { edges: drawn })
    }

    /// The graphs without these edges, in either direction and in no layer: one layer would tell of the others.
    pub fn without(&self, layers: &Layers) -> Result<Layers> {
        let is_hidden = |edge| self.edges.binary_search(&edge).is_ok();
        let seen = |(a, b): (&Graph, &Graph)| (a.clone(), b.filtered(|j, l| !is_hidden((j, l)) && !is_hidden((l, j))));
        let shown = layers.a.iter().zip(&layers.b).map(seen).collect();
        let shown = Layers::with_affinity(layers.affinity, shown, &layers.anchored())?;
        match &layers.similarity {
            Some(similarity) => shown.with_similarity(similarity),
            None => Ok(shown),
        }
    }

    /// How many of them a matching of `layers`, with nothing hidden, keeps.
    pub fn test(&self, layers: &Layers, partners: &[u32]) -> HeldOut {
        let holders = holders(layers, partners);
        let (a, (turned, _)) = (&layers.a[0], &layers.turned[0]);
        let arcs = a.arc_count().max(1) as f64;
        let (mut found, mut expected) = (0, 0.0);
        for &(j, l) in &self.edges {
            let (i, k) = (holders[j], holders[l]);
            if i == NONE || k == NONE {
                continue;
            }
            let (i, k) = (i as usize, k as usize);
            let (from, to) = (a.neighbours(i).0, turned.neighbours(k).0.len());
            found += usize::from(from.binary_search(&k).is_ok());
            expected += -f64::exp_m1(-((from.len() * to) as f64) / arcs);
        }
        HeldOut::new(self.edges.len(), found, expected / self.edges.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permutation;
    use crate::instance::{noisy_erdos_renyi, rng};

    fn as_partners(p: &Permutation) -> Vec<u32> {
        p.image().iter().map(|&j| j as u32).collect()
    }

    #[test]
    fn a_share_is_hidden_in_all_layers_and_found_by_the_truth_only() {
        for directed in [false, true] {
            let pair = noisy_erdos_renyi(1000, 8.0, 0.1, &mut rng(1, 0)).unwrap();
            let turn = |graph: &Graph| {
                if directed { graph.filtered(|i, k| (i * k + i.min(k)) % 3 > 0 || i < k) } else { graph.clone() }
            };
            // Directed from here: A's arcs keep their counterparts by the truth.
            let a = turn(&pair.a);
            let back = pair.truth.inverse();
            let b = pair.b.filtered(|j, l| {
                let (i, k) = (back.apply(j), back.apply(l));
                !directed || pair.a.weight(i, k) == 0.0 || a.weight(i, k) != 0.0
            });
            let layers =
                Layers::new(vec![(a.clone(), b.clone()), (a, b.clone())], &[(0, pair.truth.apply(0))]).unwrap();
            let hidden = Hidden::drawn(&layers, 0.1, &mut rng(2, 0)).unwrap();
            let edges = if directed { b.arc_count() } else { b.edge_count() };
            assert!(hidden.edges.len().abs_diff(edges / 10) <= 1);
            let seen = hidden.without(&layers).unwrap();
            for &(j, l) in &hidden.edges {
                assert!(seen.b.iter().all(|b| b.weight(j, l) == 0.0 && b.weight(l, j) == 0.0));
            }
            let lost = b.arc_count() - seen.b[1].arc_count();
            assert!(lost >= hidden.edges.len() && lost <= 2 * hidden.edges.len());
            let by_truth = hidden.test(&layers, &as_partners(&pair.truth));
            assert!(by_truth.share().unwrap() > 0.8 && by_truth.chance < 0.02, "{by_truth:?}");
            let by_chance = hidden.test(&layers, &as_partners(&Permutation::random(1000, &mut rng(3, 0))));
            assert!(by_chance.share().unwrap() < 0.05 && (by_chance.chance - 0.008).abs() < 0.004, "{by_chance:?}");
        }
    }

    #[test]
    fn what_anchors_tell_is_not_hidden() {
        let edge = Graph::undirected(2, [(0, 1, 1.0)]).unwrap();
        let layers = Layers::new(vec![(edge.clone(), edge)], &[(0, 0), (1, 1)]).unwrap();
        assert!(Hidden::drawn(&layers, 1.0, &mut rng(0, 0)).is_none());
    }
}
