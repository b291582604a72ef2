//! The product, one gradient step and whole solves of graph matching, as n doubles.
//!
//! `cargo bench --bench matching`; one thread by `RAYON_NUM_THREADS=1`.

use birkhoff::Permutation;
use birkhoff::instance::{Instance, correlated_erdos_renyi, noisy_copy, noisy_erdos_renyi, rng};
use birkhoff::local_search::is_swap_minimum;
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{Face, barycenter};
use birkhoff::recovery::{Method, Settings, recover};
use birkhoff::solver::{FrankWolfe, Iterate, Limits, Stage, minimize};
use divan::Bencher;
use nalgebra::DMatrix;

fn main() {
    divan::main();
}

const DENSE: [usize; 3] = [250, 500, 1000];
const SPARSE: [usize; 4] = [500, 1000, 2000, 4000];

/// Correlated Erdős–Rényi, p = ½, correlation 0.8.
fn dense(n: usize) -> GraphMatching {
    objective(correlated_erdos_renyi(n, 0.5, 0.8, &mut rng(1, n as u64)).unwrap())
}

/// A random graph of mean degree 8 and its copy with 5 % of the edges removed.
fn sparse(n: usize) -> GraphMatching {
    let graph = noisy_erdos_renyi(n, 8.0, 0.0, &mut rng(1, n as u64)).unwrap().a;
    objective(noisy_copy(&graph, 0.05, 0.0, &mut rng(2, n as u64)).unwrap())
}

fn objective(Instance { a, b, .. }: Instance) -> GraphMatching {
    GraphMatching::new(a, b).unwrap()
}

/// ∇f ← (1 − t)∇f + t∇f(Q): what a step asks of the objective.
fn blend(bencher: Bencher, f: &GraphMatching) {
    let n = f.size();
    let q = Permutation::random(n, &mut rng(3, 0));
    let mut oracle = f.vertex_gradient().unwrap();
    let mut gradient = DMatrix::zeros(n, n);
    bencher.bench_local(|| oracle.blend(&q, 0.01, &mut gradient));
}

#[divan::bench(args = DENSE, sample_size = 1, sample_count = 25)]
fn blend_dense(bencher: Bencher, n: usize) {
    blend(bencher, &dense(n));
}

#[divan::bench(args = SPARSE, sample_size = 1, sample_count = 25)]
fn blend_sparse(bencher: Bencher, n: usize) {
    blend(bencher, &sparse(n));
}

/// Ten steps from the barycenter, of them the first with a cold assignment, and a whole gradient.
fn ten_steps(bencher: Bencher, f: &GraphMatching) {
    let n = f.size();
    bencher.bench(|| {
        let stages = vec![Stage { weight: 0.0, max_steps: 10, gap_tolerance: 0.0 }];
        let solver = FrankWolfe::new(Penalty::default(), stages, Face::new(n, &[]).unwrap());
        minimize(f, solver, Iterate::at(barycenter(n)), &Limits::default()).unwrap().value
    });
}

#[divan::bench(args = DENSE, sample_size = 1, sample_count = 7)]
fn ten_steps_dense(bencher: Bencher, n: usize) {
    ten_steps(bencher, &dense(n));
}

#[divan::bench(args = SPARSE, sample_size = 1, sample_count = 5)]
fn ten_steps_sparse(bencher: Bencher, n: usize) {
    ten_steps(bencher, &sparse(n));
}

/// All pairs of a permutation that no swap improves.
#[divan::bench(args = DENSE, sample_size = 1, sample_count = 7)]
fn swap_minimum_dense(bencher: Bencher, n: usize) {
    let instance = correlated_erdos_renyi(n, 0.5, 0.8, &mut rng(1, n as u64)).unwrap();
    let (truth, face) = (instance.truth.clone(), Face::new(n, &[]).unwrap());
    let f = objective(instance);
    bencher.bench(|| assert!(is_swap_minimum(&f, &face, &truth)));
}

/// The penalized path with its default settings.
#[divan::bench(args = DENSE, sample_size = 1, sample_count = 3)]
fn solve_dense(bencher: Bencher, n: usize) {
    let f = dense(n);
    bencher.bench(|| recover(&f, &Settings::default()).unwrap().optimality.value);
}

/// The same; the larger ones take a minute each.
#[divan::bench(args = SPARSE[..2].iter().copied(), sample_size = 1, sample_count = 3)]
fn solve_sparse(bencher: Bencher, n: usize) {
    let f = sparse(n);
    bencher.bench(|| recover(&f, &Settings::default()).unwrap().optimality.value);
}

/// FAQ, 30 steps from the barycenter.
#[divan::bench(args = DENSE, sample_size = 1, sample_count = 5)]
fn faq_dense(bencher: Bencher, n: usize) {
    let f = dense(n);
    let settings = Settings::of(Method::Faq).with_relaxation_steps(30).with_polish(false);
    bencher.bench(|| recover(&f, &settings).unwrap().optimality.value);
}
