//! A matching that moves, and what it loses.

use super::layers::{Direction, Layers};
use super::marks::Marks;
use super::matching::holders;
use crate::assignment::NONE;
use crate::graph::Graph;
use rand::{Rng, RngExt};
use std::cell::RefCell;

/// Arcs, from which one is drawn in O(1).
pub(super) struct Bag {
    pub members: Vec<u32>,
    /// Where a member stands, or [`NONE`].
    places: Vec<u32>,
}

impl Bag {
    fn new(size: usize) -> Self {
        Bag { members: vec![], places: vec![NONE; size] }
    }

    fn set(&mut self, member: usize, is_in: bool) {
        let place = self.places[member];
        if is_in == (place != NONE) {
            return;
        }
        if is_in {
            self.places[member] = self.members.len() as u32;
            self.members.push(member as u32);
        } else {
            self.members.swap_remove(place as usize);
            if let Some(&moved) = self.members.get(place as usize) {
                self.places[moved as usize] = place;
            }
            self.places[member] = NONE;
        }
    }
}

/// A graph whose arcs have numbers, and the one turned round.
pub(super) struct Side<'a> {
    pub graph: &'a Graph,
    pub turned: Graph,
    /// The number of the first arc from each vertex.
    first: Vec<u32>,
    /// The numbers of the arcs into each vertex, in the order of `turned`, and where those of each vertex begin.
    incoming: Vec<u32>,
    first_incoming: Vec<u32>,
    /// The source of each arc.
    pub sources: Vec<u32>,
    /// Arcs that are not kept.
    pub lost: Bag,
}

impl<'a> Side<'a> {
    fn new(graph: &'a Graph) -> Self {
        let starts = |graph: &Graph| {
            let mut first = vec![0];
            for i in 0..graph.vertex_count() {
                first.push(first[i] + graph.neighbours(i).0.len() as u32);
            }
            first
        };
        let turned = graph.transpose();
        let (first, first_incoming) = (starts(graph), starts(&turned));
        let (mut sources, mut incoming) = (vec![0; graph.arc_count()], vec![0; graph.arc_count()]);
        // Arcs come by their sources, and so do those into a vertex.
        let mut next = first_incoming.clone();
        for (number, (i, k, _)) in graph.arcs().enumerate() {
            sources[number] = i as u32;
            incoming[next[k] as usize] = number as u32;
            next[k] += 1;
        }
        let lost = Bag::new(sources.len());
        Side { graph, turned, first, incoming, first_incoming, sources, lost }
    }

    fn target(&self, arc: usize) -> usize {
        let source = self.sources[arc] as usize;
        self.graph.neighbours(source).0[arc - self.first[source] as usize]
    }

    /// Enters the arcs at vertex i as lost or not, images by `partners` in `other`.
    fn note(&mut self, i: usize, partners: &[u32], other: &Side, marks: &mut Marks) {
        let j = partners[i];
        let arcs = [(self.graph, other.graph, &self.first), (&self.turned, &other.turned, &self.first_incoming)];
        for (side, (graph, beside, first)) in arcs.into_iter().enumerate() {
            let first = first[i] as usize;
            let neighbours = graph.neighbours(i).0;
            let row = marks.row(beside, j, neighbours.len());
            for (place, &k) in neighbours.iter().enumerate() {
                let number = if side == 0 { first + place } else { self.incoming[first + place] as usize };
                self.lost.set(number, row.weight(partners[k]) == 0.0);
            }
        }
    }
}

/// A matching both ways, and the arcs that it loses.
pub(super) struct Walker<'a> {
    pub layers: &'a Layers,
    /// The partner of each vertex of A, or [`NONE`].
    pub partners: Vec<u32>,
    /// The partner of each vertex of B, or [`NONE`].
    pub holders: Vec<u32>,
    /// A and B of each layer.
    pub sides: Vec<(Side<'a>, Side<'a>)>,
    /// For rows of A's width and of B's, the latter twice.
    marks_of_a: Marks,
    marks: RefCell<[Marks; 2]>,
}

/// An exchange: i goes to j; who was there goes where i was.
#[derive(Clone, Copy)]
pub(super) struct Exchange {
    pub i: usize,
    pub j: usize,
}

/// An exchange that was made: where i was, and who was at j, or [`NONE`].
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub exchange: Exchange,
    from: u32,
    other: u32,
}

impl<'a> Walker<'a> {
    pub fn new(layers: &'a Layers, partners: &[u32]) -> Self {
        let (n_a, n_b) = layers.shape();
        let holders = holders(layers, partners);
        let sides = layers.a.iter().zip(&layers.b).map(|(a, b)| (Side::new(a), Side::new(b))).collect();
        let (marks_of_a, marks) = (Marks::new(n_a), RefCell::new([Marks::new(n_b), Marks::new(n_b)]));
        let mut walker = Walker { layers, partners: partners.to_vec(), holders, sides, marks_of_a, marks };
        (0..n_a).for_each(|i| walker.note_in_a(i));
        (0..n_b).for_each(|j| walker.note_in_b(j));
        walker
    }

    /// An exchange after which a lost arc is kept: an arc drawn from those of one side, whose source or target stays
    /// while the other end moves beside its partner.
    pub fn draw(&self, rng: &mut impl Rng) -> Option<Exchange> {
        let (a, b) = &self.sides[if self.sides.len() > 1 { rng.random_range(0..self.sides.len()) } else { 0 }];
        let of_b = rng.random::<bool>();
        let (side, other, partners) = if of_b { (b, a, &self.holders) } else { (a, b, &self.partners) };
        if side.lost.members.is_empty() {
            return None;
        }
        let arc = side.lost.members[rng.random_range(0..side.lost.members.len())] as usize;
        let (source, target) = (side.sources[arc] as usize, side.target(arc));
        // Of a symmetric graph both arcs of an edge are there.
        let stays_at_source = rng.random::<bool>();
        let (stays, moves) = if stays_at_source { (source, target) } else { (target, source) };
        let beside = partners[stays];
        if beside == NONE {
            return None;
        }
        let other = if stays_at_source { other.graph } else { &other.turned };
        let (neighbours, _) = other.neighbours(beside as usize);
        if neighbours.is_empty() {
            return None;
        }
        let to = neighbours[rng.random_range(0..neighbours.len())];
        let (i, j) = if of_b { (to, moves) } else { (moves, to) };
        self.allowed(i, j)
    }

    /// The exchange that brings i to j, unless an anchor forbids it, or i is there.
    pub fn allowed(&self, i: usize, j: usize) -> Option<Exchange> {
        let is_fixed = self.layers.anchors[i] != NONE || !self.layers.is_free[j];
        (!is_fixed && self.partners[i] != j as u32).then_some(Exchange { i, j })
    }

    /// What f gains by an exchange. O(d).
    pub fn gain(&self, Exchange { i, j }: Exchange) -> f64 {
        let (from, other) = (self.partners[i], self.holders[j]);
        let now = |k: usize| {
            if k == i {
                j as u32
            } else if k as u32 == other {
                from
            } else {
                self.partners[k]
            }
        };
        let [before, after] = &mut *self.marks.borrow_mut();
        let affinity = self.layers.affinity;
        let mut gain = 0.0;
        for Direction { a, b_from, share, .. } in &self.layers.directions {
            for vertex in [i as u32, other].into_iter().filter(|&vertex| vertex != NONE) {
                let (neighbours, weights) = a.neighbours(vertex as usize);
                let before = before.row(b_from, self.partners[vertex as usize], neighbours.len());
                let after = after.row(b_from, now(vertex as usize), neighbours.len());
                for (&k, &weight) in neighbours.iter().zip(weights) {
                    let both = if k == i || k as u32 == other { 0.5 } else { 1.0 };
                    let (then, now) = (before.weight(self.partners[k]), after.weight(now(k)));
                    gain += share * both * (affinity.of(weight, now) - affinity.of(weight, then));
                }
            }
        }
        let similarity = |vertex: u32, j: u32| match vertex {
            NONE => 0.0,
            _ => self.layers.similarity_at(vertex as usize, j),
        };
        let (i, j) = (i as u32, j as u32);
        let of_similarity = similarity(i, j) - similarity(i, from) + similarity(other, from) - similarity(other, j);
        2.0 * gain + of_similarity
    }

    pub fn make(&mut self, Exchange { i, j }: Exchange) -> Made {
        let (from, other) = (self.partners[i], self.holders[j]);
        (self.partners[i], self.holders[j]) = (j as u32, i as u32);
        if from != NONE {
            self.holders[from as usize] = other;
        }
        if other != NONE {
            self.partners[other as usize] = from;
        }
        let made = Made { exchange: Exchange { i, j }, from, other };
        self.note(made);
        made
    }

    /// The last exchange taken back.
    pub fn undo(&mut self, made: Made) {
        let Made { exchange: Exchange { i, j }, from, other } = made;
        (self.partners[i], self.holders[j]) = (from, other);
        if from != NONE {
            self.holders[from as usize] = i as u32;
        }
        if other != NONE {
            self.partners[other as usize] = j as u32;
        }
        self.note(made);
    }

    /// Enters what the vertices that moved lose and keep.
    fn note(&mut self, Made { exchange: Exchange { i, j }, from, other }: Made) {
        [i as u32, other].iter().filter(|&&i| i != NONE).for_each(|&i| self.note_in_a(i as usize));
        [j as u32, from].iter().filter(|&&j| j != NONE).for_each(|&j| self.note_in_b(j as usize));
    }

    fn note_in_a(&mut self, i: usize) {
        let [marks, _] = self.marks.get_mut();
        self.sides.iter_mut().for_each(|(a, b)| a.note(i, &self.partners, b, marks));
    }

    fn note_in_b(&mut self, j: usize) {
        self.sides.iter_mut().for_each(|(a, b)| b.note(j, &self.holders, a, &mut self.marks_of_a));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use crate::sparse_form::Affinity;
    use crate::sparse_matrix::SparseMatrix;

    #[test]
    fn gains_and_losses_are_those_of_the_value() {
        let sizes = [(9, 9, false), (9, 12, true), (12, 7, true)];
        let cases = [Affinity::Product, Affinity::Minimum].map(|affinity| sizes.map(|size| (affinity, size)));
        for (trial, (affinity, (n_a, n_b, directed))) in cases.into_iter().flatten().enumerate() {
            let mut rng = rng(41, trial as u64);
            let mut graph = |n: usize| {
                let arcs: Vec<_> = (0..3 * n)
                    .map(|_| (rng.random_range(0..n), rng.random_range(0..n), f64::from(rng.random_range(1..4))))
                    .collect();
                if directed { Graph::directed(n, arcs).unwrap() } else { Graph::undirected(n, arcs).unwrap() }
            };
            let layers = vec![(graph(n_a), graph(n_b)), (graph(n_a), graph(n_b))];
            // Halves: sums are not rounded.
            let entry =
                |_| (rng.random_range(0..n_a), rng.random_range(0..n_b), 0.5 * f64::from(rng.random_range(-6..7)));
            let similarity = SparseMatrix::from_entries((n_a, n_b), (0..4 * n_a).map(entry)).unwrap();
            let layers = Layers::with_affinity(affinity, layers, &[(1, 2)]).unwrap();
            let layers = layers.with_similarity(&similarity).unwrap();
            let mut partners: Vec<u32> = (0..n_a as u32).map(|i| if i < n_b as u32 { i } else { NONE }).collect();
            partners.swap(1, 2);
            let mut walker = Walker::new(&layers, &partners);
            for step in 0..400 {
                let drawn = if step % 2 == 0 { walker.draw(&mut rng) } else { None };
                let any = walker.allowed(rng.random_range(0..n_a), rng.random_range(0..n_b));
                let Some(exchange) = drawn.or(any) else { continue };
                let (before, value, gain) =
                    (walker.partners.clone(), layers.value(&walker.partners), walker.gain(exchange));
                let lost = walker.sides[0].0.lost.members.len();
                let made = walker.make(exchange);
                assert_eq!(layers.value(&walker.partners), value + gain);
                if let Some(exchange) = drawn {
                    let Exchange { i, j } = exchange;
                    assert_eq!(walker.partners[i], j as u32);
                }
                if step % 3 == 0 {
                    walker.undo(made);
                    assert_eq!(walker.partners, before);
                    assert_eq!(walker.sides[0].0.lost.members.len(), lost);
                }
                assert_eq!((walker.partners[1], walker.holders[2]), (2, 1));
                for (a, b) in &walker.sides {
                    let is_lost = |&(i, k, _): &(usize, usize, f64)| {
                        let (j, l) = (walker.partners[i], walker.partners[k]);
                        j == NONE || l == NONE || b.graph.weight(j as usize, l as usize) == 0.0
                    };
                    assert_eq!(a.lost.members.len(), a.graph.arcs().filter(is_lost).count());
                }
            }
        }
    }
}
