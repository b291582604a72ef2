//! For each vertex the vertices of the other graph that look like it.

use super::k_d_tree::{KdTree, Scratch};
use super::metric::{DIMENSIONS, Point, points};
use crate::error::Result;
use crate::graph::Graph;
use crate::instance::rng;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::{Rarely, Stop};
use rayon::prelude::*;

/// Nearest vertices of B for each of A, and of A for each of B.
const NEAREST: (usize, usize) = (32, 16);

/// C in the weight (1 + d²/C)^(−C/2) of a candidate at distance d, Student's t: twice the dimensions.
const FREEDOM: f64 = 2.0 * DIMENSIONS as f64;

/// Rounds of the scaling of rows and columns.
const SCALINGS: usize = 5;

/// Vertices of A whose own counterpart in the thinned copy is looked for.
const SAMPLES: usize = 500;

/// The stream of random numbers that thin the copy.
const STREAM: u64 = 1 << 62;

/// What looks like what.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Candidates {
    /// A substochastic start: rows are A's vertices, columns B's.
    pub x: SparseMatrix,
    /// The share of A's vertices that have their counterpart among their candidates in the thinned copy, which lacks 7
    /// % of the edges; of a sample of 500. What to expect in B, if it is a copy as noisy as that.
    pub recall: f64,
}

/// For each vertex of A up to 32 candidates in B, and those that count it among their own 16, with weights that fall
/// with the distance of their features, as a matrix with row and column sums of at most 1. `a` and `b` are layers on
/// the same vertices; the first tells most.
///
/// Features and metric: see the [module](super). O(n) memory, about 1 kB a vertex. `None` where `stop` came first.
///
/// # Errors
/// [`Error::Breakdown`](crate::Error::Breakdown) when features are not finite.
pub fn candidates(a: &[Graph], b: &[Graph], rng_seed: u64, stop: &Stop) -> Result<Option<Candidates>> {
    let Some(points) = points(a, b, &mut rng(rng_seed, STREAM), stop)? else { return Ok(None) };
    let (n_a, n_b) = (points.a.len(), points.b.len());
    let recall = recall(&points.a, &points.thinned, stop);
    let of_a = nearest(&points.a, &points.b, NEAREST.0, stop);
    let of_b = nearest(&points.b, &points.a, NEAREST.1, stop);
    let of_b = SparseMatrix::from_rows(
        (n_b, n_a),
        || (),
        |(), j, row| {
            of_b[j].iter().for_each(|&(distance, i)| row.push(i as usize, distance.into()));
        },
    )
    .transpose();
    let weight = |squared: f64| -0.5 * FREEDOM * (squared / FREEDOM).ln_1p();
    let similar = SparseMatrix::from_rows((n_a, n_b), Vec::new, |all: &mut Vec<(usize, f64)>, i, row| {
        all.clear();
        all.extend(of_a[i].iter().map(|&(distance, j)| (j as usize, weight(distance.into()))));
        let further = of_b.entries(i).filter(|&(j, _)| of_a[i].iter().all(|near| near.1 as usize != j));
        all.extend(further.map(|(j, distance)| (j, weight(distance))));
        all.sort_unstable_by_key(|&(j, _)| j);
        let most = all.iter().fold(f64::NEG_INFINITY, |most, &(_, weight)| most.max(weight));
        let sum: f64 = all.iter().map(|&(_, weight)| (weight - most).exp()).sum();
        all.iter().for_each(|&(j, weight)| row.push(j, (weight - most).exp() / sum));
    });
    Ok((!stop.is_reached()).then(|| Candidates { x: scaled(&similar), recall }))
}

/// The `count` nearest of `among` for each of `points`; none once `stop` is reached.
fn nearest(points: &[Point], among: &[Point], count: usize, stop: &Stop) -> Vec<Vec<(f32, u32)>> {
    let tree = KdTree::new(among);
    let search = |(scratch, stop): &mut (Scratch, Rarely), point: &Point| {
        if stop.is_reached() { vec![] } else { tree.nearest(point, count, scratch) }
    };
    points.par_iter().map_init(|| (Scratch::default(), stop.asked_rarely()), search).collect()
}

/// See [`Candidates::recall`].
fn recall(points: &[Point], thinned: &[Point], stop: &Stop) -> f64 {
    let n = points.len();
    let count = n.min(SAMPLES);
    if count == 0 {
        return 1.0;
    }
    let sample: Vec<usize> = (0..count).map(|number| number * n / count).collect();
    let of_sample: Vec<Point> = sample.iter().map(|&i| points[i]).collect();
    let found = nearest(&of_sample, thinned, NEAREST.0, stop);
    let has_own = |(near, i): (&Vec<(f32, u32)>, &usize)| near.iter().any(|&(_, j)| j as usize == *i);
    found.iter().zip(&sample).filter(|&pair| has_own(pair)).count() as f64 / count as f64
}

/// Rows times x and columns times y with x = 1/(1 + K·y), y = 1/(1 + Kᵀ·x): what is missing from a sum of 1 is the
/// share of staying alone.
fn scaled(similar: &SparseMatrix) -> SparseMatrix {
    let turned = similar.transpose();
    let (n_a, n_b) = similar.shape();
    let (mut x, mut y) = (vec![1.0; n_a], vec![1.0; n_b]);
    let share = |matrix: &SparseMatrix, i: usize, other: &[f64]| {
        1.0 / (1.0 + matrix.entries(i).map(|(j, weight)| weight * other[j]).sum::<f64>())
    };
    for _ in 0..SCALINGS {
        x.par_iter_mut().enumerate().for_each(|(i, x)| *x = share(similar, i, &y));
        y.par_iter_mut().enumerate().for_each(|(j, y)| *y = share(&turned, j, &x));
    }
    SparseMatrix::from_rows(
        (n_a, n_b),
        || (),
        |(), i, row| {
            similar.entries(i).for_each(|(j, weight)| row.push(j, x[i] * weight * y[j]));
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::noisy_erdos_renyi;

    #[test]
    fn counterparts_are_among_the_candidates_and_sums_are_at_most_one() {
        let pair = noisy_erdos_renyi(2000, 6.0, 0.03, &mut rng(4, 0)).unwrap();
        let found = candidates(&[pair.a], &[pair.b], 0, &Stop::never()).unwrap().unwrap();
        let has_own = |&i: &usize| found.x.entries(i).any(|(j, _)| j == pair.truth.apply(i));
        let share = (0..2000).filter(has_own).count() as f64 / 2000.0;
        assert!(share > 0.5 && found.recall > 0.5, "{share}, predicted {}", found.recall);
        for matrix in [&found.x, &found.x.transpose()] {
            assert!((0..2000).all(|i| matrix.entries(i).map(|(_, x)| x).sum::<f64>() <= 1.0 + 1e-12));
        }
    }

    #[test]
    fn graphs_of_other_sizes_and_empty_ones_have_candidates_too() {
        let x = |a: Graph, b: Graph| candidates(&[a], &[b], 0, &Stop::never()).unwrap().unwrap().x;
        let graph = |n: usize| Graph::undirected(n, (1..n).map(|i| (i - 1, i, 2.5))).unwrap();
        assert_eq!(x(graph(5), graph(9)).shape(), (5, 9));
        let empty = Graph::undirected(100, []).unwrap();
        assert!(x(empty.clone(), empty).entry_count() >= 3200);
        let none = Graph::directed(0, []).unwrap();
        assert_eq!(x(none.clone(), none).shape(), (0, 0));
    }
}
