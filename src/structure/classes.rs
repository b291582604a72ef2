//! The first rounds of the subtree ratios, which depend on the shape of shallow trees only: equal shapes share their
//! work.

use super::ratio::{Ratio, logarithm};
use super::tree_model::{Model, Side};
use crate::stop::Stop;
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::collections::HashMap;

/// Arcs (or vertices) of both graphs sorted into classes, and L of each pair of classes.
pub(super) struct Classes {
    of: [Vec<u32>; 2],
    /// By class of A and then of B.
    table: Vec<Ratio>,
    columns: usize,
}

impl Classes {
    /// L of number e of A and f of B.
    #[inline]
    pub fn ratio(&self, e: usize, f: usize) -> Ratio {
        self.table[self.of[0][e] as usize * self.columns + self.of[1][f] as usize]
    }
}

/// What a member of a class is: the vertex, and the classes below it, ascending.
struct Shape {
    anchor: u32,
    below: Vec<u32>,
}

/// Some rounds of the recursion on pairs of arcs.
pub(super) struct Early {
    /// How many.
    pub rounds: usize,
    /// The classes of the arcs i → k: shapes of the tree of i without k.
    pub classes: Classes,
}

/// Numbers that the shapes of the arcs may hold together, of 4 bytes each: Σ d² over the vertices, of degree d.
const MOST_SHAPES: usize = 1 << 26;

impl Early {
    /// As many rounds, `rounds` at most, as their classes make fewer pairs than a fourth of the pairs of arcs, and than
    /// `most`, and their shapes have room. `None` where `stop` came first.
    pub fn grow(model: &Model, rounds: usize, most: usize, stop: &Stop) -> Option<Self> {
        let arcs = [0, 1].map(|side| model.sides[side].arcs.len());
        let worthwhile = (arcs[0] * arcs[1] / 4).min(most);
        let roots = |side: &Side| -> Vec<Shape> {
            let of_vertex =
                |i: usize| side.arcs.range(i).map(move |_| Shape { anchor: side.anchors[i], below: vec![] });
            (0..side.anchors.len()).flat_map(of_vertex).collect()
        };
        let [a, b] = [0, 1].map(|side| sorted(roots(&model.sides[side])));
        let classes = table(model, a, b, stop, |_, _| 1.0)?;
        let mut early = Early { rounds: 0, classes };
        let squares = |side: &Side| (0..side.anchors.len()).map(|i| side.arcs.degree(i).pow(2)).sum::<usize>();
        if model.sides.iter().any(|side| squares(side) > MOST_SHAPES) {
            return Some(early);
        }
        while early.rounds < rounds {
            if stop.is_reached() {
                return None;
            }
            let grown = [0, 1].map(|side| sorted(arc_shapes(&model.sides[side], &early.classes.of[side])));
            if grown[0].1.len() * grown[1].1.len() > worthwhile {
                break;
            }
            let [a, b] = grown;
            early.classes = table(model, a, b, stop, |a, b| below_ratio(model, &early.classes, a, b))?;
            early.rounds += 1;
        }
        Some(early)
    }

    /// ln L of all pairs of vertices, n_A × n_B; `None` where `stop` came first.
    pub fn vertex_logarithms(&self, model: &Model, stop: &Stop) -> Option<DMatrix<f64>> {
        let [a, b] = [0, 1].map(|side| sorted(vertex_shapes(&model.sides[side], &self.classes.of[side])));
        let sizes = (a.0.len(), b.0.len());
        let vertices = table(model, a, b, stop, |a, b| below_ratio(model, &self.classes, a, b))?;
        Some(DMatrix::from_fn(sizes.0, sizes.1, |i, j| logarithm(vertices.ratio(i, j).get())))
    }
}

/// Σ ψ(m)·Σ over matchings of what is below two shapes.
fn below_ratio(model: &Model, classes: &Classes, a: &Shape, b: &Shape) -> f64 {
    let entry = |r: usize, c: usize| classes.table[a.below[r] as usize * classes.columns + b.below[c] as usize].get();
    model.whole(a.below.len(), b.below.len(), entry)
}

/// The shapes of the vertices, given the classes of the arcs.
fn vertex_shapes(side: &Side, classes: &[u32]) -> Vec<Shape> {
    let shape = |i: usize| {
        let mut below: Vec<u32> = (0..side.arcs.degree(i)).map(|r| classes[side.incoming(i, r)]).collect();
        below.sort_unstable();
        Shape { anchor: side.anchors[i], below }
    };
    (0..side.anchors.len()).map(shape).collect()
}

/// The shapes of the arcs i → k: all that is below i but k.
fn arc_shapes(side: &Side, classes: &[u32]) -> Vec<Shape> {
    let of_vertex = |(i, whole): (usize, Shape)| -> Vec<Shape> {
        let without = |r: usize| {
            let mut below = whole.below.clone();
            let place = below.binary_search(&classes[side.incoming(i, r)]).expect("one of them");
            below.remove(place);
            Shape { anchor: whole.anchor, below }
        };
        (0..side.arcs.degree(i)).map(without).collect()
    };
    vertex_shapes(side, classes).into_iter().enumerate().flat_map(of_vertex).collect()
}

/// The class of each, numbered by first appearance, and the shape of each class.
fn sorted(shapes: Vec<Shape>) -> (Vec<u32>, Vec<Shape>) {
    let mut numbers = HashMap::new();
    let mut classes = vec![];
    let of = shapes.into_iter().map(|shape| {
        *numbers.entry((shape.anchor, shape.below.clone())).or_insert_with(|| {
            classes.push(shape);
            classes.len() as u32 - 1
        })
    });
    (of.collect(), classes)
}

/// `None` where `stop` came first.
fn table(
    model: &Model,
    (of_a, shapes_a): (Vec<u32>, Vec<Shape>),
    (of_b, shapes_b): (Vec<u32>, Vec<Shape>),
    stop: &Stop,
    ratio: impl Fn(&Shape, &Shape) -> f64 + Sync,
) -> Option<Classes> {
    let columns = shapes_b.len();
    let mut table = vec![Ratio::default(); shapes_a.len() * columns];
    table.par_chunks_exact_mut(columns.max(1)).zip(&shapes_a).for_each(|(row, a)| {
        let mut rarely = stop.asked_rarely();
        for (value, b) in row.iter_mut().zip(&shapes_b) {
            if rarely.is_reached() {
                return;
            }
            *value = Ratio::of(model.anchor_ratio(a.anchor, b.anchor) * ratio(a, b));
        }
    });
    (!stop.is_reached()).then_some(Classes { of: [of_a, of_b], table, columns })
}
