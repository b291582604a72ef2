//! Arrays of finite numbers, of any number of axes.

use crate::error::{Error, Result};
use crate::permutation::Permutation;
use nalgebra::DMatrix;
use std::path::Path;

/// An array of finite numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Its entries, the last axis fastest.
    pub values: Vec<f64>,
}

impl Tensor {
    /// The array as a matrix: two axes as they are, one as a single row, none as 1 × 1.
    ///
    /// # Errors
    /// [`Error::File`] for `source` with the shape when there are more axes, no entries, or not as many as the shape
    /// says.
    pub fn matrix(&self, source: &Path) -> Result<DMatrix<f64>> {
        let (rows, columns) = match self.shape[..] {
            [] => (1, 1),
            [length] => (1, length),
            [rows, columns] => (rows, columns),
            _ => {
                return Err(Error::file(source, format!("a matrix has two axes, but this has shape {:?}", self.shape)));
            }
        };
        if rows == 0 || columns == 0 {
            return Err(Error::file(source, format!("shape {:?} has no entries", self.shape)));
        }
        if rows.checked_mul(columns) != Some(self.values.len()) {
            let cause = format!("shape {:?} does not fit {} entries", self.shape, self.values.len());
            return Err(Error::file(source, cause));
        }
        Ok(DMatrix::from_row_slice(rows, columns, &self.values))
    }

    /// The array as a matrix whose row i holds all that belongs to the i-th of n parts of an axis: of a convolution's
    /// kernel out × in × h × w, axis 0, row i is the flattened kernel of channel i. The axis may be longer than n by a
    /// factor, as where a layer behind a convolution has a column for each pixel of a channel.
    ///
    /// # Errors
    /// [`Error::File`] for `source` with the shape when there is no such axis, when its length is no multiple of n, or
    /// when there are no entries.
    pub fn unfolded(&self, source: &Path, axis: usize, n: usize) -> Result<DMatrix<f64>> {
        let (outer, block) = self.blocks(source, axis, n)?;
        if outer * block == 0 {
            return Err(Error::file(source, format!("shape {:?} has no entries", self.shape)));
        }
        let entry = |i: usize, k: usize| self.values[((k / block) * n + i) * block + k % block];
        Ok(DMatrix::from_fn(n, outer * block, entry))
    }

    /// The array with the n = p.len() parts of an axis in another order: part i becomes part p(i) of this array.
    ///
    /// # Errors
    /// As [`unfolded`](Tensor::unfolded), but for the entries.
    pub fn reordered(&self, source: &Path, axis: usize, p: &Permutation) -> Result<Tensor> {
        let (outer, block) = self.blocks(source, axis, p.len())?;
        let values = places(outer, block, p).flat_map(|at| &self.values[at..at + block]).copied().collect();
        Ok(Tensor { shape: self.shape.clone(), values })
    }

    /// [`blocks`] of this array, whose shape has to fit its entries.
    fn blocks(&self, source: &Path, axis: usize, n: usize) -> Result<(usize, usize)> {
        let count = self.shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
        if count != Some(self.values.len()) {
            let cause = format!("shape {:?} does not fit {} entries", self.shape, self.values.len());
            return Err(Error::file(source, cause));
        }
        blocks(source, "the array", &self.shape, axis, n)
    }
}

/// How an array is laid out around the n parts of an axis: outer times n blocks of this length.
pub(super) fn blocks(source: &Path, what: &str, shape: &[usize], axis: usize, n: usize) -> Result<(usize, usize)> {
    match shape.get(axis) {
        Some(length) if n > 0 && length % n == 0 => {
            let inner: usize = shape[axis + 1..].iter().product();
            Ok((shape[..axis].iter().product(), length / n * inner))
        }
        _ => {
            let cause = format!(
                "axis {axis} of {what} has to have length {n}, or a multiple of it, but its shape is {shape:?}"
            );
            Err(Error::file(source, cause))
        }
    }
}

/// Where the blocks begin that stand one behind the other once the parts are in their new order.
pub(super) fn places(outer: usize, block: usize, p: &Permutation) -> impl Iterator<Item = usize> + '_ {
    (0..outer).flat_map(move |k| p.image().iter().map(move |&i| (k * p.len() + i) * block))
}

/// The array, unless a number in it is not finite.
pub(super) fn finite_tensor(source: &Path, shape: Vec<usize>, values: Vec<f64>) -> Result<Tensor> {
    if let Some(k) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::file(source, format!("entry {k} of shape {shape:?} is {}, but must be finite", values[k])));
    }
    Ok(Tensor { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_its_entries_do_not_fit_is_no_matrix() {
        for shape in [vec![2, 3], vec![7], vec![usize::MAX, 2], vec![1 << 32, 1 << 32], vec![]] {
            let message = Tensor { shape, values: vec![0.0; 5] }.matrix(Path::new("a.npy")).unwrap_err().to_string();
            assert!(message.contains("does not fit 5 entries"), "{message}");
        }
        let tensor = Tensor { shape: vec![1, 2, 3], values: vec![0.0; 6] };
        assert!(tensor.matrix(Path::new("a.npy")).unwrap_err().to_string().contains("[1, 2, 3]"));
    }

    #[test]
    fn kernels_are_flattened_and_pixels_go_with_their_channel() {
        let source = Path::new("a.npy");
        let tensor = |shape: &[usize]| Tensor {
            shape: shape.to_vec(),
            values: (0..shape.iter().product()).map(|k: usize| k as f64).collect(),
        };
        let kernel = tensor(&[2, 3, 1, 2]);
        assert_eq!(
            kernel.unfolded(source, 0, 2).unwrap().row(1).iter().copied().collect::<Vec<_>>(),
            [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]
        );
        let inputs = kernel.unfolded(source, 1, 3).unwrap();
        assert_eq!(inputs.row(1).iter().copied().collect::<Vec<_>>(), [2.0, 3.0, 8.0, 9.0]);
        // Two channels of three pixels each.
        let flat = tensor(&[2, 6]).unfolded(source, 1, 2).unwrap();
        assert_eq!(flat.row(1).iter().copied().collect::<Vec<_>>(), [3.0, 4.0, 5.0, 9.0, 10.0, 11.0]);
        let p = Permutation::new(vec![1, 0]).unwrap();
        assert_eq!(tensor(&[2, 4]).reordered(source, 1, &p).unwrap().values, [2.0, 3.0, 0.0, 1.0, 6.0, 7.0, 4.0, 5.0]);
        assert_eq!(
            kernel.reordered(source, 0, &p).unwrap().unfolded(source, 0, 2).unwrap().row(1),
            kernel.unfolded(source, 0, 2).unwrap().row(0)
        );
        for (shape, axis, n) in [(&[2, 3][..], 1, 2), (&[2], 1, 2), (&[0, 2], 1, 2), (&[2], 0, 0)] {
            assert!(tensor(shape).unfolded(source, axis, n).is_err(), "{shape:?}");
        }
    }
}
