//! Faces of D_n: what is left when some correspondences are known.

use super::require_square_and_finite;
use crate::anchors;
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// The face of D_n on which X\[i, j\] = 1 for each anchor (i, j): a copy of D_m on the m = n − #anchors free
/// rows and columns. Without anchors it is D_n.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Anchored", into = "Anchored")]
pub struct Face {
    n: usize,
    anchors: Vec<(usize, usize)>,
    free_rows: Vec<usize>,
    free_columns: Vec<usize>,
}

/// What a face is made of, and all that files say of it.
#[derive(Serialize, Deserialize)]
struct Anchored {
    n: usize,
    anchors: Vec<(usize, usize)>,
}

impl TryFrom<Anchored> for Face {
    type Error = Error;
    fn try_from(Anchored { n, anchors }: Anchored) -> Result<Self> {
        Face::new(n, &anchors)
    }
}

impl From<Face> for Anchored {
    fn from(face: Face) -> Self {
        Anchored { n: face.n, anchors: face.anchors }
    }
}

impl Face {
    /// The largest n: n² numbers can be counted.
    pub const LARGEST: usize = u32::MAX as usize - 1;

    /// The face of D_n with the given anchors (row, column).
    ///
    /// # Errors
    /// [`Error::Argument`] when an anchor is out of range, a row or column is anchored twice, or n is above
    /// [`LARGEST`](Self::LARGEST).
    pub fn new(n: usize, anchors: &[(usize, usize)]) -> Result<Self> {
        if n > Self::LARGEST {
            return Err(Error::argument("n", format!("is {n}, but must be at most {}", Self::LARGEST)));
        }
        let [row_is_free, column_is_free] = anchors::free(anchors, [("A", n), ("B", n)])?;
        let free = |is_free: &[bool]| (0..n).filter(|&i| is_free[i]).collect();
        let (free_rows, free_columns) = (free(&row_is_free), free(&column_is_free));
        Ok(Face { n, anchors: anchors.to_vec(), free_rows, free_columns })
    }

    /// n.
    pub fn size(&self) -> usize {
        self.n
    }

    /// The anchors (row, column).
    pub fn anchors(&self) -> &[(usize, usize)] {
        &self.anchors
    }

    /// Whether there is no anchor: the face is D_n itself.
    pub fn is_whole(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The rows that are not anchored, ascending.
    pub fn free_rows(&self) -> &[usize] {
        &self.free_rows
    }

    /// The columns that are not anchored, ascending.
    pub fn free_columns(&self) -> &[usize] {
        &self.free_columns
    }

    /// The m × m block of `full` (n × n) in the free rows and columns, written to `block`. O(m²).
    ///
    /// # Panics
    /// When `full` is not n × n.
    pub fn restrict(&self, full: &DMatrix<f64>, block: &mut DMatrix<f64>) {
        assert_eq!(full.shape(), (self.n, self.n), "a matrix that is no point of the face");
        let m = self.free_rows.len();
        block.resize_mut(m, m, 0.0);
        for (to, &j) in self.free_columns.iter().enumerate() {
            let column = full.column(j);
            block.column_mut(to).iter_mut().zip(&self.free_rows).for_each(|(v, &i)| *v = column[i]);
        }
    }

    /// The point of the face with `block` (m × m) in the free rows and columns.
    ///
    /// # Panics
    /// When `block` is not m × m.
    pub fn embed(&self, block: &DMatrix<f64>) -> DMatrix<f64> {
        let m = self.free_rows.len();
        assert_eq!(block.shape(), (m, m), "a block of another size than the face's");
        let mut full = DMatrix::zeros(self.n, self.n);
        self.anchors.iter().for_each(|&(i, j)| full[(i, j)] = 1.0);
        for (from, &j) in self.free_columns.iter().enumerate() {
            self.free_rows.iter().zip(&block.column(from)).for_each(|(&i, &v)| full[(i, j)] = v);
        }
        full
    }

    /// The vertex of the face whose free row number k goes to free column number `columns[k]`.
    ///
    /// # Panics
    /// When `columns` is no permutation of 0, …, m − 1.
    pub fn vertex(&self, columns: &[usize]) -> Permutation {
        assert_eq!(columns.len(), self.free_rows.len(), "a vertex of another size than the face's");
        let mut image = vec![usize::MAX; self.n];
        self.anchors.iter().for_each(|&(i, j)| image[i] = j);
        self.free_rows.iter().zip(columns).for_each(|(&i, &k)| image[i] = self.free_columns[k]);
        Permutation::new(image).expect("a bijection between free rows and free columns")
    }

    /// The barycenter of the face.
    ///
    /// # Panics
    /// As [`barycenter`](super::barycenter).
    pub fn barycenter(&self) -> DMatrix<f64> {
        self.embed(&super::barycenter(self.free_rows.len()))
    }

    /// The vertex of the face that maximizes ⟨X, Π⟩.
    ///
    /// # Errors
    /// As [`round`](super::round), and [`Error::Shape`] when X is not n × n.
    pub fn round(&self, x: &DMatrix<f64>) -> Result<Permutation> {
        self.round_until(x, &Stop::never())
    }

    /// [`round`](Self::round), or what there is of it at `stop`.
    pub(crate) fn round_until(&self, x: &DMatrix<f64>, stop: &Stop) -> Result<Permutation> {
        if x.shape() != (self.n, self.n) {
            let found = format!("{} x {}", x.nrows(), x.ncols());
            return Err(Error::shape("matrix to round", format!("{0} x {0}", self.n), found));
        }
        if self.is_whole() {
            return super::round_until(x, stop);
        }
        require_square_and_finite("matrix to round", x)?;
        let mut block = DMatrix::zeros(0, 0);
        self.restrict(x, &mut block);
        Ok(self.vertex(super::round_until(&block, stop)?.image()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polytope::residual;

    #[test]
    fn anchors_are_kept_by_every_point() {
        let face = Face::new(4, &[(1, 3), (2, 0)]).unwrap();
        let x = face.barycenter();
        assert_eq!(residual(&x), 0.0);
        assert_eq!((x[(1, 3)], x[(2, 0)], x[(0, 1)], x[(0, 0)]), (1.0, 1.0, 0.5, 0.0));
        let mut block = DMatrix::zeros(0, 0);
        face.restrict(&x, &mut block);
        assert_eq!(face.embed(&block), x);
        assert_eq!(face.vertex(&[1, 0]).image(), &[2, 3, 0, 1]);
        assert_eq!(face.round(&x).unwrap().apply(1), 3);
    }

    #[test]
    fn contradicting_anchors_are_refused() {
        let message = |anchors: &[(usize, usize)]| Face::new(3, anchors).unwrap_err().to_string();
        assert!(message(&[(0, 3)]).contains("(0, 3)"));
        assert!(message(&[(0, 1), (0, 2)]).contains("vertex 0 of A"));
        assert!(message(&[(0, 1), (2, 1)]).contains("vertex 1 of B"));
    }
}
