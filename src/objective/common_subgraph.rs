//! As many arcs in common as there can be: all of the smaller graph's, or, where it has a handful of vertices, all but
//! the fewest.
//!
//! That no injection keeps all arcs but so many is proved by a search for each way to lose them; ways that make the
//! same graph are tried once.

use super::embedding::{self, Constraint, Outcome};
use super::injective::{Embedding, EmbeddingSearch};
use super::product::InjectiveLayer;
use crate::graph::Graph;

/// Up to so many vertices arcs are given up.
const MOST_VERTICES: usize = 8;

/// An arc i → k of a layer's smaller graph, (layer, i, k); where the layer is symmetric, the edge.
type Arc = (usize, usize, usize);

/// A layer's smaller graph, and the same turned round where the layer is not symmetric.
type Small = (Graph, Option<Graph>);

/// Searches for an injection that keeps as many arcs as any does. One that keeps all has the value `least`.
pub(super) fn search(layers: &[InjectiveLayer], sign: f64, search: &EmbeddingSearch, least: f64) -> Embedding {
    let &EmbeddingSearch { anchors, mut work, rng_seed, stop } = search;
    let (arcs, cost) = arcs_to_lose(layers, sign).unwrap_or_default();
    let same_anchors: Vec<_> = anchors.iter().map(|&(i, _)| (i, i)).collect();
    for count in 0..=arcs.len() {
        let mut refuted: Vec<Vec<Small>> = vec![];
        let mut lost: Vec<usize> = (0..count).collect();
        loop {
            let small = without(layers, lost.iter().map(|&arc| arcs[arc]).collect());
            let is_same = |work: &mut u64, other: &[Small]| {
                let constraints = constraints(other, small.iter().map(|(graph, turned)| (graph, turned.as_ref())));
                matches!(embedding::search(&constraints, &same_anchors, 0, work, stop), Outcome::Found(_))
            };
            if !refuted.iter().any(|other| is_same(&mut work, other)) {
                let large = layers.iter().map(|layer| (&layer.large, Some(&layer.large_transposed)));
                match embedding::search(&constraints(&small, large), anchors, rng_seed, &mut work, stop) {
                    Outcome::Found(p) => return Embedding::Best(p),
                    Outcome::Impossible => refuted.push(small),
                    Outcome::OutOfWork(pairs) if count == 0 => return Embedding::Unknown(pairs),
                    Outcome::OutOfWork(_) => return Embedding::Worse { than: least + (count - 1) as f64 * cost },
                }
            }
            if !advance(&mut lost, arcs.len()) {
                break;
            }
        }
    }
    Embedding::Worse { than: least }
}

/// The arcs that may be lost, and by how much f rises with each; `None` where that is not the same for all, or there
/// are too many.
fn arcs_to_lose(layers: &[InjectiveLayer], sign: f64) -> Option<(Vec<Arc>, f64)> {
    let (mut arcs, mut cost) = (vec![], None);
    for (number, layer) in layers.iter().enumerate() {
        let value = layer.large.arcs().next().map_or(0.0, |(_, _, weight)| weight);
        for (i, k, weight) in layer.small.arcs().filter(|&(i, k, _)| !layer.symmetric || i <= k) {
            let both = if layer.symmetric && i != k { 2.0 } else { 1.0 };
            let rises = -sign * both * weight * value;
            if *cost.get_or_insert(rises) != rises {
                return None;
            }
            arcs.push((number, i, k));
        }
    }
    (layers[0].small.vertex_count() <= MOST_VERTICES).then(|| (arcs, cost.unwrap_or(0.0)))
}

/// The smaller graphs without these arcs.
fn without(layers: &[InjectiveLayer], lost: Vec<Arc>) -> Vec<Small> {
    let small_of = |(number, layer): (usize, &InjectiveLayer)| {
        let is_lost = |i, k| lost.contains(&(number, i, k)) || layer.symmetric && lost.contains(&(number, k, i));
        let small = if lost.is_empty() { layer.small.clone() } else { layer.small.filtered(|i, k| !is_lost(i, k)) };
        let turned = (!layer.symmetric).then(|| small.transpose());
        (small, turned)
    };
    layers.iter().enumerate().map(small_of).collect()
}

/// Arcs of the smaller graphs become arcs of the larger ones, seen from both of their ends.
fn constraints<'a>(
    small: &'a [Small],
    large: impl Iterator<Item = (&'a Graph, Option<&'a Graph>)>,
) -> Vec<Constraint<'a>> {
    let of_layer = |((small, turned), (large, large_turned)): (&'a Small, (&'a Graph, Option<&'a Graph>))| {
        let back = turned.as_ref().zip(large_turned).map(|(small, large)| Constraint { small, large });
        std::iter::once(Constraint { small, large }).chain(back)
    };
    small.iter().zip(large).flat_map(of_layer).collect()
}

/// The next set of as many of 0, …, count − 1, ascending, in lexicographic order. Whether there is one.
fn advance(set: &mut [usize], count: usize) -> bool {
    let size = set.len();
    let Some(at) = (0..size).rev().find(|&at| set[at] + size - at < count) else { return false };
    set[at] += 1;
    for later in at + 1..size {
        set[later] = set[later - 1] + 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::advance;

    #[test]
    fn sets_come_once_each() {
        for (size, count, all) in [(0, 0, 1), (0, 4, 1), (1, 4, 4), (2, 5, 10), (3, 6, 20), (4, 4, 1)] {
            let mut set: Vec<usize> = (0..size).collect();
            let mut seen = vec![set.clone()];
            while advance(&mut set, count) {
                assert!(set.is_sorted() && set.iter().all(|&element| element < count));
                seen.push(set.clone());
            }
            assert!(seen.is_sorted());
            seen.dedup();
            assert_eq!(seen.len(), all);
        }
    }
}
