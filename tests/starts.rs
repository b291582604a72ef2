//! Recovery from several starts: what they bring, what bounds them, and that they leak nothing.

use birkhoff::instance::{Instance, correlated_erdos_renyi, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::recovery::{AttemptKind, Effort, Recovery, Settings, Start, recover, recover_from};
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use birkhoff::{Graph, Permutation};
use nalgebra::DMatrix;

fn start(kind: Kind, a: &Graph, b: &Graph) -> Start {
    Start::structural(kind, a, b, &[]).unwrap()
}

fn matched(a: &Graph, b: &Graph, starts: &[Start], settings: &Settings) -> Recovery {
    let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
    recover_from(&f, starts, settings, &Limits::default()).unwrap()
}

fn quick() -> Settings {
    Settings::default().with_effort(Effort::Quick)
}

#[test]
fn walks_match_regular_graphs_and_the_relaxation_alone_does_not() {
    for trial in 0..3 {
        let Instance { a, b, truth } = noisy_regular(120, 6, 0.05, &mut rng(1, trial)).unwrap();
        assert_eq!(Kind::suited(&a, &b), Some(Kind::Walks));
        let with = matched(&a, &b, &[start(Kind::Walks, &a, &b)], &quick());
        let without = matched(&a, &b, &[Start::relaxed()], &quick());
        let right = [&with, &without].map(|answer| answer.permutation.agreement(&truth));
        assert!(right[0] > 0.95 && right[1] < 0.5, "{right:?}");
        // The term is no part of the value, nor of the bound.
        let f = GraphMatching::new(a, b).unwrap();
        assert_eq!(with.optimality.value, f.value_at(&with.permutation));
        assert!(with.optimality.lower_bound <= f.value_at(&truth));
    }
}

#[test]
fn a_start_learns_from_an_answer_that_is_right_in_part() {
    // The first path gets a quarter of the vertices right, what it teaches the next ones nearly all that can be.
    let pair = noisy_erdos_renyi(500, 4.0, 0.35, &mut rng(2026, 0)).unwrap();
    let right = |start| matched(&pair.a, &pair.b, &[start], &Settings::default()).permutation.agreement(&pair.truth);
    let cost = Kind::Subtrees.cost(&pair.a, &pair.b, &[]).unwrap();
    let (learning, fixed) =
        (right(start(Kind::Subtrees, &pair.a, &pair.b)), right(Start::tilted("subtree", cost).unwrap()));
    assert!(learning > 0.6 && fixed < 0.4, "{learning} and {fixed}");
}

#[test]
fn the_kind_that_suits_depends_on_the_graphs() {
    let suited = |pair: Instance| Kind::suited(&pair.a, &pair.b);
    assert_eq!(suited(noisy_erdos_renyi(300, 4.0, 0.2, &mut rng(2, 0)).unwrap()), Some(Kind::Subtrees));
    assert_eq!(suited(noisy_erdos_renyi(300, 40.0, 0.2, &mut rng(2, 0)).unwrap()), None);
    assert_eq!(suited(noisy_regular(100, 3, 0.1, &mut rng(2, 0)).unwrap()), Some(Kind::Walks));
    let triangles = Graph::undirected(30, (0..30).map(|i| (i, if i % 3 == 2 { i - 2 } else { i + 1 }, 1.0))).unwrap();
    assert_eq!(Kind::suited(&triangles, &triangles), Some(Kind::Walks));
    let star = Graph::undirected(30, (1..30).map(|k| (0, k, 1.0))).unwrap();
    assert_eq!(Kind::suited(&star, &star), None);
    let empty = Graph::undirected(3, []).unwrap();
    assert_eq!(Kind::suited(&empty, &empty), None);
}

#[test]
fn independent_graphs_stay_unmatched_from_every_start() {
    // About one vertex right by chance: Poisson, so that six trials with more than 18 in all are one in a million.
    for kind in Kind::ALL.map(Some).into_iter().chain([None]) {
        let mut right = 0;
        for trial in 0..6 {
            let pair = noisy_erdos_renyi(60, 4.0, 1.0 - 4.0 / 59.0, &mut rng(3, trial)).unwrap();
            let start = kind.map_or_else(Start::relaxed, |kind| start(kind, &pair.a, &pair.b));
            let answer = matched(&pair.a, &pair.b, &[start], &quick());
            right += (0..60).filter(|&i| answer.permutation.apply(i) == pair.truth.apply(i)).count();
        }
        assert!(right <= 18, "{}: {right}", kind.map_or("relaxed", Kind::name));
    }
}

#[test]
fn renumbering_b_renumbers_the_answer() {
    // Regular graphs for the walks; for all starts, graphs in which no two vertices are alike.
    let regular = noisy_regular(80, 6, 0.05, &mut rng(4, 0)).unwrap();
    let uneven = noisy_erdos_renyi(60, 9.0, 0.02, &mut rng(4, 2)).unwrap();
    let exact = Settings::default().with_vertex_tolerance(0.0);
    let cases =
        [(&regular, Some(Kind::Walks)), (&uneven, Some(Kind::Walks)), (&uneven, Some(Kind::Subtrees)), (&uneven, None)];
    for (Instance { a, b, .. }, kind) in cases {
        let q = Permutation::random(b.vertex_count(), &mut rng(4, 1));
        let arcs = b.arcs().map(|(i, k, weight)| (q.apply(i), q.apply(k), weight));
        let moved = Graph::directed(b.vertex_count(), arcs).unwrap();
        let answer = |b: &Graph| {
            let start = kind.map_or_else(Start::relaxed, |kind| start(kind, a, b));
            matched(a, b, &[start], &exact).permutation
        };
        assert_eq!(answer(&moved), q.compose(&answer(b)), "{}", kind.map_or("relaxed", Kind::name));
    }
}

#[test]
fn more_runs_are_never_worse_and_their_number_is_kept() {
    for trial in 0..3 {
        let Instance { a, b, .. } = noisy_erdos_renyi(60, 4.0, 0.4, &mut rng(5, trial)).unwrap();
        let starts = [Start::relaxed(), start(Kind::Walks, &a, &b), start(Kind::Subtrees, &a, &b)];
        let mut last = f64::INFINITY;
        for most in [1, 2, 3, 4, 9] {
            let answer = matched(&a, &b, &starts, &Settings::default().with_starts(most));
            assert!((1..=most).contains(&answer.attempts.len()), "{} of {most}", answer.attempts.len());
            assert!(answer.optimality.value <= last, "{most} runs: {} after {last}", answer.optimality.value);
            assert_eq!(answer.optimality.value, answer.attempts[answer.winner].value);
            assert!(answer.attempts.iter().all(|attempt| attempt.value >= answer.optimality.value));
            let names: Vec<_> = answer.attempts.iter().take(3).map(|attempt| attempt.kind.to_string()).collect();
            assert_eq!(names, ["relaxed", "walks", "subtree"][..most.min(3)]);
            last = answer.optimality.value;
        }
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let Instance { a, b, .. } = correlated_erdos_renyi(40, 0.5, 0.2, &mut rng(6, 0)).unwrap();
    let starts = [Start::relaxed(), start(Kind::Walks, &a, &b)];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let settings = Settings::default().with_starts(9).with_effort(Effort::Thorough);
        pool.install(|| matched(&a, &b, &starts, &settings))
    };
    let (one, three) = (on(1), on(3));
    assert_eq!((&one.x, one.winner, one.lap_calls), (&three.x, three.winner, three.lap_calls));
    let told = |answer: &Recovery| -> Vec<(AttemptKind, u64)> {
        answer.attempts.iter().map(|attempt| (attempt.kind.clone(), attempt.value.to_bits())).collect()
    };
    assert_eq!(told(&one), told(&three));
    // A doubtful answer is probed, as much as the number of runs allows.
    assert_eq!(one.attempts.len(), 9);
    assert!(told(&one).iter().any(|(kind, _)| matches!(kind, AttemptKind::Probe { .. })), "{:?}", told(&one));
}

#[test]
fn a_proved_answer_ends_the_search() {
    let Instance { a, b, truth } = correlated_erdos_renyi(30, 0.5, 1.0, &mut rng(7, 0)).unwrap();
    let thorough = Settings::default().with_effort(Effort::Thorough);
    let answer = recover(&GraphMatching::new(a, b).unwrap(), &thorough).unwrap();
    assert_eq!((answer.attempts.len(), answer.permutation), (1, truth));
}

#[test]
fn starts_that_make_no_sense_are_refused() {
    let Instance { a, b, .. } = correlated_erdos_renyi(5, 0.5, 0.9, &mut rng(8, 0)).unwrap();
    let f = GraphMatching::new(a, b).unwrap();
    let message = |starts: &[Start], settings: Settings| {
        recover_from(&f, starts, &settings, &Limits::default()).unwrap_err().to_string()
    };
    assert!(message(&[], Settings::default()).contains("there is none"));
    assert!(message(&[Start::relaxed()], Settings::default().with_starts(0)).contains("starts"));
    let large = Start::tilted("large", DMatrix::from_fn(6, 6, |i, j| (i * j) as f64)).unwrap();
    assert!(message(&[large], Settings::default()).contains("large"));
}
