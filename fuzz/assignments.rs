//! Sequences of assignment problems, cold, warm and rectangular, proved by their duals and beside the crate lapjv.

use crate::draws::Draws;
use birkhoff::Error;
use birkhoff::assignment::{AssignmentSolver, solve, solve_rectangular};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// Relative to the largest number in play, as in tests/assignment.rs: a price is moved by a few roundings of it in each
/// phase.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

#[derive(Clone, Copy)]
enum Costs {
    Whole,
    Uniform,
    /// 10^−9 to 10^9.
    Wide,
    /// Up to 10^300.
    Huge,
    /// Some pairs forbidden.
    Forbidding,
    /// Some entries that are no costs.
    Broken,
}

impl Costs {
    fn draw(self, rng: &mut impl Rng) -> f64 {
        let rare = rng.random_range(0..8) == 0;
        match self {
            Costs::Whole => f64::from(rng.random_range(-3..4)),
            Costs::Uniform => rng.random(),
            Costs::Wide => 10f64.powf(rng.random_range(-9.0..9.0)),
            Costs::Huge => rng.random_range(-1.0..1.0) * 10f64.powi(rng.random_range(0..300)),
            Costs::Forbidding if rare => f64::INFINITY,
            Costs::Forbidding => f64::from(rng.random_range(0..9)),
            Costs::Broken if rare => [f64::NAN, f64::NEG_INFINITY][rng.random_range(0..2)],
            Costs::Broken => rng.random(),
        }
    }
}

/// One solver through several problems of one size, each also solved by itself.
pub fn assignments(bytes: &[u8]) {
    let rng = &mut Draws::from(bytes);
    let kinds = [Costs::Whole, Costs::Uniform, Costs::Wide, Costs::Huge, Costs::Forbidding, Costs::Broken];
    let kind = kinds[rng.random_range(0..kinds.len())];
    let (n, count) = (rng.random_range(0..14), rng.random_range(1..8));
    let mut cost = DMatrix::from_fn(n, n, |_, _| kind.draw(rng));
    let mut warm = AssignmentSolver::new();
    for _ in 0..count {
        let cold = solve(&cost);
        let answers = match warm.solve(&cost) {
            Ok(()) => [Ok(warm.assignment()), cold],
            Err(error) => [Err(error), cold],
        };
        for answer in answers {
            match answer {
                Ok(answer) => {
                    let columns: Vec<_> = answer.permutation.image().iter().map(|&column| Some(column)).collect();
                    prove(&cost, &columns, answer.value, (&answer.row_duals, &answer.column_duals));
                }
                Err(error) => check_refusal(&cost, &error),
            }
        }
        let part = cost.rows(0, rng.random_range(0..=n)).into_owned();
        rectangular(&if rng.random() { part.transpose() } else { part });
        for _ in 0..rng.random_range(0..=2 * n) {
            cost[(rng.random_range(0..n), rng.random_range(0..n))] = kind.draw(rng);
        }
    }
}

fn rectangular(cost: &DMatrix<f64>) {
    match solve_rectangular(cost) {
        Ok(answer) => {
            prove(cost, &answer.columns, answer.value, (&answer.row_duals, &answer.column_duals));
            // On the larger side no dual is positive, and those of what is left over are 0.
            let (m, n) = cost.shape();
            let larger = if m < n { &answer.column_duals } else { &answer.row_duals };
            assert!(m == n || larger.iter().all(|&dual| dual <= 0.0));
        }
        Err(error) => check_refusal(cost, &error),
    }
}

/// Feasible duals, tight where rows have columns, prove an assignment; and lapjv finds none that is cheaper.
fn prove(cost: &DMatrix<f64>, columns: &[Option<usize>], value: f64, (u, v): (&[f64], &[f64])) {
    let (m, n) = cost.shape();
    let in_play = cost.iter().chain(u).chain(v).filter(|number| number.is_finite());
    let largest = in_play.fold(0.0, |largest: f64, number| largest.max(number.abs()));
    let tolerance = ROUNDING * largest;
    let mut is_taken = vec![false; n];
    for (i, &column) in columns.iter().enumerate() {
        for j in 0..n {
            let slack = cost[(i, j)] - u[i] - v[j];
            assert!(slack >= -tolerance, "({i}, {j}) has slack {slack}, tolerance {tolerance}\n{cost}");
            if column == Some(j) {
                assert!(
                    slack <= tolerance && !std::mem::replace(&mut is_taken[j], true),
                    "({i}, {j}): {slack}\n{cost}"
                );
            }
        }
    }
    assert_eq!(columns.iter().flatten().count(), m.min(n));
    if cost.iter().all(|c| c.is_finite() && c.abs() < 1e100) && !cost.is_empty() {
        let size = m.max(n);
        let padded = |(i, j)| if i < m && j < n { cost[(i, j)] } else { 0.0 };
        let padded = ndarray::Array2::from_shape_fn((size, size), padded);
        let (other, _) = lapjv::lapjv(&padded).expect("a square matrix");
        let other = lapjv::cost(&padded, &other);
        assert!(value <= other + tolerance * size as f64, "{value}, lapjv has {other}\n{cost}");
    }
}

fn check_refusal(cost: &DMatrix<f64>, error: &Error) {
    match error {
        Error::Entry { row, column, .. } => {
            let entry = cost[(*row, *column)];
            assert!(entry.is_nan() || entry == f64::NEG_INFINITY, "{error}\n{cost}");
        }
        Error::Infeasible { .. } => assert!(matched(cost) < cost.nrows().min(cost.ncols()), "{error}\n{cost}"),
        other => panic!("{other}\n{cost}"),
    }
}

/// The most rows that can have a column of their own that is not forbidden.
fn matched(cost: &DMatrix<f64>) -> usize {
    fn augment(cost: &DMatrix<f64>, row: usize, seen: &mut [bool], row_of: &mut [Option<usize>]) -> bool {
        for column in 0..cost.ncols() {
            if cost[(row, column)].is_finite() && !std::mem::replace(&mut seen[column], true) {
                let holder = row_of[column];
                if holder.is_none_or(|holder| augment(cost, holder, seen, row_of)) {
                    row_of[column] = Some(row);
                    return true;
                }
            }
        }
        false
    }
    let mut row_of = vec![None; cost.ncols()];
    (0..cost.nrows()).filter(|&row| augment(cost, row, &mut vec![false; cost.ncols()], &mut row_of)).count()
}
