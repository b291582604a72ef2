//! Every claim on random problems of at most eight vertices, compared with all permutations in exact arithmetic.
//!
//! `cargo run --release --example small_problems -- 100000` is the same at length.

#[path = "../examples/small_problems/enumeration.rs"]
mod enumeration;
#[path = "../examples/small_problems/exact.rs"]
mod exact;
#[allow(dead_code, reason = "the program uses more of it")]
#[path = "../examples/small_problems/judge.rs"]
mod judge;
#[path = "../examples/small_problems/problem.rs"]
mod problem;

use birkhoff::Permutation;
use birkhoff::certificate::{Optimality, certify};
use birkhoff::recovery::{Settings, recover};
use enumeration::Enumeration;
use exact::{Exact, Table};
use judge::{Fault, Task, judge, numbered, wrong_certificate, wrong_claims};
use nalgebra::{DMatrix, dmatrix};
use problem::{Form, Problem};

#[test]
fn no_claim_is_false_and_the_default_finds_and_proves_every_optimum() {
    let mut found = Vec::new();
    // In 2572 a bound lay above the value.
    for number in (0..300).chain([2572]) {
        let (problem, drawn) = numbered(number);
        let truth = Enumeration::of(&problem);
        for (task, is_default) in [(Task::default_for(&problem), true), (drawn, false)] {
            let verdict = judge(&problem, &truth, &task, number % 16 == 0);
            // How long a run takes, the program measures: a busy machine is no fault.
            let counts = |fault: Fault| fault != Fault::Slow && (is_default || !fault.is_of_the_default());
            let faults = verdict.faults.into_iter().filter(|&(fault, _)| counts(fault));
            found.extend(faults.map(|(fault, seen)| format!("{number}: {fault:?}, {}: {seen}", task.settings.method)));
        }
    }
    assert!(found.is_empty(), "{} faults\n{}", found.len(), found.join("\n"));
}

/// Two paths of three with a heavy edge each, and a linear term.
fn paths() -> Problem {
    let a = dmatrix![0.0, 1.0, 0.0; 1.0, 0.0, 1e6; 0.0, 1e6, 0.0];
    let b = dmatrix![0.0, 1e6, 0.5; 1e6, 0.0, 0.0; 0.5, 0.0, 0.0];
    let linear = Some(DMatrix::from_fn(3, 3, |i, j| (i * j) as f64 * 0.1));
    Problem { form: Form::Matching, layers: vec![(a, b)], linear, anchors: vec![] }
}

#[test]
fn planted_lies_are_seen() {
    let problem = paths();
    let truth = Enumeration::of(&problem);
    let honest = recover(&*problem.objective().unwrap(), &Settings::default()).unwrap();
    let faults = |lie: &dyn Fn(&mut birkhoff::recovery::Recovery)| -> Vec<Fault> {
        let mut recovery = honest.clone();
        lie(&mut recovery);
        wrong_claims(&problem, &truth, &recovery).into_iter().map(|(fault, _)| fault).collect()
    };
    assert_eq!(honest.permutation.image(), [2, 0, 1]);
    let worse = Permutation::new(vec![2, 1, 0]).unwrap();
    let value = problem.objective().unwrap().value_at(&worse);
    let proved = Optimality::proved;
    let lie = |recovery: &mut birkhoff::recovery::Recovery| {
        (recovery.permutation, recovery.optimality) = (worse.clone(), proved(value));
    };
    assert_eq!(faults(&lie), [Fault::FalseProof, Fault::MissedOptimum, Fault::BoundAboveOptimum]);
    let claims = |value: f64| faults(&|recovery| recovery.optimality = proved(value));
    assert_eq!(claims(honest.optimality.value), []);
    assert_eq!(claims(honest.optimality.value + 1.0), [Fault::WrongValue, Fault::BoundAboveOptimum]);
    assert_eq!(faults(&|recovery| recovery.permutation = Permutation::identity(2)), [Fault::LostAnchor]);

    let x = dmatrix![0.9, 0.1; 0.1, 0.9];
    let honest = certify(&x).unwrap();
    assert!(wrong_certificate(&x, &honest).is_none());
    let mut lie = honest.clone();
    lie.permutation = Some(Permutation::new(vec![1, 0]).unwrap());
    assert!(wrong_certificate(&x, &lie).is_some());
    let mut lie = honest;
    lie.distance_at_most = Some(0.39);
    assert!(wrong_certificate(&x, &lie).is_some());
}

#[test]
fn exact_numbers_do_not_round() {
    let sum = |numbers: &[f64]| {
        let numbers: Vec<Exact> = numbers.iter().map(|&number| Exact::of(number)).collect();
        Table::of(&numbers).sum(0..numbers.len())
    };
    // The doubles .1 and .2 add up to more than the double .3.
    assert!(sum(&[0.1, 0.2]) > Exact::of(0.3));
    assert_eq!(sum(&[1e60, 0.5, -1e60]), Exact::of(0.5));
    assert_eq!(sum(&[f64::from_bits(1), -0.0]), Exact::of(f64::from_bits(1)));
    assert!(sum(&[f64::MAX, f64::from_bits(1)]) > Exact::of(f64::MAX));
    let square = Exact::of(0.1).times(&Exact::of(0.1));
    assert!(square != Exact::of(0.1 * 0.1) && square.plus(&Exact::of(-0.01)) > Exact::of(0.0));
    // 2.5² + .5 = 6.75
    assert_eq!(Exact::of(2.5).times(&Exact::of(2.5)).plus(&Exact::of(0.5)), Exact::of(6.75));
}

#[test]
fn the_enumeration_knows_the_values_of_graphs_with_whole_weights() {
    let mut problem = paths();
    problem.linear = None;
    let (truth, objective) = (Enumeration::of(&problem), problem.objective().unwrap());
    let mut least = f64::INFINITY;
    enumeration::for_each_permutation(3, &[], &mut |p| {
        let value = objective.value_at(&Permutation::new(p.to_vec()).unwrap());
        assert_eq!(truth.value(p), Exact::of(value));
        least = least.min(value);
    });
    assert_eq!(truth.optimum, Exact::of(least));
    problem.anchors = vec![(0, 0)];
    assert!(Enumeration::of(&problem).optimum > truth.optimum);
}
