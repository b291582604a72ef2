//! Injections: where the vertices of a smaller graph go in a larger one.

use crate::error::{Error, Result};
use crate::permutation::Permutation;
use rand::Rng;
use rand::seq::SliceRandom;

/// An injective map p of {0, …, m−1} into {0, …, N−1}, m ≤ N, and its inverse.
///
/// In graph matching, vertex i of the smaller graph goes to *place* p(i), a vertex of the larger one; N − m places stay
/// free.
///
/// ```
/// use birkhoff::Injection;
/// let mut p = Injection::new(vec![3, 0], 4)?;
/// p.place(0, 1);
/// assert_eq!((p.image(), p.holder(3), p.holder(1)), (&[1, 0][..], None, Some(0)));
/// p.place(0, 0); // vertex 1 gives way, and goes where 0 was
/// assert_eq!(p.image(), &[0, 1]);
/// assert_eq!(p.extended().image(), &[0, 1, 2, 3]);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    image: Vec<usize>,
    /// The vertex at each place, or [`FREE`].
    holders: Vec<usize>,
}

const FREE: usize = usize::MAX;

impl Injection {
    /// The injection with the given image into {0, …, places − 1}.
    ///
    /// # Errors
    /// [`Error::Argument`] when a place is out of range or occurs twice. O(N).
    pub fn new(image: Vec<usize>, places: usize) -> Result<Self> {
        let mut holders = vec![FREE; places];
        for (i, &j) in image.iter().enumerate() {
            if j >= places {
                return Err(Error::argument("injection", format!("entry {i} is {j}, of {places} places")));
            }
            if holders[j] != FREE {
                return Err(Error::argument("injection", format!("entries {} and {i} are both {j}", holders[j])));
            }
            holders[j] = i;
        }
        Ok(Injection { image, holders })
    }

    /// An injection drawn uniformly from all.
    ///
    /// # Panics
    /// When there are more vertices than places.
    pub fn random(vertices: usize, places: usize, rng: &mut impl Rng) -> Self {
        assert!(vertices <= places, "{vertices} vertices and {places} places");
        let mut all: Vec<usize> = (0..places).collect();
        let image = all.partial_shuffle(rng, vertices).0.to_vec();
        Injection::new(image, places).expect("distinct places")
    }

    /// m, the number of vertices.
    pub fn vertices(&self) -> usize {
        self.image.len()
    }

    /// N, the number of places.
    pub fn places(&self) -> usize {
        self.holders.len()
    }

    /// p(0), …, p(m−1).
    pub fn image(&self) -> &[usize] {
        &self.image
    }

    /// p(i).
    ///
    /// # Panics
    /// When `i ≥ m`.
    #[inline]
    pub fn apply(&self, i: usize) -> usize {
        self.image[i]
    }

    /// The vertex at place j, if there is one.
    ///
    /// # Panics
    /// When `j ≥ N`.
    #[inline]
    pub fn holder(&self, j: usize) -> Option<usize> {
        let holder = self.holders[j];
        (holder != FREE).then_some(holder)
    }

    /// Puts vertex i at place j; the vertex that was there goes where i was.
    pub fn place(&mut self, i: usize, j: usize) {
        let (from, other) = (self.image[i], self.holders[j]);
        self.holders[from] = other;
        if other != FREE {
            self.image[other] = from;
        }
        (self.image[i], self.holders[j]) = (j, i);
    }

    /// The permutation of N that is p on the first m; the others take the free places in ascending order.
    ///
    /// # Panics
    /// Never: every place is taken once.
    pub fn extended(&self) -> Permutation {
        let free = (0..self.places()).filter(|&j| self.holders[j] == FREE);
        let image = self.image.iter().copied().chain(free).collect();
        Permutation::new(image).expect("each place once")
    }
}
