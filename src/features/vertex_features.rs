//! The features of each vertex, each as scores of the vertex's rank within its graph.

use super::balls::{affordable_radius, ball_features};
use crate::graph::Graph;
use crate::stop::Stop;
use rayon::prelude::*;

/// Hops over which neighbours' features are averaged.
const HOPS: usize = 3;

/// Lengths of walks that are counted: from 2 on.
const WALKS: usize = 7;

/// Features that differ by less are equal: sums over neighbours are rounded in another order in each graph.
const RESOLUTION: f64 = 1e-6;

/// A graph's skeleton: neighbours in both directions, each once, without loops and weights.
fn skeleton(graph: &Graph) -> Graph {
    if graph.is_symmetric() && graph.arcs().all(|(i, j, weight)| i != j && weight == 1.0) {
        return graph.clone();
    }
    let arcs = graph.arcs().filter(|&(i, j, _)| i != j);
    let both = arcs.flat_map(|(i, j, _)| [(i, j), (j, i)]);
    let mut arcs: Vec<(usize, usize)> = both.collect();
    arcs.sort_unstable();
    arcs.dedup();
    Graph::directed(graph.vertex_count(), arcs.into_iter().map(|(i, j)| (i, j, 1.0))).expect("arcs of a graph")
}

/// Which features a pair of graphs has: those of the one are compared with those of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of the balls.
    pub radius: usize,
    layers: Vec<LayerPlan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LayerPlan {
    has_degrees: bool,
    is_directed: bool,
    is_weighted: bool,
    has_loops: bool,
}

impl Plan {
    /// What at least one of the two has in a layer, both are asked for.
    pub fn of(a: &[Graph], b: &[Graph]) -> Self {
        let radius = affordable_radius(&skeleton(&a[0])).min(affordable_radius(&skeleton(&b[0])));
        let layer = |(number, (a, b)): (usize, (&Graph, &Graph))| {
            let any = |has: &dyn Fn(&Graph) -> bool| has(a) || has(b);
            let is_directed = any(&|graph| !graph.is_symmetric());
            LayerPlan {
                has_degrees: is_directed || number > 0,
                is_directed,
                is_weighted: any(&|graph| graph.arcs().any(|(_, _, weight)| weight != 1.0)),
                has_loops: any(&|graph| graph.arcs().any(|(i, j, _)| i == j)),
            }
        };
        Plan { radius, layers: a.iter().zip(b).enumerate().map(layer).collect() }
    }
}

/// Columns of n scores each.
///
/// The [balls](ball_features) of the first layer; degrees, weights and loops of each layer, in and out; the means of
/// all these over the neighbours 1, 2 and 3 hops away, and their spread over neighbours. Then the largest, the second
/// and the least degree of a neighbour and the quartiles; and the logarithms of the numbers of walks of 2 to 8 steps.
/// Unfinished once `stop` is reached.
pub fn vertex_features(layers: &[Graph], plan: &Plan, stop: &Stop) -> Vec<Vec<f32>> {
    let skeleton = skeleton(&layers[0]);
    let mut features = ball_features(&skeleton, plan.radius, stop);
    for (layer, plan) in layers.iter().zip(&plan.layers) {
        features.extend(strengths(layer, *plan));
    }
    if stop.is_reached() {
        return features;
    }
    let base = features.len();
    let spreads: Vec<Vec<f32>> = features.par_iter().map(|feature| spread(&skeleton, feature)).collect();
    for hop in 0..HOPS {
        let last = &features[hop * base..(hop + 1) * base];
        let means: Vec<Vec<f32>> = last.par_iter().map(|feature| mean(&skeleton, feature)).collect();
        features.extend(means);
    }
    features.extend(spreads);
    features.extend(neighbour_degrees(&skeleton));
    features.extend(walks(&skeleton));
    features.par_iter_mut().for_each(|feature| rank_scores(feature));
    features
}

/// Degrees, sums of weights and of their squares, in both directions where there are two; weights of loops.
fn strengths(layer: &Graph, plan: LayerPlan) -> Vec<Vec<f32>> {
    let n = layer.vertex_count();
    let turned = layer.transpose();
    let directions = [layer, &turned];
    let mut columns: Vec<Vec<f32>> = vec![];
    for graph in &directions[..if plan.is_directed { 2 } else { 1 }] {
        let mut add =
            |of: &dyn Fn(&[f64]) -> f64| columns.push((0..n).map(|i| of(graph.neighbours(i).1) as f32).collect());
        if plan.has_degrees {
            add(&|weights| weights.len() as f64);
        }
        if plan.is_weighted {
            add(&|weights| weights.iter().sum());
            add(&|weights| weights.iter().map(|weight| weight * weight).sum());
        }
    }
    if plan.has_loops {
        columns.push((0..n).map(|i| layer.weight(i, i) as f32).collect());
    }
    columns
}

/// Mean of a feature over neighbours; 0 where there are none.
fn mean(graph: &Graph, feature: &[f32]) -> Vec<f32> {
    let of = |i: usize| {
        let (neighbours, _) = graph.neighbours(i);
        let sum: f64 = neighbours.iter().map(|&k| f64::from(feature[k])).sum();
        (sum / neighbours.len().max(1) as f64) as f32
    };
    (0..feature.len()).map(of).collect()
}

/// Standard deviation of a feature over neighbours.
fn spread(graph: &Graph, feature: &[f32]) -> Vec<f32> {
    let of = |i: usize| {
        let (neighbours, _) = graph.neighbours(i);
        let count = neighbours.len().max(1) as f64;
        let values = neighbours.iter().map(|&k| f64::from(feature[k]));
        let mean = values.clone().sum::<f64>() / count;
        (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt() as f32
    };
    (0..feature.len()).map(of).collect()
}

/// Of the neighbours' degrees: the largest, the second, the least, and the quartiles. −1 where there is no such.
fn neighbour_degrees(graph: &Graph) -> Vec<Vec<f32>> {
    let n = graph.vertex_count();
    let mut columns = vec![vec![-1.0; n]; 6];
    let mut degrees = vec![];
    for i in 0..n {
        degrees.clear();
        degrees.extend(graph.neighbours(i).0.iter().map(|&k| graph.neighbours(k).0.len()));
        degrees.sort_unstable();
        let Some(last) = degrees.len().checked_sub(1) else { continue };
        let places = [last, last.saturating_sub(1), 0, last / 4, last / 2, last - last / 4];
        for (column, place) in columns.iter_mut().zip(places) {
            column[i] = degrees[place] as f32;
        }
    }
    columns
}

/// log of the number of walks of 2 to 8 steps from each vertex.
fn walks(graph: &Graph) -> Vec<Vec<f32>> {
    let n = graph.vertex_count();
    let mut counts: Vec<f64> = (0..n).map(|i| graph.neighbours(i).0.len() as f64).collect();
    let mut columns = vec![];
    for _ in 0..WALKS {
        counts = (0..n).map(|i| graph.neighbours(i).0.iter().map(|&k| counts[k]).sum()).collect();
        columns.push(counts.iter().map(|count| count.ln_1p() as f32).collect());
    }
    columns
}

/// Each value by the logit of its rank among all, equal ones at their mean rank: with standard deviation 1 where all
/// differ, whatever the feature's distribution is.
fn rank_scores(feature: &mut [f32]) {
    let n = feature.len();
    let largest = feature.iter().fold(0.0_f64, |most, &value| most.max(f64::from(value).abs()));
    let unit = (RESOLUTION * largest).max(f64::MIN_POSITIVE);
    let key = |&value: &f32| (f64::from(value) / unit).round() as i64;
    let mut order: Vec<(i64, u32)> = feature.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    let mut begin = 0;
    while begin < n {
        let end = begin + order[begin..].iter().take_while(|&&(key, _)| key == order[begin].0).count();
        let rank = 0.5 * (begin + end) as f64 / n as f64;
        let score = ((rank / (1.0 - rank)).ln() / LOGISTIC_DEVIATION) as f32;
        order[begin..end].iter().for_each(|&(_, i)| feature[i as usize] = score);
        begin = end;
    }
}

/// π/√3, the standard deviation of the logistic distribution.
const LOGISTIC_DEVIATION: f64 = 1.813_799_364_234_217_8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{noisy_erdos_renyi, rng};

    #[test]
    fn features_go_with_the_vertices_when_these_are_renamed() {
        let pair = noisy_erdos_renyi(200, 5.0, 0.0, &mut rng(1, 0)).unwrap();
        let (a, b) = (&[pair.a][..], &[pair.b][..]);
        let plan = Plan::of(a, b);
        let (a, b) = (vertex_features(a, &plan, &Stop::never()), vertex_features(b, &plan, &Stop::never()));
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            for (i, score) in a.iter().enumerate() {
                assert_eq!(*score, b[pair.truth.apply(i)]);
            }
        }
    }

    #[test]
    fn directions_weights_loops_and_layers_have_features_of_their_own() {
        let one = |arcs: &[(usize, usize, f64)]| Graph::directed(4, arcs.iter().copied()).unwrap();
        let other = vec![one(&[(0, 1, 1.0), (1, 0, 1.0)]); 2];
        let count = |layers: &[Graph]| vertex_features(layers, &Plan::of(layers, &other), &Stop::never()).len();
        let ring = [(0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 2, 1.0)];
        let plain = count(&[one(&ring)]);
        // Each of the first kind has three means and a spread.
        assert_eq!(count(&[one(&ring[..3])]), plain + 5 * 2);
        assert_eq!(count(&[one(&[(0, 1, 2.0), (1, 0, 2.0)])]), plain + 5 * 2);
        assert_eq!(count(&[one(&[(0, 0, 1.0)])]), plain + 5);
        assert_eq!(count(&[one(&ring), one(&ring)]), plain + 5);
    }

    #[test]
    fn equal_values_share_their_rank() {
        let mut feature = [3.0, 1.0, 3.0, 2.0];
        rank_scores(&mut feature);
        assert_eq!(feature[0], feature[2]);
        assert!(feature[1] < feature[3] && feature[3] < feature[0]);
        assert!(feature[3] < 0.0 && (f64::from(feature[1]) + 7f64.ln() / LOGISTIC_DEVIATION).abs() < 1e-6);
    }
}
