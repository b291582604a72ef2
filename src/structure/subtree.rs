//! Likelihood ratios of the trees that hang below two vertices: correlated against independent.

use super::arcs::Arcs;
use super::classes::Early;
use super::matchings::{MOST, Offspring, matching_sum, sums_without_one};
use super::messages::Pairs;
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// Messages that are held at most: two generations of 2 bytes each, 1.07 GB together.
const MOST_MESSAGES: usize = 1 << 28;

/// Pairs of classes of trees that are looked at at most, of 2 bytes each.
const MOST_CLASS_PAIRS: usize = 1 << 24;

/// Ratios are kept within these, so that a product of nine neither overflows nor vanishes.
const RATIOS: std::ops::RangeInclusive<f64> = 1e-27..=1e27;

/// The share of the entries of C that its lower clip takes in.
const CLIPPED: f64 = 0.01;

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
    fn of(a: &Graph, b: &Graph, kept: f64, anchors: &[(usize, usize)]) -> Option<Self> {
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

/// [`super::subtree_ratios`], its input checked; `None` where `stop` came first.
pub(super) fn subtree_cost(
    a: &Graph,
    b: &Graph,
    kept: f64,
    rounds: usize,
    anchors: &[(usize, usize)],
    stop: &Stop,
) -> Option<DMatrix<f64>> {
    let Some(model) = Model::of(a, b, kept, anchors) else {
        return Some(DMatrix::zeros(a.vertex_count(), b.vertex_count()));
    };
    let early = Early::grow(&model, rounds, MOST_CLASS_PAIRS, stop)?;
    let mut logarithms = early.vertex_logarithms(&model, stop)?;
    if early.rounds < rounds {
        let pairs = Pairs::likely(&model, &logarithms, MOST_MESSAGES, stop)?;
        let mut messages = pairs.first(&model, &early.classes, stop);
        for _ in early.rounds..rounds {
            messages = pairs.round(&model, &logarithms, &messages, stop)?;
        }
        pairs.write_logarithms(&model, &messages, &mut logarithms, stop)?;
    }
    let mut cost = -logarithms;
    clip(&mut cost);
    Some(cost)
}

/// ln L, L clipped.
#[inline]
pub(super) fn logarithm(ratio: f64) -> f64 {
    ratio.clamp(*RATIOS.start(), f64::MAX).ln()
}

/// L as it is kept: within [`RATIOS`], with the leading 8 bits of its fraction. 0 stays 0: what anchors exclude.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ratio(u16);

impl Ratio {
    #[inline]
    pub fn of(ratio: f64) -> Self {
        let clamped = if ratio == 0.0 { 0.0 } else { ratio.clamp(*RATIOS.start(), *RATIOS.end()) };
        // The upper half of an f32, rounded.
        Ratio((((clamped as f32).to_bits() + 0x8000) >> 16) as u16)
    }

    #[inline]
    pub fn get(self) -> f64 {
        f64::from(f32::from_bits(u32::from(self.0) << 16))
    }
}

/// Raises the smallest entries to their 1 % quantile.
fn clip(cost: &mut DMatrix<f64>) {
    let mut values: Vec<f32> = cost.iter().map(|&v| v as f32).collect();
    let place = (CLIPPED * values.len() as f64) as usize;
    if place > 0 {
        let low = f64::from(*values.select_nth_unstable_by(place, f32::total_cmp).1);
        cost.iter_mut().for_each(|v| *v = v.max(low));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{noisy_erdos_renyi, rng};

    const NEVER: Stop = Stop::never();

    /// L_{i→k, j→l} after `rounds`, straight from the recursion; k and l are `None` for a whole vertex.
    fn recursion(
        model: &Model,
        graphs: [&Graph; 2],
        ij: [usize; 2],
        without: [Option<usize>; 2],
        rounds: usize,
    ) -> f64 {
        let below = [0, 1].map(|side| -> Vec<usize> {
            let neighbours = graphs[side].neighbours(ij[side]).0.iter().copied();
            neighbours.filter(|&k| Some(k) != without[side] && k != ij[side]).collect()
        });
        let anchors = model.anchor_ratio(model.sides[0].anchors[ij[0]], model.sides[1].anchors[ij[1]]);
        if rounds == 0 {
            return anchors;
        }
        let ratio = |&k: &usize, &l: &usize| recursion(model, graphs, [k, l], ij.map(Some), rounds - 1);
        let table: Vec<Vec<f64>> = below[0].iter().map(|k| below[1].iter().map(|l| ratio(k, l)).collect()).collect();
        let weights = model.weights(below[0].len(), below[1].len());
        anchors * matching_sum(below[0].len(), below[1].len(), weights, |r, c| table[r][c])
    }

    #[test]
    fn rounds_are_those_of_the_recursion() {
        let instance = noisy_erdos_renyi(16, 2.2, 0.2, &mut rng(1, 0)).unwrap();
        let graphs = [&instance.a, &instance.b];
        for anchors in [vec![], vec![(2, instance.truth.apply(2)), (5, 0)]] {
            if anchors.len() > 1 && anchors[0].1 == anchors[1].1 {
                continue;
            }
            let model = Model::of(&instance.a, &instance.b, 0.7, &anchors).unwrap();
            for (rounds, early_rounds) in [(0, 0), (3, 3), (3, 0), (3, 1)] {
                let early = Early::grow(&model, early_rounds, usize::MAX, &NEVER).unwrap();
                let mut found = early.vertex_logarithms(&model, &NEVER).unwrap();
                if early.rounds < rounds {
                    let pairs = Pairs::likely(&model, &found, MOST_MESSAGES, &NEVER).unwrap();
                    let mut messages = pairs.first(&model, &early.classes, &NEVER);
                    for _ in early.rounds..rounds {
                        messages = pairs.round(&model, &found, &messages, &NEVER).unwrap();
                    }
                    pairs.write_logarithms(&model, &messages, &mut found, &NEVER).unwrap();
                }
                for (i, j) in (0..16).flat_map(|i| (0..16).map(move |j| (i, j))) {
                    let expected = logarithm(recursion(&model, graphs, [i, j], [None; 2], rounds + 1));
                    // Each of at most 16 factors of a term is good to 2⁻⁹.
                    assert!(
                        (found[(i, j)] - expected).abs() < 16.0 / 512.0,
                        "({i}, {j}): {}, {expected}",
                        found[(i, j)]
                    );
                }
            }
        }
    }

    #[test]
    fn where_not_all_pairs_fit_the_likely_ones_are_kept() {
        let instance = noisy_erdos_renyi(120, 3.0, 0.1, &mut rng(2, 0)).unwrap();
        let model = Model::of(&instance.a, &instance.b, 0.7, &[]).unwrap();
        let early = Early::grow(&model, 2, usize::MAX, &NEVER).unwrap();
        let logarithms = early.vertex_logarithms(&model, &NEVER).unwrap();
        let all = Pairs::likely(&model, &logarithms, usize::MAX, &NEVER).unwrap();
        let most = all.message_count() / 2;
        let few = Pairs::likely(&model, &logarithms, most, &NEVER).unwrap();
        assert!(few.message_count() <= most && few.message_count() > most / 2);
        let is_kept = |i: usize| few.contains(i, instance.truth.apply(i));
        let kept = (0..120).filter(|&i| is_kept(i)).count();
        assert!(kept > 90, "{kept} of 120 true pairs are left, where half of them would be by chance");
        let messages = few.round(&model, &logarithms, &few.first(&model, &early.classes, &NEVER), &NEVER).unwrap();
        let mut found = logarithms.clone();
        few.write_logarithms(&model, &messages, &mut found, &NEVER).unwrap();
        assert!(found.iter().all(|v| v.is_finite()) && found != logarithms);
    }

    #[test]
    fn ratios_keep_their_leading_digits() {
        for ratio in [1e-27, 0.3, 1.0, 7.7, 1e27] {
            assert!((Ratio::of(ratio).get() / ratio - 1.0).abs() < 1.0 / 256.0);
        }
        assert_eq!((Ratio::of(0.0).get(), Ratio::of(1.0).get()), (0.0, 1.0));
        assert!(Ratio::of(f64::INFINITY).get() < 1.1e27 && Ratio::of(1e-300).get() > 0.9e-27);
    }
}
