//! Linear assignment: against brute force, against another crate, and by the duals, which prove each answer.

use birkhoff::assignment::{AssignmentSolver, solve, solve_rectangular};
use birkhoff::{Assignment, Error, Permutation};
use nalgebra::{DMatrix, dmatrix};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Relative to the largest number in play: a price is moved by a few roundings of it in each phase. Chosen, not proved.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

fn rng(stream: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(stream)
}

fn uniform(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| rng.random::<f64>())
}

fn integers(rows: usize, columns: usize, largest: i32, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| f64::from(rng.random_range(1..=largest)))
}

/// The largest finite absolute value of the numbers that a proof adds up.
fn scale(cost: &DMatrix<f64>, u: &[f64], v: &[f64]) -> f64 {
    let all = cost.iter().chain(u).chain(v);
    all.filter(|c| c.is_finite()).fold(0.0, |largest: f64, c| largest.max(c.abs()))
}

/// Proves from the duals that no permutation is cheaper.
fn prove(cost: &DMatrix<f64>, best: &Assignment) {
    let n = cost.nrows();
    let tolerance = ROUNDING * scale(cost, &best.row_duals, &best.column_duals);
    assert_eq!(best.permutation.len(), n);
    assert_eq!((best.row_duals.len(), best.column_duals.len()), (n, n));
    for j in 0..n {
        for i in 0..n {
            let slack = cost[(i, j)] - best.row_duals[i] - best.column_duals[j];
            assert!(slack >= -tolerance, "({i}, {j}) has slack {slack}, tolerance {tolerance}");
        }
    }
    let mut value = 0.0;
    for i in 0..n {
        let j = best.permutation.apply(i);
        let slack = cost[(i, j)] - best.row_duals[i] - best.column_duals[j];
        assert!(slack.abs() <= tolerance, "assigned ({i}, {j}) has slack {slack}");
        value += cost[(i, j)];
    }
    assert_eq!(value, best.value);
}

/// The least cost over all permutations; infinite when all meet a forbidden entry.
fn brute_force(cost: &DMatrix<f64>) -> f64 {
    fn below(cost: &DMatrix<f64>, row: usize, used: u32) -> f64 {
        if row == cost.nrows() {
            return 0.0;
        }
        let free = (0..cost.ncols()).filter(|j| used & (1 << j) == 0);
        free.map(|j| cost[(row, j)] + below(cost, row + 1, used | (1 << j))).fold(f64::INFINITY, f64::min)
    }
    below(cost, 0, 0)
}

/// Square matrices whose entries come from a few kinds that hurt.
fn costs(sizes: std::ops::Range<usize>) -> impl Strategy<Value = DMatrix<f64>> {
    let entry = |kind: u8| match kind {
        0 => (-3i32..4).prop_map(f64::from).boxed(),
        1 => (-1.0..1.0).boxed(),
        2 => prop_oneof![3 => (0.0..1.0).boxed(), 1 => Just(f64::INFINITY).boxed()].boxed(),
        3 => prop_oneof![1 => (0i32..3).prop_map(f64::from), 1 => Just(f64::INFINITY)].boxed(),
        4 => Just(0.1).boxed(),
        _ => prop_oneof![(0i32..9).prop_map(f64::from), (0i32..9).prop_map(|x| 1e9 + f64::from(x))].boxed(),
    };
    (sizes, 0u8..6).prop_flat_map(move |(n, kind)| {
        proptest::collection::vec(entry(kind), n * n).prop_map(move |entries| DMatrix::from_vec(n, n, entries))
    })
}

#[test]
fn forbidden_pairs_on_a_sorted_diagonal_leave_the_others() {
    let inf = f64::INFINITY;
    // The sorted differences of both tell nothing where entries are infinite.
    let on_it = dmatrix![0.0, 0.5, 0.7, 0.0; 0.0, 0.0, 0.5, 0.4; 0.0, 0.6, inf, 0.5; 0.0, 0.0, inf, 0.0];
    let beside_it = dmatrix![0.0, 1.0, inf; 1.0, 0.0, inf; inf, inf, 0.0];
    for cost in [on_it, beside_it] {
        let best = solve(&cost).unwrap();
        assert_eq!(best.value, brute_force(&cost));
        prove(&cost, &best);
    }
}

proptest! {
    #[test]
    fn the_value_is_that_of_brute_force(cost in costs(0..8)) {
        let truth = brute_force(&cost);
        match solve(&cost) {
            Ok(best) => {
                prop_assert!((best.value - truth).abs() <= 1e-12 * truth.abs().max(1.0));
                prove(&cost, &best);
            }
            Err(Error::Infeasible { row }) => {
                prop_assert!(truth == f64::INFINITY && row < cost.nrows());
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_rectangular_answer_is_that_of_the_padded_square(
        (m, n, kind, stream) in (0usize..12, 0usize..12, 0u8..3, any::<u64>())
    ) {
        let mut rng = rng(stream);
        let cost = match kind {
            0 => uniform(m, n, &mut rng),
            1 => integers(m, n, 4, &mut rng).add_scalar(-2.0),
            _ => DMatrix::from_fn(m, n, |_, _| if rng.random::<f64>() < 0.5 { f64::INFINITY } else { rng.random() }),
        };
        let size = m.max(n);
        let padded = DMatrix::from_fn(size, size, |i, j| if i < m && j < n { cost[(i, j)] } else { 0.0 });
        match (solve_rectangular(&cost), solve(&padded)) {
            (Ok(best), Ok(square)) => {
                prop_assert!((best.value - square.value).abs() <= 1e-12 * size.max(1) as f64);
                let tolerance = ROUNDING * scale(&cost, &best.row_duals, &best.column_duals);
                let mut used = vec![false; n];
                let mut value = 0.0;
                for i in 0..m {
                    for j in 0..n {
                        let slack = cost[(i, j)] - best.row_duals[i] - best.column_duals[j];
                        prop_assert!(slack >= -tolerance);
                        if best.columns[i] == Some(j) {
                            prop_assert!(slack.abs() <= tolerance);
                            prop_assert!(!used[j]);
                            used[j] = true;
                            value += cost[(i, j)];
                        }
                    }
                }
                prop_assert_eq!(best.columns.iter().flatten().count(), m.min(n));
                prop_assert!((value - best.value).abs() <= 1e-12);
                if m > n {
                    for (u, column) in best.row_duals.iter().zip(&best.columns) {
                        prop_assert!(*u <= 0.0 && (column.is_some() || *u == 0.0));
                    }
                }
                if m < n {
                    for (v, used) in best.column_duals.iter().zip(&used) {
                        prop_assert!(*v <= 0.0 && (*used || *v == 0.0));
                    }
                }
            }
            (Err(Error::Infeasible { row }), Err(Error::Infeasible { .. })) => prop_assert!(row < m),
            (a, b) => prop_assert!(false, "{:?} against {:?}", a, b),
        }
    }

    #[test]
    fn a_warm_start_finds_the_value_of_a_cold_one(
        (n, kind, stream) in (1usize..60, 0u8..4, any::<u64>())
    ) {
        let mut rng = rng(stream);
        let mut cost = if kind == 0 { integers(n, n, 5, &mut rng) } else { uniform(n, n, &mut rng) };
        let mut solver = AssignmentSolver::new();
        for _ in 0..8 {
            solver.solve(&cost).unwrap();
            let cold = solve(&cost).unwrap();
            prop_assert!((solver.value() - cold.value).abs() <= 1e-12 * n as f64);
            prove(&cost, &solver.assignment());
            match kind {
                0 => for _ in 0..n {
                    cost[(rng.random_range(0..n), rng.random_range(0..n))] = f64::from(rng.random_range(1..=5));
                },
                1 => cost.iter_mut().for_each(|c| *c += 0.05 * rng.random::<f64>()),
                2 => cost[(rng.random_range(0..n), rng.random_range(0..n))] = f64::INFINITY,
                // As Frank-Wolfe does: a step towards a rank one matrix.
                _ => cost.iter_mut().enumerate().for_each(|(k, c)| *c = 0.9 * *c + 0.1 * (k % n) as f64),
            }
            if (0..n).any(|i| cost.row(i).iter().all(|c| c.is_infinite()))
                || (0..n).any(|j| cost.column(j).iter().all(|c| c.is_infinite())) {
                break;
            }
            if solve(&cost).is_err() {
                break;
            }
        }
    }

    #[test]
    fn any_duals_and_any_permutation_are_a_valid_start(
        (n, stream) in (1usize..40, any::<u64>())
    ) {
        let mut rng = rng(stream);
        let cost = integers(n, n, 30, &mut rng);
        let duals: Vec<f64> = (0..n).map(|_| 100.0 * rng.random::<f64>() - 50.0).collect();
        let mut solver = AssignmentSolver::new();
        solver.warm_start(&duals, &Permutation::random(n, &mut rng)).unwrap();
        solver.solve(&cost).unwrap();
        prop_assert!((solver.value() - solve(&cost).unwrap().value).abs() < 1e-9);
        prove(&cost, &solver.assignment());
    }

    #[test]
    fn transposing_the_cost_inverts_a_unique_answer((n, stream) in (1usize..80, any::<u64>())) {
        // Uniform costs: two optimal permutations have probability 0.
        let cost = uniform(n, n, &mut rng(stream));
        let best = solve(&cost).unwrap();
        let transposed = solve(&cost.transpose()).unwrap();
        prop_assert_eq!(transposed.permutation, best.permutation.inverse());
    }
}

#[test]
fn the_value_agrees_with_the_crate_lapjv() {
    let mut rng = rng(1);
    for trial in 0..60 {
        let n = rng.random_range(1..=200);
        let cost = match trial % 3 {
            0 => uniform(n, n, &mut rng),
            1 => integers(n, n, 100, &mut rng),
            _ => uniform(n, 3, &mut rng) * uniform(3, n, &mut rng) - uniform(n, n, &mut rng) * 0.1,
        };
        let theirs = lapjv::lapjv(&ndarray::Array2::from_shape_fn((n, n), |index| cost[index])).unwrap();
        let value: f64 = theirs.0.iter().enumerate().map(|(i, &j)| cost[(i, j)]).sum();
        let best = solve(&cost).unwrap();
        assert!((best.value - value).abs() <= 1e-12 * n as f64, "n = {n}: {} against {value}", best.value);
        prove(&cost, &best);
    }
}

#[test]
fn a_large_matrix_is_proved_optimal_by_its_duals() {
    let mut rng = rng(2);
    for cost in [uniform(700, 700, &mut rng), integers(700, 700, 100, &mut rng), integers(700, 700, 2, &mut rng)] {
        prove(&cost, &solve(&cost).unwrap());
    }
}

#[test]
fn a_product_matrix_is_assigned_in_opposite_order() {
    // Σ a_i b_p(i) is least when a rises and b falls: the classic worst case of the auction's price war.
    for n in [50, 300] {
        let cost = DMatrix::from_fn(n, n, |i, j| ((i + 1) * (j + 1)) as f64);
        let best = solve(&cost).unwrap();
        assert_eq!(best.permutation, Permutation::new((0..n).rev().collect()).unwrap());
        prove(&cost, &best);
    }
}

#[test]
fn the_trivial_sizes_are_answered() {
    assert_eq!(solve(&DMatrix::zeros(0, 0)).unwrap().value, 0.0);
    assert_eq!(solve(&dmatrix![-3.5]).unwrap().value, -3.5);
    let best = solve_rectangular(&DMatrix::zeros(0, 3)).unwrap();
    assert_eq!((best.columns.len(), best.column_duals.len(), best.value), (0, 3, 0.0));
    assert_eq!(solve_rectangular(&DMatrix::zeros(2, 0)).unwrap().columns, [None, None]);
    let mut solver = AssignmentSolver::new();
    solver.solve(&DMatrix::zeros(0, 0)).unwrap();
    solver.solve(&dmatrix![2.0]).unwrap();
    assert_eq!(solver.value(), 2.0);
}

#[test]
fn equal_costs_are_no_trouble() {
    for n in [2, 17, 100, 600] {
        let best = solve(&DMatrix::from_element(n, n, 0.25)).unwrap();
        assert_eq!(best.value, 0.25 * n as f64);
    }
}

#[test]
fn huge_costs_do_not_overflow() {
    let mut rng = rng(3);
    let small = integers(60, 60, 1000, &mut rng);
    let expected = solve(&small).unwrap();
    let huge = &small * 1e297;
    let best = solve(&huge).unwrap();
    assert!((best.value / 1e297 - expected.value).abs() < 1e-9);
    assert!(best.row_duals.iter().chain(&best.column_duals).all(|x| x.is_finite()));
    let rectangular = solve_rectangular(&huge.columns(0, 30).into_owned()).unwrap();
    assert_eq!(rectangular.columns.iter().flatten().count(), 30);
    // One huge entry among small ones loses nothing of the small ones.
    let mut mixed = small.clone();
    mixed[(5, 7)] = 1e300;
    mixed[(6, 8)] = -1e300;
    assert_eq!(solve(&mixed).unwrap().permutation.apply(6), 8);
    // The solver works on after them.
    let mut solver = AssignmentSolver::new();
    for cost in [&huge, &small, &huge, &small] {
        solver.solve(cost).unwrap();
    }
    assert_eq!(solver.value(), expected.value);
}

#[test]
fn subnormal_costs_are_told_apart() {
    let tiny = f64::from_bits(1);
    let best = solve(&dmatrix![tiny, 2.0 * tiny; 3.0 * tiny, 5.0 * tiny]).unwrap();
    assert_eq!(best.permutation.image(), &[1, 0]);
    assert_eq!(best.value, 5.0 * tiny);
}

#[test]
fn a_big_constant_beside_small_costs_is_avoided() {
    let mut rng = rng(4);
    for big in [1e6, 1e9, 1e12, 1e15, 1e100, 1e300] {
        for n in [5, 40, 150] {
            // A random sparse pattern around a hidden permutation; everything else is the constant.
            let hidden = Permutation::random(n, &mut rng);
            let small = DMatrix::from_fn(n, n, |i, j| {
                let allowed = hidden.apply(i) == j || rng.random::<f64>() < 3.0 / n as f64;
                if allowed { rng.random::<f64>() } else { f64::INFINITY }
            });
            let best = solve(&small).unwrap();
            let with_constant = small.map(|c| if c.is_finite() { c } else { big });
            let value = solve(&with_constant).unwrap().value;
            // The duals reach up to the constant, and round there.
            assert!((value - best.value).abs() <= 1e-15 * big * n as f64, "{value} against {}", best.value);
            assert!(value < big);
        }
    }
}

#[test]
fn forbidden_pairs_without_a_way_out_are_an_error() {
    let inf = f64::INFINITY;
    let stuck = dmatrix![1.0, inf, inf; 2.0, inf, inf; 1.0, 1.0, 1.0];
    assert!(matches!(solve(&stuck), Err(Error::Infeasible { row: 0 | 1 })));
    let empty_row = dmatrix![1.0, 2.0; inf, inf];
    assert!(matches!(solve(&empty_row), Err(Error::Infeasible { row: 1 })));
    assert!(matches!(solve(&empty_row.transpose()), Err(Error::Infeasible { .. })));
    assert!(matches!(solve(&dmatrix![inf]), Err(Error::Infeasible { row: 0 })));
    assert!(matches!(solve_rectangular(&dmatrix![inf, inf, inf; 1.0, 2.0, 3.0]), Err(Error::Infeasible { row: 0 })));
    assert!(solve_rectangular(&dmatrix![inf, inf, inf; 1.0, 2.0, 3.0].transpose()).is_err());
}

#[test]
fn entries_that_are_no_costs_are_named() {
    for bad in [f64::NAN, f64::NEG_INFINITY] {
        let mut cost = DMatrix::from_element(20, 20, 1.0);
        cost[(3, 18)] = bad;
        cost[(0, 0)] = f64::INFINITY;
        for result in [solve(&cost).map(|_| ()), solve_rectangular(&cost).map(|_| ())] {
            let Err(Error::Entry { row: 3, column: 18, .. }) = result else { panic!("{result:?}") };
        }
        let wide = cost.rows(2, 5).into_owned();
        let Err(Error::Entry { row: 1, column: 18, .. }) = solve_rectangular(&wide) else { panic!() };
        let mut solver = AssignmentSolver::new();
        solver.solve(&DMatrix::zeros(20, 20)).unwrap();
        assert!(matches!(solver.solve(&cost), Err(Error::Entry { row: 3, column: 18, .. })));
        solver.solve(&DMatrix::identity(20, 20)).unwrap();
        assert_eq!((solver.value(), solver.augmented()), (0.0, 20));
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert!(matches!(solve(&DMatrix::zeros(2, 3)), Err(Error::Shape { .. })));
    let mut solver = AssignmentSolver::new();
    assert!(matches!(solver.warm_start(&[0.0], &Permutation::identity(2)), Err(Error::Shape { .. })));
    let duals = [0.0, f64::INFINITY];
    assert!(matches!(solver.warm_start(&duals, &Permutation::identity(2)), Err(Error::Entry { row: 1, .. })));
}

#[test]
fn a_restored_solver_gives_the_same_answers_bit_for_bit() {
    let mut rng = rng(5);
    for ties in [false, true] {
        let mut cost = if ties { integers(90, 90, 6, &mut rng) } else { uniform(90, 90, &mut rng) };
        let mut solver = AssignmentSolver::new();
        solver.solve(&cost).unwrap();
        let mut restored = AssignmentSolver::new();
        let permutation = Permutation::new(solver.columns().to_vec()).unwrap();
        restored.warm_start(solver.row_duals(), &permutation).unwrap();
        for _ in 0..10 {
            for _ in 0..200 {
                cost[(rng.random_range(0..90), rng.random_range(0..90))] += f64::from(rng.random_range(-1..=1));
            }
            solver.solve(&cost).unwrap();
            restored.solve(&cost).unwrap();
            assert_eq!(solver.assignment(), restored.assignment());
            assert_eq!(solver.augmented(), restored.augmented());
        }
    }
}

#[test]
fn the_same_matrix_again_costs_no_augmentation() {
    let cost = uniform(120, 120, &mut rng(6));
    let mut solver = AssignmentSolver::new();
    solver.solve(&cost).unwrap();
    let first = solver.assignment();
    assert_eq!(solver.augmented(), 120);
    solver.solve(&cost).unwrap();
    assert_eq!(solver.augmented(), 0);
    assert_eq!(solver.assignment().permutation, first.permutation);
    solver.reset();
    solver.solve(&cost).unwrap();
    assert_eq!((solver.augmented(), solver.assignment()), (120, first));
}

#[test]
fn the_size_may_change_between_problems() {
    let mut rng = rng(7);
    let mut solver = AssignmentSolver::new();
    for n in [30, 5, 0, 200, 31] {
        let cost = uniform(n, n, &mut rng);
        solver.solve(&cost).unwrap();
        prove(&cost, &solver.assignment());
    }
}

#[test]
fn costs_on_which_all_rows_agree_are_solved() {
    // Nearly rank one, as the gradients of graph matching are: every row wants the same columns. These go through the
    // auction.
    let mut rng = rng(8);
    for n in [60, 250] {
        let row: Vec<f64> = (0..n).map(|_| rng.random::<f64>()).collect();
        let column: Vec<f64> = (0..n).map(|_| rng.random::<f64>()).collect();
        let mut cost = DMatrix::from_fn(n, n, |i, j| row[i] * column[j] + 0.01 * rng.random::<f64>());
        let mut solver = AssignmentSolver::new();
        for _ in 0..6 {
            solver.solve(&cost).unwrap();
            prove(&cost, &solver.assignment());
            let cold = solve(&cost).unwrap();
            prove(&cost, &cold);
            assert!((solver.value() - cold.value).abs() <= 1e-12 * n as f64);
            cost.iter_mut().for_each(|c| *c += 0.002 * rng.random::<f64>());
        }
    }
}

#[test]
fn a_start_from_foreign_duals_does_not_hurt() {
    // Duals of uniform costs are noise to integer ones, whose ties they break everywhere in the wrong way.
    let mut rng = rng(9);
    let mut solver = AssignmentSolver::new();
    for _ in 0..3 {
        for cost in
            [uniform(400, 400, &mut rng), integers(400, 400, 20, &mut rng), integers(400, 400, 20, &mut rng) * 1e-9]
        {
            solver.solve(&cost).unwrap();
            prove(&cost, &solver.assignment());
            let cold = solve(&cost).unwrap().value;
            assert!((solver.value() - cold).abs() <= 1e-12 * cold.max(1.0));
        }
    }
}

#[test]
fn duals_do_not_drift_over_a_long_sequence() {
    let mut rng = rng(10);
    let mut solver = AssignmentSolver::new();
    for _ in 0..400 {
        let cost = uniform(30, 30, &mut rng);
        solver.solve(&cost).unwrap();
        prove(&cost, &solver.assignment());
        assert!(solver.row_duals().iter().all(|u| u.abs() < 40.0));
    }
}
