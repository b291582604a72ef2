//! A metric on features that calibrates itself.

use super::vertex_features::{Plan, vertex_features};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::{Cholesky, DMatrix, SymmetricEigen};
use rand::{Rng, RngExt};

/// Coordinates that are kept.
pub const DIMENSIONS: usize = 16;

/// A vertex, by its coordinates.
pub type Point = [f32; DIMENSIONS];

/// The share of arcs that the thinned copy lacks.
const THINNED: f64 = 0.07;

/// What is added to the noise's variances, so that none is 0: scores have variances of about 1.
const LEAST_NOISE: f64 = 2e-3;

/// Vertices of A, of its thinned copy and of B as points: the Euclidean distance between a vertex and its counterpart
/// is about √(2·16) where the noise is as in the thinned copy, and much more between others.
pub struct Points {
    pub a: Vec<Point>,
    pub thinned: Vec<Point>,
    pub b: Vec<Point>,
}

/// Linear discriminant analysis of a graph and its own thinned copy: with F the features, S = cov F(A) and N = cov(F(A)
/// − F(A')) + 0.002·I, the solutions v of S·v = μ·N·v with the 16 largest μ, scaled to vᵀNv = 1. `None` where `stop`
/// came first.
///
/// # Errors
/// [`Error::Breakdown`] when the covariances cannot be decomposed.
pub fn points(a: &[Graph], b: &[Graph], rng: &mut impl Rng, stop: &Stop) -> Result<Option<Points>> {
    let plan = Plan::of(a, b);
    let thinned: Vec<Graph> = a.iter().map(|layer| thinned(layer, rng)).collect();
    let (of_a, of_thinned) = (vertex_features(a, &plan, stop), vertex_features(&thinned, &plan, stop));
    if stop.is_reached() {
        return Ok(None);
    }
    let noise: Vec<Vec<f32>> =
        of_a.iter().zip(&of_thinned).map(|(a, thinned)| a.iter().zip(thinned).map(|(a, t)| a - t).collect()).collect();
    let n = noise.len();
    let noise = covariance(&noise) + DMatrix::identity(n, n) * LEAST_NOISE;
    let broken = || Error::Breakdown("the covariance of features is not positive".to_string());
    let lower = Cholesky::new(noise).ok_or_else(broken)?.unpack();
    let signal = covariance(&of_a);
    let left = lower.solve_lower_triangular(&signal).ok_or_else(broken)?;
    let whitened = lower.solve_lower_triangular(&left.transpose()).ok_or_else(broken)?;
    let eigen = SymmetricEigen::new((&whitened + whitened.transpose()) * 0.5);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&k, &l| eigen.eigenvalues[l].total_cmp(&eigen.eigenvalues[k]).then(k.cmp(&l)));
    order.truncate(DIMENSIONS);
    let axes = DMatrix::from_fn(n, order.len(), |row, k| eigen.eigenvectors[(row, order[k])]);
    let axes = lower.tr_solve_lower_triangular(&axes).ok_or_else(broken)?;
    let (a, thinned) = (projected(&of_a, &axes), projected(&of_thinned, &axes));
    drop((of_a, of_thinned));
    let of_b = vertex_features(b, &plan, stop);
    Ok((!stop.is_reached()).then(|| Points { a, thinned, b: projected(&of_b, &axes) }))
}

/// The graph without a share of its arcs, those back with them where it is symmetric.
fn thinned(graph: &Graph, rng: &mut impl Rng) -> Graph {
    let n = graph.vertex_count();
    if graph.is_symmetric() {
        let edges = graph.arcs().filter(|&(i, j, _)| i <= j && rng.random::<f64>() >= THINNED);
        Graph::undirected(n, edges.collect::<Vec<_>>()).expect("edges of a graph")
    } else {
        let arcs = graph.arcs().filter(|_| rng.random::<f64>() >= THINNED);
        Graph::directed(n, arcs.collect::<Vec<_>>()).expect("arcs of a graph")
    }
}

/// Rows that go into one product.
const ROWS: usize = 2048;

fn block(features: &[Vec<f32>], begin: usize, end: usize) -> DMatrix<f64> {
    DMatrix::from_fn(end - begin, features.len(), |i, k| f64::from(features[k][begin + i]))
}

/// Blocks of rows of a table, as (first, after the last).
fn blocks(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(ROWS).map(move |begin| (begin, n.min(begin + ROWS)))
}

fn covariance(features: &[Vec<f32>]) -> DMatrix<f64> {
    let (width, n) = (features.len(), features.first().map_or(0, Vec::len));
    let means = DMatrix::from_fn(1, width, |_, k| features[k].iter().copied().map(f64::from).sum::<f64>());
    let means = means / n.max(1) as f64;
    let mut sum = DMatrix::zeros(width, width);
    for (begin, end) in blocks(n) {
        let mut rows = block(features, begin, end);
        rows.row_iter_mut().for_each(|mut row| row -= &means);
        sum.gemm_tr(1.0, &rows, &rows, 1.0);
    }
    sum / n.max(1) as f64
}

/// Coordinates along the axes; 0 beyond those that there are.
fn projected(features: &[Vec<f32>], axes: &DMatrix<f64>) -> Vec<Point> {
    let n = features.first().map_or(0, Vec::len);
    let mut points = vec![[0.0; DIMENSIONS]; n];
    for (begin, end) in blocks(n) {
        let product = block(features, begin, end) * axes;
        for (i, row) in product.row_iter().enumerate() {
            points[begin + i].iter_mut().zip(&row).for_each(|(to, &from)| *to = from as f32);
        }
    }
    points
}
