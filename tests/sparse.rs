//! Large sparse graphs: what the search with X in sparse rows finds.

use birkhoff::assignment::NONE;
use birkhoff::held_out::Evidence;
use birkhoff::instance::{Instance, noisy_erdos_renyi, rng};
use birkhoff::objective::{GraphMatching, Objective, WeightedOverlap};
use birkhoff::recovery::{AttemptKind, Effort, Engine, Settings, recover_within};
use birkhoff::solver::{Limits, Progress};
use birkhoff::sparse::{Answer, Layers, Options, search};
use birkhoff::{Graph, Permutation, Stop};
use rand::{Rng, RngExt};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

fn found(layers: Vec<(Graph, Graph)>, anchors: &[(usize, usize)]) -> (Layers, Answer) {
    let layers = Layers::new(layers, anchors).unwrap();
    let answer = search(&layers, &Options::default(), &Limits::default()).unwrap();
    let partners: Vec<u32> = answer.partners.iter().map(|j| j.map_or(NONE, |j| j as u32)).collect();
    assert_eq!(layers.value(&partners), answer.value);
    (layers, answer)
}

fn value_of_truth(layers: &Layers, pair: &Instance) -> f64 {
    layers.value(&pair.truth.image().iter().map(|&j| j as u32).collect::<Vec<_>>())
}

#[test]
fn a_noisy_copy_is_recovered_as_well_as_by_the_truth() {
    for (seed, noise) in [(1, 0.05), (2, 0.1)] {
        let pair = noisy_erdos_renyi(1500, 6.0, noise, &mut rng(seed, 0)).unwrap();
        let (layers, answer) = found(vec![(pair.a.clone(), pair.b.clone())], &[]);
        assert!(answer.value >= value_of_truth(&layers, &pair) * 0.999);
        let right = pair.truth.image().iter().zip(&answer.partners).filter(|(j, found)| Some(**j) == **found).count();
        assert!(right > 1400, "{right} right");
    }
}

#[test]
fn an_answer_is_tested_by_what_was_hidden_and_then_sees_it() {
    let pair = noisy_erdos_renyi(2000, 6.0, 0.05, &mut rng(9, 0)).unwrap();
    let f = GraphMatching::new(pair.a.clone(), pair.b.clone()).unwrap();
    let recovery = recover_within(&f, &Settings::default(), &Limits::default()).unwrap();
    let test = recovery.held_out.unwrap();
    assert!(test.hidden.abs_diff(pair.b.edge_count() / 50) <= 1, "{test:?}");
    assert_eq!(test.evidence(), Evidence::FarAboveChance);
    assert!(recovery.optimality.value <= f.value_at(&pair.truth));
    let none = Settings::default().with_hold_out(0.0);
    assert!(recover_within(&f, &none, &Limits::default()).unwrap().held_out.is_none());
    let error = recover_within(&f, &none.with_engine(Engine::Dense).with_hold_out(0.1), &Limits::default());
    assert!(error.unwrap_err().to_string().starts_with("hold_out"));
}

/// A directed pair with heavy-tailed weights: what B has of A is half of its arcs, weighed anew.
fn synapses(n: usize, rng: &mut impl Rng) -> (Graph, Graph, Permutation) {
    let truth = Permutation::random(n, rng);
    let heavy = |rng: &mut dyn Rng| (rng.random::<f64>().powf(-0.8)).floor();
    let (mut a, mut b) = (vec![], vec![]);
    for _ in 0..10 * n {
        let (i, k, weight) = (rng.random_range(0..n), rng.random_range(0..n), heavy(rng));
        a.push((i, k, weight));
        if rng.random::<bool>() {
            b.push((truth.apply(i), truth.apply(k), (weight * rng.random_range(0.5..1.5)).ceil()));
        }
    }
    (Graph::directed(n, a).unwrap(), Graph::directed(n, b).unwrap(), truth)
}

#[test]
fn an_overlap_is_found_where_squares_see_the_heaviest_arcs_only() {
    let (a, b, truth) = synapses(400, &mut rng(71, 0));
    let f = WeightedOverlap::new(a, b).unwrap();
    let settings = Settings::default().with_engine(Engine::Sparse);
    let recovery = recover_within(&f, &settings, &Limits::default()).unwrap();
    assert!(f.overlap_at(&recovery.permutation) >= f.overlap_at(&truth));
    assert_eq!(recovery.optimality.value, f.value_at(&recovery.permutation));
    let right = (0..400).filter(|&i| recovery.permutation.apply(i) == truth.apply(i)).count();
    assert!(right > 380, "{right} right");
}

#[test]
fn an_overlap_is_searched_without_matrices_however_many_arcs_there_are() {
    // 80 arcs a vertex and a third of all there could be: squares would be searched with matrices.
    let (mut rng, n) = (rng(73, 0), 240);
    let mut graph = || {
        let arc = |_| (rng.random_range(0..n), rng.random_range(0..n), f64::from(rng.random_range(1..6)));
        Graph::directed(n, (0..100 * n).map(arc).collect::<Vec<_>>()).unwrap()
    };
    let graphs = (graph(), graph());
    let f = WeightedOverlap::new(graphs.0, graphs.1).unwrap();
    let kinds = |settings: &Settings| -> Vec<AttemptKind> {
        let recovery = recover_within(&f, settings, &Limits::default()).unwrap();
        recovery.attempts.into_iter().map(|attempt| attempt.kind).collect()
    };
    assert_eq!(kinds(&Settings::default()), [AttemptKind::Sparse]);
    let thorough = Settings::default().with_effort(Effort::Thorough).with_time_limit(0.5);
    assert!(kinds(&thorough).contains(&AttemptKind::Sparse));
}

#[test]
fn an_answer_is_never_worse_than_the_match_it_began_with() {
    // Independent graphs: nothing but the given match could lead a search to it.
    let graph = |trial| noisy_erdos_renyi(300, 5.0, 0.0, &mut rng(72, trial)).unwrap().a;
    let (a, b) = (graph(0), graph(1));
    let f = GraphMatching::new(a, b).unwrap();
    let long = recover_within(&f, &Settings::default(), &Limits::default()).unwrap();
    let pairs: Vec<(usize, usize)> = long.permutation.image().iter().copied().enumerate().collect();
    for engine in [Engine::Sparse, Engine::Dense] {
        let settings = Settings::default().with_engine(engine).with_effort(Effort::Quick).with_rng_seed(5);
        let with_all =
            recover_within(&f, &settings.clone().with_start_match(pairs.clone()), &Limits::default()).unwrap();
        assert!(with_all.optimality.value <= long.optimality.value, "{engine:?}");
        let message = |pairs: Vec<(usize, usize)>| {
            let settings = settings.clone().with_anchors(vec![(1, 2)]).with_start_match(pairs);
            recover_within(&f, &settings, &Limits::default()).unwrap_err().to_string()
        };
        assert!(message(vec![(1, 3)]).contains("vertex 1 of A is matched to 2 already"));
        assert!(message(vec![(3, 2)]).contains("vertex 2 of B is matched to 1 already"));
        assert!(message(vec![(3, 300)]).contains("300 vertices"));
    }
}

#[test]
fn weights_directions_loops_layers_and_anchors_are_used() {
    let pair = noisy_erdos_renyi(800, 4.0, 0.05, &mut rng(3, 0)).unwrap();
    let to = |i: usize| pair.truth.apply(i);
    let mut rng = rng(4, 0);
    let mut layer = |loops: bool| {
        let (mut a, mut b) = (vec![], vec![]);
        for (i, k, _) in pair.a.arcs().filter(|(i, k, _)| i < k) {
            let arc = if rng.random::<bool>() { (i, k) } else { (k, i) };
            let weight = rng.random_range(0.5..2.0);
            if rng.random::<f64>() < 0.95 {
                a.push((arc.0, arc.1, weight));
            }
            if rng.random::<f64>() < 0.95 {
                b.push((to(arc.0), to(arc.1), weight * rng.random_range(0.9..1.1)));
            }
        }
        for i in (0..800).filter(|i| loops && i % 3 == 0) {
            a.push((i, i, 1.0));
            b.push((to(i), to(i), 1.0));
        }
        (Graph::directed(800, a).unwrap(), Graph::directed(800, b).unwrap())
    };
    let layers = vec![layer(true), layer(false)];
    let anchors = [(5, to(5)), (700, to(700)), (3, to(9))];
    let (layers, answer) = found(layers, &anchors);
    assert!(anchors.iter().all(|&(i, j)| answer.partners[i] == Some(j)));
    assert!(answer.value >= value_of_truth(&layers, &pair) * 0.98);
}

#[test]
fn a_graph_that_lacks_vertices_is_matched_without_padding() {
    let pair = noisy_erdos_renyi(1500, 8.0, 0.03, &mut rng(5, 0)).unwrap();
    let kept = |arcs: &Graph| arcs.arcs().filter(|&(i, k, _)| i < 1350 && k < 1350).collect::<Vec<_>>();
    let smaller = Graph::directed(1350, kept(&pair.b)).unwrap();
    for larger_first in [true, false] {
        let layers = if larger_first { (pair.a.clone(), smaller.clone()) } else { (smaller.clone(), pair.a.clone()) };
        let (_, answer) = found(vec![layers], &[]);
        let back = pair.truth.inverse();
        let right = |(i, found): (usize, &Option<usize>)| {
            *found == Some(if larger_first { pair.truth.apply(i) } else { back.apply(i) })
        };
        let right = answer.partners.iter().enumerate().filter(|&pair| right(pair)).count();
        assert!(right > 1250, "{right} right, larger first: {larger_first}");
        assert_eq!(answer.partners.iter().flatten().count(), 1350);
    }
}

#[test]
fn graphs_without_anything_to_find_have_an_answer() {
    let graphs: Vec<Graph> = vec![
        Graph::undirected(50, []).unwrap(),
        Graph::undirected(50, (1..50).map(|i| (0, i, 1.0))).unwrap(),
        Graph::undirected(50, (0..50).flat_map(|i| (0..i).map(move |k| (i, k, 1.0)))).unwrap(),
        Graph::undirected(50, (0..49).map(|i| (i, i + 1, -1.0))).unwrap(),
        Graph::directed(1, [(0, 0, 1.0)]).unwrap(),
        Graph::directed(0, []).unwrap(),
    ];
    for a in &graphs {
        for b in &graphs {
            let (_, answer) = found(vec![(a.clone(), b.clone())], &[]);
            let (n_a, n_b) = (a.vertex_count(), b.vertex_count());
            assert_eq!(answer.partners.iter().flatten().count(), n_a.min(n_b));
        }
    }
}

/// A grid of so many vertices on a side, each square with one of its diagonals.
fn mesh(side: usize, rng: &mut impl Rng) -> Vec<(usize, usize, f64)> {
    let mut edges = vec![];
    for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
        let here = row * side + column;
        if column + 1 < side {
            edges.push((here, here + 1, 1.0));
        }
        if row + 1 < side {
            edges.push((here, here + side, 1.0));
        }
        if row + 1 < side && column + 1 < side {
            let (from, to) = if rng.random() { (here, here + side + 1) } else { (here + 1, here + side) };
            edges.push((from, to, 1.0));
        }
    }
    edges
}

#[test]
fn a_mesh_that_has_lost_edges_grows_from_where_it_is_sure() {
    let rng = &mut rng(9, 0);
    let edges = mesh(60, rng);
    let a = Graph::undirected(3600, edges.clone()).unwrap();
    let truth = Permutation::random(3600, rng);
    let left = edges.into_iter().filter(|_| rng.random::<f64>() >= 0.14);
    let b = Graph::undirected(3600, left.map(|(i, k, w)| (truth.apply(i), truth.apply(k), w)).collect::<Vec<_>>());
    let b = b.unwrap();
    let layers = Layers::new(vec![(a, b.clone())], &[]).unwrap();
    let stages = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = stages.clone();
    let limits = Limits::default().with_reporter(move |progress: &Progress| {
        assert!((0.0..=1.0).contains(&progress.kept));
        noted.lock().unwrap().insert(progress.stage);
    });
    let answer = search(&layers, &Options::default(), &limits).unwrap();
    assert_eq!(answer.value, 2.0 * b.edge_count() as f64);
    assert!(stages.lock().unwrap().contains("growth"));
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let pair = noisy_erdos_renyi(700, 6.0, 0.1, &mut rng(6, 0)).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| found(vec![(pair.a.clone(), pair.b.clone())], &[]).1)
    };
    let (one, four) = (on(1), on(4));
    assert_eq!((one.partners, one.x), (four.partners, four.x));
}

#[test]
fn a_recovery_that_is_cut_short_in_its_relaxation_has_an_answer_all_the_same() {
    let pair = noisy_erdos_renyi(1200, 6.0, 0.05, &mut rng(7, 0)).unwrap();
    let f = GraphMatching::new(pair.a.clone(), pair.b.clone()).unwrap();
    let seen = Arc::new(AtomicBool::new(false));
    let sees = seen.clone();
    let limits = Limits::default()
        .with_stop(Stop::when(move || seen.load(Ordering::SeqCst)))
        .with_watcher(move |_| sees.store(true, Ordering::SeqCst));
    let answer = recover_within(&f, &Settings::default(), &limits).unwrap();
    assert_eq!(answer.attempts[answer.winner].kind, AttemptKind::Sparse);
    assert!(answer.optimality.value <= f.value_at(&pair.truth) * 1.01);
}

#[test]
fn a_search_that_is_stopped_at_once_pairs_all_vertices() {
    let pair = noisy_erdos_renyi(100, 4.0, 0.05, &mut rng(8, 0)).unwrap();
    let layers = Layers::new(vec![(pair.a, pair.b)], &[]).unwrap();
    let stopped = Limits::default().with_stop(Stop::when(|| true));
    let answer = search(&layers, &Options::default(), &stopped).unwrap();
    assert_eq!((answer.steps, answer.partners.iter().flatten().count()), (0, 100));
}
