//! The arcs of a graph by number, and what is on the other side of each.

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
