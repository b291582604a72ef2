//! What the subtree ratios know of the two graphs: arcs, anchors, and the weights of partial matchings of children.

use super::arcs::Arcs;
use super::matchings::{MOST, Offspring, matching_sum, sums_without_one};
use crate::graph::Graph;

/// One of the two graphs.
pub(super) struct Side {
    pub arcs: Arcs,
    /// Of each vertex: 0, or the number of its anchor, counted from 1.
    pub anchors: Vec<u32>,
}

impl Side {
    fn of(graph: &Graph, anchored: impl Iterator<Item = usize>) -> Self {
        let mut anchors = vec![0; graph.vertex_count()];
        anchored.enumerate().for_each(|(number, vertex)| anchors[vertex] = number as u32 + 1);
        Side { arcs: Arcs::of(graph, 1.0), anchors }
    }

    /// The arc into i along which the message about neighbour number r of i comes.
    #[inline]
    pub fn incoming(&self, i: usize, r: usize) -> usize {
        self.arcs.reverse(self.arcs.range(i).start + r) as usize
    }
}

/// What all rounds share.
pub(super) struct Model {
    pub sides: [Side; 2],
    /// ψ(·) for d and d' up to [`MOST`] children.
    weights: Vec<[f64; MOST + 1]>,
    vertices: f64,
}

impl Model {
    /// `None` if a graph has no edge: there is nothing to tell.
    pub fn of(a: &Graph, b: &Graph, kept: f64, anchors: &[(usize, usize)]) -> Option<Self> {
        let sides =
            [Side::of(a, anchors.iter().map(|anchor| anchor.0)), Side::of(b, anchors.iter().map(|anchor| anchor.1))];
        let means = [0, 1].map(|side| sides[side].arcs.len() as f64 / sides[side].anchors.len().max(1) as f64);
        let sparser = means[0].min(means[1]);
        let offspring = Offspring { means, common: kept * sparser };
        let weights = (0..=MOST).flat_map(|d| (0..=MOST).map(move |other| offspring.weights(d, other))).collect();
        let vertices = a.vertex_count().max(b.vertex_count()) as f64;
        (sparser > 0.0).then_some(Model { sides, weights, vertices })
    }

    /// ψ for d and d' children, at most [`MOST`].
    #[inline]
    pub fn weights(&self, d: usize, other: usize) -> &[f64; MOST + 1] {
        &self.weights[d * (MOST + 1) + other]
    }

    /// What the anchors say of vertices with these numbers: a common label has probability 1/n by chance, a different
    /// one none.
    #[inline]
    pub fn anchor_ratio(&self, anchor_of_i: u32, anchor_of_j: u32) -> f64 {
        match (anchor_of_i, anchor_of_j) {
            (0, 0) => 1.0,
            (i, j) if i == j => self.vertices,
            _ => 0.0,
        }
    }

    /// Σ ψ(m)·Σ over matchings, of `rows` children with `columns` children.
    pub fn whole(&self, rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> f64 {
        let weights = self.weights(rows.min(MOST), columns.min(MOST));
        if rows.max(columns) <= MOST {
            return matching_sum(rows, columns, weights, entry);
        }
        let (r, c) = likeliest(rows, columns, MOST, &entry);
        matching_sum(r.len(), c.len(), weights, |row, column| entry(r[row], c[column]))
    }

    /// The same with one child left out on both sides, for each row and column: `sum(row, column, value)`.
    pub fn without_one(
        &self,
        rows: usize,
        columns: usize,
        entry: impl Fn(usize, usize) -> f64,
        mut sum: impl FnMut(usize, usize, f64),
    ) {
        let weights = self.weights(rows.min(MOST) - 1, columns.min(MOST) - 1);
        if rows.max(columns) <= MOST {
            return sums_without_one(rows, columns, weights, entry, sum);
        }
        // A last row and a last column of zeros stand for all that are left out anyway.
        let (r, c) = likeliest(rows, columns, MOST - 1, &entry);
        let place = |chosen: &[usize], all: usize| {
            let mut place = vec![chosen.len(); all];
            chosen.iter().enumerate().for_each(|(position, &index)| place[index] = position);
            place
        };
        let (row_place, column_place) = (place(&r, rows), place(&c, columns));
        let mut sums = [[0.0; MOST]; MOST];
        let chosen = |row: usize, column: usize| match (r.get(row), c.get(column)) {
            (Some(&row), Some(&column)) => entry(row, column),
            _ => 0.0,
        };
        sums_without_one(rows.min(MOST), columns.min(MOST), weights, chosen, |row, column, value| {
            sums[row][column] = value;
        });
        for row in 0..rows {
            for column in 0..columns {
                sum(row, column, sums[row_place[row]][column_place[column]]);
            }
        }
    }
}

/// Of more than `most` rows (or columns), those with the largest entries; else all.
fn likeliest(
    rows: usize,
    columns: usize,
    most: usize,
    entry: &impl Fn(usize, usize) -> f64,
) -> (Vec<usize>, Vec<usize>) {
    let choose = |count: usize, score: &dyn Fn(usize) -> (f64, f64)| -> Vec<usize> {
        let mut all: Vec<_> = (0..count).map(|index| (score(index), index)).collect();
        if count > MOST {
            all.sort_by(|(x, _), (y, _)| y.0.total_cmp(&x.0).then(y.1.total_cmp(&x.1)));
            all.truncate(most);
        }
        all.into_iter().map(|(_, index)| index).collect()
    };
    // The largest entry, and the sum on ties.
    let fold =
        |entries: &mut dyn Iterator<Item = f64>| entries.fold((0.0_f64, 0.0), |(most, sum), v| (most.max(v), sum + v));
    let of_row = |row: usize| fold(&mut (0..columns).map(|column| entry(row, column)));
    let of_column = |column: usize| fold(&mut (0..rows).map(|row| entry(row, column)));
    (choose(rows, &of_row), choose(columns, &of_column))
}
