//! Linear assignment: cold on random costs, beside the crate lapjv; cold and warm along the path of Frank-Wolfe.
//!
//! `cargo bench --bench assignment`

use birkhoff::Permutation;
use birkhoff::assignment::{AssignmentSolver, solve};
use divan::{Bencher, black_box};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    divan::main();
}

#[derive(Debug, Clone, Copy)]
enum Costs {
    Uniform(usize),
    Integers(usize),
}

const COSTS: [Costs; 6] = [
    Costs::Uniform(100),
    Costs::Integers(100),
    Costs::Uniform(1000),
    Costs::Integers(1000),
    Costs::Uniform(4000),
    Costs::Integers(4000),
];

impl Costs {
    fn matrix(self) -> DMatrix<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        match self {
            Costs::Uniform(n) => DMatrix::from_fn(n, n, |_, _| rng.random::<f64>()),
            Costs::Integers(n) => DMatrix::from_fn(n, n, |_, _| f64::from(rng.random_range(1..=100))),
        }
    }
}

#[divan::bench(args = COSTS, sample_size = 1, sample_count = 15)]
fn cold(bencher: Bencher, costs: Costs) {
    let cost = costs.matrix();
    bencher.bench(|| solve(black_box(&cost)));
}

#[divan::bench(args = COSTS, sample_size = 1, sample_count = 5)]
fn cold_by_the_crate_lapjv(bencher: Bencher, costs: Costs) {
    let cost = costs.matrix();
    let cost = ndarray::Array2::from_shape_fn(cost.shape(), |index| cost[index]);
    bencher.bench(|| lapjv::lapjv(black_box(&cost)).unwrap());
}

/// Where on the path: so many steps of the relaxation are done before.
const STARTS: [usize; 2] = [10, 100];
const STEPS: usize = 20;

/// One problem after the other, the solver keeping its duals.
#[divan::bench(args = STARTS, sample_size = 1, sample_count = 9)]
fn path_warm(bencher: Bencher, start: usize) {
    let costs = frank_wolfe_gradients(500, 4.0, start, STEPS + 1);
    bencher
        .with_inputs(|| {
            let mut solver = AssignmentSolver::new();
            solver.solve(&costs[0]).unwrap();
            solver
        })
        .bench_values(|mut solver| {
            for cost in &costs[1..] {
                solver.solve(cost).unwrap();
            }
            solver.value()
        });
}

/// The same problems, each from nothing.
#[divan::bench(args = STARTS, sample_size = 1, sample_count = 9)]
fn path_cold(bencher: Bencher, start: usize) {
    let costs = frank_wolfe_gradients(500, 4.0, start, STEPS + 1);
    bencher.bench(|| costs[1..].iter().map(|cost| solve(cost).unwrap().value).sum::<f64>());
}

/// The gradients of ‖AX − XB‖² that Frank-Wolfe from the barycenter meets, for two correlated sparse random graphs.
fn frank_wolfe_gradients(n: usize, degree: f64, start: usize, count: usize) -> Vec<DMatrix<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let hidden = Permutation::random(n, &mut rng);
    let (p, correlation) = (degree / n as f64, 0.8);
    let (mut a, mut b) = (vec![vec![]; n], vec![vec![]; n]);
    for i in 0..n {
        for j in 0..i {
            let in_a = rng.random::<f64>() < p;
            let chance = if in_a { p + correlation * (1.0 - p) } else { p * (1.0 - correlation) };
            if in_a {
                a[i].push(j);
                a[j].push(i);
            }
            if rng.random::<f64>() < chance {
                b[hidden.apply(i)].push(hidden.apply(j));
                b[hidden.apply(j)].push(hidden.apply(i));
            }
        }
    }
    let left = |x: &DMatrix<f64>| DMatrix::from_fn(n, n, |i, j| a[i].iter().map(|&k| x[(k, j)]).sum::<f64>());
    let right = |x: &DMatrix<f64>| DMatrix::from_fn(n, n, |i, j| b[j].iter().map(|&k| x[(i, k)]).sum::<f64>());
    let mut x = DMatrix::from_element(n, n, 1.0 / n as f64);
    let mut solver = AssignmentSolver::new();
    let mut gradients = Vec::new();
    for step in 0..start + count {
        let residual = left(&x) - right(&x);
        let gradient = (left(&residual) - right(&residual)) * 2.0;
        solver.solve(&gradient).unwrap();
        let direction = Permutation::new(solver.columns().to_vec()).unwrap().to_matrix() - &x;
        let curvature = 2.0 * (left(&direction) - right(&direction)).norm_squared();
        let step_size = (-gradient.dot(&direction) / curvature).clamp(0.0, 1.0);
        x += direction * step_size;
        if step >= start {
            gradients.push(gradient);
        }
    }
    gradients
}
