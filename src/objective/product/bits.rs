//! Products of 0/1 matrices by counting bits: 64 multiply-adds in one word, and exact.

use crate::columns::is_parallel;
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Rows that are counted side by side, one vector lane each.
const LANES: usize = 32;

/// Columns that pass over a block of rows while it is in the nearest cache.
const COLUMNS: usize = 8;

/// A 0/1 matrix, its rows in blocks of [`LANES`]: word w of all rows of a block stand together.
#[derive(Debug, Clone)]
pub(super) struct BitMatrix {
    n: usize,
    words: usize,
    blocks: Vec<[u64; LANES]>,
}

impl BitMatrix {
    /// The adjacency matrix of a graph whose weights are all 1.
    pub fn of(graph: &Graph) -> Self {
        let n = graph.vertex_count();
        let words = n.div_ceil(64);
        let mut blocks = vec![[0; LANES]; n.div_ceil(LANES) * words];
        for (i, k, _) in graph.arcs() {
            blocks[i / LANES * words + k / 64][i % LANES] |= 1 << (k % 64);
        }
        BitMatrix { n, words, blocks }
    }

    /// Entry (i, k).
    #[inline]
    pub fn contains(&self, i: usize, k: usize) -> bool {
        self.blocks[i / LANES * self.words + k / 64][i % LANES] >> (k % 64) & 1 == 1
    }

    /// `target ← beta·target + c·W·C`, W this matrix, column l of C the vertices from⁻¹ `arcs.neighbours(l)`: C = QBᵀ
    /// for the arcs of B, QB for those of Bᵀ. n³/64 operations on words, until `stop`.
    pub fn blend_times(&self, stop: &Stop, c: f64, arcs: &Graph, from: &[usize], beta: f64, target: &mut DMatrix<f64>) {
        let n = self.n;
        let counted = |(chunk, columns): (usize, &mut [f64])| {
            if stop.is_reached() {
                return;
            }
            let mut bits = vec![0; COLUMNS * self.words];
            for (l, bits) in (chunk * COLUMNS..arcs.vertex_count()).zip(bits.chunks_exact_mut(self.words)) {
                arcs.neighbours(l).0.iter().map(|&m| from[m]).for_each(|k| bits[k / 64] |= 1 << (k % 64));
            }
            for (block, rows) in self.blocks.chunks_exact(self.words).enumerate() {
                let first = block * LANES;
                for (column, bits) in columns.chunks_exact_mut(n).zip(bits.chunks_exact(self.words)) {
                    let last = (first + LANES).min(n);
                    super::kernel::blend_counts(rows, bits, c, beta, &mut column[first..last]);
                }
            }
        };
        let columns = target.as_mut_slice();
        // Each column is computed whole by one thread, so the bits do not depend on how many there are.
        if is_parallel(n) {
            columns.par_chunks_mut(COLUMNS * n).enumerate().for_each(counted);
        } else {
            columns.chunks_mut(COLUMNS * n).enumerate().for_each(counted);
        }
    }
}
