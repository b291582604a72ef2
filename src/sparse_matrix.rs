//! Matrices of few entries a row.

use crate::error::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A matrix in compressed sparse rows. Its memory is 12 bytes an entry and 8 a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct SparseMatrix {
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    width: usize,
}

/// What a file says of a matrix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    width: usize,
}

impl TryFrom<Written> for SparseMatrix {
    type Error = Error;
    fn try_from(Written { offsets, columns, values, width }: Written) -> Result<Self> {
        let refuse = |cause: &str| Err(Error::argument("sparse matrix", cause));
        let ends = (offsets.first(), offsets.last());
        if ends != (Some(&0), Some(&columns.len())) || !offsets.is_sorted() || values.len() != columns.len() {
            return refuse("its rows do not share out its entries");
        }
        if u32::try_from(width).is_err() || columns.iter().any(|&j| j as usize >= width) {
            return refuse("has an entry beyond its columns");
        }
        let mut sorted = columns.clone();
        for row in offsets.windows(2) {
            let row = &mut sorted[row[0]..row[1]];
            row.sort_unstable();
            if row.windows(2).any(|pair| pair[0] == pair[1]) {
                return refuse("has two entries at the same place");
            }
        }
        Ok(SparseMatrix { offsets, columns, values, width })
    }
}

/// Rows that are made by one task.
const ROWS: usize = 128;

impl SparseMatrix {
    /// The matrix without rows, of so many columns.
    ///
    /// # Panics
    /// When a column's number does not fit into 32 bits.
    pub fn new(width: usize) -> Self {
        assert!(u32::try_from(width).is_ok(), "{width} columns");
        SparseMatrix { offsets: vec![0], columns: vec![], values: vec![], width }
    }

    /// The matrix of `height` rows, each made by `row` with a scratch of `scratch`'s: in parallel, and the same on any
    /// number of threads if a row does not depend on what the scratch was used for before.
    pub fn from_rows<S>(
        (height, width): (usize, usize),
        scratch: impl Fn() -> S + Sync + Send,
        row: impl Fn(&mut S, usize, &mut Row) + Sync + Send,
    ) -> Self {
        let make = |scratch: &mut S, block: usize| {
            let mut part = SparseMatrix::new(width);
            for i in block * ROWS..height.min((block + 1) * ROWS) {
                row(scratch, i, &mut Row(&mut part));
                part.offsets.push(part.columns.len());
            }
            part
        };
        let parts: Vec<SparseMatrix> = (0..height.div_ceil(ROWS)).into_par_iter().map_init(scratch, make).collect();
        let mut whole = SparseMatrix::new(width);
        let entries = parts.iter().map(|part| part.columns.len()).sum();
        whole.offsets.reserve_exact(height);
        whole.columns.reserve_exact(entries);
        whole.values.reserve_exact(entries);
        for part in parts {
            let before = whole.columns.len();
            whole.offsets.extend(part.offsets[1..].iter().map(|offset| before + offset));
            whole.columns.extend(part.columns);
            whole.values.extend(part.values);
        }
        whole
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.offsets.len() - 1, self.width)
    }

    /// The number of entries that are kept.
    pub fn entry_count(&self) -> usize {
        self.columns.len()
    }

    /// The columns of row i and its values.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline]
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The entries of row i.
    ///
    /// # Panics
    /// As [`row`](Self::row).
    #[inline]
    pub fn entries(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (columns, values) = self.row(i);
        columns.iter().zip(values).map(|(&j, &value)| (j as usize, value))
    }

    /// The transposed matrix, whose rows have ascending columns.
    pub fn transpose(&self) -> Self {
        let (height, width) = self.shape();
        let mut turned = SparseMatrix::new(height);
        turned.offsets.resize(width + 1, 0);
        self.columns.iter().for_each(|&j| turned.offsets[j as usize + 1] += 1);
        for j in 0..width {
            turned.offsets[j + 1] += turned.offsets[j];
        }
        let mut next = turned.offsets.clone();
        turned.columns.resize(self.columns.len(), 0);
        turned.values.resize(self.values.len(), 0.0);
        for i in 0..height {
            for (j, value) in self.entries(i) {
                (turned.columns[next[j]], turned.values[next[j]]) = (i as u32, value);
                next[j] += 1;
            }
        }
        turned
    }
}

/// The row that is being made.
pub struct Row<'a>(&'a mut SparseMatrix);

impl Row<'_> {
    /// Adds an entry; no column comes twice.
    #[inline]
    pub fn push(&mut self, column: usize, value: f64) {
        self.0.columns.push(column as u32);
        self.0.values.push(value);
    }
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_order_and_a_matrix_turned_twice_is_itself() {
        let made = SparseMatrix::from_rows(
            (300, 7),
            || (),
            |(), i, row| (0..i % 3).for_each(|j| row.push(2 * j + 1, i as f64)),
        );
        assert_eq!(made.shape(), (300, 7));
        assert_eq!(made.entries(200).collect::<Vec<_>>(), [(1, 200.0), (3, 200.0)]);
        assert_eq!(made.row(201).0.len(), 0);
        let turned = made.transpose();
        assert_eq!((turned.shape(), turned.entry_count()), ((7, 300), 300));
        assert_eq!(turned.entries(3).next(), Some((2, 2.0)));
        assert_eq!(turned.transpose(), made);
    }

    #[test]
    fn what_is_written_is_read_again_and_what_contradicts_itself_is_refused() {
        let made = SparseMatrix::from_rows((3, 4), || (), |(), i, row| (0..i).for_each(|j| row.push(3 - j, 0.1)));
        let written = serde_json::to_value(&made).unwrap();
        assert_eq!(serde_json::from_value::<SparseMatrix>(written.clone()).unwrap(), made);
        for (key, value) in [
            ("offsets", serde_json::json!([])),
            ("offsets", serde_json::json!([0, 0, 1, 2])),
            ("offsets", serde_json::json!([1, 1, 1, 3])),
            ("offsets", serde_json::json!([0, 2, 1, 3])),
            ("offsets", serde_json::json!([0, 0, u64::MAX, 3])),
            ("columns", serde_json::json!([3, 3, 4])),
            ("columns", serde_json::json!([3, 2, 2])),
            ("values", serde_json::json!([0.1, 0.1])),
            ("width", serde_json::json!(u64::MAX)),
            ("width", serde_json::json!(3)),
        ] {
            let mut changed = written.clone();
            changed[key] = value;
            assert!(serde_json::from_value::<SparseMatrix>(changed.clone()).is_err(), "{changed}");
        }
    }
}
