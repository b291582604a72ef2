//! Work on the columns of a matrix, shared out to the threads where the matrix is large.
//!
//! What a column becomes depends on that column alone, and sums are taken over fixed blocks of columns and then block by block: so the
//! bits are the same for any number of threads.

use nalgebra::DMatrix;
use rayon::prelude::*;
use std::ops::Range;

/// From this size on the columns go to the threads: below, waking a thread costs more than it saves (docs/engine.md).
const PARALLEL_FROM: usize = 512;

/// Columns in a block, the unit of work.
pub(crate) const BLOCK: usize = 32;

/// Calls `visit(j, column j)` for every column.
pub(crate) fn for_each_column(matrix: &mut DMatrix<f64>, visit: impl Fn(usize, &mut [f64]) + Sync + Send) {
    let rows = matrix.nrows();
    map_blocks(matrix, |columns, entries| {
        columns.zip(entries.chunks_exact_mut(rows)).for_each(|(j, column)| visit(j, column));
    });
}

/// `visit(columns, their entries)` for each block of columns; what it returns, in the order of the blocks.
pub(crate) fn map_blocks<T: Send>(
    matrix: &mut DMatrix<f64>,
    visit: impl Fn(Range<usize>, &mut [f64]) -> T + Sync + Send,
) -> Vec<T> {
    let (rows, columns) = matrix.shape();
    if rows == 0 {
        return vec![];
    }
    let visit = |(block, entries): (usize, &mut [f64])| {
        let first = block * BLOCK;
        visit(first..columns.min(first + BLOCK), entries)
    };
    let entries = matrix.as_mut_slice();
    if rows >= PARALLEL_FROM && rayon::current_num_threads() > 1 {
        entries.par_chunks_mut(BLOCK * rows).enumerate().map(visit).collect()
    } else {
        entries.chunks_mut(BLOCK * rows).enumerate().map(visit).collect()
    }
}

/// Whether lines of this length are worth sharing out.
pub(crate) fn is_parallel(length: usize) -> bool {
    length >= PARALLEL_FROM && rayon::current_num_threads() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_visited_once_with_its_number_on_any_number_of_threads() {
        for (rows, columns, threads) in [(3, 70, 1), (600, 601, 1), (600, 601, 3), (0, 0, 2)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut matrix = DMatrix::zeros(rows, columns);
            let blocks = pool.install(|| {
                for_each_column(&mut matrix, |j, column| column.iter_mut().for_each(|entry| *entry += j as f64));
                map_blocks(&mut matrix, |columns, entries| (columns.start, entries.len() / rows))
            });
            assert_eq!(matrix, DMatrix::from_fn(rows, columns, |_, j| j as f64));
            let expected: Vec<_> = if rows == 0 { 0..0 } else { 0..columns }
                .step_by(BLOCK)
                .map(|first| (first, BLOCK.min(columns - first)))
                .collect();
            assert_eq!(blocks, expected);
        }
    }
}
