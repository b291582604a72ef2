//! The messages of the subtree ratios: between which pairs of vertices they run, and what a round makes of them.

use super::arcs::Arcs;
use super::classes::Classes;
use super::ratio::{Ratio, logarithm};
use super::tree_model::Model;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// No pair here.
const NONE: u32 = u32::MAX;

/// The pairs of vertices (i, j) between whose neighbourhoods messages run: L_{i→k, j→l} for all neighbours k of i and l
/// of j.
///
/// The messages of a pair lie together, by k and then l.
pub(super) struct Pairs {
    /// The pairs of row i are those from `rows[i]` to `rows[i + 1]`.
    rows: Vec<usize>,
    columns: Vec<u32>,
    /// Where the messages of a pair begin; one more than there are pairs.
    starts: Vec<u32>,
}

impl Pairs {
    /// All pairs, if no more than `most` messages run between them; else those among the best of their row or of their
    /// column, as many as fit. What ties with the first that is left out is left out too, so that no numbering of the
    /// vertices decides. `None` where `stop` came first.
    pub fn likely(model: &Model, logarithms: &DMatrix<f64>, most: usize, stop: &Stop) -> Option<Self> {
        let [a, b] = [0, 1].map(|side| &model.sides[side].arcs);
        let mut share = most as f64 / (a.len() as f64 * b.len() as f64);
        if share >= 1.0 {
            return Some(Self::of(a, b, |_, _| true));
        }
        while !stop.is_reached() {
            // Rows and columns each choose this share.
            share *= 0.75;
            let first_out = |mut values: Vec<f64>| {
                let place = ((share * values.len() as f64) as usize).min(values.len() - 1);
                *values.select_nth_unstable_by(place, |x, y| y.total_cmp(x)).1
            };
            let of_rows: Vec<f64> = logarithms.row_iter().map(|row| first_out(row.iter().copied().collect())).collect();
            let of_columns: Vec<f64> =
                logarithms.column_iter().map(|column| first_out(column.iter().copied().collect())).collect();
            let pairs = Self::of(a, b, |i, j| logarithms[(i, j)] > of_rows[i].min(of_columns[j]));
            if pairs.message_count() <= most {
                return Some(pairs);
            }
        }
        None
    }

    fn of(a: &Arcs, b: &Arcs, formed: impl Fn(usize, usize) -> bool) -> Self {
        let (mut pairs, mut start) = (Pairs { rows: vec![0], columns: vec![], starts: vec![0] }, 0);
        for i in 0..a.vertex_count() {
            for j in (0..b.vertex_count()).filter(|&j| formed(i, j)) {
                start += a.degree(i) * b.degree(j);
                pairs.columns.push(j as u32);
                pairs.starts.push(start.min(NONE as usize) as u32);
            }
            pairs.rows.push(pairs.columns.len());
        }
        pairs
    }

    pub fn message_count(&self) -> usize {
        self.starts[self.columns.len()] as usize
    }

    /// The pairs of row i, by number.
    fn of_row(&self, i: usize) -> std::ops::Range<usize> {
        self.rows[i]..self.rows[i + 1]
    }

    /// Whether (i, j) is one of them.
    #[cfg(test)]
    pub fn contains(&self, i: usize, j: usize) -> bool {
        self.columns[self.of_row(i)].contains(&(j as u32))
    }

    /// Runs `work(incoming, i, pair, its messages)` for all pairs, the rows in parallel.
    fn for_each(
        &self,
        model: &Model,
        messages: &mut [Ratio],
        work: impl Fn(&Incoming, usize, usize, &mut [Ratio]) + Sync,
    ) {
        let (a, b) = (&model.sides[0].arcs, &model.sides[1].arcs);
        let most_neighbours = (0..a.vertex_count()).map(|i| a.degree(i)).max().unwrap_or(0);
        let mut rows = Vec::with_capacity(a.vertex_count());
        let mut rest = messages;
        for i in 0..a.vertex_count() {
            let (start, end) = (self.starts[self.rows[i]], self.starts[self.rows[i + 1]]);
            let (row, after) = rest.split_at_mut((end - start) as usize);
            rows.push((i, row));
            rest = after;
        }
        let width = b.vertex_count();
        rows.into_par_iter().for_each_init(
            || Incoming { starts: vec![NONE; most_neighbours * width], width },
            |incoming, (i, row)| {
                incoming.set(self, a, i, true);
                let mut row = row;
                for pair in self.of_row(i) {
                    let (own, after) = row.split_at_mut((self.starts[pair + 1] - self.starts[pair]) as usize);
                    work(incoming, i, pair, own);
                    row = after;
                }
                incoming.set(self, a, i, false);
            },
        );
    }

    /// The messages of the last early round; not all of them once `stop` is reached.
    pub fn first(&self, model: &Model, early: &Classes, stop: &Stop) -> Vec<Ratio> {
        let [a, b] = [0, 1].map(|side| &model.sides[side].arcs);
        let mut messages = vec![Ratio::default(); self.message_count()];
        self.for_each(model, &mut messages, |_, i, pair, own| {
            if stop.is_reached() {
                return;
            }
            let arcs_of_j = b.range(self.columns[pair] as usize);
            let both = a.range(i).flat_map(|e| arcs_of_j.clone().map(move |f| (e, f)));
            own.iter_mut().zip(both).for_each(|(message, (e, f))| *message = early.ratio(e, f));
        });
        messages
    }

    /// One round: each message from those of the round before. `None` where `stop` came first.
    pub fn round(
        &self,
        model: &Model,
        logarithms: &DMatrix<f64>,
        messages: &[Ratio],
        stop: &Stop,
    ) -> Option<Vec<Ratio>> {
        let [a, b] = &model.sides;
        let mut next = vec![Ratio::default(); messages.len()];
        self.for_each(model, &mut next, |incoming, i, pair, own| {
            if own.is_empty() || stop.is_reached() {
                return;
            }
            let j = self.columns[pair] as usize;
            let ratio = model.anchor_ratio(a.anchors[i], b.anchors[j]);
            let columns = b.arcs.degree(j);
            let entry = |r, c| incoming.ratio(model, logarithms, messages, (i, r), (j, c));
            model.without_one(a.arcs.degree(i), columns, entry, |r, c, value| {
                own[r * columns + c] = Ratio::of(ratio * value);
            });
        });
        (!stop.is_reached()).then_some(next)
    }

    /// ln L of each pair of vertices, over all neighbours; `None`, and not all of them, where `stop` came first.
    pub fn write_logarithms(
        &self,
        model: &Model,
        messages: &[Ratio],
        logarithms: &mut DMatrix<f64>,
        stop: &Stop,
    ) -> Option<()> {
        let [a, b] = &model.sides;
        let mut found = vec![vec![]; a.arcs.vertex_count()];
        let most_neighbours = (0..found.len()).map(|i| a.arcs.degree(i)).max().unwrap_or(0);
        let width = b.arcs.vertex_count();
        let room = || Incoming { starts: vec![NONE; most_neighbours * width], width };
        let frozen = &*logarithms;
        found.par_iter_mut().enumerate().for_each_init(room, |incoming, (i, found)| {
            incoming.set(self, &a.arcs, i, true);
            found.extend(self.of_row(i).take_while(|_| !stop.is_reached()).map(|pair| {
                let j = self.columns[pair] as usize;
                let ratio = model.anchor_ratio(a.anchors[i], b.anchors[j]);
                let entry = |r, c| incoming.ratio(model, frozen, messages, (i, r), (j, c));
                logarithm(ratio * model.whole(a.arcs.degree(i), b.arcs.degree(j), entry))
            }));
            incoming.set(self, &a.arcs, i, false);
        });
        for (i, found) in found.into_iter().enumerate() {
            self.of_row(i).zip(found).for_each(|(pair, value)| logarithms[(i, self.columns[pair] as usize)] = value);
        }
        (!stop.is_reached()).then_some(())
    }
}

/// Where the messages of the pairs (k, ·) begin, for the neighbours k of one vertex i.
struct Incoming {
    /// By number of the neighbour and then vertex of B.
    starts: Vec<u32>,
    width: usize,
}

impl Incoming {
    /// Enters what concerns i, or takes it out again.
    fn set(&mut self, pairs: &Pairs, a: &Arcs, i: usize, enter: bool) {
        for (r, e) in a.range(i).enumerate() {
            let row = &mut self.starts[r * self.width..(r + 1) * self.width];
            for pair in pairs.of_row(a.target(e)) {
                row[pairs.columns[pair] as usize] = if enter { pairs.starts[pair] } else { NONE };
            }
        }
    }

    /// L_{k→i, l→j}, k neighbour number r of i and l number c of j: a message, or the early ratio if (k, l) is not
    /// formed.
    #[inline]
    fn ratio(
        &self,
        model: &Model,
        logarithms: &DMatrix<f64>,
        messages: &[Ratio],
        (i, r): (usize, usize),
        (j, c): (usize, usize),
    ) -> f64 {
        let [a, b] = &model.sides;
        let (from_k, from_l) = (a.incoming(i, r), b.incoming(j, c));
        let k = a.arcs.target(a.arcs.range(i).start + r);
        let l = b.arcs.target(b.arcs.range(j).start + c);
        let start = self.starts[r * self.width + l];
        if start == NONE {
            return logarithms[(k, l)].exp();
        }
        let (row, column) = (from_k - a.arcs.range(k).start, from_l - b.arcs.range(l).start);
        messages[start as usize + row * b.arcs.degree(l) + column].get()
    }
}
