//! Numbers and sizes at the ends of their ranges, through the public interface: the right answer, an error, or the
//! panic that is documented.

use birkhoff::assignment::solve;
use birkhoff::certificate::{Certificate, certify};
use birkhoff::instance::{correlated_erdos_renyi, correlated_gaussian, noisy_copy, noisy_erdos_renyi, rng};
use birkhoff::local_search::{anneal, is_swap_minimum, swap_descent};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::penalty::{Penalty, WeightSchedule};
use birkhoff::polytope::{Face, barycenter, project, residual, round, sinkhorn};
use birkhoff::recovery::{Method, Settings, recover};
use birkhoff::score::{EdgeScore, right_vertices};
use birkhoff::solver::{FrankWolfe, Iterate, Limits, SinkhornLbfgs, minimize};
use birkhoff::structure::{Subtrees, degree_profiles, subtree_ratios, walk_profiles};
use birkhoff::{Error, Graph, Permutation, Result};
use nalgebra::{DMatrix, dmatrix};
use proptest::prelude::*;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A matrix of normal entries times 2^exponent.
fn normal(n: usize, exponent: i32, rng: &mut impl Rng) -> DMatrix<f64> {
    let scale = 2f64.powi(exponent / 2);
    DMatrix::from_fn(n, n, |_, _| {
        let v: f64 = StandardNormal.sample(rng);
        v * scale * 2f64.powi(exponent - exponent / 2)
    })
}

/// All sums within the tolerance of 1, by a sum that is not the projection's own, and no entry below 0.
fn assert_feasible(x: &DMatrix<f64>, tolerance: f64, context: &str) {
    let off = |sum: f64| (sum - 1.0).abs();
    let rows = x.row_iter().map(|row| off(row.iter().rev().sum())).fold(0.0, f64::max);
    let columns = x.column_iter().map(|column| off(column.iter().rev().sum())).fold(0.0, f64::max);
    let rounding = x.nrows() as f64 * f64::EPSILON;
    assert!(x.iter().all(|&v| v >= 0.0), "{context}");
    assert!(rows.max(columns) <= tolerance + rounding, "{context}: off by {:e}", rows.max(columns));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// On 2 × 2 matrices the projection is known: q = ½ + (a + d − b − c)/4, cut off at 0 and 1.
    #[test]
    fn a_projection_of_two_by_two_is_right_at_every_scale(
        exponent in -1074i32..1023, shared in -1074i32..1000, seed: u64
    ) {
        let rng = &mut rng(seed, 30);
        let mut y = normal(2, exponent, rng);
        if seed % 3 == 0 {
            // A row term, which the projection does not see.
            let term = 2f64.powi(shared);
            y.row_mut(0).add_scalar_mut(term);
        }
        prop_assume!(y.iter().all(|v| v.is_finite()));
        let x = project(&y, 1e-13).unwrap();
        assert_feasible(&x, 1e-13, &format!("{y}"));
        let quarter = |v: f64| v / 4.0;
        let (gain_0, gain_1) = (quarter(y[(0, 0)]) - quarter(y[(0, 1)]), quarter(y[(1, 1)]) - quarter(y[(1, 0)]));
        let q = (0.5 + (gain_0 + gain_1)).clamp(0.0, 1.0);
        // Differences below 2^-50 of the largest entry are lost.
        let lost = y.amax() * 2f64.powi(-49);
        prop_assert!((x[(0, 0)] - q).abs() <= 1e-12 + lost, "{} {}: {}, not {}", exponent, y, x, q);
    }

    /// What is scaled up far enough goes to the best permutation, and scaled down to the barycenter.
    #[test]
    fn a_projection_of_huge_entries_is_the_best_permutation(n in 1usize..9, exponent in 12i32..1020, seed: u64) {
        let rng = &mut rng(seed, 31);
        // Whole numbers: differences are 1 at least, times a power of two.
        let y = DMatrix::from_fn(n, n, |_, _| 2f64.powi(exponent) * f64::from(rng.random_range(-4i32..4)));
        let x = project(&y, 1e-12).unwrap();
        assert_feasible(&x, 1e-12, &format!("{y}"));
        let best = solve(&(-&y)).unwrap();
        let reached: f64 = x.iter().zip(&y).map(|(x, y)| x * (y / 2f64.powi(exponent))).sum();
        let largest: f64 = -best.value / 2f64.powi(exponent);
        prop_assert!((reached - largest).abs() < 1e-9 * n as f64, "{}: {} of {}", y, reached, largest);
        let tiny = project(&(&y * 2f64.powi(-exponent - 900)), 1e-12).unwrap();
        prop_assert!((tiny - barycenter(n)).amax() < 1e-12);
    }

    #[test]
    fn certificates_scale_or_are_refused(n in 1usize..7, exponent in -1074i32..1023, seed: u64) {
        let rng = &mut rng(seed, 32);
        let x = DMatrix::from_fn(n, n, |_, _| rng.random_range(0.5..1.0));
        let scaled = &x * 2f64.powi(exponent);
        match certify(&scaled) {
            Ok(certificate) => {
                let expected = Penalty::L1MinusL2.value(&x) * 2f64.powi(exponent);
                let digits = 1e-12 * expected.abs() + f64::from_bits(8 * n as u64 * n as u64);
                prop_assert!((certificate.penalty - expected).abs() <= digits, "{} {expected}", certificate.penalty);
                prop_assert!(certificate.penalty.is_finite() && certificate.residual.is_finite());
            }
            Err(error) => prop_assert!(exponent > 1010, "{}", error),
        }
    }
}

#[test]
fn a_projection_keeps_its_tolerance_at_every_scale_and_size() {
    for n in [1, 3, 20, 60] {
        for exponent in [-1060, -500, -20, -3, 0, 3, 10, 20, 40, 60, 200, 500, 1010] {
            for (trial, tolerance) in [(0, 1e-6), (1, 1e-10), (2, 1e-13)] {
                let y = normal(n, exponent, &mut rng(33, trial));
                let x = project(&y, tolerance).unwrap();
                assert_feasible(&x, tolerance, &format!("n {n}, 2^{exponent}, {tolerance:e}"));
            }
        }
    }
    for tolerance in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY, 1e-300] {
        assert!(matches!(project(&barycenter(3), tolerance), Err(Error::Argument { name: "tolerance", .. })));
    }
    // It was a zero matrix, once, that called itself within 1e-9·1e200 of 1.
    for huge in [1e200, 1e308, -1e308] {
        assert_eq!(project(&DMatrix::from_element(2, 2, huge), 1e-9).unwrap(), barycenter(2));
        let y = DMatrix::from_diagonal_element(3, 3, huge);
        assert_feasible(&project(&y, 1e-12).unwrap(), 1e-12, "diagonal");
    }
}

#[test]
fn matrices_of_huge_entries_are_rounded_scaled_and_certified_or_refused() {
    for huge in [1e200, 1e300, 1e308] {
        let x = dmatrix![0.0, huge; huge, 0.0];
        assert_eq!(round(&x).unwrap().image(), &[1, 0]);
        // Right, or an error where duals are beyond the largest number.
        assert!(solve(&x).map_or(huge == 1e308, |best| best.permutation.image() == [0, 1]));
        assert!(sinkhorn(&x, 1e-9, 100).unwrap_err().to_string().contains("between -1e12 and 1e12"));
        let is_plain = |certificate: Certificate| (certificate.penalty, certificate.theorem) == (0.0, None);
        assert!(certify(&x).map_or(huge == 1e308, is_plain));
        assert_eq!(residual(&x), huge - 1.0);
        let full = DMatrix::from_element(2, 2, huge);
        assert!(
            certify(&full).map_or(true, |certificate| certificate.penalty >= huge && certificate.penalty.is_finite())
        );
    }
    assert!(certify(&DMatrix::from_element(2, 2, 1e308)).unwrap_err().to_string().contains("beyond 1.8e308"));
}

/// At both ends of the weights that an objective takes, every method finds the same as on weights of 1.
#[test]
fn every_method_bears_the_largest_and_the_smallest_weights() {
    let pair = correlated_gaussian(7, 0.95, &mut rng(34, 0)).unwrap();
    let scaled = |graph: &Graph, scale: f64| {
        Graph::directed(7, graph.arcs().map(|(i, k, weight)| (i, k, weight * scale))).unwrap()
    };
    for method in Method::ALL {
        let mut permutations = vec![];
        for scale in [1.0, 2f64.powi(200), 2f64.powi(-200)] {
            let f = GraphMatching::new(scaled(&pair.a, scale), scaled(&pair.b, scale)).unwrap();
            let answer = recover(&f, &Settings::of(method)).unwrap();
            assert!(
                answer.optimality.value.is_finite() && residual(&answer.x.to_dense()) < 1e-3,
                "{method} at {scale:e}"
            );
            permutations.push(answer.permutation);
        }
        assert!(permutations.iter().all(|p| *p == permutations[0]), "{method}: {permutations:?}");
    }
    let edge = |weight| Graph::undirected(2, [(0, 1, weight)]).unwrap();
    for weight in [1e200, 1e308, 1e-200, f64::from_bits(1)] {
        assert!(GraphMatching::new(edge(weight), edge(1.0)).unwrap_err().to_string().contains("rescale"));
        assert!(QuadraticAssignment::new(edge(1.0), edge(weight)).unwrap_err().to_string().contains("rescale"));
        // Structure is relative to the weights.
        let cost = walk_profiles(&edge(weight), &edge(weight), &[]).unwrap();
        assert!(cost.iter().all(|&c| c == 0.0), "{cost}");
        let path = |weight| Graph::undirected(3, [(0, 1, weight), (1, 2, weight)]).unwrap();
        for cost in [walk_profiles, |a: &Graph, b: &Graph, _: &[(usize, usize)]| degree_profiles(a, b)] {
            let (big, small) = (cost(&path(weight), &path(weight), &[]), cost(&path(1.0), &path(1.0), &[]));
            assert!((big.unwrap() - small.unwrap()).amax() < 1e-12, "weight {weight:e}");
        }
    }
}

/// Exactly one of the two is symmetric: both have the same features, in the same order.
#[test]
fn walk_profiles_take_a_directed_and_a_symmetric_graph() {
    let mut numbers = rng(35, 0);
    let arcs: Vec<_> = (0..60).map(|_| (numbers.random_range(0..20), numbers.random_range(0..20), 1.0)).collect();
    let directed = Graph::directed(20, arcs.clone()).unwrap();
    let symmetric = Graph::undirected(20, arcs).unwrap();
    assert!(!directed.is_symmetric() && symmetric.is_symmetric());
    let cost = walk_profiles(&directed, &symmetric, &[(3, 4)]).unwrap();
    assert!(cost.iter().all(|c| c.is_finite()));
    assert!((walk_profiles(&symmetric, &directed, &[(4, 3)]).unwrap().transpose() - &cost).amax() < 1e-9);
    // A symmetric graph is alike to itself, whatever it is compared along with.
    let own = walk_profiles(&symmetric, &symmetric, &[]).unwrap();
    assert!((0..20).all(|i| own[(i, i)] == 0.0));
    assert!(degree_profiles(&directed, &symmetric).unwrap().iter().all(|c| c.is_finite()));
}

#[test]
fn structure_takes_graphs_without_vertices_and_without_edges() {
    let (none, bare) = (Graph::directed(0, []).unwrap(), Graph::directed(3, []).unwrap());
    let some = Graph::undirected(4, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    for (a, b) in [(&none, &none), (&none, &some), (&some, &none), (&bare, &some), (&bare, &none), (&bare, &bare)] {
        let shape = (a.vertex_count(), b.vertex_count());
        let costs = [walk_profiles(a, b, &[]), degree_profiles(a, b), subtree_ratios(a, b, Subtrees::default(), &[])];
        for cost in costs {
            let cost = cost.unwrap();
            assert!(cost.shape() == shape && cost.iter().all(|c| c.is_finite()));
        }
    }
    let endless = Subtrees::default().with_rounds(usize::MAX);
    assert!(matches!(subtree_ratios(&some, &some, endless, &[]), Err(Error::Argument { name: "rounds", .. })));
}

#[test]
fn sizes_beyond_all_memory_are_errors() {
    let message = |result: Result<()>| result.unwrap_err().to_string();
    for n in [usize::MAX, usize::MAX - 1, 1 << 40] {
        assert!(message(Graph::directed(n, []).map(drop)).contains("vertices"));
        assert!(message(Graph::undirected(n, [(0, 1, 1.0)]).map(drop)).contains("vertices"));
        assert!(message(Face::new(n, &[]).map(drop)).contains("at most"));
        let generator = &mut rng(36, 0);
        assert!(message(correlated_erdos_renyi(n, 0.5, 0.5, generator).map(drop)).contains("at most"));
        assert!(message(correlated_gaussian(n, 0.5, generator).map(drop)).contains("at most"));
        assert!(message(noisy_erdos_renyi(n, 4.0, 0.1, generator).map(drop)).contains("at most"));
    }
    let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    for added in [1e308, f64::INFINITY, f64::NAN, -1.0] {
        assert!(noisy_copy(&path, 0.0, added, &mut rng(36, 1)).is_err());
    }
    let f = GraphMatching::new(path.clone(), path).unwrap();
    let endless = WeightSchedule { stages: usize::MAX, ..WeightSchedule::default() };
    for settings in [
        Settings::default().with_schedule(endless),
        Settings::default().with_restarts(usize::MAX),
        Settings::default().with_schedule(WeightSchedule { last: f64::NAN, ..WeightSchedule::default() }),
        Settings::default().with_time_limit(f64::INFINITY),
        Settings::default().with_anchors(vec![(usize::MAX, 0)]),
        Settings::default().with_start(DMatrix::from_element(3, 3, f64::NAN)),
        Settings::default().with_start(DMatrix::from_element(3, 3, 1e308)),
    ] {
        assert!(recover(&f, &settings).is_err());
    }
    let most = Settings::default()
        .with_steps_per_weight(usize::MAX)
        .with_relaxation_steps(usize::MAX)
        .with_starts(usize::MAX)
        .with_rng_seed(u64::MAX);
    assert!(recover(&f, &most).is_ok());
}

#[test]
fn solvers_refuse_what_does_not_fit() {
    let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    let f = GraphMatching::new(path.clone(), path).unwrap();
    let (small, face) = (Face::new(2, &[]).unwrap(), Face::new(3, &[]).unwrap());
    let limits = Limits::default();
    let start = |x| Iterate::at(x);
    let walk = |face: &Face| FrankWolfe::new(Penalty::default(), vec![], face.clone());
    assert!(matches!(minimize(&f, walk(&small), start(barycenter(2)), &limits), Err(Error::Shape { .. })));
    assert!(matches!(minimize(&f, walk(&face), start(barycenter(4)), &limits), Err(Error::Shape { .. })));
    let baseline = SinkhornLbfgs::default();
    assert!(matches!(baseline.minimize(&f, &face, &barycenter(4), &limits), Err(Error::Shape { .. })));
    assert!(matches!(baseline.minimize(&f, &small, &barycenter(2), &limits), Err(Error::Shape { .. })));
    let broken = DMatrix::from_element(3, 3, f64::NAN);
    assert!(matches!(baseline.minimize(&f, &face, &broken, &limits), Err(Error::Entry { .. })));
    for odd in [
        SinkhornLbfgs { memory: 0, ..baseline },
        SinkhornLbfgs { tolerance: f64::NAN, ..baseline },
        SinkhornLbfgs { tolerance: -1.0, ..baseline },
    ] {
        assert!(odd.minimize(&f, &face, &barycenter(3), &limits).is_err());
    }
    let none = SinkhornLbfgs { max_iterations: 0, ..baseline };
    assert_eq!(none.minimize(&f, &face, &barycenter(3), &limits).unwrap().iterations(), 0);
    assert!(matches!(face.round(&barycenter(4)), Err(Error::Shape { .. })));
}

/// What is left are the panics that the documentation announces, each with a message of its own.
#[test]
fn panics_are_those_that_are_documented() {
    let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    let f = GraphMatching::new(path.clone(), path.clone()).unwrap();
    let face = Face::new(3, &[(0, 1)]).unwrap();
    let never = || false;
    let three = Permutation::identity(3);
    type Case<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let cases: Vec<Case> = vec![
        ("a path of", Box::new(|| drop(WeightSchedule { stages: usize::MAX, ..WeightSchedule::default() }.weights()))),
        ("a matrix of", Box::new(|| drop(barycenter(1 << 32)))),
        ("capacity overflow", Box::new(|| drop(barycenter(1 << 31)))),
        ("capacity overflow", Box::new(|| drop(Permutation::identity(usize::MAX)))),
        ("a graph of", Box::new(|| drop(path.padded(usize::MAX)))),
        (
            "index out of bounds",
            Box::new(|| {
                path.weight(3, 0);
            }),
        ),
        ("no point of the face", Box::new(|| face.restrict(&barycenter(2), &mut DMatrix::zeros(0, 0)))),
        ("no point of the face", Box::new(|| face.restrict(&barycenter(4), &mut DMatrix::zeros(0, 0)))),
        ("another size than the face's", Box::new(|| drop(face.embed(&barycenter(3))))),
        ("another size than the face's", Box::new(|| drop(face.embed(&barycenter(1))))),
        ("another size than the face's", Box::new(|| drop(face.vertex(&[0])))),
        ("another size than the face's", Box::new(|| drop(face.vertex(&[0, 1, 2])))),
        ("a bijection", Box::new(|| drop(face.vertex(&[1, 1])))),
        (
            "sizes of objective, face and permutation",
            Box::new(|| {
                swap_descent(&f, &face, &mut Permutation::identity(2), &never);
            }),
        ),
        (
            "sizes of objective, face and permutation",
            Box::new(|| {
                anneal(&f, &Face::new(4, &[]).unwrap(), &mut three.clone(), &mut rng(0, 0), &never);
            }),
        ),
        (
            "sizes of objective, face and permutation",
            Box::new(|| {
                is_swap_minimum(&f, &face, &Permutation::identity(5));
            }),
        ),
        (
            "a permutation of 2",
            Box::new(|| {
                EdgeScore::of(&path, &path, &Permutation::identity(2));
            }),
        ),
        (
            "a permutation of 2",
            Box::new(|| {
                right_vertices(&Permutation::identity(2), &[None, None, Some(1)]);
            }),
        ),
        ("permutations of different sizes", Box::new(|| drop(three.compose(&Permutation::identity(2))))),
        (
            "permutations of different sizes",
            Box::new(|| {
                three.agreement(&Permutation::identity(2));
            }),
        ),
        (
            "a gradient of another shape",
            Box::new(|| {
                Penalty::L1MinusL2.add_gradient(1.0, &barycenter(3), &mut barycenter(2));
            }),
        ),
    ];
    for (expected, case) in cases {
        let payload = catch_unwind(AssertUnwindSafe(case)).expect_err(expected);
        let message = payload.downcast_ref::<String>().cloned();
        let message = message.or(payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        assert!(message.contains(expected), "{message}, not {expected}");
    }
    // A value is NaN, and no panic, where an entry is.
    assert!(f.value(&DMatrix::from_element(3, 3, f64::NAN)).is_nan());
}
