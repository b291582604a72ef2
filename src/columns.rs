//! Work on the columns of a matrix, shared out to the threads where the matrix is large.
//!
//! What a column becomes depends on that column alone, and sums are taken over fixed blocks of columns and then block
//! by block: so the bits are the same for any number of threads.

use crate::stop::Stop;
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::ops::Range;

/// From this size on the columns go to the threads: below, waking a thread costs more than it saves (docs/engine.md).
const PARALLEL_FROM: usize = 512;

/// Columns in a block, the unit of work.
pub(crate) const BLOCK: usize = 32;

/// Multiply-adds of a dense product between two looks at whether it shall go on: some hundredths of a second.
const MULTIPLY_ADDS: usize = 1 << 29;

/// Columns of a product are computed together in multiples of this, where edges of the tiles of matrixmultiply lie:
/// rounding is different there.
const TILES: usize = 48;

/// Calls `visit(j, column j)` for every column, until `stop`.
pub(crate) fn for_each_column(stop: &Stop, matrix: &mut DMatrix<f64>, visit: impl Fn(usize, &mut [f64]) + Sync + Send) {
    let rows = matrix.nrows();
    map_blocks(matrix, |columns, entries| {
        let mut columns = columns.zip(entries.chunks_exact_mut(rows));
        // One column may take O(arcs) steps.
        columns.by_ref().take_while(|_| !stop.is_reached()).for_each(|(j, column)| visit(j, column));
    });
}

/// `target ← beta·target + c·left·right`, until `stop`. To the bit what nalgebra's product is.
pub(crate) fn multiply(
    stop: &Stop,
    target: &mut DMatrix<f64>,
    c: f64,
    left: &DMatrix<f64>,
    right: &DMatrix<f64>,
    beta: f64,
) {
    let width = (MULTIPLY_ADDS / left.len().max(1)).max(1).next_multiple_of(TILES);
    for columns in pieces(target.ncols(), width) {
        if stop.is_reached() {
            return;
        }
        let (first, count) = (columns.start, columns.len());
        target.columns_mut(first, count).gemm(c, left, &right.columns(first, count), beta);
    }
}

/// 0..count in pieces of this width, the last one wider rather than narrow: with few columns nalgebra takes another
/// way, to other bits.
fn pieces(count: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let number = (count / width).max(1);
    (0..number).map(move |piece| piece * width..if piece + 1 < number { (piece + 1) * width } else { count })
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
                for_each_column(&Stop::never(), &mut matrix, |j, column| {
                    column.iter_mut().for_each(|entry| *entry += j as f64);
                });
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

    #[test]
    fn a_stop_leaves_the_columns_that_were_not_visited() {
        let asks = std::sync::atomic::AtomicUsize::new(0);
        let stop = Stop::when(move || asks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 5);
        let mut matrix = DMatrix::zeros(3, 70);
        for_each_column(&stop, &mut matrix, |_, column| column.fill(1.0));
        assert_eq!((matrix.sum(), matrix.column(4).sum(), matrix.column(5).sum()), (15.0, 3.0, 0.0));
        let ones = DMatrix::from_element(3, 70, 1.0);
        multiply(&stop, &mut matrix, 1.0, &DMatrix::identity(3, 3), &ones, 1.0);
        assert_eq!(matrix.sum(), 15.0);
    }

    #[test]
    fn a_product_in_pieces_is_the_product_to_the_bit() {
        let (rows, inner) = (70, 300);
        let entry = |i: usize, j: usize| ((i * 31 + j * 17) % 101) as f64 / 7.0 - 5.0;
        for columns in [1, 47, 48, 97, 150] {
            let (left, right) = (DMatrix::from_fn(rows, inner, entry), DMatrix::from_fn(inner, columns, entry));
            let whole = DMatrix::from_element(rows, columns, 0.3);
            let (mut expected, mut target) = (whole.clone(), whole);
            expected.gemm(1.5, &left, &right, 0.5);
            let mut covered = 0;
            for piece in pieces(columns, TILES) {
                assert_eq!(piece.start, covered);
                covered = piece.end;
                let right = right.columns(piece.start, piece.len());
                target.columns_mut(piece.start, piece.len()).gemm(1.5, &left, &right, 0.5);
            }
            assert!(covered == columns && target == expected, "{columns} columns");
            multiply(&Stop::never(), &mut target, 1.5, &left, &right, 0.0);
            expected.gemm(1.5, &left, &right, 0.0);
            assert!(target == expected, "{columns} columns");
        }
    }
}
