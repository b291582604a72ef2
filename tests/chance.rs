//! What is found in graphs that have nothing to do with one another is never called "not by chance".

use birkhoff::chance::{chance_bounds, is_not_by_chance};
use birkhoff::instance::{chung_lu, correlated_gaussian, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::objective::GraphMatching;
use birkhoff::recovery::{Effort, Settings, recover};
use birkhoff::{Graph, Permutation};
use rand_chacha::ChaCha8Rng;

fn answer(a: &Graph, b: &Graph, effort: Effort) -> Permutation {
    let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
    recover(&f, &Settings::default().with_effort(effort)).unwrap().permutation
}

/// A graph of random numbers.
type Drawn = fn(&mut ChaCha8Rng) -> Graph;

const KINDS: [(&str, Drawn); 5] = [
    ("dense", |rng| noisy_erdos_renyi(30, 14.0, 0.2, rng).unwrap().a),
    ("sparse", |rng| noisy_erdos_renyi(60, 4.0, 0.2, rng).unwrap().a),
    ("regular", |rng| noisy_regular(40, 6, 0.2, rng).unwrap().a),
    ("power law", |rng| chung_lu(80, 6.0, 2.3, rng).unwrap()),
    ("Gaussian", |rng| correlated_gaussian(25, 0.5, rng).unwrap().a),
];

#[test]
fn a_search_in_unrelated_graphs_finds_nothing_that_chance_does_not() {
    for (number, (kind, graph)) in KINDS.into_iter().enumerate() {
        for trial in 0..8 {
            let mut rng = rng(91 + number as u64, trial);
            let (a, b) = (graph(&mut rng), graph(&mut rng));
            let effort = if trial == 0 { Effort::Default } else { Effort::Quick };
            let bounds = chance_bounds(&a, &b, &answer(&a, &b, effort));
            assert!(!is_not_by_chance(&bounds), "{kind}, trial {trial}: {bounds:?}");
            // The graph itself in another order is told.
            let n = a.vertex_count();
            let reversed = Permutation::new((0..n).rev().collect()).unwrap();
            let edges = a.arcs().filter(|(i, k, _)| i < k).map(|(i, k, weight)| (n - 1 - i, n - 1 - k, weight));
            let bounds = chance_bounds(&a, &Graph::undirected(n, edges).unwrap(), &reversed);
            assert!(is_not_by_chance(&bounds), "{kind}, trial {trial}: {bounds:?}");
        }
    }
}
