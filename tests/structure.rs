//! The structural costs: what they tell, what they must not, and that numbering does not matter.

use birkhoff::instance::{Instance, correlated_gaussian, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::structure::{Subtrees, degree_profiles, subtree_ratios, walk_profiles};
use birkhoff::{Graph, Permutation};
use nalgebra::DMatrix;

type Cost = fn(&Graph, &Graph, &[(usize, usize)]) -> DMatrix<f64>;

const COSTS: [(&str, Cost); 3] = [
    ("walks", |a, b, anchors| walk_profiles(a, b, anchors).unwrap()),
    ("degrees", |a, b, _| degree_profiles(a, b).unwrap()),
    ("subtrees", |a, b, anchors| subtree_ratios(a, b, Subtrees::default(), anchors).unwrap()),
];

/// Costs are sums of numbers of size 1 (subtrees: logarithms of products of 2-byte ratios, good to 2⁻⁹ each) in another
/// order.
fn tolerance(name: &str) -> f64 {
    if name == "subtrees" { 0.05 } else { 1e-9 }
}

fn renumbered(graph: &Graph, p: &Permutation) -> Graph {
    let arcs = graph.arcs().map(|(i, k, weight)| (p.apply(i), p.apply(k), weight));
    Graph::directed(graph.vertex_count(), arcs).unwrap()
}

/// Mean over the vertices of the share of B's vertices that look better than the partner; a tie counts half. Chance is
/// ½.
fn mean_rank(cost: &DMatrix<f64>, truth: &Permutation) -> f64 {
    let n = cost.nrows();
    let rank = |i: usize| {
        let own = cost[(i, truth.apply(i))];
        let better = (0..n).filter(|&j| cost[(i, j)] < own).count() as f64;
        let ties = (0..n).filter(|&j| cost[(i, j)] == own).count() as f64 - 1.0;
        (better + 0.5 * ties) / (n as f64 - 1.0)
    };
    (0..n).map(rank).sum::<f64>() / n as f64
}

/// Random weights and directions, of a graph's own.
fn weighted_and_directed(graph: &Graph) -> Graph {
    let weight = |i: usize, k: usize| ((7 * i + 3 * k) % 5) as f64 - 1.5;
    let arcs = graph.arcs().filter(|&(i, k, _)| (i + 2 * k) % 3 > 0).map(|(i, k, _)| (i, k, weight(i, k)));
    Graph::directed(graph.vertex_count(), arcs).unwrap()
}

#[test]
fn renumbering_the_vertices_renumbers_the_cost() {
    let mut rng = rng(1, 0);
    let Instance { a, .. } = noisy_erdos_renyi(60, 4.0, 0.2, &mut rng).unwrap();
    let b = noisy_erdos_renyi(70, 3.0, 0.2, &mut rng).unwrap().a;
    let general = (weighted_and_directed(&a), weighted_and_directed(&b));
    let (p, q) = (Permutation::random(60, &mut rng), Permutation::random(70, &mut rng));
    let anchors = [(3, 5), (8, 60)];
    let moved_anchors = anchors.map(|(i, j)| (p.apply(i), q.apply(j)));
    for (pair, costs) in [((&a, &b), &COSTS[..]), ((&general.0, &general.1), &COSTS[..2])] {
        let moved_pair = (renumbered(pair.0, &p), renumbered(pair.1, &q));
        for (name, cost) in costs {
            let (plain, moved) = (cost(pair.0, pair.1, &anchors), cost(&moved_pair.0, &moved_pair.1, &moved_anchors));
            for (i, j) in (0..60).flat_map(|i| (0..70).map(move |j| (i, j))) {
                let difference = (plain[(i, j)] - moved[(p.apply(i), q.apply(j))]).abs();
                assert!(difference < tolerance(name), "{name}: ({i}, {j}) differs by {difference}");
            }
        }
    }
}

#[test]
fn independent_graphs_tell_nothing_of_the_order() {
    // The identity and the hidden permutation must both look like chance. Ranks of 300 vertices, nearly uniform: their
    // mean is 0.5 ± 0.017, times √(clusters of like vertices); 0.08 is beyond four of these.
    for trial in 0..3 {
        let Instance { a, b, truth } = noisy_erdos_renyi(300, 4.0, 1.0 - 4.0 / 299.0, &mut rng(2, trial)).unwrap();
        for (name, cost) in COSTS {
            let cost = cost(&a, &b, &[]);
            for (what, p) in [("truth", &truth), ("identity", &Permutation::identity(300))] {
                let rank = mean_rank(&cost, p);
                assert!((rank - 0.5).abs() < 0.08, "{name}, {what}: mean rank {rank}");
            }
        }
    }
}

#[test]
fn partners_look_alike() {
    // Measured one by one over 20 trials: walks 0.17–0.32, degrees 0.17–0.27, subtrees 0.04–0.27 (sparse), walks
    // 0.39–0.45 (regular).
    let mean = |rank: &dyn Fn(u64) -> f64| (0..4).map(rank).sum::<f64>() / 4.0;
    for ((name, cost), bound) in COSTS.into_iter().zip([0.32, 0.3, 0.2]) {
        let rank = mean(&|trial| {
            let sparse = noisy_erdos_renyi(300, 4.0, 0.2, &mut rng(3, trial)).unwrap();
            mean_rank(&cost(&sparse.a, &sparse.b, &[]), &sparse.truth)
        });
        assert!(rank < bound, "{name}: mean rank {rank}");
    }
    let rank = mean(&|trial| {
        let regular = noisy_regular(300, 10, 0.1, &mut rng(4, trial)).unwrap();
        mean_rank(&walk_profiles(&regular.a, &regular.b, &[]).unwrap(), &regular.truth)
    });
    assert!(rank < 0.455, "regular: mean rank {rank}");
}

#[test]
fn the_copy_of_a_graph_costs_nothing() {
    let Instance { a, b, truth } = noisy_erdos_renyi(80, 5.0, 0.0, &mut rng(5, 0)).unwrap();
    let weighted = correlated_gaussian(12, 1.0, &mut rng(6, 0)).unwrap();
    let directed = Graph::directed(80, a.arcs().filter(|&(i, k, _)| i < k || (i + k) % 3 > 0)).unwrap();
    let directed_copy = renumbered(&directed, &truth);
    let pairs = [(&a, &b, &truth), (&weighted.a, &weighted.b, &weighted.truth), (&directed, &directed_copy, &truth)];
    for (a, b, truth) in pairs {
        for (name, cost) in &COSTS[..2] {
            let cost = cost(a, b, &[]);
            let largest = (0..a.vertex_count()).map(|i| cost[(i, truth.apply(i))]).fold(0.0, f64::max);
            assert!(largest < 1e-9, "{name}: {largest}");
            assert!(cost.mean() > 0.1, "{name}: everything looks alike");
        }
    }
}

#[test]
fn anchors_help() {
    let Instance { a, b, truth } = noisy_erdos_renyi(300, 5.0, 0.3, &mut rng(7, 0)).unwrap();
    let anchors: Vec<_> = (0..20).map(|i| (i, truth.apply(i))).collect();
    for (name, cost) in [COSTS[0], COSTS[2]] {
        let (with, without) = (cost(&a, &b, &anchors), cost(&a, &b, &[]));
        let (with, without) = (mean_rank(&with, &truth), mean_rank(&without, &truth));
        assert!(with < without - 0.05, "{name}: {without} without anchors, {with} with them");
    }
}

#[test]
fn odd_graphs_are_borne() {
    let empty = Graph::undirected(4, []).unwrap();
    let star = Graph::undirected(40, (1..40).map(|k| (0, k, 1.0))).unwrap();
    let complete = Graph::undirected(14, (0..14).flat_map(|i| (0..i).map(move |k| (i, k, 1.0)))).unwrap();
    let looped = Graph::undirected(3, [(0, 0, 2.0), (0, 1, 1.0)]).unwrap();
    let graphs = [&empty, &star, &complete, &looped];
    for (name, cost) in COSTS {
        for (a, b) in graphs.iter().flat_map(|a| graphs.map(|b| (a, b))) {
            let cost = cost(a, b, &[]);
            assert_eq!(cost.shape(), (a.vertex_count(), b.vertex_count()));
            assert!(cost.iter().all(|v| v.is_finite()), "{name}");
        }
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let Instance { a, b, .. } = noisy_erdos_renyi(120, 4.0, 0.2, &mut rng(8, 0)).unwrap();
    for (name, cost) in COSTS {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| cost(&a, &b, &[(0, 0)]))
        };
        assert_eq!(on(1), on(3), "{name}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    let weighted = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 2.0)]).unwrap();
    let directed = Graph::directed(3, [(0, 1, 1.0)]).unwrap();
    let message = |a: &Graph, b: &Graph, kept, anchors: &[(usize, usize)]| {
        subtree_ratios(a, b, Subtrees::default().with_kept(kept), anchors).unwrap_err().to_string()
    };
    assert!(message(&path, &weighted, 0.7, &[]).contains("B has edges of different weights"));
    assert!(message(&directed, &path, 0.7, &[]).contains("A is directed"));
    for kept in [0.0, 1.0, f64::NAN] {
        assert!(message(&path, &path, kept, &[]).contains("kept"));
    }
    assert!(message(&path, &path, 0.7, &[(0, 3)]).contains("(0, 3)"));
    assert!(walk_profiles(&path, &path, &[(0, 1), (0, 2)]).unwrap_err().to_string().contains("(0, 2)"));
}
