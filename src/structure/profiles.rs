//! Vertices described by numbers: walk profiles and degree profiles.

use super::arcs::Neighbours;
use super::walks::{LENGTHS, closed_walks};
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A number for each vertex.
type Feature = Vec<f64>;

/// How far from a vertex its surroundings are described.
const HOPS: usize = 4;

/// Quantiles of a distribution in a degree profile.
const QUANTILES: usize = 24;

/// Random signs that each anchor gets: see [`anchor_features`].
const CHANNELS: usize = 16;

/// [`super::walk_profiles`], its input checked; `None` where `stop` came first.
pub(super) fn walk_cost(a: &Graph, b: &Graph, anchors: &[(usize, usize)], stop: &Stop) -> Option<DMatrix<f64>> {
    let unit = unit(a, b);
    let directed = !(a.is_symmetric() && b.is_symmetric());
    let described = |graph: &Graph, anchored: Vec<usize>| {
        let near = Neighbours::of(graph);
        let mut features = vec![];
        for feature in own_features(graph, directed, unit, stop) {
            features.push(spread(&near, &feature, stop)?);
            features.extend(surroundings(&near, &feature, stop)?);
            features.push(feature);
        }
        for feature in anchor_features(graph.vertex_count(), &anchored) {
            features.extend(surroundings(&near, &feature, stop)?);
        }
        Some(features)
    };
    let (a_side, b_side) = anchors.iter().copied().unzip();
    let (mut of_a, mut of_b) = (described(a, a_side)?, described(b, b_side)?);
    standardize(&mut of_a, &mut of_b);
    mean_difference((a.vertex_count(), b.vertex_count()), &of_a, &of_b, |difference| difference * difference, stop)
}

/// [`super::degree_profiles`]; `None` where `stop` came first.
pub(super) fn degree_cost(a: &Graph, b: &Graph, stop: &Stop) -> Option<DMatrix<f64>> {
    let unit = unit(a, b);
    let directed = !(a.is_symmetric() && b.is_symmetric());
    let mut cost = DMatrix::zeros(a.vertex_count(), b.vertex_count());
    let families = if directed { 6 } else { 3 };
    for family in 0..families {
        let described = |graph: &Graph| {
            if family < 3 {
                quantiles(graph, unit, family, stop)
            } else {
                quantiles(&graph.transpose(), unit, family - 3, stop)
            }
        };
        let (of_a, of_b) = (described(a)?, described(b)?);
        let difference = mean_difference((a.vertex_count(), b.vertex_count()), &of_a, &of_b, f64::abs, stop)?;
        let mean = difference.sum() / difference.len().max(1) as f64;
        if mean > 0.0 {
            cost += difference / (mean * families as f64);
        }
    }
    Some(cost)
}

/// 1/(root mean square weight): what makes the weights of both graphs numbers near 1.
fn unit(a: &Graph, b: &Graph) -> f64 {
    let weights = || a.arcs().chain(b.arcs()).map(|(_, _, weight)| weight.abs());
    let largest = weights().fold(0.0, f64::max);
    if largest == 0.0 {
        return 1.0;
    }
    // Relative to the largest, squares neither overflow nor vanish; of the least numbers there are the inverse does.
    let squares: f64 = weights().map(|weight| (weight / largest).powi(2)).sum();
    (((a.arc_count() + b.arc_count()) as f64 / squares).sqrt() / largest).min(f64::MAX)
}

/// log(1 + |v|) with the sign of v.
fn logarithm(v: f64) -> f64 {
    v.signum() * v.abs().ln_1p()
}

/// Loop, strengths and closed walks of each vertex; strengths in both directions if one of the two graphs is directed,
/// so that both have the same features.
fn own_features(graph: &Graph, directed: bool, unit: f64, stop: &Stop) -> Vec<Feature> {
    let n = graph.vertex_count();
    let strength = |graph: &Graph| -> Feature {
        (0..n).map(|i| logarithm(strength(graph, i, unit) - unit * graph.weight(i, i))).collect()
    };
    let mut features = vec![(0..n).map(|i| unit * graph.weight(i, i)).collect(), strength(graph)];
    if directed {
        features.push(strength(&graph.transpose()));
    }
    let walks = closed_walks(graph, unit, stop);
    let number = |place: usize| walks.iter().map(|counts| logarithm(counts[place])).collect();
    features.extend((0..LENGTHS.count()).map(number));
    features
}

/// The sum of the weights of the arcs from i, in units.
fn strength(graph: &Graph, i: usize, unit: f64) -> f64 {
    graph.neighbours(i).1.iter().map(|weight| unit * weight).sum()
}

/// Means over the neighbours, over their neighbours, …: as random walks of 1 to [`HOPS`] steps see the feature.
fn surroundings(near: &Neighbours, feature: &Feature, stop: &Stop) -> Option<Vec<Feature>> {
    let mean = |of: &Feature| -> Option<Feature> {
        (!stop.is_reached()).then(|| (0..of.len()).map(|i| mean_near(near, i, |k| of[k])).collect())
    };
    let mut features = vec![mean(feature)?];
    while features.len() < HOPS {
        features.push(mean(&features[features.len() - 1])?);
    }
    Some(features)
}

/// Standard deviation over the neighbours.
fn spread(near: &Neighbours, feature: &Feature, stop: &Stop) -> Option<Feature> {
    let deviation = |i| {
        let mean = mean_near(near, i, |k| feature[k]);
        mean_near(near, i, |k| (feature[k] - mean).powi(2)).sqrt()
    };
    (!stop.is_reached()).then(|| (0..feature.len()).map(deviation).collect())
}

fn mean_near(near: &Neighbours, i: usize, of: impl Fn(usize) -> f64) -> f64 {
    let neighbours = near.of_vertex(i);
    neighbours.iter().map(|&k| of(k as usize)).sum::<f64>() / neighbours.len().max(1) as f64
}

/// A sketch of "which anchors are near": each anchor carries [`CHANNELS`] random signs, the other vertices none.
/// Squared differences of random sums of indicators are, in the mean, those of the indicators (Johnson and
/// Lindenstrauss).
fn anchor_features(n: usize, anchored: &[usize]) -> Vec<Feature> {
    let mut signs = ChaCha8Rng::seed_from_u64(0);
    let mut features = vec![vec![0.0; n]; if anchored.is_empty() { 0 } else { CHANNELS }];
    for &vertex in anchored {
        for feature in &mut features {
            feature[vertex] = if signs.random_bool(0.5) { 1.0 } else { -1.0 };
        }
    }
    features
}

/// Quantiles, over the neighbours k of each vertex i, of: the strength of k (family 0), the weight of the walks of
/// length 2 (family 1) and 3 (family 2) from i to k. Zeros for a vertex without neighbours. `None` where `stop` came
/// first.
fn quantiles(graph: &Graph, unit: f64, family: usize, stop: &Stop) -> Option<Vec<Feature>> {
    let n = graph.vertex_count();
    let strength: Vec<f64> = (0..n).map(|i| strength(graph, i, unit)).collect();
    let room = || (vec![0.0; n], vec![0.0; n]);
    let of_vertex = |(here, next): &mut (Vec<f64>, Vec<f64>), i: usize| -> Vec<f64> {
        let neighbours = graph.neighbours(i).0;
        let mut values: Vec<f64> = if family == 0 {
            neighbours.iter().map(|&k| strength[k]).collect()
        } else {
            here.fill(0.0);
            here[i] = 1.0;
            for _ in (0..=family).take_while(|_| !stop.is_reached()) {
                next.fill(0.0);
                for (k, &weight) in here.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                    let (targets, weights) = graph.neighbours(k);
                    targets.iter().zip(weights).for_each(|(&l, &w)| next[l] += unit * w * weight);
                }
                std::mem::swap(here, next);
            }
            neighbours.iter().map(|&k| here[k]).collect()
        };
        values.sort_unstable_by(f64::total_cmp);
        (0..QUANTILES).map(|q| quantile(&values, (q as f64 + 0.5) / QUANTILES as f64)).collect()
    };
    let rows: Vec<Vec<f64>> = (0..n).into_par_iter().map_init(room, of_vertex).collect();
    (!stop.is_reached()).then(|| (0..QUANTILES).map(|q| rows.iter().map(|row| row[q]).collect()).collect())
}

/// The quantile of ascending values at the level 0 ≤ q ≤ 1, between the two nearest; 0 of nothing.
fn quantile(ascending: &[f64], q: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let place = q * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    ascending[below] + (place - below as f64) * (ascending[above] - ascending[below])
}

/// Each feature ← (feature − mean)/standard deviation, over the vertices of both graphs; those that tell nothing
/// vanish.
///
/// Sums run over sorted values, so that the numbering of the vertices does not show even in the last bit.
fn standardize(of_a: &mut Vec<Feature>, of_b: &mut Vec<Feature>) {
    let mut told = vec![];
    for (a, b) in of_a.iter_mut().zip(of_b.iter_mut()) {
        let mut values = [&a[..], &b[..]].concat();
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        let largest = values.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
        told.push(deviation > 1e-9 * largest);
        a.iter_mut().chain(b.iter_mut()).for_each(|v| *v = (*v - mean) / deviation);
    }
    for features in [of_a, of_b] {
        let mut told = told.iter();
        features.retain(|_| *told.next().expect("one for each feature"));
    }
}

/// C\[i, j\] = mean over the features of `loss`(feature of i − feature of j); `None` where `stop` came first.
/// O(n_A·n_B·features).
fn mean_difference(
    (rows, columns): (usize, usize),
    of_a: &[Feature],
    of_b: &[Feature],
    loss: impl Fn(f64) -> f64 + Sync,
    stop: &Stop,
) -> Option<DMatrix<f64>> {
    let mut cost = DMatrix::zeros(rows, columns);
    let count = of_a.len() as f64;
    cost.as_mut_slice().par_chunks_exact_mut(rows.max(1)).enumerate().for_each(|(j, column)| {
        for (a, b) in of_a.iter().zip(of_b).take_while(|_| !stop.is_reached()) {
            column.iter_mut().zip(a).for_each(|(c, a)| *c += loss(a - b[j]) / count);
        }
    });
    (!stop.is_reached()).then_some(cost)
}
