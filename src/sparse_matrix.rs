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

    /// The matrix of (row, column, value) in any order: those of one place are added up, zeros left out, and columns
    /// ascend in each row. O(entries·log entries).
    ///
    /// # Errors
    /// [`Error::Argument`] for an entry out of the matrix, or more columns than 32 bits count; [`Error::Entry`] for a
    /// value, or a sum of those of one place, that is not finite.
    ///
    /// ```
    /// use birkhoff::SparseMatrix;
    /// let s = SparseMatrix::from_entries((2, 3), [(1, 2, 0.5), (1, 0, 2.0), (1, 2, 0.25)])?;
    /// assert_eq!(s.entries(1).collect::<Vec<_>>(), [(0, 2.0), (2, 0.75)]);
    /// # Ok::<(), birkhoff::Error>(())
    /// ```
    pub fn from_entries(
        (height, width): (usize, usize),
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        if u32::try_from(width).is_err() {
            return Err(Error::argument("width", format!("is {width}, but must be below 2^32")));
        }
        let mut entries: Vec<(usize, usize, f64)> = entries.into_iter().collect();
        entries.sort_by_key(|&(i, j, _)| (i, j));
        entries.dedup_by(|next, kept| {
            let is_same = (next.0, next.1) == (kept.0, kept.1);
            if is_same {
                kept.2 += next.2;
            }
            is_same
        });
        entries.retain(|&(_, _, value)| value != 0.0);
        let mut matrix = SparseMatrix::new(width);
        matrix.offsets.reserve_exact(height);
        for (i, j, value) in entries {
            if i >= height || j >= width {
                return Err(Error::argument("entries", format!("({i}, {j}) is out of {height} x {width}")));
            }
            if !value.is_finite() {
                let what = "sparse matrix".into();
                return Err(Error::Entry { what, row: i, column: j, value, required: "finite" });
            }
            matrix.offsets.resize(i + 1, matrix.columns.len());
            matrix.columns.push(j as u32);
            matrix.values.push(value);
        }
        matrix.offsets.resize(height + 1, matrix.columns.len());
        Ok(matrix)
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

    /// All entries as (row, column, value), row by row.
    pub fn triples(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        (0..self.shape().0).flat_map(|i| self.entries(i).map(move |(j, value)| (i, j, value)))
    }

    /// The entry in row i and column j, 0 where none is kept, of a matrix whose columns ascend in each row. O(log of
    /// the row's entries).
    #[inline]
    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        let (columns, values) = self.row(i);
        columns.binary_search(&(j as u32)).map_or(0.0, |place| values[place])
    }

    /// Every value times `factor`.
    pub fn scaled(mut self, factor: f64) -> Self {
        self.values.iter_mut().for_each(|value| *value *= factor);
        self
    }

    /// The largest entries of each row, so many as `most` says for it, in the order of their columns.
    pub(crate) fn largest(&self, most: impl Fn(usize) -> usize + Sync + Send) -> Self {
        SparseMatrix::from_rows(self.shape(), Vec::new, |entries: &mut Vec<(usize, f64)>, i, row| {
            entries.clear();
            entries.extend(self.entries(i));
            let most = most(i);
            if entries.len() > most {
                entries.select_nth_unstable_by(most, |k, l| l.1.total_cmp(&k.1).then(k.0.cmp(&l.0)));
                entries.truncate(most);
                entries.sort_unstable_by_key(|&(j, _)| j);
            }
            entries.iter().for_each(|&(j, entry)| row.push(j, entry));
        })
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

    #[test]
    fn entries_come_into_order_and_what_is_no_entry_is_refused() {
        let of = |entries: &[(usize, usize, f64)]| SparseMatrix::from_entries((4, 3), entries.iter().copied());
        let made = of(&[(2, 1, 1.0), (0, 2, -1.0), (0, 0, 4.0), (2, 1, 0.5), (3, 0, 1.0), (3, 0, -1.0)]).unwrap();
        assert_eq!(made.triples().collect::<Vec<_>>(), [(0, 0, 4.0), (0, 2, -1.0), (2, 1, 1.5)]);
        assert_eq!((made.shape(), made.at(0, 2), made.at(0, 1), made.at(3, 0)), ((4, 3), -1.0, 0.0, 0.0));
        assert_eq!(made.clone().scaled(2.0).at(2, 1), 3.0);
        assert_eq!(made.largest(|_| 1).triples().collect::<Vec<_>>(), [(0, 0, 4.0), (2, 1, 1.5)]);
        let message = |entries| of(entries).unwrap_err().to_string();
        assert_eq!(message(&[(4, 0, 1.0)]), "entries: (4, 0) is out of 4 x 3");
        assert_eq!(message(&[(0, 3, 1.0)]), "entries: (0, 3) is out of 4 x 3");
        assert!(message(&[(1, 1, f64::NAN)]).contains("entry (1, 1) is NaN"));
        assert!(message(&[(1, 1, 1e308), (1, 1, 1e308)]).contains("entry (1, 1) is inf"));
    }
}
