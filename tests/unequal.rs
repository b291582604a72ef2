//! Recovery where one graph is much smaller: what is found, and proved, in samples of larger ones.

use birkhoff::instance::{correlated_erdos_renyi, rng};
use birkhoff::objective::GraphMatching;
use birkhoff::recovery::{AttemptKind, Effort, Recovery, Settings, Start, recover, recover_from};
use birkhoff::score::EdgeScore;
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use birkhoff::{Graph, Permutation};
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// A graph of n vertices of mean degree d, and m of its vertices around one of them, with their edges, of which the
/// share `noise` is replaced.
fn sample(n: usize, d: f64, m: usize, noise: f64, rng: &mut impl Rng) -> (Graph, Graph) {
    let mut edges = BTreeSet::new();
    while (edges.len() as f64) < n as f64 * d / 2.0 {
        let (i, k) = (rng.random_range(0..n), rng.random_range(0..n));
        if i != k {
            edges.insert((i.min(k), i.max(k)));
        }
    }
    let whole = |n: usize, edges: &BTreeSet<(usize, usize)>| {
        Graph::undirected(n, edges.iter().map(|&(i, k)| (i, k, 1.0))).unwrap()
    };
    let large = whole(n, &edges);
    let mut chosen = vec![(0..n).find(|&i| large.neighbours(i).0.len() > 1).unwrap()];
    let mut next = 0;
    while chosen.len() < m {
        let beside = large.neighbours(chosen[next]).0;
        let new: Vec<usize> = beside.iter().copied().filter(|i| !chosen.contains(i)).collect();
        chosen.extend(new.into_iter().take(m - chosen.len()));
        next += 1;
    }
    let place = |i: usize| chosen.iter().position(|&chosen| chosen == i);
    let inside = edges.iter().filter_map(|&(i, k)| Some((place(i)?, place(k)?)));
    let mut inside: BTreeSet<(usize, usize)> = inside.map(|(i, k)| (i.min(k), i.max(k))).collect();
    for _ in 0..(noise * inside.len() as f64) as usize {
        let lost = *inside.iter().nth(rng.random_range(0..inside.len())).unwrap();
        inside.remove(&lost);
        inside.insert((lost.0, (lost.0 + 1 + rng.random_range(0..m - 1)) % m));
    }
    let inside = inside.iter().map(|&(i, k)| (i.min(k), i.max(k))).filter(|(i, k)| i != k).collect();
    (whole(m, &inside), large)
}

fn kept(a: &Graph, b: &Graph, p: &Permutation) -> (usize, usize) {
    let score = EdgeScore::of(a, b, p);
    (score.common, score.edges_a)
}

#[test]
fn five_vertices_in_six_hundred_are_found_and_proved() {
    for trial in 0..5 {
        let (small, large) = sample(600, 8.0, 5, 0.0, &mut rng(11, trial));
        let f = GraphMatching::new(small.clone(), large.clone()).unwrap();
        let answer = recover(&f, &Settings::default()).unwrap();
        let (common, edges) = kept(&small, &large, &answer.permutation);
        assert!(common == edges && edges >= 4, "trial {trial}: {common} of {edges}");
        assert!(answer.optimality.is_proved());
        assert_eq!(answer.attempts[0].kind, AttemptKind::Embedding);
        // The other way round, and what is no subgraph: five vertices that all know each other.
        let turned = recover(&GraphMatching::new(large.clone(), small.clone()).unwrap(), &Settings::default()).unwrap();
        assert_eq!(turned.optimality, answer.optimality);
        assert!(turned.certificate.is_certified());
        let complete = Graph::undirected(5, (0..5).flat_map(|i| (0..i).map(move |k| (i, k, 1.0)))).unwrap();
        let f = GraphMatching::new(complete.clone(), large.clone()).unwrap();
        let answer = recover(&f, &Settings::default()).unwrap();
        let (common, _) = kept(&complete, &large, &answer.permutation);
        assert!((5..10).contains(&common) && answer.optimality.is_proved(), "trial {trial}: {common} of 10");
    }
}

#[test]
fn a_sample_of_forty_vertices_keeps_most_of_its_edges() {
    for trial in 0..3 {
        let (small, large) = sample(600, 8.0, 40, 0.0, &mut rng(12, trial));
        let (noisy, _) = sample(600, 8.0, 40, 0.1, &mut rng(12, trial));
        for (small, least) in [(small, 0.9), (noisy, 0.78)] {
            let f = GraphMatching::new(small.clone(), large.clone()).unwrap();
            let answer = recover(&f, &Settings::default()).unwrap();
            let (common, edges) = kept(&small, &large, &answer.permutation);
            assert!(common as f64 >= least * edges as f64, "trial {trial}: {common} of {edges}");
        }
    }
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let (small, large) = (
        correlated_erdos_renyi(30, 0.15, 1.0, &mut rng(13, 0)).unwrap().a,
        sample(300, 6.0, 30, 0.2, &mut rng(13, 1)).1,
    );
    let start = Start::structural(Kind::Walks, &small, &large, &[]).unwrap();
    let f = GraphMatching::new(small, large).unwrap();
    let settings = Settings::default().with_effort(Effort::Thorough).with_starts(8);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let starts = [start.clone(), Start::relaxed()];
        pool.install(|| recover_from(&f, &starts, &settings, &Limits::default()).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert!(one.x == three.x && one.permutation == three.permutation);
    assert_eq!(one.optimality, three.optimality);
    let runs = |answer: &Recovery| {
        answer.attempts.iter().map(|run| (run.kind.to_string(), run.value, run.iterations)).collect::<Vec<_>>()
    };
    assert_eq!(runs(&one), runs(&three));
    let names: Vec<String> = one.attempts.iter().map(|run| run.kind.to_string()).collect();
    assert!(
        names.contains(&"walks".into()) && names.contains(&"relaxed".into()) && names.contains(&"restart".into()),
        "{names:?}"
    );
}
