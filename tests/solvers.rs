//! One contract for every method, and for the solvers under them.

use argmin::core::TerminationReason;
use birkhoff::instance::{correlated_erdos_renyi, correlated_gaussian, rng};
use birkhoff::local_search::{is_swap_minimum, swap_descent};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{Face, barycenter, random_point, residual};
use birkhoff::recovery::{Effort, Method, Recovery, Settings, recover, recover_within};
use birkhoff::solver::{FrankWolfe, Iterate, Limits, ProjectedGradient, Projection, SinkhornLbfgs, Stage, minimize};
use birkhoff::{Graph, Permutation, assignment};
use nalgebra::DMatrix;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// D_n's sums after a hundred convex combinations are right up to 1e-14; projections and scalings are asked for 1e-9 or
/// 1e-10.
const FEASIBLE: f64 = 1e-8;

fn normal(n: usize, trial: u64) -> DMatrix<f64> {
    let rng = &mut rng(77, trial);
    DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(rng))
}

/// Weighted graphs with correlation 0.9: no two answers are equally good.
pub fn generic(n: usize, trial: u64) -> (Graph, Graph) {
    let instance = correlated_gaussian(n, 0.9, &mut rng(1, trial)).unwrap();
    (instance.a, instance.b)
}

/// W with vertex i renamed q(i).
fn renamed(graph: &Graph, q: &Permutation) -> Graph {
    let arcs = graph.arcs().map(|(i, j, weight)| (q.apply(i), q.apply(j), weight));
    Graph::directed(graph.vertex_count(), arcs).unwrap()
}

/// Problems of every kind, of size 8 to 10: what each method must be able to stand.
fn problems() -> Vec<(&'static str, Box<dyn Objective>)> {
    let (a, b) = generic(9, 0);
    let unweighted = correlated_erdos_renyi(10, 0.5, 0.9, &mut rng(2, 0)).unwrap();
    let (small, large) = (generic(6, 1).0, generic(9, 1).1);
    let directed = |trial| Graph::from_matrix(&normal(8, trial)).unwrap();
    let layers = GraphMatching::new(a.clone(), b.clone()).unwrap().with_layer(directed(1), directed(2)).unwrap();
    let empty = Graph::directed(8, []).unwrap();
    vec![
        ("weighted", Box::new(GraphMatching::new(a.clone(), b.clone()).unwrap())),
        ("unweighted", Box::new(GraphMatching::new(unweighted.a, unweighted.b).unwrap())),
        ("unequal", Box::new(GraphMatching::new(small.clone(), large.clone()).unwrap())),
        ("layers and C", Box::new(layers.with_linear(&normal(9, 3)).unwrap())),
        (
            "C alone",
            Box::new(GraphMatching::new(empty.clone(), empty.clone()).unwrap().with_linear(&normal(8, 4)).unwrap()),
        ),
        ("nothing", Box::new(GraphMatching::new(empty.clone(), empty).unwrap())),
        ("qap", Box::new(QuadraticAssignment::new(directed(5), directed(6)).unwrap())),
        ("unequal qap", Box::new(QuadraticAssignment::new(large, small).unwrap())),
        (
            "smooth, not quadratic",
            Box::new(Quartic { target: random_point(8, &mut rng(3, 0)), broken: Broken::Nothing }),
        ),
    ]
}

/// f(X) = Σ (X − T)⁴: convex, not quadratic, and nothing but what a user must write. May be broken on purpose.
pub struct Quartic {
    pub target: DMatrix<f64>,
    pub broken: Broken,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Broken {
    Nothing,
    Value,
    Gradient,
    Both,
    /// NaN away from the start only.
    Later,
    /// Infinite values.
    Infinite,
}

impl Objective for Quartic {
    fn size(&self) -> usize {
        self.target.nrows()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        match self.broken {
            Broken::Value | Broken::Both => f64::NAN,
            Broken::Infinite => f64::INFINITY,
            Broken::Later if x != &barycenter(self.size()) => f64::NAN,
            _ => (x - &self.target).map(|v| v.powi(4)).sum(),
        }
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        gradient.copy_from(&(x - &self.target).map(|v| 4.0 * v.powi(3)));
        if matches!(self.broken, Broken::Gradient | Broken::Both) {
            gradient[(1, 2)] = f64::NAN;
        }
    }

    fn is_convex(&self) -> bool {
        true
    }
}

/// Fewer steps than by default: this is about the contract, not about quality.
fn quick(method: Method) -> Settings {
    Settings::of(method).with_relaxation_steps(40).with_steps_per_weight(8)
}

fn watched(objective: &dyn Objective, settings: &Settings) -> (Recovery, Vec<Iterate>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let watcher = move |iterate: &Iterate| log.lock().unwrap().push(iterate.clone());
    let limits = Limits::default().with_watcher(watcher);
    let recovery = recover_within(objective, settings, &limits).unwrap();
    drop(limits);
    let iterates = seen.lock().unwrap().clone();
    (recovery, iterates)
}

#[test]
fn every_method_keeps_the_contract_on_every_problem() {
    for (name, objective) in problems() {
        let n = objective.size();
        for method in Method::ALL {
            let settings = quick(method).with_anchors(vec![(2, 5), (7, 0)]);
            for settings in [quick(method), settings] {
                let (recovery, iterates) = watched(&*objective, &settings);
                let place = format!("{method} on {name} with {} anchors", settings.anchors.len());
                let off = |x: &DMatrix<f64>| match method {
                    // Threshold and scale: rows come last and are right; columns cannot be where what the threshold
                    // leaves has no permutation in it.
                    Method::ProjectedGradient => {
                        let rows = x.column_sum().iter().map(|sum| (sum - 1.0).abs()).fold(0.0, f64::max);
                        rows.max(-x.min())
                    }
                    // Scaling converges slowly near a vertex, where log-parameters range far: 2e-4 off at worst here.
                    Method::Sinkhorn => residual(x) * 1e-5,
                    _ => residual(x),
                };
                assert!(!iterates.is_empty() || name == "nothing", "{place}");
                for iterate in &iterates {
                    assert!(off(&iterate.x) <= FEASIBLE, "{place}: {}", off(&iterate.x));
                    for &(i, j) in &settings.anchors {
                        assert!((iterate.x[(i, j)] - 1.0).abs() <= FEASIBLE, "{place}");
                    }
                    // The gap is a difference of sums of n entries: zero up to their rounding.
                    let rounding = 1e-12 * n as f64 * (iterate.gradient.amax() + iterate.weight.abs()).max(1.0);
                    assert!(iterate.gap.is_nan() || iterate.gap >= -rounding, "{place}: gap {}", iterate.gap);
                }
                let Recovery { permutation, optimality, x, termination, .. } = &recovery;
                assert!(settings.anchors.iter().all(|&(i, j)| permutation.apply(i) == j), "{place}");
                assert_eq!(optimality.value, objective.value_at(permutation), "{place}");
                assert!(optimality.lower_bound <= optimality.value && optimality.gap >= 0.0, "{place}");
                assert!(off(&x.to_dense()) <= FEASIBLE, "{place}");
                assert_eq!(recovery.certificate.residual, residual(&x.to_dense()), "{place}: what is off is said");
                // A path is followed by others that reheat or probe its answer.
                let most = if settings.method == Method::Penalized { 10 } else { 1 };
                assert!((1..=most).contains(&recovery.attempts.len()), "{place}: {} runs", recovery.attempts.len());
                assert!(!matches!(termination, TerminationReason::Timeout | TerminationReason::Interrupt), "{place}");
                let face = Face::new(n, &settings.anchors).unwrap();
                assert!(is_swap_minimum(&*objective, &face, permutation), "{place}: polish ends at a swap minimum");
            }
        }
    }
}

#[test]
fn frank_wolfe_never_rises_within_a_stage() {
    for (name, objective) in problems() {
        for method in [Method::Relaxation, Method::Penalized] {
            for penalty in [Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy] {
                let (_, iterates) = watched(&*objective, &quick(method).with_penalty(penalty));
                let total =
                    |iterate: &Iterate, weight: f64| objective.value(&iterate.x) + weight * penalty.value(&iterate.x);
                for pair in iterates.windows(2) {
                    // The second of the pair took its step at its own weight; from the relaxation to the path X stays.
                    let weight = pair[1].weight;
                    let (before, after) = (total(&pair[0], weight), total(&pair[1], weight));
                    // Rounding of values that cancel: 1e-12 of what is summed.
                    let rounding = 1e-11 * (before.abs() + weight.abs() * 10.0 + objective.scale() * 10.0);
                    assert!(
                        after <= before + rounding,
                        "{method} on {name}, {penalty}, weight {weight}: {before} to {after}"
                    );
                }
                let values = iterates.iter().map(|iterate| objective.value(&iterate.x));
                let least = values.fold(f64::INFINITY, f64::min);
                for iterate in &iterates {
                    let fresh = objective.value(&iterate.x);
                    assert!(
                        (iterate.value - fresh).abs() <= 1e-9 * (1.0 + fresh.abs()),
                        "{method} on {name}: value kept"
                    );
                    // Every bound is below f at every point, whichever came first.
                    assert!(iterate.lower_bound <= least + 1e-9 * (1.0 + least.abs()), "{method} on {name}: bound");
                }
            }
        }
    }
}

#[test]
fn a_users_own_objective_is_minimized() {
    // T ∈ D_n: the minimum is 0, at T, and no step rises (see above).
    let target = random_point(8, &mut rng(3, 1));
    let f = Quartic { target: target.clone(), broken: Broken::Nothing };
    let stage = |gap_tolerance| vec![Stage { weight: 0.0, max_steps: 5_000, gap_tolerance }];
    let solver = FrankWolfe::new(Penalty::L1MinusL2, stage(1e-3), Face::new(8, &[]).unwrap());
    let last = minimize(&f, solver, Iterate::at(Permutation::identity(8).to_matrix()), &Limits::default()).unwrap();
    assert!(last.gap <= 1e-3 && last.value <= last.gap, "value {}, gap {}", last.value, last.gap);
    assert!(last.lower_bound <= 0.0);
    assert_eq!(last.termination(), Some(&TerminationReason::SolverConverged));
    for method in Method::ALL {
        let recovery = recover(&f, &quick(method)).unwrap();
        // Nearest to T in this norm, or at least as near as swaps can tell.
        assert!(is_swap_minimum(&f, &Face::new(8, &[]).unwrap(), &recovery.permutation), "{method}");
    }
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let pools: Vec<_> = [1, 2, 5].map(|k| rayon::ThreadPoolBuilder::new().num_threads(k).build().unwrap()).into();
    let instance = correlated_erdos_renyi(12, 0.5, 0.6, &mut rng(4, 0)).unwrap();
    let f = GraphMatching::new(instance.a, instance.b).unwrap();
    for method in Method::ALL {
        let settings = quick(method).with_restarts(5).with_rng_seed(11);
        let answers: Vec<_> = pools.iter().map(|pool| pool.install(|| recover(&f, &settings).unwrap())).collect();
        for other in &answers[1..] {
            assert_eq!(other.permutation, answers[0].permutation, "{method}");
            assert_eq!(other.optimality.value.to_bits(), answers[0].optimality.value.to_bits(), "{method}");
            assert_eq!(other.optimality.lower_bound.to_bits(), answers[0].optimality.lower_bound.to_bits(), "{method}");
            assert_eq!((&other.x, other.winner), (&answers[0].x, answers[0].winner), "{method}");
            assert_eq!((other.iterations, other.lap_calls), (answers[0].iterations, answers[0].lap_calls), "{method}");
        }
    }
}

#[test]
fn restarts_never_make_it_worse_and_sometimes_better() {
    let mut better = 0;
    for trial in 0..6 {
        let instance = correlated_erdos_renyi(14, 0.5, 0.3, &mut rng(5, trial)).unwrap();
        let f = GraphMatching::new(instance.a, instance.b).unwrap();
        for method in Method::ALL {
            // One run, not what the default effort adds to it.
            let settings = |restarts| quick(method).with_restarts(restarts).with_effort(Effort::Quick);
            let value = |restarts| recover(&f, &settings(restarts)).unwrap().optimality.value;
            let (one, some, more) = (value(0), value(1), value(5));
            assert!(some <= one && more <= some, "{method}: {one}, {some}, {more}");
            better += usize::from(more < some);
        }
    }
    // Of 42 hard cases many are improved; were the restarts all the same run, the second would bring nothing.
    assert!(better >= 5, "{better}");
}

#[test]
fn renumbering_the_vertices_renumbers_the_answer() {
    for trial in 0..4 {
        let (a, b) = generic(10, 10 + trial);
        let q = Permutation::random(10, &mut rng(6, trial));
        let f = |a: &Graph, b: &Graph| GraphMatching::new(a.clone(), b.clone()).unwrap();
        let anchors = if trial == 3 { vec![(4, 8)] } else { vec![] };
        for method in Method::ALL {
            let solve = |f: GraphMatching, anchors: &[(usize, usize)]| {
                // Swap descent takes the first improvement, so where it has much to do its answer depends on the order.
                let (anchors, polish) = (anchors.to_vec(), anchors.is_empty());
                let settings =
                    Settings::of(method).with_anchors(anchors).with_polish(polish).with_vertex_tolerance(0.0);
                recover(&f, &settings).unwrap()
            };
            let plain = solve(f(&a, &b), &anchors);
            let of_b: Vec<_> = anchors.iter().map(|&(i, j)| (i, q.apply(j))).collect();
            let moved = solve(f(&a, &renamed(&b, &q)), &of_b);
            assert_eq!(moved.permutation, q.compose(&plain.permutation), "{method}: B, trial {trial}");
            let of_a: Vec<_> = anchors.iter().map(|&(i, j)| (q.apply(i), j)).collect();
            let moved = solve(f(&renamed(&a, &q), &b), &of_a);
            assert_eq!(moved.permutation.compose(&q), plain.permutation, "{method}: A, trial {trial}");
        }
    }
}

#[test]
fn broken_objectives_are_an_error_and_neither_a_panic_nor_a_hang() {
    let target = random_point(6, &mut rng(7, 0));
    for broken in [Broken::Value, Broken::Gradient, Broken::Both, Broken::Later, Broken::Infinite] {
        let f = Quartic { target: target.clone(), broken };
        for method in Method::ALL {
            for polish in [true, false] {
                let outcome = recover(&f, &quick(method).with_polish(polish));
                assert!(outcome.is_err(), "{method}, {broken:?}, polish {polish}: {:?}", outcome.unwrap().optimality);
            }
        }
    }
}

#[test]
fn broken_input_is_an_error() {
    let (a, b) = generic(6, 2);
    let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut c = normal(6, 0);
        c[(2, 3)] = bad;
        let message = f.clone().with_linear(&c).unwrap_err().to_string();
        assert!(message.contains("(2, 3)"), "{message}");
        assert!(QuadraticAssignment::new(a.clone(), b.clone()).unwrap().with_linear(&c).is_err());
        assert!(Graph::from_matrix(&c).is_err());
        let mut start = barycenter(6);
        start[(1, 1)] = bad;
        for method in Method::ALL {
            assert!(recover(&f, &quick(method).with_start(start.clone())).is_err(), "{method}");
        }
    }
    assert!(GraphMatching::new(Graph::directed(0, []).unwrap(), Graph::directed(0, []).unwrap()).is_err());
    let stages = vec![Stage { weight: 0.0, max_steps: 5, gap_tolerance: 0.0 }];
    let solver = || FrankWolfe::new(Penalty::default(), stages.clone(), Face::new(5, &[]).unwrap());
    let refused = minimize(&f, solver(), Iterate::at(barycenter(5)), &Limits::default()).unwrap_err();
    assert!(refused.to_string().contains("size 5"), "{refused}");
}

#[test]
fn zero_iterations_are_allowed() {
    let (a, b) = generic(7, 3);
    let f = GraphMatching::new(a, b).unwrap();
    let face = Face::new(7, &[]).unwrap();
    let stages = vec![Stage { weight: 1.0, max_steps: 5, gap_tolerance: 0.0 }];
    let start = || Iterate::at(barycenter(7)).max_iterations(0);
    let ends = |last: Iterate| {
        assert_eq!((last.iterations(), &*last.x), (0, &barycenter(7)));
        assert_eq!(last.termination(), Some(&TerminationReason::MaxItersReached));
    };
    let frank_wolfe = |stages| FrankWolfe::new(Penalty::default(), stages, face.clone());
    ends(minimize(&f, frank_wolfe(stages.clone()), start(), &Limits::default()).unwrap());
    ends(minimize(&f, frank_wolfe(vec![]), Iterate::at(barycenter(7)), &Limits::default()).unwrap());
    for projection in [Projection::Scale, Projection::Euclidean] {
        let solver = |stages| ProjectedGradient::new(Penalty::default(), stages, face.clone(), projection);
        ends(minimize(&f, solver(stages.clone()), start(), &Limits::default()).unwrap());
        ends(minimize(&f, solver(vec![]), Iterate::at(barycenter(7)), &Limits::default()).unwrap());
    }
    let sinkhorn = SinkhornLbfgs { max_iterations: 0, ..SinkhornLbfgs::default() };
    let last = sinkhorn.minimize(&f, &face, &barycenter(7), &Limits::default()).unwrap();
    assert_eq!(last.iterations(), 0);
    // Scaling the barycenter gives it back up to the scaling's tolerance.
    assert!((&*last.x - barycenter(7)).amax() < 1e-9);
    for method in Method::ALL {
        let recovery = recover(&f, &quick(method).with_relaxation_steps(0)).unwrap();
        assert!(recovery.optimality.value.is_finite(), "{method}");
        if matches!(method, Method::Relaxation | Method::Faq | Method::RelaxationFaq) {
            assert_eq!(
                (recovery.iterations, recovery.x),
                (0, birkhoff::recovery::Soft::Dense(barycenter(7))),
                "{method}"
            );
        }
    }
}

#[test]
fn anchors_are_respected_by_every_method_and_by_polish() {
    let instance = correlated_erdos_renyi(12, 0.5, 0.8, &mut rng(8, 0)).unwrap();
    let f = GraphMatching::new(instance.a, instance.b).unwrap();
    let n = 12;
    for method in Method::ALL {
        // Wrong anchors on purpose: everything pulls the other way. Then all but one vertex, and all.
        for count in [1, 4, n - 1, n] {
            let anchors: Vec<_> = (0..count).map(|i| (i, instance.truth.apply((i + 1) % n))).collect();
            let settings = quick(method).with_anchors(anchors.clone()).with_restarts(2);
            let recovery = recover(&f, &settings).unwrap();
            assert!(anchors.iter().all(|&(i, j)| recovery.permutation.apply(i) == j), "{method}, {count} anchors");
            assert!(anchors.iter().all(|&(i, j)| (recovery.x.to_dense()[(i, j)] - 1.0).abs() <= FEASIBLE), "{method}");
            if count >= n - 1 {
                // A single permutation is left, and its value is the bound where there is one.
                assert!(f.value_at(&recovery.permutation) >= recovery.optimality.lower_bound, "{method}");
            }
        }
    }
    let mut p = instance.truth.clone();
    p.swap(0, 1);
    let face = Face::new(n, &[(0, p.apply(0)), (5, p.apply(5))]).unwrap();
    let kept = p.clone();
    swap_descent(&f, &face, &mut p, &|| false);
    assert_eq!((p.apply(0), p.apply(5)), (kept.apply(0), kept.apply(5)));
}

#[test]
fn a_linear_term_alone_is_an_assignment_problem() {
    let empty = Graph::directed(9, []).unwrap();
    for trial in 0..5 {
        let c = normal(9, 20 + trial) * 10f64.powi(trial as i32 - 2);
        let best = assignment::solve(&c).unwrap();
        let matching = GraphMatching::new(empty.clone(), empty.clone()).unwrap().with_linear(&c).unwrap();
        let qap = QuadraticAssignment::new(empty.clone(), empty.clone()).unwrap().with_linear(&c).unwrap();
        for method in Method::ALL {
            for f in [&matching as &dyn Objective, &qap] {
                // Unpolished where the method reaches the vertex itself; Sinkhorn stays inside, and is rounded.
                let recovery = recover(f, &Settings::of(method).with_polish(false)).unwrap();
                if method == Method::ProjectedGradient {
                    // Threshold and scale is no projection: its fixed points are near, the mean value is far.
                    let (off, range) = (recovery.optimality.value - best.value, c.mean() * 9.0 - best.value);
                    assert!(off <= 0.25 * range, "trial {trial}: {off} of {range}");
                    continue;
                }
                assert_eq!(recovery.permutation, best.permutation, "{method}, trial {trial}");
                if f.is_convex() && matches!(method, Method::Relaxation | Method::Penalized | Method::RelaxationFaq) {
                    assert!(recovery.optimality.is_proved(), "{method}: {:?}", recovery.optimality);
                }
            }
        }
    }
}

#[test]
fn a_single_vertex_is_matched_to_itself() {
    let one = Graph::directed(1, [(0, 0, 2.0)]).unwrap();
    let matching = GraphMatching::new(one.clone(), one.clone()).unwrap();
    let qap = QuadraticAssignment::new(one.clone(), one).unwrap();
    for method in Method::ALL {
        for (f, value) in [(&matching as &dyn Objective, 0.0), (&qap, 4.0)] {
            let recovery = recover(f, &Settings::of(method).with_restarts(1)).unwrap();
            assert_eq!((recovery.permutation.image(), recovery.optimality.value), (&[0][..], value), "{method}");
        }
        assert!(recover(&matching, &Settings::of(method)).unwrap().optimality.is_proved(), "{method}");
    }
}

/// Limits cut everything short: relaxation, path, restarts and polish.
#[test]
fn an_interrupt_from_outside_stops_a_run_that_is_under_way() {
    let instance = correlated_erdos_renyi(60, 0.5, 0.4, &mut rng(10, 0)).unwrap();
    let f = GraphMatching::new(instance.a, instance.b).unwrap();
    for method in Method::ALL {
        let flag = Arc::new(AtomicBool::new(false));
        let (raise, count) = (flag.clone(), Mutex::new(0));
        let watcher = move |_: &Iterate| {
            *count.lock().unwrap() += 1;
            raise.store(*count.lock().unwrap() >= 3, std::sync::atomic::Ordering::Relaxed);
        };
        let limits = Limits::default().with_interrupt(flag).with_watcher(watcher);
        let recovery = recover_within(&f, &Settings::of(method), &limits).unwrap();
        assert_eq!((recovery.termination, recovery.iterations), (TerminationReason::Interrupt, 3), "{method}");
    }
}

/// A and B independent: about one vertex is right. LAP codes return the identity on ties, and a hidden identity would
/// look found.
#[test]
fn nothing_is_found_where_nothing_is_hidden() {
    let trials = 40;
    for method in [Method::Relaxation, Method::Penalized, Method::Faq, Method::RelaxationFaq] {
        let right = |trial: u64| {
            let instance = correlated_erdos_renyi(40, 0.5, 0.0, &mut rng(12, trial)).unwrap();
            let f = GraphMatching::new(instance.a, instance.b).unwrap();
            let settings = quick(method).with_polish(false);
            let found = recover(&f, &settings).unwrap().permutation;
            (found.agreement(&instance.truth) * 40.0).round() as u32
        };
        let total: u32 = (0..trials).into_par_iter().map(right).sum();
        // The truth is uniform given A and B: fixed points are nearly Poisson(1), their sum over 40 trials Poisson(40).
        // P(≤ 11) = 6e-8 and P(≥ 78) = 7e-8, five in ten million for the four methods together.
        assert!((12..=77).contains(&total), "{method}: {total} right in {trials} trials");
    }
}
