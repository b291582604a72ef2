//! "Proved optimal" means proved: whatever the weights, whatever the method, and rounding included.

use birkhoff::certificate::Standing;
use birkhoff::instance::rng;
use birkhoff::local_search::{is_swap_minimum, swap_descent};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::polytope::Face;
use birkhoff::recovery::{Effort, Method, Settings, recover};
use birkhoff::{Graph, Permutation};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use std::cmp::Ordering;

/// All permutations of 0..n.
fn permutations(n: usize) -> Vec<Permutation> {
    fn extend(p: &mut Vec<usize>, n: usize, found: &mut Vec<Permutation>) {
        if p.len() == n {
            return found.push(Permutation::new(p.clone()).unwrap());
        }
        for j in (0..n).filter(|j| !p.contains(j)).collect::<Vec<_>>() {
            p.push(j);
            extend(p, n, found);
            p.pop();
        }
    }
    let mut found = vec![];
    extend(&mut vec![], n, &mut found);
    found
}

/// A permutation that no other is better than, without rounding.
fn optimum(f: &dyn Objective, all: &[Permutation]) -> Permutation {
    let better = |p: &&Permutation, q: &&Permutation| f.compare_at(p, q).expect("quadratic");
    all.iter().min_by(better).unwrap().clone()
}

/// A symmetric matrix without loops, its entries drawn by `draw`.
fn symmetric(n: usize, draw: &mut dyn FnMut() -> f64) -> DMatrix<f64> {
    let half = DMatrix::from_fn(n, n, |i, j| if i < j { draw() } else { 0.0 });
    &half + half.transpose()
}

/// Sparse weights: one heavy, the others a half; heavy tails; twelve orders of magnitude; whole; plain.
fn weight(kind: usize, rng: &mut impl Rng) -> f64 {
    if rng.random::<f64>() < 0.5 {
        return 0.0;
    }
    match kind % 5 {
        0 => [0.5, 1e6][usize::from(rng.random::<f64>() < 0.1)],
        1 => (std::f64::consts::PI * (rng.random::<f64>() - 0.5)).tan(),
        2 => 10f64.powf(rng.random_range(-6.0..6.0)),
        3 => f64::from(rng.random_range(-3..4)),
        _ => rng.random(),
    }
}

/// Every method, and the default one at each effort and without its descents.
fn settings() -> Vec<Settings> {
    let methods = Method::ALL.into_iter().map(Settings::of);
    let path = Settings::default().with_descents(false);
    let quick = Settings::default().with_effort(Effort::Quick).with_descents(false);
    methods.chain([path, quick, Settings::default().with_restarts(2)]).collect()
}

#[test]
fn no_method_proves_what_is_not_so_and_the_default_finds_the_optimum() {
    let all: Vec<Vec<Permutation>> = (0..6).map(permutations).collect();
    let (mut proved, mut trials) = (0, 0);
    for trial in 0..60u64 {
        let mut rng = rng(71, trial);
        let n = 3 + trial as usize % 3;
        let mut graph = || Graph::from_matrix(&symmetric(n, &mut || weight(trial as usize, &mut rng))).unwrap();
        let (a, b) = (graph(), graph());
        let objectives: [Box<dyn Objective>; 2] = [
            Box::new(GraphMatching::new(a.clone(), b.clone()).unwrap()),
            Box::new(QuadraticAssignment::new(a, b).unwrap()),
        ];
        for f in &objectives {
            let best = optimum(&**f, &all[n]);
            for settings in settings() {
                let answer = recover(&**f, &settings).unwrap();
                let is_best = f.compare_at(&answer.permutation, &best) == Some(Ordering::Equal);
                assert!(
                    is_best || !answer.optimality.is_proved(),
                    "trial {trial}: {settings:?}, {:?}",
                    answer.optimality
                );
                let least = f.value_at(&best);
                let reach = f.rounding().unwrap().of_value(least);
                assert!(answer.optimality.lower_bound <= least + reach, "trial {trial}: {:?}", answer.optimality);
                if settings == Settings::default() {
                    assert!(is_best && answer.optimality.is_proved(), "trial {trial}: {:?}", answer.optimality);
                }
                proved += usize::from(answer.optimality.is_proved());
                trials += 1;
            }
        }
    }
    assert!(proved > trials / 4, "a test of proofs needs some: {proved} of {trials}");
}

/// One edge of weight 10⁶ beside some of ½ (cases/proof): 2.5 was "proved" where 1.5 is possible.
#[test]
fn a_heavy_edge_does_not_hide_light_ones() {
    let edges = |light: &[(usize, usize)]| {
        let light = light.iter().map(|&(i, j)| (i, j, 0.5));
        Graph::undirected(7, light.chain([(0, 1, 1e6)])).unwrap()
    };
    let a = edges(&[(0, 5), (1, 4), (2, 5), (3, 5)]);
    let b = edges(&[(0, 2), (1, 2), (2, 5), (3, 5), (4, 5)]);
    let f = GraphMatching::new(a, b).unwrap();
    for settings in settings() {
        let optimality = recover(&f, &settings).unwrap().optimality;
        assert!(optimality.value == 1.5 || !optimality.is_proved(), "{}: {optimality:?}", settings.method);
    }
    let optimality = recover(&f, &Settings::default()).unwrap().optimality;
    assert_eq!((optimality.value, optimality.standing), (1.5, Standing::Proved));
}

/// Weights of 10⁹ (cases/misc/heavy-*): squares of 10¹⁸ cancel, and a sum of squares was "not below −284".
#[test]
fn a_bound_is_never_below_the_trivial_one_and_whole_values_are_whole() {
    let weights = |entries: &[(usize, usize, f64)]| Graph::directed(7, entries.iter().copied()).unwrap();
    let a = weights(&[(0, 1, 1e9), (1, 0, 1e9), (0, 3, 1.0), (2, 4, 1.0), (5, 1, 1.0), (6, 1, 1.0)]);
    let b = weights(&[(1, 5, 1e9), (5, 1, 1e9), (4, 0, 1.0), (3, 5, 1.0), (2, 6, 1.0)]);
    let f = GraphMatching::new(a, b).unwrap();
    for settings in settings() {
        let optimality = recover(&f, &settings).unwrap().optimality;
        assert!(optimality.lower_bound >= 0.0, "{}: {optimality:?}", settings.method);
        assert!(optimality.value.fract() == 0.0, "{}: {optimality:?}", settings.method);
    }
    let best = optimum(&f, &permutations(7));
    let optimality = recover(&f, &Settings::default()).unwrap().optimality;
    assert_eq!((optimality.value, optimality.standing), (f.value_at(&best), Standing::Proved));
}

/// A linear term of 10⁷ beside κ = 1 (cases/hang): swaps back and forth looked like improvements of 10⁻⁹κ.
#[test]
fn a_descent_under_a_large_linear_term_ends_at_a_minimum() {
    for trial in 0..20 {
        let mut rng = rng(72, trial);
        let n = 12;
        let mut graph =
            || Graph::from_matrix(&symmetric(n, &mut || f64::from(u8::from(rng.random::<f64>() < 0.4)))).unwrap();
        let (a, b) = (graph(), graph());
        // Rank one: nearly all exchanges are worth nothing but rounding.
        let (u, v): (Vec<f64>, Vec<f64>) =
            ((0..n).map(|_| 1e7 * rng.random::<f64>()).collect(), (0..n).map(|_| 1e7 * rng.random::<f64>()).collect());
        let c = DMatrix::from_fn(n, n, |i, j| u[i] + v[j]);
        let f = GraphMatching::new(a, b).unwrap().with_linear(&c).unwrap();
        let face = Face::new(n, &[]).unwrap();
        let mut p = Permutation::random(n, &mut rng);
        let (start, rows) = (p.clone(), std::cell::Cell::new(0));
        let stop = || {
            rows.set(rows.get() + 1);
            rows.get() > 100_000
        };
        swap_descent(&f, &face, &mut p, &stop);
        assert!(rows.get() < 100_000, "trial {trial} does not end");
        assert!(is_swap_minimum(&f, &face, &p));
        assert_ne!(f.compare_at(&p, &start), Some(Ordering::Greater));
    }
}

/// Large problems: a proof from a bound, with whole and with real weights.
#[test]
fn isomorphic_graphs_of_any_weights_are_proved_and_near_misses_are_not() {
    for trial in 0..6u64 {
        let mut rng = rng(73, trial);
        let n = 30;
        let w = symmetric(n, &mut || weight(trial as usize, &mut rng));
        let p = Permutation::random(n, &mut rng);
        let moved = |scale: f64| {
            let mut moved = DMatrix::zeros(n, n);
            (0..n).for_each(|i| (0..n).for_each(|k| moved[(p.apply(i), p.apply(k))] = scale * w[(i, k)]));
            Graph::from_matrix(&moved).unwrap()
        };
        let a = Graph::from_matrix(&w).unwrap();
        let answer = recover(&GraphMatching::new(a.clone(), moved(1.0)).unwrap(), &Settings::default()).unwrap();
        assert_eq!((answer.optimality.value, answer.optimality.standing), (0.0, Standing::Proved), "trial {trial}");
        // One unit in the last place more: no longer isomorphic, and 0 no longer attained.
        let f = GraphMatching::new(a, moved(1.0 + f64::EPSILON)).unwrap();
        let optimality = recover(&f, &Settings::default()).unwrap().optimality;
        assert!(optimality.value > 0.0 && !optimality.is_proved(), "trial {trial}: {optimality:?}");
    }
}
