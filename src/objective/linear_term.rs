//! The linear term of an objective, in a matrix or in few entries.

use crate::error::{Error, Result, require_finite};
use crate::exact::{DoubleSum, ExactSum};
use crate::permutation::Permutation;
use crate::sparse_matrix::SparseMatrix;
use nalgebra::DMatrix;
use std::borrow::Cow;

/// C of ⟨C, X⟩.
#[derive(Debug, Clone)]
pub(super) enum LinearTerm {
    Dense(DMatrix<f64>),
    /// Its entries but for zeros, columns in order; and turned round.
    Sparse(SparseMatrix, SparseMatrix),
}

/// A matrix with more than this share of its entries is no smaller in rows of entries, kept both ways.
const MOST_DENSITY: f64 = 1.0 / 4.0;

impl LinearTerm {
    /// C as an n × n matrix, 0 where it has no rows or columns.
    ///
    /// # Errors
    /// [`Error::Shape`] when it is larger than n × n, [`Error::Entry`] when an entry is not finite.
    pub fn of_matrix(n: usize, c: &DMatrix<f64>) -> Result<Self> {
        require_at_most(n, c.shape())?;
        require_finite(NAME, c)?;
        let mut padded = DMatrix::zeros(n, n);
        padded.view_mut((0, 0), c.shape()).copy_from(c);
        Ok(LinearTerm::Dense(padded))
    }

    /// The same of entries; those of one place are added up.
    ///
    /// # Errors
    /// As [`of_matrix`](Self::of_matrix).
    pub fn of_entries(n: usize, c: &SparseMatrix) -> Result<Self> {
        require_at_most(n, c.shape())?;
        Self::sparse((n, n), c.triples())
    }

    fn sparse(shape: (usize, usize), entries: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        let c = SparseMatrix::from_entries(shape, entries).map_err(|error| match error {
            Error::Entry { row, column, value, required, .. } => {
                Error::Entry { what: NAME.into(), row, column, value, required }
            }
            other => other,
        })?;
        Ok(if c.entry_count() as f64 > MOST_DENSITY * shape.0 as f64 * shape.1 as f64 {
            LinearTerm::Dense(to_matrix(&c))
        } else {
            let turned = c.transpose();
            LinearTerm::Sparse(c, turned)
        })
    }

    /// The sum of two of one shape; sparse where both are.
    ///
    /// # Errors
    /// [`Error::Entry`] when a sum is not finite.
    fn plus(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (LinearTerm::Sparse(c, _), LinearTerm::Sparse(d, _)) => {
                Self::sparse(c.shape(), c.triples().chain(d.triples()))
            }
            _ => {
                let mut sum = self.to_matrix().into_owned();
                other.add_to(1.0, &mut sum);
                require_finite(NAME, &sum)?;
                Ok(LinearTerm::Dense(sum))
            }
        }
    }

    /// C and another; `None` where they add up to 0.
    ///
    /// # Errors
    /// As [`plus`](Self::plus).
    pub fn sum(c: Option<&Self>, other: Self) -> Result<Option<Self>> {
        let sum = c.map_or(Ok(other.clone()), |c| c.plus(&other))?;
        Ok((!sum.is_zero()).then_some(sum))
    }

    fn shape(&self) -> (usize, usize) {
        match self {
            LinearTerm::Dense(c) => c.shape(),
            LinearTerm::Sparse(c, _) => c.shape(),
        }
    }

    /// C\[i, j\].
    #[inline]
    pub fn at(&self, (i, j): (usize, usize)) -> f64 {
        match self {
            LinearTerm::Dense(c) => c[(i, j)],
            LinearTerm::Sparse(c, _) => c.at(i, j),
        }
    }

    /// Σ_i C\[i, p(i)\].
    pub fn at_permutation(&self, p: &Permutation) -> f64 {
        (0..p.len()).map(|i| self.at((i, p.apply(i)))).sum()
    }

    /// The change of that when p(i) and p(k) are exchanged.
    #[inline]
    pub fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        let (pi, pk) = (p.apply(i), p.apply(k));
        self.at((i, pk)) + self.at((k, pi)) - self.at((i, pi)) - self.at((k, pk))
    }

    /// Adds what it is at p, less what it is at q.
    pub fn add_difference(&self, p: &Permutation, q: &Permutation, sum: &mut ExactSum) {
        for i in 0..p.len() {
            sum.add(self.at((i, p.apply(i))));
            sum.add(-self.at((i, q.apply(i))));
        }
    }

    /// Every entry, zeros included or not.
    pub fn entries(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self {
            LinearTerm::Dense(c) => Box::new(c.iter().copied()),
            LinearTerm::Sparse(c, _) => Box::new(c.triples().map(|(_, _, c)| c)),
        }
    }

    fn is_zero(&self) -> bool {
        self.entries().all(|c| c == 0.0)
    }

    /// ⟨C, X⟩.
    pub fn dot(&self, x: &DMatrix<f64>) -> f64 {
        match self {
            LinearTerm::Dense(c) => c.dot(x),
            LinearTerm::Sparse(c, _) => c.triples().map(|(i, j, c)| c * x[(i, j)]).sum(),
        }
    }

    /// `target` ← C.
    pub fn copy_to(&self, target: &mut DMatrix<f64>) {
        match self {
            LinearTerm::Dense(c) => target.copy_from(c),
            LinearTerm::Sparse(c, _) => {
                target.fill(0.0);
                c.triples().for_each(|(i, j, c)| target[(i, j)] = c);
            }
        }
    }

    /// `target` += tC.
    pub fn add_to(&self, t: f64, target: &mut DMatrix<f64>) {
        match self {
            LinearTerm::Dense(c) => target.zip_apply(c, |entry, c| *entry += t * c),
            LinearTerm::Sparse(c, _) => c.triples().for_each(|(i, j, c)| target[(i, j)] += t * c),
        }
    }

    /// `target` ← column j of C.
    pub fn copy_column_to(&self, j: usize, target: &mut Vec<f64>) {
        target.clear();
        match self {
            LinearTerm::Dense(c) => target.extend(c.column(j).iter()),
            LinearTerm::Sparse(c, turned) => {
                target.resize(c.shape().0, 0.0);
                turned.entries(j).for_each(|(i, c)| target[i] = c);
            }
        }
    }

    /// The least of each row.
    fn row_minima(&self) -> Vec<f64> {
        match self {
            LinearTerm::Dense(c) => c.row_iter().map(|row| row.min()).collect(),
            LinearTerm::Sparse(c, _) => minima(c),
        }
    }

    /// The least of each column.
    fn column_minima(&self) -> Vec<f64> {
        match self {
            LinearTerm::Dense(c) => c.column_iter().map(|column| column.min()).collect(),
            LinearTerm::Sparse(_, turned) => minima(turned),
        }
    }

    /// Adds what it is nowhere below at a permutation, the least in each of its rows, or columns if that is more, and
    /// returns the sum of their absolute values.
    pub fn add_least(&self, sum: &mut DoubleSum) -> f64 {
        let (rows, columns) = (self.row_minima(), self.column_minima());
        let of_rows = rows.iter().sum::<f64>() >= columns.iter().sum::<f64>();
        let least = if of_rows { rows } else { columns };
        least.iter().for_each(|&least| sum.add(least));
        least.iter().map(|least| least.abs()).sum()
    }

    /// Σ_i max_j |C\[i, j\]|: what it adds up to at most at a permutation.
    pub fn magnitude(&self) -> f64 {
        match self {
            LinearTerm::Dense(c) => c.row_iter().map(|row| row.amax()).sum(),
            LinearTerm::Sparse(c, _) => (0..c.shape().0).map(|i| largest(c.entries(i).map(|(_, c)| c))).sum(),
        }
    }

    /// max |C\[i, j\]|.
    pub fn amax(&self) -> f64 {
        largest(self.entries())
    }

    /// ‖C‖_F.
    pub fn norm(&self) -> f64 {
        match self {
            LinearTerm::Dense(c) => c.norm(),
            LinearTerm::Sparse(c, _) => c.triples().map(|(_, _, c)| c * c).sum::<f64>().sqrt(),
        }
    }

    pub fn to_matrix(&self) -> Cow<'_, DMatrix<f64>> {
        match self {
            LinearTerm::Dense(c) => Cow::Borrowed(c),
            LinearTerm::Sparse(c, _) => Cow::Owned(to_matrix(c)),
        }
    }

    /// The first rows and columns, if the others are 0.
    pub fn cut(&self, (height, width): (usize, usize)) -> Option<Self> {
        match self {
            LinearTerm::Dense(c) => {
                let block = c.view((0, 0), (height, width));
                let count = |entries: &mut dyn Iterator<Item = &f64>| entries.filter(|&&entry| entry != 0.0).count();
                let is_all = count(&mut c.iter()) == count(&mut block.iter());
                is_all.then(|| LinearTerm::Dense(block.into_owned()))
            }
            LinearTerm::Sparse(c, _) => {
                let is_all = c.triples().all(|(i, j, _)| i < height && j < width);
                let cut = is_all.then(|| SparseMatrix::from_entries((height, width), c.triples()).ok())??;
                let turned = cut.transpose();
                Some(LinearTerm::Sparse(cut, turned))
            }
        }
    }

    pub fn transpose(self) -> Self {
        match self {
            LinearTerm::Dense(c) => LinearTerm::Dense(c.transpose()),
            LinearTerm::Sparse(c, turned) => LinearTerm::Sparse(turned, c),
        }
    }

    /// What a linear term is beside `factor` times what graphs of so many vertices have in common, in the
    /// [sparse form](super::Objective::sparse_form): C over the factor, and `None` inside for 0. `None` where it has
    /// many entries, or some on padded vertices.
    pub fn similarity(c: Option<&Self>, factor: f64, (n_a, n_b): (usize, usize)) -> Option<Option<SparseMatrix>> {
        let Some(c) = c else { return Some(None) };
        let entries = c.to_entries()?;
        let is_unpadded = entries.triples().all(|(i, j, _)| i < n_a && j < n_b);
        let similarity = is_unpadded.then(|| SparseMatrix::from_entries((n_a, n_b), entries.triples()).ok())??;
        Some(Some(similarity.scaled(1.0 / factor)))
    }

    /// Its entries, if they were given as such, or are few.
    fn to_entries(&self) -> Option<SparseMatrix> {
        let most = MOST_SIMILAR.saturating_mul(self.shape().0);
        match self {
            LinearTerm::Dense(c) => {
                let is_sparse = c.iter().filter(|&&c| c != 0.0).take(most.saturating_add(1)).count() <= most;
                let row = |i: usize| (0..c.ncols()).map(move |j| (i, j, c[(i, j)]));
                is_sparse.then(|| {
                    SparseMatrix::from_entries(c.shape(), (0..c.nrows()).flat_map(row).filter(|entry| entry.2 != 0.0))
                        .ok()
                })?
            }
            LinearTerm::Sparse(c, _) => Some(c.clone()),
        }
    }
}

/// The most entries a row, on the mean, of a matrix that is searched with in sparse rows.
const MOST_SIMILAR: usize = 64;

const NAME: &str = "linear term";

fn require_at_most(n: usize, (height, width): (usize, usize)) -> Result<()> {
    match height > n || width > n {
        true => Err(Error::shape(NAME, format!("at most {n} x {n}"), format!("{height} x {width}"))),
        false => Ok(()),
    }
}

fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |largest: f64, number| largest.max(number.abs()))
}

/// The least of each row, zeros included.
fn minima(c: &SparseMatrix) -> Vec<f64> {
    let (height, width) = c.shape();
    let of_row = |i: usize| {
        let least = if c.row(i).0.len() < width { 0.0 } else { f64::INFINITY };
        c.entries(i).fold(least, |least: f64, (_, c)| least.min(c))
    };
    (0..height).map(of_row).collect()
}

fn to_matrix(c: &SparseMatrix) -> DMatrix<f64> {
    let mut matrix = DMatrix::zeros(c.shape().0, c.shape().1);
    c.triples().for_each(|(i, j, c)| matrix[(i, j)] = c);
    matrix
}
