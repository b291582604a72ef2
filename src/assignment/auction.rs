//! The assignment of largest value where few pairs are allowed, and a row may stay without a partner.

use super::holdings::NONE;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use std::collections::VecDeque;

/// ε is at least this share of the largest value: smaller steps make wars of prices long, and are lost to rounding
/// where they are below 10⁻¹⁶ of a price.
const LEAST_STEP: f64 = 1e-5;

/// Bids between two questions whether to stop.
const BIDS: usize = 4096;

/// A matching of rows with columns, each at most once, and prices that say how good it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Auction {
    /// The column of each row, or [`NONE`].
    pub columns: Vec<u32>,
    /// The row of each column, or [`NONE`].
    pub rows: Vec<u32>,
    /// p ≥ 0 of each column; 0 of those without a row.
    pub prices: Vec<f64>,
    /// Σ of the values of its pairs.
    pub value: f64,
    /// Σ_j p_j + Σ_i max(0, max_j (v\[i, j\] − p_j)): no matching's value is more, and this one's is at most ε less for
    /// each of its pairs. In floating point numbers, rounded as sums of so many are.
    pub bound: f64,
}

/// A matching whose value Σ v\[i, p(i)\] is within ε for each pair of the largest, by the auction of Bertsekas (Annals
/// of Operations Research 14, 1988).
///
/// Rows without a partner bid, one after another, for the column of largest value less price: the price rises by the
/// lead over the second best, or over 0, which is what staying alone is worth, and by ε. A column goes to the last
/// bidder. A row that no column is worth anything to stays alone, and a column that nobody bids for is free, so prices
/// may begin at 0 only. ε is raised to 10⁻⁵ of the largest value where it is smaller, so that there are at most 10⁵
/// bids for each column; in practice there are a few for each row. `stop` ends it early, with a matching that lacks
/// some rows.
///
/// ```
/// use birkhoff::assignment::auction;
/// use birkhoff::{SparseMatrix, Stop};
/// let values = [[(0, 3.0), (1, 2.0)], [(0, 2.5), (1, 0.5)]];
/// let values = SparseMatrix::from_rows((2, 3), || (), |(), i, row| {
///     values[i].iter().for_each(|&(j, value)| row.push(j, value));
/// });
/// let best = auction(&values, 0.01, &Stop::never());
/// assert_eq!((&best.columns[..], best.value), (&[1, 0][..], 4.5));
/// assert!(best.bound >= 4.5 && best.bound <= 4.52);
/// ```
///
/// # Panics
/// When ε is not positive.
pub fn auction(values: &SparseMatrix, epsilon: f64, stop: &Stop) -> Auction {
    assert!(epsilon > 0.0, "an auction with steps of {epsilon}");
    let (height, width) = values.shape();
    let largest = (0..height).flat_map(|i| values.entries(i)).fold(0.0, |most: f64, (_, value)| most.max(value));
    let epsilon = epsilon.max(LEAST_STEP * largest);
    let mut prices = vec![0.0; width];
    let (mut columns, mut rows) = (vec![NONE; height], vec![NONE; width]);
    let mut bidders: VecDeque<u32> = (0..height as u32).collect();
    let mut bids = 0_usize;
    while let Some(i) = bidders.pop_front() {
        let (mut best, mut lead, mut second) = (NONE, 0.0, 0.0);
        for (j, value) in values.entries(i as usize) {
            let profit = value - prices[j];
            if profit > lead {
                (second, lead, best) = (lead, profit, j as u32);
            } else if profit > second {
                second = profit;
            }
        }
        if best == NONE {
            continue;
        }
        let j = best as usize;
        prices[j] += lead - second + epsilon;
        let before = std::mem::replace(&mut rows[j], i);
        if before != NONE {
            columns[before as usize] = NONE;
            bidders.push_back(before);
        }
        columns[i as usize] = best;
        bids += 1;
        if bids.is_multiple_of(BIDS) && stop.is_reached() {
            break;
        }
    }
    let (mut value, mut bound) = (0.0, prices.iter().sum::<f64>());
    for (i, &partner) in columns.iter().enumerate() {
        let mut most: f64 = 0.0;
        for (j, entry) in values.entries(i) {
            most = most.max(entry - prices[j]);
            if j as u32 == partner {
                value += entry;
            }
        }
        bound += most;
    }
    Auction { columns, rows, prices, value, bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::solve;
    use crate::instance::rng;
    use nalgebra::DMatrix;
    use rand::RngExt;

    #[test]
    fn an_auction_comes_within_its_steps_of_the_dense_optimum() {
        for trial in 0..200 {
            let mut rng = rng(21, trial);
            let (height, width) = (rng.random_range(1..12), rng.random_range(1..12));
            let entries: Vec<Vec<(usize, f64)>> = (0..height)
                .map(|_| {
                    let mut row = vec![];
                    for j in 0..width {
                        if rng.random::<f64>() < 0.4 {
                            row.push((j, rng.random_range(-1.0..3.0)));
                        }
                    }
                    row
                })
                .collect();
            let values = SparseMatrix::from_rows(
                (height, width),
                || (),
                |(), i, row| {
                    entries[i].iter().for_each(|&(j, value)| row.push(j, value));
                },
            );
            let found = auction(&values, 1e-3, &Stop::never());
            // Staying alone costs 0: each row has a column of its own for that, and each column a row.
            let n = height + width;
            let mut cost = DMatrix::zeros(n, n);
            for (i, row) in entries.iter().enumerate() {
                row.iter().for_each(|&(j, value)| cost[(i, j)] = -value);
                (0..width).filter(|j| row.iter().all(|entry| entry.0 != *j)).for_each(|j| cost[(i, j)] = 1.0);
            }
            let best = -solve(&cost).unwrap().value;
            let pairs = found.columns.iter().filter(|&&j| j != NONE).count() as f64;
            assert!(found.value <= best + 1e-12 && found.value >= best - 1e-3 * pairs - 1e-12);
            assert!(found.bound >= best - 1e-12 && found.bound <= found.value + 1e-3 * pairs + 1e-12);
            for (i, &j) in found.columns.iter().enumerate() {
                assert!(j == NONE || found.rows[j as usize] == i as u32);
            }
        }
    }

    /// Three rows want the same two columns, and steps of ε alone would not move a price at all.
    #[test]
    fn an_auction_of_large_values_ends() {
        let values = SparseMatrix::from_rows((3, 2), || (), |(), _, row| (0..2).for_each(|j| row.push(j, 1e17)));
        let found = auction(&values, 0.05, &Stop::never());
        assert_eq!((found.value, found.columns.iter().filter(|&&j| j == NONE).count()), (2e17, 1));
        assert!(found.bound <= 2e17 * (1.0 + 2.0 * LEAST_STEP));
    }

    #[test]
    fn a_stopped_auction_is_a_matching() {
        let values = SparseMatrix::from_rows((5000, 5000), || (), |(), _, row| (0..3).for_each(|j| row.push(j, 1e6)));
        let found = auction(&values, 1e-3, &Stop::when(|| true));
        assert!(found.columns.iter().filter(|&&j| j != NONE).count() <= 3);
    }
}
