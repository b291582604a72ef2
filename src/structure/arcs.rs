//! The arcs of a graph by number, what is on the other side of each, and who is next to whom.

use crate::graph::Graph;

/// No such arc.
pub(super) const NONE: u32 = u32::MAX;

/// The arcs of a graph without its loops, numbered by source and then target.
pub(super) struct Arcs {
    offsets: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    /// Number of the arc that runs the other way, or [`NONE`].
    reverse: Vec<u32>,
}

impl Arcs {
    /// Weights are multiplied by `unit`.
    pub fn of(graph: &Graph, unit: f64) -> Self {
        let n = graph.vertex_count();
        let mut arcs = Arcs { offsets: vec![0], targets: vec![], weights: vec![], reverse: vec![] };
        for i in 0..n {
            let (targets, weights) = graph.neighbours(i);
            for (&k, &weight) in targets.iter().zip(weights).filter(|&(&k, _)| k != i) {
                arcs.targets.push(k as u32);
                arcs.weights.push(weight * unit);
            }
            arcs.offsets.push(arcs.targets.len());
        }
        arcs.reverse = arcs.twins(&arcs, |i, k| (k, i));
        arcs
    }

    /// For each arc (i, k) the number in `other` of the arc that `place` says, or [`NONE`].
    pub fn twins(&self, other: &Arcs, place: fn(usize, usize) -> (usize, usize)) -> Vec<u32> {
        let find = |i, e: usize| {
            let (from, to) = place(i, self.targets[e] as usize);
            let range = other.range(from);
            let found = other.targets[range.clone()].binary_search(&(to as u32));
            found.map_or(NONE, |position| (range.start + position) as u32)
        };
        (0..self.vertex_count()).flat_map(|i| self.range(i).map(move |e| find(i, e))).collect()
    }

    pub fn vertex_count(&self) -> usize {
        self.offsets.len() - 1
    }

    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// The numbers of the arcs from i.
    #[inline]
    pub fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.offsets[i]..self.offsets[i + 1]
    }

    /// The number of arcs from i.
    #[inline]
    pub fn degree(&self, i: usize) -> usize {
        self.offsets[i + 1] - self.offsets[i]
    }

    #[inline]
    pub fn target(&self, e: usize) -> usize {
        self.targets[e] as usize
    }

    #[inline]
    pub fn weight(&self, e: usize) -> f64 {
        self.weights[e]
    }

    /// The arc that runs the other way, or [`NONE`].
    #[inline]
    pub fn reverse(&self, e: usize) -> u32 {
        self.reverse[e]
    }
}

/// For each vertex those that an arc joins it with, in either direction; itself left out.
pub(super) struct Neighbours {
    offsets: Vec<usize>,
    vertices: Vec<u32>,
}

impl Neighbours {
    /// O(n + arcs).
    pub fn of(graph: &Graph) -> Self {
        let turned = graph.transpose();
        let mut near = Neighbours { offsets: vec![0], vertices: vec![] };
        for i in 0..graph.vertex_count() {
            let (mut out, mut back) = (graph.neighbours(i).0, turned.neighbours(i).0);
            while let Some(&next) = out.first().into_iter().chain(back.first()).min() {
                out = out.strip_prefix(&[next]).unwrap_or(out);
                back = back.strip_prefix(&[next]).unwrap_or(back);
                if next != i {
                    near.vertices.push(next as u32);
                }
            }
            near.offsets.push(near.vertices.len());
        }
        near
    }

    /// Ascending.
    #[inline]
    pub fn of_vertex(&self, i: usize) -> &[u32] {
        &self.vertices[self.offsets[i]..self.offsets[i + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_those_in_either_direction_once_and_never_oneself() {
        let arcs = [(0, 1, 1.0), (1, 0, 2.0), (2, 0, 1.0), (2, 2, 1.0), (2, 3, 1.0), (1, 2, 1.0)];
        let near = Neighbours::of(&Graph::directed(5, arcs).unwrap());
        let found: Vec<&[u32]> = (0..5).map(|i| near.of_vertex(i)).collect();
        assert_eq!(found, [&[1, 2][..], &[0, 2], &[0, 1, 3], &[2], &[]]);
    }
}
