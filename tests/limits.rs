//! Limits hold: whatever is under way when they are reached is given up, and what comes out is right all the same.
//!
//! Nothing here is timed (that is `examples/limits.rs`); stops are reached after a number of asks, so that every place
//! that asks is one where the search ends in some test.

use birkhoff::instance::{correlated_erdos_renyi, correlated_gaussian, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::local_search::swap_descent;
use birkhoff::objective::two_layer::{Inputs, PermutationInside, PermutationOutside, Readout};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::polytope::{Face, barycenter};
use birkhoff::recovery::{Effort, Method, RestartFrom, Settings, Start, recover_from};
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use birkhoff::{Graph, Permutation, Stop};
use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// Reached when it is asked once more than `asks` times; and how often it was asked.
fn after(asks: usize) -> (Stop, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    (Stop::when(move || counted.fetch_add(1, SeqCst) >= asks), count)
}

/// Every kind of objective, and every way in which a product is computed.
fn objectives() -> Vec<(&'static str, Box<dyn Objective>)> {
    let n = 40;
    let sparse = noisy_erdos_renyi(n, 3.0, 0.1, &mut rng(1, 0)).unwrap();
    let dense = correlated_erdos_renyi(n, 0.5, 0.8, &mut rng(1, 1)).unwrap();
    let weighted = correlated_gaussian(n, 0.8, &mut rng(1, 2)).unwrap();
    let mut numbers = rng(1, 3);
    let directed = [0, 1].map(|_| Graph::from_matrix(&DMatrix::from_fn(n, n, |_, _| numbers.random())).unwrap());
    let arcs = [0, 1].map(|_| {
        let arcs = (0..3 * n).map(|_| (numbers.random_range(0..n), numbers.random_range(0..n), 1.0));
        Graph::directed(n, arcs.collect::<Vec<_>>()).unwrap()
    });
    let linear = DMatrix::from_fn(n, n, |_, _| numbers.random());
    let w = DMatrix::from_fn(n, 5, |_, _| numbers.random_range(-1.0..1.0));
    let teacher = Permutation::random(n, &mut numbers).to_matrix();
    let scalar = || Readout::Scalar(DVector::from_fn(n, |i, _| 1.0 + i as f64 / n as f64));
    let matching = |pair: birkhoff::instance::Instance| GraphMatching::new(pair.a, pair.b).unwrap();
    let layered =
        matching(weighted.clone()).with_layer(sparse.a.clone(), sparse.b.clone()).unwrap().with_linear(&linear);
    let [from, to] = directed;
    vec![
        ("sparse", Box::new(matching(sparse.clone()))),
        ("dense", Box::new(matching(dense))),
        ("weighted", Box::new(matching(weighted.clone()))),
        ("directed", Box::new(GraphMatching::new(from.clone(), to.clone()).unwrap())),
        ("arcs", Box::new(GraphMatching::new(arcs[0].clone(), arcs[1].clone()).unwrap())),
        ("layered", Box::new(layered.unwrap())),
        ("qap", Box::new(QuadraticAssignment::new(from, to).unwrap())),
        ("sparse qap", Box::new(QuadraticAssignment::new(sparse.a, sparse.b).unwrap())),
        ("outside", Box::new(PermutationOutside::new(&w, &teacher, Readout::Vector, &Inputs::Standard).unwrap())),
        ("outside, scalar", Box::new(PermutationOutside::new(&w, &teacher, scalar(), &Inputs::Standard).unwrap())),
        ("inside", Box::new(PermutationInside::new(&w, &teacher, Readout::Vector, &Inputs::Standard).unwrap())),
        ("inside, scalar", Box::new(PermutationInside::new(&w, &teacher, scalar(), &Inputs::Standard).unwrap())),
    ]
}

#[test]
fn an_objective_that_may_stop_is_the_objective_until_it_does() {
    for (name, f) in objectives() {
        let n = f.size();
        let x = barycenter(n) * 0.5 + Permutation::random(n, &mut rng(2, 0)).to_matrix() * 0.5;
        let p = Permutation::random(n, &mut rng(2, 1));
        let (never, count) = after(usize::MAX);
        let view = f.until(&never).unwrap();
        let (mut expected, mut gradient) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
        let value = f.value_and_gradient(&x, &mut expected);
        assert!(view.value_and_gradient(&x, &mut gradient) == value && gradient == expected, "{name}");
        assert_eq!((view.value(&x), view.scale()), (f.value(&x), f.scale()), "{name}");
        assert_eq!(view.trivial_bound(), f.trivial_bound(), "{name}");
        // That of one output never forms a matrix.
        assert!(count.load(SeqCst) > 0 || name == "outside, scalar", "{name} never asks");

        let (at_once, _) = after(0);
        let stopped = f.until(&at_once).unwrap();
        let value = stopped.value_and_gradient(&x, &mut gradient);
        assert!(value.is_nan() || value == f.value(&x), "{name}: {value}");
        assert!(stopped.value(&x).is_nan() || stopped.value(&x) == f.value(&x), "{name}");
        assert!(stopped.trivial_bound() <= f.trivial_bound() + 1e-9 * f.scale(), "{name}");
        // What is cheap stays.
        assert_eq!(stopped.value_at(&p), f.value_at(&p), "{name}");
        assert_eq!(stopped.swap_change(&p, 3, 7), f.swap_change(&p, 3, 7), "{name}");
        if let (Some(changes), Some(stopped)) = (f.swap_changes(&p), stopped.swap_changes(&p)) {
            assert_eq!(stopped(3, 7), changes(3, 7), "{name}");
        }
    }
}

/// One problem, its starts and its settings.
struct Search {
    name: String,
    objective: Box<dyn Objective>,
    starts: Vec<Start>,
    settings: Settings,
}

/// Every method on small problems, and all that the default method does besides a path.
fn searches() -> Vec<Search> {
    let mut searches = vec![];
    let pair = || correlated_erdos_renyi(12, 0.5, 0.7, &mut rng(3, 0)).unwrap();
    let f = || -> Box<dyn Objective> { Box::new(GraphMatching::new(pair().a, pair().b).unwrap()) };
    let qap = || -> Box<dyn Objective> { Box::new(QuadraticAssignment::new(pair().a, pair().b).unwrap()) };
    let mut add =
        |name: String, objective, starts, settings| searches.push(Search { name, objective, starts, settings });
    for method in Method::ALL {
        add(format!("{method}"), f(), vec![Start::relaxed()], Settings::of(method));
        add(format!("{method} on a qap"), qap(), vec![Start::relaxed()], Settings::of(method));
    }
    for restart_from in [RestartFrom::LikelyPairs, RestartFrom::RandomPoints] {
        let settings = Settings::default().with_restarts(3).with_restart_from(restart_from);
        add(format!("{restart_from:?}"), f(), vec![Start::relaxed()], settings);
    }
    let thorough = Settings::default().with_effort(Effort::Thorough).with_starts(12).with_anchors(vec![(2, 5)]);
    add("probes, with an anchor".into(), f(), vec![Start::relaxed()], thorough);
    let tree = noisy_erdos_renyi(24, 2.5, 0.3, &mut rng(3, 1)).unwrap();
    let ring = noisy_regular(24, 4, 0.1, &mut rng(3, 2)).unwrap();
    for (kind, pair) in [(Kind::Subtrees, tree), (Kind::Walks, ring)] {
        let start = Start::structural(kind, &pair.a, &pair.b, &[]).unwrap();
        let objective = Box::new(GraphMatching::new(pair.a, pair.b).unwrap());
        add(format!("{kind:?}"), objective, vec![start], Settings::default());
    }
    let (five, sixty) =
        (correlated_erdos_renyi(5, 0.9, 0.5, &mut rng(3, 4)), noisy_erdos_renyi(60, 3.0, 0.0, &mut rng(3, 5)));
    let (five, sixty) = (five.unwrap().a, sixty.unwrap());
    let start = Start::structural(Kind::Walks, &five, &sixty.b, &[]).unwrap();
    let thorough = Settings::default().with_effort(Effort::Thorough).with_starts(5).with_anchors(vec![(1, 7)]);
    let cost = DMatrix::from_element(5, 60, 1e-3);
    for linear in [DMatrix::zeros(5, 60), cost] {
        let f = GraphMatching::new(five.clone(), sixty.b.clone()).unwrap().with_linear(&linear).unwrap();
        add("five in sixty".into(), Box::new(f), vec![start.clone()], thorough.clone());
    }
    let small = correlated_erdos_renyi(7, 0.5, 0.5, &mut rng(3, 3)).unwrap();
    let small = Box::new(GraphMatching::new(small.a, small.b).unwrap());
    add("enumeration".into(), small, vec![Start::relaxed()], Settings::default());
    searches
}

/// Wherever a search is stopped: the answer is a permutation on the anchors' face with its own value, and nothing is
/// claimed that is not so.
#[test]
fn a_search_that_is_stopped_anywhere_has_an_answer() {
    for Search { name, objective, starts, settings } in searches() {
        let n = objective.size();
        // One thread: the same asks in the same order.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (stop, count) = after(usize::MAX);
        let search = |stop| {
            let limits = Limits::default().with_stop(stop);
            pool.install(|| recover_from(&*objective, &starts.clone(), &settings, &limits))
        };
        let whole = search(stop).unwrap_or_else(|error| panic!("{name}: {error}"));
        let all = count.load(SeqCst);
        assert!(all > 10, "{name}: asked {all} times only");
        // Each of the first asks, then fewer and fewer of them.
        let mut asks = 0;
        while asks < all {
            let answer = search(after(asks).0).unwrap_or_else(|error| panic!("{name}, {asks} of {all} asks: {error}"));
            let context = format!("{name}, {asks} of {all} asks");
            assert_eq!(answer.permutation.len(), n, "{context}");
            assert!(settings.anchors.iter().all(|&(i, j)| answer.permutation.apply(i) == j), "{context}");
            let value = objective.value_at(&answer.permutation);
            assert_eq!(answer.optimality.value, value, "{context}");
            assert!(answer.optimality.lower_bound <= whole.optimality.value, "{context}: {:?}", answer.optimality);
            assert!(answer.x.to_dense().iter().all(|entry| entry.is_finite()), "{context}");
            asks += 1 + asks / 3;
        }
    }
}

#[test]
fn structural_costs_ask_for_every_vertex_and_give_up() {
    let pair = noisy_erdos_renyi(60, 3.0, 0.2, &mut rng(4, 0)).unwrap();
    for kind in Kind::ALL {
        let expected = kind.cost(&pair.a, &pair.b, &[]).unwrap();
        let (never, count) = after(usize::MAX);
        assert!(kind.cost_until(&pair.a, &pair.b, &[], &never).unwrap().unwrap() == expected, "{kind:?}");
        let all = count.load(SeqCst);
        assert!(all > 60, "{kind:?} asked {all} times");
        for asks in [0, 1, 2, 10, 60, all / 2, all - 1] {
            let (stop, count) = after(asks);
            assert!(kind.cost_until(&pair.a, &pair.b, &[], &stop).unwrap().is_none(), "{kind:?}, {asks} of {all}");
            // Threads may each ask once more, a level of the computation after the other.
            assert!(
                count.load(SeqCst) <= asks + 20 * rayon::current_num_threads(),
                "{kind:?} goes on after {asks} asks"
            );
        }
    }
}

/// The cost of a structural start belongs to the search: not computed before it, and cut short with it.
#[test]
fn a_structural_start_is_made_within_the_limits() {
    // Walks on dense graphs of this size take many seconds.
    let pair = correlated_erdos_renyi(600, 0.5, 0.9, &mut rng(5, 0)).unwrap();
    let start = Start::structural(Kind::Walks, &pair.a, &pair.b, &[]).unwrap();
    let f = GraphMatching::new(pair.a, pair.b).unwrap();
    let (stop, _) = after(50);
    let limits = Limits::default().with_stop(stop);
    let answer = recover_from(&f, &[start], &Settings::default(), &limits).unwrap();
    assert_eq!(answer.permutation.len(), 600);
}

/// A user's objective that knows nothing of stops: between its computations the search asks.
#[test]
fn a_users_objective_is_left_between_its_computations() {
    struct Slow(AtomicUsize);
    impl Objective for Slow {
        fn size(&self) -> usize {
            12
        }
        fn value(&self, x: &DMatrix<f64>) -> f64 {
            self.0.fetch_add(1, SeqCst);
            x.iter().enumerate().map(|(k, v)| (v - (k % 5) as f64).powi(4)).sum()
        }
        fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
            for k in 0..x.len() {
                gradient[k] = 4.0 * (x[k] - (k % 5) as f64).powi(3);
            }
        }
    }
    let (stop, _) = after(30);
    let f = Slow(AtomicUsize::new(0));
    let limits = Limits::default().with_stop(stop);
    recover_from(&f, &[Start::relaxed()], &Settings::default(), &limits).unwrap();
    let values = f.0.load(SeqCst);
    assert!(values < 300, "{values} values after 30 asks");
}

#[test]
fn a_swap_descent_stops_within_a_row() {
    let pair = correlated_gaussian(300, 0.0, &mut rng(6, 0)).unwrap();
    let f = GraphMatching::new(pair.a, pair.b).unwrap();
    let face = Face::new(300, &[]).unwrap();
    let mut p = Permutation::identity(300);
    let asks = AtomicUsize::new(0);
    // The first row alone has 299 pairs.
    let swaps = swap_descent(&f, &face, &mut p, &|| asks.fetch_add(1, SeqCst) >= 3);
    assert!(swaps < 100 && asks.load(SeqCst) == 4, "{swaps} swaps, {asks:?} asks");
}
