//! Annealing by exchanges that each gain an arc.

use super::layers::{Direction, Layers};
use crate::assignment::NONE;
use crate::graph::Graph;
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

/// Arcs, from which one is drawn in O(1).
struct Bag {
    members: Vec<u32>,
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
struct Side<'a> {
    graph: &'a Graph,
    turned: Graph,
    /// The number of the first arc from each vertex.
    first: Vec<u32>,
    /// The source of each arc.
    sources: Vec<u32>,
    /// Arcs that are not kept.
    lost: Bag,
}

impl<'a> Side<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut first = vec![0];
        let mut sources = vec![];
        for i in 0..graph.vertex_count() {
            let degree = graph.neighbours(i).0.len();
            sources.extend(std::iter::repeat_n(i as u32, degree));
            first.push(sources.len() as u32);
        }
        let lost = Bag::new(sources.len());
        Side { graph, turned: graph.transpose(), first, sources, lost }
    }

    fn number(&self, i: usize, k: usize) -> usize {
        let place = self.graph.neighbours(i).0.binary_search(&k).expect("an arc of the graph");
        self.first[i] as usize + place
    }

    fn target(&self, arc: usize) -> usize {
        let source = self.sources[arc] as usize;
        self.graph.neighbours(source).0[arc - self.first[source] as usize]
    }

    /// Enters the arcs at vertex i as lost or not, images by `partners` in `other`.
    fn note(&mut self, i: usize, partners: &[u32], other: &Graph) {
        let is_kept = |i: usize, k: usize| {
            let (j, l) = (partners[i], partners[k]);
            j != NONE && l != NONE && other.neighbours(j as usize).0.binary_search(&(l as usize)).is_ok()
        };
        for (place, &k) in self.graph.neighbours(i).0.iter().enumerate() {
            self.lost.set(self.first[i] as usize + place, !is_kept(i, k));
        }
        for index in 0..self.turned.neighbours(i).0.len() {
            let k = self.turned.neighbours(i).0[index];
            self.lost.set(self.number(k, i), !is_kept(k, i));
        }
    }
}

/// A matching both ways, and the arcs that it loses.
struct Walker<'a> {
    layers: &'a Layers,
    partners: Vec<u32>,
    holders: Vec<u32>,
    /// A and B of each layer.
    sides: Vec<(Side<'a>, Side<'a>)>,
}

/// An exchange: i goes to j; who was there goes where i was.
#[derive(Clone, Copy)]
struct Exchange {
    i: usize,
    j: usize,
}

impl<'a> Walker<'a> {
    fn new(layers: &'a Layers, partners: &[u32]) -> Self {
        let (_, n_b) = layers.shape();
        let mut holders = vec![NONE; n_b];
        for (i, &j) in partners.iter().enumerate().filter(|&(_, &j)| j != NONE) {
            holders[j as usize] = i as u32;
        }
        let sides = layers.a.iter().zip(&layers.b).map(|(a, b)| (Side::new(a), Side::new(b))).collect();
        let mut walker = Walker { layers, partners: partners.to_vec(), holders, sides };
        for (a, b) in &mut walker.sides {
            (0..walker.partners.len()).for_each(|i| a.note(i, &walker.partners, b.graph));
            (0..walker.holders.len()).for_each(|j| b.note(j, &walker.holders, a.graph));
        }
        walker
    }

    /// An exchange after which a lost arc is kept: an arc drawn from those of one side, whose source or target stays
    /// while the other end moves beside its partner.
    fn draw(&self, rng: &mut impl Rng) -> Option<Exchange> {
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
        let is_fixed = self.layers.anchors[i] != NONE || !self.layers.is_free[j];
        (!is_fixed && self.partners[i] != j as u32).then_some(Exchange { i, j })
    }

    /// What f gains, in votes: half of it, where each arc comes both ways.
    fn gain(&self, Exchange { i, j }: Exchange) -> f64 {
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
        let mut gain = 0.0;
        for Direction { a, b, share } in &self.layers.directions {
            for vertex in [i as u32, other].into_iter().filter(|&vertex| vertex != NONE) {
                let (before, after) = (self.partners[vertex as usize], now(vertex as usize));
                let (neighbours, weights) = a.neighbours(vertex as usize);
                for (&k, weight) in neighbours.iter().zip(weights) {
                    // b is turned round: its row l has those from which an arc leads to l.
                    let weigh = |source: u32, target: u32| {
                        if source == NONE || target == NONE { 0.0 } else { b.weight(target as usize, source as usize) }
                    };
                    let both = if k == i || k as u32 == other { 0.5 } else { 1.0 };
                    gain += share * both * weight * (weigh(after, now(k)) - weigh(before, self.partners[k]));
                }
            }
        }
        2.0 * gain
    }

    fn make(&mut self, Exchange { i, j }: Exchange) {
        let (from, other) = (self.partners[i], self.holders[j]);
        (self.partners[i], self.holders[j]) = (j as u32, i as u32);
        if from != NONE {
            self.holders[from as usize] = other;
        }
        if other != NONE {
            self.partners[other as usize] = from;
        }
        for (a, b) in &mut self.sides {
            [i as u32, other].iter().filter(|&&i| i != NONE).for_each(|&i| a.note(i as usize, &self.partners, b.graph));
            [j as u32, from].iter().filter(|&&j| j != NONE).for_each(|&j| b.note(j as usize, &self.holders, a.graph));
        }
    }
}

/// Metropolis' walk over exchanges that each keep an arc which was lost: partners ← where f is largest at the end of a
/// stretch, if it is larger than before; returns what f gained.
///
/// 100·n exchanges are looked at, T falls geometrically from ½ to 1/10 of a common edge.
pub(super) fn anneal(layers: &Layers, partners: &mut Vec<u32>, rng: &mut impl Rng, stop: &Stop) -> f64 {
    let mut walker = Walker::new(layers, partners);
    // An edge comes twice in f, an arc of directed graphs once.
    let edge = if layers.directions.len() == layers.a.len() { 2.0 } else { 1.0 } * layers.unit;
    let cooling = (TEMPERATURES.1 / TEMPERATURES.0).powf(1.0 / (STRETCHES - 1) as f64);
    let mut temperature = TEMPERATURES.0 * edge;
    let (mut now, mut most) = (0.0, 0.0);
    let count = (EXCHANGES * partners.len()).div_ceil(STRETCHES);
    for _ in 0..STRETCHES {
        for number in 0..count {
            if number.is_multiple_of(BETWEEN_QUESTIONS) && stop.is_reached() {
                return most;
            }
            let Some(exchange) = walker.draw(rng) else { continue };
            let gain = walker.gain(exchange);
            if gain >= 0.0 || rng.random::<f64>() < (gain / temperature).exp() {
                walker.make(exchange);
                now += gain;
            }
        }
        if now > most {
            most = now;
            partners.clone_from(&walker.partners);
        }
        temperature *= cooling;
    }
    most
}
