//! Assignments where floating point ends: a hundred thousand warm starts, costs of any size, and work that is cut
//! short.

use birkhoff::assignment::{AssignmentSolver, solve, solve_rectangular, solve_rectangular_until};
use birkhoff::{Stop, instance};
use nalgebra::{DMatrix, dmatrix};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

fn rng(stream: u64) -> ChaCha8Rng {
    instance::rng(21, stream)
}

fn uniform(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| rng.random::<f64>())
}

/// The bound of the module's documentation, over a sequence of problems that changes in every way: a little,
/// altogether, by a power of two up or down, by a row and column term, and to costs with forbidden pairs. Prices left
/// over from large costs once spoiled small ones.
#[test]
fn duals_keep_their_bound_over_a_hundred_thousand_warm_starts() {
    let mut rng = rng(11);
    let mut worst: f64 = 0.0;
    for (n, problems) in [(3, 50_000), (12, 40_000), (51, 10_000)] {
        let mut solver = AssignmentSolver::new();
        let mut cost = uniform(n, n, &mut rng);
        for problem in 0..problems {
            match rng.random_range(0..12) {
                0 => cost = uniform(n, n, &mut rng) * 2f64.powi(rng.random_range(-20..20)),
                1 => cost *= 2f64.powi(rng.random_range(-12..12)),
                2 => {
                    let (i, size) = (rng.random_range(0..n), cost.amax());
                    cost.row_mut(i).add_scalar_mut(size * rng.random_range(-1.0..1.0));
                    cost.column_mut(i).add_scalar_mut(size * rng.random_range(-1.0..1.0));
                }
                3 => cost = DMatrix::from_fn(n, n, |_, _| 0.1 * f64::from(rng.random_range(1..=4))),
                _ => {
                    let size = 0.05 * cost.amax();
                    cost.apply(|c| *c += size * rng.random_range(-1.0..1.0));
                }
            }
            let tolerance = if problem % 5 == 4 { 1e-3 * cost.amax() } else { 0.0 };
            solver.solve_within(&cost, tolerance).unwrap();
            let largest = cost.amax() + tolerance;
            let bound = 40.0 * (n + 3) as f64 * f64::EPSILON * largest;
            let (u, v) = (solver.row_duals(), solver.column_duals());
            for j in 0..n {
                for i in 0..n {
                    let slack = cost[(i, j)] - u[i] - v[j];
                    worst = worst.max(-slack / (largest * f64::EPSILON));
                    assert!(
                        slack >= -bound,
                        "n {n}, problem {problem}: ({i}, {j}) has slack {slack:e}, bound {bound:e}"
                    );
                    if solver.columns()[i] == j {
                        worst = worst.max((slack - tolerance / n as f64) / (largest * f64::EPSILON));
                        assert!(
                            slack <= bound + tolerance / n as f64,
                            "n {n}, problem {problem}: {slack:e}, bound {bound:e}"
                        );
                    }
                }
            }
        }
    }
    // Units of rounding of the largest cost.
    println!("worst: {worst} units");
    assert!(worst < 64.0, "{worst} units of rounding");
}

#[test]
fn a_stopped_solution_is_a_permutation_with_duals_that_bound_it() {
    let mut rng = rng(12);
    for (n, is_padded) in [(1, false), (2, false), (40, true), (150, true), (150, false)] {
        // A row and a column term, as gradients have them, which take an auction; or nearly all rows alike, as padding
        // makes them.
        let row: Vec<f64> = (0..n).map(|_| rng.random::<f64>()).collect();
        let weight = |i: usize| if is_padded && i * 10 >= n { 0.0 } else { row[i] };
        let cost = DMatrix::from_fn(n, n, |i, j| (1.0 - weight(i)) * row[j] + 0.01 * weight(i) * rng.random::<f64>());
        let least = solve(&cost).unwrap().value;
        let mut solver = AssignmentSolver::new();
        let (mut finished, mut asks) = (false, 0);
        while !finished {
            let left = AtomicUsize::new(asks);
            let one_less = move || left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_err();
            if asks % 2 == 0 {
                solver.reset();
            }
            finished = solver.solve_until(&cost, 0.0, &Stop::when(one_less)).unwrap();
            let answer = solver.assignment();
            let bound: f64 = answer.row_duals.iter().chain(&answer.column_duals).sum();
            assert!(answer.value >= least - 1e-12 && bound <= least + 1e-12, "n {n}, {asks} asks");
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                assert!(answer.row_duals[i] + answer.column_duals[j] <= cost[(i, j)] + 1e-13);
            }
            assert!(!finished || answer.value - bound < 1e-12);
            asks += 1;
        }
        assert!(n < 150 || asks > 10, "n {n}: asked {asks} times only");
    }
}

#[test]
fn a_stopped_rectangular_solution_is_the_best_one_or_none() {
    let mut rng = rng(13);
    for (rows, columns) in [(60, 90), (90, 60), (40, 40), (1, 300)] {
        let cost = uniform(rows, columns, &mut rng);
        let best = solve_rectangular(&cost).unwrap();
        let (mut none, mut some) = (0, 0);
        for asks in 0..200 {
            let asked = AtomicUsize::new(0);
            let stop = Stop::when(move || asked.fetch_add(1, SeqCst) >= asks);
            match solve_rectangular_until(&cost, &stop).unwrap() {
                Some(solution) => {
                    some += 1;
                    assert_eq!(solution.columns, best.columns);
                }
                None => none += 1,
            }
        }
        assert!(none > 0 && some > 0, "{rows} x {columns}: {none} without an answer, {some} with one");
    }
}

#[test]
fn sums_beyond_all_numbers_are_an_error() {
    let huge = DMatrix::from_fn(3, 3, |i, j| 1e308 + 1e306 * (i * j) as f64);
    for result in [solve(&huge).map(|_| ()), solve_rectangular(&huge.columns(0, 2).into_owned()).map(|_| ())] {
        assert!(result.unwrap_err().to_string().contains("scale them"));
    }
    // Where the sums are finite, so is the answer.
    let beside = dmatrix![2e307, -2e307; 3.0, 2e307];
    let best = solve(&beside).unwrap();
    assert_eq!((best.permutation.image(), best.value), (&[1, 0][..], -2e307));
    assert!(best.row_duals.iter().chain(&best.column_duals).all(|dual| dual.is_finite()));
    // A tolerance beyond all costs accepts any permutation, and loses no number.
    let mut solver = AssignmentSolver::new();
    solver.solve(&uniform(9, 9, &mut rng(13))).unwrap();
    solver.solve_within(&uniform(9, 9, &mut rng(14)), 1e308).unwrap();
    assert!(solver.row_duals().iter().chain(solver.column_duals()).all(|dual| dual.is_finite()));
}
