//! Permutations: always bijections of 0..n.

use crate::error::{Error, Result};
use nalgebra::DMatrix;
use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// A bijection p of {0, …, n−1}, kept as its image: `image[i] = j` says p(i) = j, that is X\[i, j\] = 1.
///
/// In graph matching, vertex i of A is matched to vertex p(i) of B.
///
/// ```
/// use birkhoff::Permutation;
/// let p = Permutation::new(vec![2, 0, 1])?;
/// assert_eq!(p.inverse().image(), &[1, 2, 0]);
/// assert_eq!(p.compose(&p.inverse()), Permutation::identity(3));
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<usize>", into = "Vec<usize>")]
pub struct Permutation {
    image: Vec<usize>,
}

impl Permutation {
    /// The permutation with the given image.
    ///
    /// # Errors
    /// [`Error::NotAPermutation`] when an entry is out of range or occurs twice. O(n).
    pub fn new(image: Vec<usize>) -> Result<Self> {
        let n = image.len();
        let mut preimage = vec![usize::MAX; n];
        for (i, &j) in image.iter().enumerate() {
            if j >= n {
                return Err(Error::NotAPermutation { n, cause: format!("entry {i} is {j}") });
            }
            if preimage[j] != usize::MAX {
                let cause = format!("entries {} and {i} are both {j}", preimage[j]);
                return Err(Error::NotAPermutation { n, cause });
            }
            preimage[j] = i;
        }
        Ok(Permutation { image })
    }

    /// The permutation of n that takes i to its partner, where it has one; the others take the images that are left, in
    /// ascending order. Vertices from `partners.len()` on have none.
    ///
    /// # Errors
    /// [`Error::NotAPermutation`] when a partner is ≥ n or comes twice, or there are more than n. O(n).
    ///
    /// ```
    /// use birkhoff::Permutation;
    /// assert_eq!(Permutation::completed(&[Some(2), None], 4)?.image(), &[2, 0, 1, 3]);
    /// # Ok::<(), birkhoff::Error>(())
    /// ```
    pub fn completed(partners: &[Option<usize>], n: usize) -> Result<Self> {
        if partners.len() > n {
            return Err(Error::NotAPermutation { n, cause: format!("{} vertices", partners.len()) });
        }
        let mut is_free = vec![true; n];
        partners.iter().flatten().filter(|&&j| j < n).for_each(|&j| is_free[j] = false);
        let mut free = (0..n).filter(|&j| is_free[j]);
        let padding = std::iter::repeat_n(None, n - partners.len());
        let all = partners.iter().copied().chain(padding);
        let image = all.map(|partner| partner.or_else(|| free.next()).unwrap_or(n)).collect();
        Permutation::new(image)
    }

    /// p(i) = i.
    ///
    /// # Panics
    /// When 8n bytes are more than there can be.
    pub fn identity(n: usize) -> Self {
        Permutation { image: (0..n).collect() }
    }

    /// A permutation drawn uniformly from all n!. O(n).
    ///
    /// # Panics
    /// As [`identity`](Self::identity).
    pub fn random(n: usize, rng: &mut impl Rng) -> Self {
        let mut p = Permutation::identity(n);
        p.image.shuffle(rng);
        p
    }

    /// n.
    pub fn len(&self) -> usize {
        self.image.len()
    }

    /// Whether n = 0.
    pub fn is_empty(&self) -> bool {
        self.image.is_empty()
    }

    /// p(0), …, p(n−1).
    pub fn image(&self) -> &[usize] {
        &self.image
    }

    /// p(i).
    ///
    /// # Panics
    /// When `i ≥ n`.
    #[inline]
    pub fn apply(&self, i: usize) -> usize {
        self.image[i]
    }

    /// ⟨M, P⟩ = Σ_i M\[i, p(i)\]. O(n).
    ///
    /// # Panics
    /// When M has fewer than n rows or columns.
    pub fn inner_product(&self, m: &DMatrix<f64>) -> f64 {
        self.image.iter().enumerate().map(|(i, &j)| m[(i, j)]).sum()
    }

    /// The change of [`inner_product`](Self::inner_product) when p(i) and p(k) are exchanged. O(1).
    ///
    /// # Panics
    /// When i or k ≥ n, or M has fewer than n rows or columns.
    #[inline]
    pub fn linear_swap_change(&self, m: &DMatrix<f64>, i: usize, k: usize) -> f64 {
        let (pi, pk) = (self.image[i], self.image[k]);
        m[(i, pk)] + m[(k, pi)] - m[(i, pi)] - m[(k, pk)]
    }

    /// p⁻¹. O(n).
    pub fn inverse(&self) -> Self {
        let mut image = vec![0; self.len()];
        for (i, &j) in self.image.iter().enumerate() {
            image[j] = i;
        }
        Permutation { image }
    }

    /// `self ∘ other`: i ↦ self(other(i)). O(n).
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn compose(&self, other: &Self) -> Self {
        assert_eq!(self.len(), other.len(), "permutations of different sizes");
        Permutation { image: other.image.iter().map(|&j| self.image[j]).collect() }
    }

    /// Exchanges p(i) and p(j): still a bijection.
    ///
    /// # Panics
    /// When i or j is ≥ n.
    pub fn swap(&mut self, i: usize, j: usize) {
        self.image.swap(i, j);
    }

    /// The share of the i with self(i) = other(i), in \[0, 1\]; 1 for n = 0. O(n).
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn agreement(&self, other: &Self) -> f64 {
        assert_eq!(self.len(), other.len(), "permutations of different sizes");
        if self.is_empty() {
            return 1.0;
        }
        let same = self.image.iter().zip(&other.image).filter(|(a, b)| a == b).count();
        same as f64 / self.len() as f64
    }

    /// The n × n matrix X with X\[i, p(i)\] = 1 and zeros elsewhere: 8n² bytes.
    pub fn to_matrix(&self) -> DMatrix<f64> {
        let mut x = DMatrix::zeros(self.len(), self.len());
        for (i, &j) in self.image.iter().enumerate() {
            x[(i, j)] = 1.0;
        }
        x
    }
}

impl TryFrom<Vec<usize>> for Permutation {
    type Error = Error;
    fn try_from(image: Vec<usize>) -> Result<Self> {
        Permutation::new(image)
    }
}

impl From<Permutation> for Vec<usize> {
    fn from(p: Permutation) -> Self {
        p.image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_or_large_entry_is_refused() {
        assert!(Permutation::new(vec![0, 0]).unwrap_err().to_string().contains("both 0"));
        assert!(Permutation::new(vec![0, 2]).unwrap_err().to_string().contains("entry 1 is 2"));
        assert!(serde_json::from_str::<Permutation>("[1,1]").is_err());
        for partners in [&[Some(1), None, Some(1)][..], &[Some(3)], &[None; 4]] {
            assert!(Permutation::completed(partners, 3).is_err(), "{partners:?}");
        }
    }

    #[test]
    fn composition_is_matrix_multiplication() {
        // (X_p)(X_q) maps i to q(p(i)), so it is the matrix of q ∘ p.
        let p = Permutation::new(vec![2, 0, 1, 3]).unwrap();
        let q = Permutation::new(vec![1, 3, 0, 2]).unwrap();
        assert_eq!(p.to_matrix() * q.to_matrix(), q.compose(&p).to_matrix());
        assert_eq!(p.to_matrix().transpose(), p.inverse().to_matrix());
    }

    #[test]
    fn agreement_counts_equal_entries() {
        let p = Permutation::new(vec![1, 0, 2, 3]).unwrap();
        assert_eq!(p.agreement(&Permutation::identity(4)), 0.5);
        assert_eq!(Permutation::identity(0).agreement(&Permutation::identity(0)), 1.0);
    }
}
