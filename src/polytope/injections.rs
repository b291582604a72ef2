//! The polytope of injections: X ≥ 0 of size N × m with column sums 1 and row sums ≤ 1.

use crate::anchors;
use crate::assignment::solve_rectangular_until;
use crate::error::{Error, Result, require_finite};
use crate::injection::Injection;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

/// The face of {X ≥ 0, Xᵀ1 = 1, X1 ≤ 1}, X of size N × m, on which X\[j, i\] = 1 for each anchor (i, j): vertex i at
/// place j.
///
/// Its vertices are the matrices of injections (X\[p(i), i\] = 1) that keep the anchors. It is what D_N becomes when
/// the N − m padded vertices of the smaller graph are one, with room for all that is left
/// ([T6](crate::mathematics#t6-injections)): N·m numbers, not N².
#[derive(Debug, Clone, PartialEq)]
pub struct Injections {
    vertices: usize,
    places: usize,
    anchors: Vec<(usize, usize)>,
    free_vertices: Vec<usize>,
    free_places: Vec<usize>,
}

impl Injections {
    /// The face of the injections of m = `vertices` into N = `places` with the given anchors (vertex, place).
    ///
    /// # Errors
    /// [`Error::Argument`] when there are more vertices than places, an anchor is out of range, or a vertex or place is
    /// anchored twice.
    pub fn new(vertices: usize, places: usize, anchors: &[(usize, usize)]) -> Result<Self> {
        if vertices > places {
            return Err(Error::argument("injections", format!("of {vertices} vertices into {places} places")));
        }
        let sides = [("the smaller side", vertices), ("the larger side", places)];
        let [vertex_is_free, place_is_free] = anchors::free(anchors, sides)?;
        let free = |is_free: Vec<bool>| (0..is_free.len()).filter(|&k| is_free[k]).collect();
        let (free_vertices, free_places) = (free(vertex_is_free), free(place_is_free));
        Ok(Injections { vertices, places, anchors: anchors.to_vec(), free_vertices, free_places })
    }

    /// (N, m), the shape of X.
    pub fn shape(&self) -> (usize, usize) {
        (self.places, self.vertices)
    }

    /// The anchors (vertex, place).
    pub fn anchors(&self) -> &[(usize, usize)] {
        &self.anchors
    }

    /// The vertices that are not anchored, ascending.
    pub fn free_vertices(&self) -> &[usize] {
        &self.free_vertices
    }

    /// The places that are not anchored, ascending.
    pub fn free_places(&self) -> &[usize] {
        &self.free_places
    }

    /// The point where every free vertex is shared out evenly to the free places.
    pub fn barycenter(&self) -> DMatrix<f64> {
        let share = 1.0 / self.free_places.len().max(1) as f64;
        self.embed(|_, _| share)
    }

    /// A random point of the face: the shares of each free vertex are uniform on the simplex, and all are moved towards
    /// the barycenter where a place would hold more than 1.
    pub fn random_point(&self, rng: &mut impl Rng) -> DMatrix<f64> {
        let (places, vertices) = (self.free_places.len(), self.free_vertices.len());
        let mut shares = DMatrix::from_fn(places, vertices, |_, _| -> f64 { Exp1.sample(rng) });
        for mut column in shares.column_iter_mut() {
            column /= column.sum();
        }
        let (even, most) = (vertices as f64 / places as f64, shares.column_sum().max());
        if most > 1.0 {
            let kept = (1.0 - even) / (most - even);
            shares.apply(|share| *share = kept * *share + (1.0 - kept) / places as f64);
        }
        self.embed(|row, column| shares[(row, column)])
    }

    /// The point with these entries in the free rows and columns, which are counted from 0.
    fn embed(&self, entry: impl Fn(usize, usize) -> f64) -> DMatrix<f64> {
        let mut x = DMatrix::zeros(self.places, self.vertices);
        self.anchors.iter().for_each(|&(i, j)| x[(j, i)] = 1.0);
        for (column, &i) in self.free_vertices.iter().enumerate() {
            self.free_places.iter().enumerate().for_each(|(row, &j)| x[(j, i)] = entry(row, column));
        }
        x
    }

    /// A vertex of the face that minimizes Σ_i cost\[p(i), i\], `cost` of size N × m; `None` where `stop` came first. A
    /// rectangular assignment.
    ///
    /// # Errors
    /// [`Error::Shape`] when `cost` has another shape, [`Error::Entry`] when an entry is not finite.
    pub fn minimize(&self, cost: &DMatrix<f64>, stop: &Stop) -> Result<Option<Injection>> {
        self.check("cost", cost)?;
        let block;
        let free_cost = if self.anchors.is_empty() {
            cost
        } else {
            let entry = |row: usize, column: usize| cost[(self.free_places[row], self.free_vertices[column])];
            block = DMatrix::from_fn(self.free_places.len(), self.free_vertices.len(), entry);
            &block
        };
        let Some(best) = solve_rectangular_until(free_cost, stop)? else { return Ok(None) };
        let mut image = vec![0; self.vertices];
        self.anchors.iter().for_each(|&(i, j)| image[i] = j);
        for (row, column) in best.columns.into_iter().enumerate() {
            if let Some(column) = column {
                image[self.free_vertices[column]] = self.free_places[row];
            }
        }
        Injection::new(image, self.places).map(Some)
    }

    /// The vertex of the face that maximizes ⟨X, Q⟩; where `stop` comes first, one that gives each vertex in turn the
    /// largest entry that is left.
    ///
    /// # Errors
    /// As [`minimize`](Self::minimize).
    pub fn round(&self, x: &DMatrix<f64>, stop: &Stop) -> Result<Injection> {
        match self.minimize(&(-x), stop)? {
            Some(p) => Ok(p),
            None => self.round_in_turn(x),
        }
    }

    fn round_in_turn(&self, x: &DMatrix<f64>) -> Result<Injection> {
        let (mut image, mut is_free) = (vec![0; self.vertices], vec![false; self.places]);
        self.free_places.iter().for_each(|&j| is_free[j] = true);
        self.anchors.iter().for_each(|&(i, j)| image[i] = j);
        for &i in &self.free_vertices {
            let left = self.free_places.iter().copied().filter(|&j| is_free[j]);
            let largest = left.max_by(|&a, &b| x[(a, i)].total_cmp(&x[(b, i)]));
            image[i] = largest.ok_or_else(|| Error::argument("injections", "no place is left"))?;
            is_free[image[i]] = false;
        }
        Injection::new(image, self.places)
    }

    /// An error unless `matrix` is N × m with finite entries.
    fn check(&self, what: &str, matrix: &DMatrix<f64>) -> Result<()> {
        let (places, vertices) = self.shape();
        if matrix.shape() != (places, vertices) {
            let found = format!("{} x {}", matrix.nrows(), matrix.ncols());
            return Err(Error::shape(what, format!("{places} x {vertices}"), found));
        }
        require_finite(what, matrix)
    }
}
