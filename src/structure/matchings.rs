//! Sums over partial matchings: the permanent-like sums in the recursion of the subtree likelihood ratios.

/// Rows and columns beyond this are left out: those with the smallest largest entries.
pub(super) const MOST: usize = 9;

/// ψ(m) for m = 0, 1, …, the smaller of d and d': the likelihood ratio of two vertices with d and d' children of which
/// m are common.
///
/// Numbers of children are Poisson with means μ_A, μ_B, of which c are common: ψ(m) = e^c·(c/(μ_A·μ_B))^m·(1 −
/// c/μ_A)^(d−m)·(1 − c/μ_B)^(d'−m). For μ_A = μ_B = μ and c = sμ this is ψ of Piccioli, Semerjian, Sicuro and Zdeborová
/// (2022).
#[derive(Debug, Clone, Copy)]
pub(super) struct Offspring {
    /// μ_A, μ_B.
    pub means: [f64; 2],
    /// c.
    pub common: f64,
}

impl Offspring {
    pub fn weights(&self, d: usize, other: usize) -> [f64; MOST + 1] {
        let alone = self.means.map(|mean| 1.0 - self.common / mean);
        let both = self.common / (self.means[0] * self.means[1]);
        let mut weights = [0.0; MOST + 1];
        for (m, weight) in weights.iter_mut().enumerate().take(d.min(other) + 1) {
            let of = |alone: f64, d: usize| alone.powi((d - m) as i32);
            *weight = self.common.exp() * both.powi(m as i32) * of(alone[0], d) * of(alone[1], other);
        }
        weights
    }
}

/// A matrix of at most [`MOST`] × [`MOST`] entries, with no more columns than rows.
pub(super) struct Block {
    entries: [[f64; MOST]; MOST],
    rows: usize,
    columns: usize,
}

impl Block {
    /// The rows × columns matrix of `entry`, turned if it is wider than high.
    fn of(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> (Self, bool) {
        let mut block = Block { entries: [[0.0; MOST]; MOST], rows, columns };
        let turned = rows < columns;
        if turned {
            (block.rows, block.columns) = (columns, rows);
        }
        for r in 0..block.rows {
            for c in 0..block.columns {
                block.entries[r][c] = if turned { entry(c, r) } else { entry(r, c) };
            }
        }
        (block, turned)
    }
}

/// Σ_m weights\[m\]·Σ over matchings of m rows with m columns of the product of their entries.
/// O(rows·columns·2^columns).
pub(super) fn matching_sum(
    rows: usize,
    columns: usize,
    weights: &[f64; MOST + 1],
    entry: impl Fn(usize, usize) -> f64,
) -> f64 {
    let (block, _) = Block::of(rows, columns, entry);
    dispatch(&block, Wanted::Whole(weights), &mut |_, _, _| {})
}

/// The same sums with one row and one column left out, for each row and column: `sum(row, column, value)`.
///
/// All share their parts: O(rows²·columns·2^columns) for all rows·columns sums.
pub(super) fn sums_without_one(
    rows: usize,
    columns: usize,
    weights: &[f64; MOST + 1],
    entry: impl Fn(usize, usize) -> f64,
    mut sum: impl FnMut(usize, usize, f64),
) {
    let (block, turned) = Block::of(rows, columns, entry);
    dispatch(&block, Wanted::WithoutOne(weights), &mut |r, c, value| {
        if turned { sum(c, r, value) } else { sum(r, c, value) }
    });
}

enum Wanted<'a> {
    Whole(&'a [f64; MOST + 1]),
    WithoutOne(&'a [f64; MOST + 1]),
}

/// The sums, with the number of columns known to the compiler.
fn dispatch(block: &Block, wanted: Wanted, sum: &mut impl FnMut(usize, usize, f64)) -> f64 {
    match block.columns {
        0 => sums::<0, 1>(block, wanted, sum),
        1 => sums::<1, 2>(block, wanted, sum),
        2 => sums::<2, 4>(block, wanted, sum),
        3 => sums::<3, 8>(block, wanted, sum),
        4 => sums::<4, 16>(block, wanted, sum),
        5 => sums::<5, 32>(block, wanted, sum),
        6 => sums::<6, 64>(block, wanted, sum),
        7 => sums::<7, 128>(block, wanted, sum),
        8 => sums::<8, 256>(block, wanted, sum),
        _ => sums::<9, 512>(block, wanted, sum),
    }
}

/// table\[S\] = Σ over matchings of some rows with exactly the columns S of the product of their entries.
fn sums<const COLUMNS: usize, const SETS: usize>(
    block: &Block,
    wanted: Wanted,
    sum: &mut impl FnMut(usize, usize, f64),
) -> f64 {
    // Tables of the rows before, and of the rows without one.
    let mut before = [0.0; SETS];
    before[0] = 1.0;
    let rows = &block.entries[..block.rows];
    let weights = match wanted {
        Wanted::Whole(weights) => {
            rows.iter().for_each(|row| add_row::<COLUMNS, SETS>(&mut before, row));
            return before.iter().enumerate().map(|(set, value)| weights[set.count_ones() as usize] * value).sum();
        }
        Wanted::WithoutOne(weights) => weights,
    };
    for (r, row) in rows.iter().enumerate() {
        let mut without = before;
        rows[r + 1..].iter().for_each(|row| add_row::<COLUMNS, SETS>(&mut without, row));
        for (set, value) in without.iter_mut().enumerate() {
            *value *= weights[set.count_ones() as usize];
        }
        for c in 0..COLUMNS {
            let half = 1 << c;
            let sets = without.chunks_exact(2 * half);
            sum(r, c, sets.map(|pair| pair[..half].iter().sum::<f64>()).sum());
        }
        if r + 1 < rows.len() {
            add_row::<COLUMNS, SETS>(&mut before, row);
        }
    }
    0.0
}

/// One row more: new\[S\] = old\[S\] + Σ_{c∈S} old\[S∖c\]·row\[c\].
#[inline]
fn add_row<const COLUMNS: usize, const SETS: usize>(table: &mut [f64; SETS], row: &[f64; MOST]) {
    let old = *table;
    for (c, entry) in row.iter().enumerate().take(COLUMNS) {
        let half = 1 << c;
        for (new, old) in table.chunks_exact_mut(2 * half).zip(old.chunks_exact(2 * half)) {
            for (to, from) in new[half..].iter_mut().zip(&old[..half]) {
                *to += from * entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use rand::RngExt;

    /// By trying every matching, row after row.
    fn enumerated(matrix: &[Vec<f64>], weights: &[f64; MOST + 1]) -> f64 {
        fn follow(rows: &[Vec<f64>], used: &mut Vec<usize>, weights: &[f64; MOST + 1]) -> f64 {
            let Some((row, rest)) = rows.split_first() else { return weights[used.len()] };
            let mut sum = follow(rest, used, weights);
            for (c, entry) in row.iter().enumerate() {
                if !used.contains(&c) {
                    used.push(c);
                    sum += entry * follow(rest, used, weights);
                    used.pop();
                }
            }
            sum
        }
        follow(matrix, &mut vec![], weights)
    }

    #[test]
    fn sums_are_those_of_trying_every_matching() {
        let mut rng = rng(1, 0);
        for (rows, columns) in (0..=5).flat_map(|rows| (0..=5).map(move |columns| (rows, columns))).chain([(9, 3)]) {
            let mut matrix = vec![vec![0.0; columns]; rows];
            matrix.iter_mut().flatten().for_each(|entry| *entry = rng.random::<f64>() * 3.0);
            let weights: [f64; MOST + 1] = std::array::from_fn(|_| rng.random());
            let close = |value: f64, expected: f64| (value - expected).abs() <= 1e-13 * expected;
            let entry = |r: usize, c: usize| matrix[r][c];
            assert!(close(matching_sum(rows, columns, &weights, entry), enumerated(&matrix, &weights)));
            let mut count = 0;
            sums_without_one(rows, columns, &weights, entry, |row, column, value| {
                let mut smaller = matrix.clone();
                smaller.remove(row);
                for row in &mut smaller {
                    row.remove(column);
                }
                assert!(close(value, enumerated(&smaller, &weights)), "{rows} x {columns} without {row}, {column}");
                count += 1;
            });
            assert_eq!(count, rows * columns);
        }
    }

    #[test]
    fn weights_are_a_ratio_of_probabilities() {
        // Over all pairs of numbers of children, Σ P(d)P(d')·ψ(m)·(partial matchings of size m)/… sums to 1: Poisson
        // with means 1.5 and 2.
        let offspring = Offspring { means: [1.5, 2.0], common: 1.2 };
        let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
        let poisson = |mean: f64, d: usize| (-mean).exp() * mean.powi(d as i32) / factorial(d);
        let mut total = 0.0;
        for (d, other) in (0..=MOST).flat_map(|d| (0..=MOST).map(move |other| (d, other))) {
            let weights = offspring.weights(d, other);
            let matchings =
                |m: usize| factorial(d) * factorial(other) / (factorial(m) * factorial(d - m) * factorial(other - m));
            let ratio: f64 = (0..=d.min(other)).map(|m| weights[m] * matchings(m)).sum();
            total += poisson(1.5, d) * poisson(2.0, other) * ratio;
        }
        // What is missing are families of ten children and more.
        assert!((total - 1.0).abs() < 1e-3, "{total}");
    }
}
