//! The theorems of docs/mathematics.md §2 with their constants, and the matrices that attain them.
//!
//! Each theorem is a function that says what a matrix violates, so that planted violations show that it can say so.

use crate::polytope::{ROUNDING, combination};
use birkhoff::certificate::{DISTANCE_FACTOR, Hardening, ROUNDING_RADIUS, Theorem, certify, hardening, row_argmax};
use birkhoff::instance::rng;
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::{Norms, Penalty};
use birkhoff::polytope::{barycenter, lmo, round};
use birkhoff::recovery::{Method, Settings, recover};
use birkhoff::{Graph, Permutation};
use nalgebra::{DMatrix, dmatrix};
use proptest::prelude::*;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

const PENALTIES: [Penalty; 3] = [Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy];

fn p(x: &DMatrix<f64>) -> f64 {
    Penalty::L1MinusL2.value(x)
}

/// A point of D_n: near the middle, on a small face, or at a distance 10⁻ᵏ from a vertex.
fn feasible(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let count = [2, 3, 2 * n, 8 * n][rng.random_range(0..4)];
    let x = combination(n, count, rng);
    let t = [1.0, 0.5, 1e-2, 1e-5, 1e-9][rng.random_range(0..5)];
    x * t + Permutation::random(n, rng).to_matrix() * (1.0 - t)
}

/// A random point of D_n with P between nothing and T2's radius, mostly just below it.
fn within_radius(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let vertex = Permutation::random(n, rng).to_matrix();
    let count = [1, 2, 3, 4 * n][rng.random_range(0..4)];
    let away = combination(n, count, rng) - &vertex;
    let share: f64 = rng.random();
    let target = ROUNDING_RADIUS * (1.0 - share.powi(3));
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let t = 0.5 * (low + high);
        if p(&(&vertex + &away * t)) < target { low = t } else { high = t }
    }
    &vertex + &away * low
}

/// All n! permutations.
fn permutations(n: usize) -> Vec<Permutation> {
    let mut all = vec![vec![]];
    for _ in 0..n {
        let longer = |image: &Vec<usize>| {
            let unused = (0..n).filter(|j| !image.contains(j));
            unused.map(|j| [&image[..], &[j]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all.into_iter().map(|image| Permutation::new(image).unwrap()).collect()
}

/// Σ|X_ij − Π_ij|.
fn distance(x: &DMatrix<f64>, q: &Permutation) -> f64 {
    (x - q.to_matrix()).lp_norm(1)
}

/// min ‖X − Π‖₁ over all permutations, by trying them.
fn nearest(x: &DMatrix<f64>) -> f64 {
    permutations(x.nrows()).iter().map(|q| distance(x, q)).fold(f64::INFINITY, f64::min)
}

/// T1 with its two constants 1 and 2 in `below` and `above`.
fn t1(x: &DMatrix<f64>, below: f64, above: f64) -> Result<(), String> {
    let (penalty, distance) = (p(x), nearest(x));
    if below * penalty > distance + ROUNDING {
        return Err(format!("P {penalty} is above the distance {distance}"));
    }
    if distance > above * penalty + ROUNDING {
        return Err(format!("the distance {distance} is above {above} P, P {penalty}"));
    }
    Ok(())
}

/// What T2 claims of a matrix within its radius, (1 + 1/√2) in `factor`.
fn t2(x: &DMatrix<f64>, factor: f64) -> Result<(), String> {
    let n = x.nrows();
    for k in 0..n {
        let (row, column) = (x.row(k).max(), x.column(k).max());
        // Half is excluded, but a matrix within rounding of the radius may be at half.
        if row.min(column) <= 0.5 {
            return Err(format!("row and column {k} have the maxima {row} and {column}"));
        }
    }
    let q = Permutation::new(row_argmax(x)).map_err(|error| error.to_string())?;
    if round(x).unwrap() != q {
        return Err("row-argmax is not the maximum assignment".into());
    }
    // The runner-up must leave q somewhere: forbid one of its entries at a time.
    let best: f64 = (0..n).map(|i| x[(i, q.apply(i))]).sum();
    for i in 0..if n > 1 { n } else { 0 } {
        let mut cost = -x;
        cost[(i, q.apply(i))] = f64::INFINITY;
        let second = -lmo(&cost).unwrap().value;
        if second >= best {
            return Err(format!("another assignment reaches {second}, the best {best}"));
        }
    }
    let (distance, penalty) = (distance(x, &q), p(x));
    if distance > factor * penalty + ROUNDING {
        return Err(format!("the distance {distance} is above {factor} P, P {penalty}"));
    }
    Ok(())
}

/// max(E_r, E_c), η and the largest deficit of T3, straight from their definitions.
fn deviations(x: &DMatrix<f64>) -> (f64, f64, f64) {
    let lines = || x.row_iter().map(|row| row.transpose()).chain(x.column_iter().map(|column| column.clone_owned()));
    let off = |sum: f64| (sum - 1.0).abs();
    let rows: f64 = x.row_iter().map(|row| off(row.sum())).sum();
    let columns: f64 = x.column_iter().map(|column| off(column.sum())).sum();
    let eta = lines().map(|line| off(line.sum())).fold(0.0, f64::max);
    (rows.max(columns), eta, lines().map(|line| line.sum() - line.norm()).fold(0.0, f64::max))
}

/// ½(I + swap) ⊕ I, renumbered at random.
fn attaining(n: usize, t: f64, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut x = DMatrix::identity(n, n);
    (x[(0, 0)], x[(0, 1)], x[(1, 0)], x[(1, 1)]) = (1.0 - t, t, t, 1.0 - t);
    Permutation::random(n, rng).to_matrix() * x * Permutation::random(n, rng).to_matrix()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn t0_and_t1_the_penalty_measures_the_distance_to_the_permutations(n in 1usize..6, seed: u64) {
        let rng = &mut rng(seed, 0);
        let x = feasible(n, rng);
        prop_assert_eq!(t1(&x, 1.0, DISTANCE_FACTOR), Ok(()));
        prop_assert!(p(&x) <= 2.0 * (n as f64 - (n as f64).sqrt()) + ROUNDING);
        // T0: P is 0 at a permutation, and nothing else is near 0 without being near a permutation (T1).
        prop_assert!(p(&Permutation::random(n, rng).to_matrix()).abs() <= ROUNDING);
        // The certificate says the same, and its bounds hold.
        let certificate = certify(&x).unwrap();
        let distance = nearest(&x);
        prop_assert!(certificate.distance_at_least <= distance + ROUNDING);
        prop_assert!(distance <= certificate.distance_at_most.unwrap() + ROUNDING);
    }

    #[test]
    fn t2_within_the_radius_row_argmax_is_the_only_rounding(n in 1usize..10, seed: u64) {
        let rng = &mut rng(seed, 1);
        let x = within_radius(n, rng);
        // A matrix within rounding of the radius need not satisfy T2, nor be certified.
        prop_assume!(p(&x) < ROUNDING_RADIUS - 1e-9);
        prop_assert_eq!(t2(&x, DISTANCE_FACTOR), Ok(()));
        let certificate = certify(&x).unwrap();
        prop_assert_eq!(certificate.theorem, Some(Theorem::T2));
        let q = certificate.permutation.unwrap();
        prop_assert_eq!(&q, &round(&x).unwrap());
        prop_assert!(distance(&x, &q) <= certificate.distance_at_most.unwrap());
    }

    #[test]
    fn t2_whatever_is_certified_anywhere_on_the_polytope_is_true(n in 1usize..8, seed: u64) {
        let x = feasible(n, &mut rng(seed, 2));
        let certificate = certify(&x).unwrap();
        match certificate.theorem {
            Some(Theorem::T2) => prop_assert_eq!(t2(&x, DISTANCE_FACTOR), Ok(())),
            Some(Theorem::T3) => prop_assert_eq!(&round(&x).unwrap(), &certificate.permutation.unwrap()),
            None => prop_assert!(p(&x) > ROUNDING_RADIUS - 1e-9),
            Some(other) => prop_assert!(false, "{:?} is not tested", other),
        }
    }

    #[test]
    fn t2_a_row_keeps_what_its_deficit_allows(length in 2usize..8, seed: u64) {
        let rng = &mut rng(seed, 3);
        let mut row = DMatrix::from_fn(1, length, |_, _| { let v: f64 = Exp1.sample(rng); v.powi(3) });
        row /= row.sum();
        row *= rng.random::<f64>().powi(2);
        let rest = 1.0 - row.sum();
        row[rng.random_range(0..length)] += rest;
        let deficit = 1.0 - Norms::of(&row).rows[0];
        let allowed = (1.0 - (1.0 - 2.0 * deficit * (2.0 - deficit)).sqrt()) / 2.0;
        // Nearer to the radius the square root magnifies rounding beyond the tolerance.
        if deficit < 1.0 - FRAC_1_SQRT_2 - 1e-6 {
            prop_assert!(1.0 - row.max() <= allowed + ROUNDING);
        }
    }

    #[test]
    fn t3_speaks_of_approximately_feasible_matrices(n in 1usize..9, seed: u64) {
        let rng = &mut rng(seed, 4);
        let (spread, noise) = (0.33 * rng.random::<f64>(), 0.3 * rng.random::<f64>().powi(2) / n as f64);
        let vertex = Permutation::random(n, rng).to_matrix();
        let x = vertex.map(|v| v * (1.0 + spread * rng.random_range(-1.0..1.0)) + noise * rng.random::<f64>());
        let (deviation, eta, deficit) = deviations(&x);
        let applies = eta < 1.0 / 3.0 && deficit < (1.0 - 3.0 * eta) / 4.0;
        let certificate = certify(&x).unwrap();
        prop_assert_eq!(certificate.theorem.is_some(), applies);
        if applies {
            let q = Permutation::new(row_argmax(&x)).unwrap();
            prop_assert_eq!(certificate.permutation.as_ref(), Some(&q));
            prop_assert_eq!(&round(&x).unwrap(), &q);
            prop_assert!(distance(&x, &q) <= 2.0 * p(&x) + deviation + ROUNDING);
            let said = certificate.distance_at_most.unwrap();
            prop_assert!(distance(&x, &q) <= said + ROUNDING && said <= 2.0 * p(&x) + deviation + ROUNDING);
        }
    }

    #[test]
    fn penalties_are_concave_where_entries_are_not_negative(rows in 1usize..7, seed: u64, t in 0.0..1.0f64) {
        let rng = &mut rng(seed, 5);
        let mut point = || DMatrix::from_fn(rows, rows, |_, _| {
            let v: f64 = Exp1.sample(rng);
            if v < 0.5 { 0.0 } else { v * 3.0 }
        });
        let (x, y) = (point(), point());
        for penalty in PENALTIES {
            let chord = penalty.value(&x) * (1.0 - t) + penalty.value(&y) * t;
            // Values reach 10³ here.
            prop_assert!(penalty.value(&(&x * (1.0 - t) + &y * t)) >= chord - 1e-10, "{}", penalty);
        }
    }

    #[test]
    fn the_penalty_curves_by_two_over_n_at_least_on_the_polytope(n in 2usize..9, seed: u64) {
        let rng = &mut rng(seed, 6);
        let (x, y) = (feasible(n, rng), feasible(n, rng));
        let sag = p(&((&x + &y) * 0.5)) - 0.5 * (p(&x) + p(&y));
        prop_assert!(sag >= (2.0 / n as f64) / 8.0 * (x - y).norm_squared() - ROUNDING);
    }

    #[test]
    fn the_penalty_is_lipschitz(n in 1usize..9, seed: u64) {
        let rng = &mut rng(seed, 7);
        let (x, y) = (feasible(n, rng), feasible(n, rng));
        let size = n as f64;
        prop_assert!((p(&x) - p(&y)).abs() <= 2.0 * size.sqrt() * (&x - &y).norm() + ROUNDING);
        let positive = |rng: &mut _| DMatrix::from_fn(n, n, |_, _| { let v: f64 = Exp1.sample(rng); v.powi(4) });
        let (x, y) = (positive(rng), positive(rng));
        // Entries reach 10⁴ here.
        prop_assert!((p(&x) - p(&y)).abs() <= 2.0 * (size * (size - 1.0)).sqrt() * (&x - &y).norm() + 1e-8);
        prop_assert!(Penalty::L1MinusL2.gradient(&x).norm() <= 2.0 * (size * (size - 1.0)).sqrt() + ROUNDING);
    }
}

/// A graph with weights of several kinds, directed or not, loops or none.
fn graph(n: usize, kind: u64, rng: &mut impl Rng) -> Graph {
    let mut w = DMatrix::from_fn(n, n, |_, _| {
        let v: f64 = StandardNormal.sample(rng);
        if kind.is_multiple_of(2) { f64::from(v > 0.2) } else { v }
    });
    if kind % 4 < 2 {
        w = &w + w.transpose();
        w.fill_diagonal(0.0);
    }
    Graph::from_matrix(&w).unwrap()
}

/// The matrices that cannot be beaten, and what would be violated if a constant were a little better.
#[test]
fn the_constants_of_t1_and_t2_are_attained_and_a_better_one_is_caught() {
    for n in 2..7 {
        let rng = &mut rng(n as u64, 12);
        let edge = attaining(n, 0.5, rng);
        assert!((p(&edge) - ROUNDING_RADIUS).abs() < ROUNDING);
        assert_eq!(t1(&edge, 1.0, DISTANCE_FACTOR), Ok(()));
        assert!(t1(&edge, 1.0, 1.7).unwrap_err().contains("above 1.7 P"), "1.7 is below 1 + 1/sqrt 2");
        assert!(t2(&edge, 2.0).unwrap_err().contains("0.5"), "T2 holds within its radius only");
        assert!(!certify(&edge).unwrap().is_certified());
        // Just inside, everything holds, and the factor 1 + 1/√2 is attained up to what is left to the edge.
        let inside = attaining(n, 0.5 - 1e-6, rng);
        assert_eq!(t2(&inside, DISTANCE_FACTOR), Ok(()));
        assert!(t2(&inside, DISTANCE_FACTOR - 1e-5).is_err());
        assert!(certify(&inside).unwrap().is_certified());
        // Near a vertex, P is the distance: the left side of T1 is sharp as well.
        let near = attaining(n, 1e-4, rng);
        assert!(
            t1(&near, 1.0, DISTANCE_FACTOR).is_ok()
                && t1(&near, 1.001, 2.0).unwrap_err().contains("above the distance")
        );
    }
}

/// What the proof of T1 says of rows alone (docs/mathematics.md §2): the best assignment reaches Σ (1 − (1 + 1/√2)(1 −
/// ‖r_i‖)).
#[test]
fn t1_holds_for_the_rows_alone_and_its_proofs_inequalities_hold() {
    let line = |s: f64| 1.0 - DISTANCE_FACTOR * (1.0 - s);
    for trial in 0..4000 {
        let rng = &mut rng(trial, 16);
        let n = rng.random_range(2..9);
        let x = if trial.is_multiple_of(2) { feasible(n, rng) } else { within_radius(n, rng) };
        let q = round(&x).unwrap();
        let best: f64 = (0..n).map(|i| x[(i, q.apply(i))]).sum();
        let rows: f64 = Norms::of(&x).rows.iter().map(|&norm| line(norm)).sum();
        assert!(best >= rows - ROUNDING, "trial {trial}: {best} < {rows}");
    }
    // The two inequalities of the proof, on a grid: rows without and with an entry above ½.
    let y = |t: f64| (SQRT_2 - 1.0) * (1.0 - t) * (1.0 - 2.0 * t);
    for s in (0..=1000).map(|k| f64::from(k) / 1000.0 * FRAC_1_SQRT_2) {
        assert!((1.0 - s) * (FRAC_1_SQRT_2 - s) >= s * s * y(s * s) - ROUNDING, "{s}");
    }
    for (t, share) in (1..500).flat_map(|k| (0..=20).map(move |j| (f64::from(k) / 1000.0, f64::from(j) / 20.0))) {
        let v = t * share;
        let s = ((1.0 - t).powi(2) + t * v).sqrt();
        let (left, right) = (t * (1.0 - t) * y(t) - t * v * y(v), (1.0 - s) * (s - FRAC_1_SQRT_2));
        assert!(left >= right - ROUNDING, "{t}, {v}: {left} < {right}");
    }
}

#[test]
fn what_is_hardened_is_the_nearest_permutation_and_moves_no_further_than_said() {
    let mut hardened = 0;
    for trial in 0..3000 {
        let rng = &mut rng(trial, 17);
        let n = rng.random_range(1..7);
        let mut x = if trial.is_multiple_of(2) { within_radius(n, rng) } else { feasible(n, rng) };
        if trial.is_multiple_of(3) {
            // One scaling a step leaves sums off by a little.
            x.apply(|v| *v *= 1.0 + 0.1 * (rng.random::<f64>() - 0.5));
        }
        if let Hardening::Ready { permutation, change_at_most, .. } = hardening(&x).unwrap() {
            hardened += 1;
            assert_eq!(permutation, round(&x).unwrap());
            assert!(distance(&x, &permutation) <= change_at_most + ROUNDING, "trial {trial}");
        }
    }
    assert!((1000..2900).contains(&hardened), "a rule that always or never hardens is none: {hardened}");
}

#[test]
fn planted_violations_are_caught() {
    // Feasible sums, but a negative entry: P no longer measures anything, and no certificate is given.
    let negative = dmatrix![1.2, -0.2; -0.2, 1.2];
    assert!(t1(&negative, 1.0, 2.0).is_err());
    assert!(!certify(&negative).unwrap().is_certified());
    // P(0) = 0: "P = 0" needs the sums.
    assert_eq!(p(&DMatrix::zeros(3, 3)), 0.0);
    assert!(t1(&DMatrix::zeros(3, 3), 1.0, 2.0).is_err());
    assert!(!certify(&DMatrix::zeros(3, 3)).unwrap().is_certified());
    // A 0-1 matrix with P = 0 whose rows agree on one column.
    let twice = dmatrix![1.0, 0.0; 1.0, 0.0];
    assert!(t2(&twice, 2.0).is_err());
    assert!(certify(&twice).unwrap().permutation.is_none());
    // A plain average of two permutations that agree nowhere, near the middle.
    assert!(t2(&barycenter(3), 2.0).is_err());
    assert!(deviations(&(barycenter(2) * 1.5)).1 > 0.4);
}

#[test]
fn a_rows_bound_is_attained_by_two_entries() {
    for t in [1e-6, 0.1, 0.3, 0.49] {
        let row = dmatrix![t, 1.0 - t, 0.0];
        let deficit = 1.0 - Norms::of(&row).rows[0];
        let allowed = (1.0 - (1.0 - 2.0 * deficit * (2.0 - deficit)).sqrt()) / 2.0;
        // The square root magnifies rounding near t = ½, where its argument is (1 − 2t)².
        assert!((allowed - t).abs() < 1e-13, "{t}: {allowed}");
    }
}

#[test]
fn the_penalty_is_largest_and_flat_at_the_barycenter() {
    for n in 1..9 {
        let middle = barycenter(n);
        assert!((p(&middle) - 2.0 * (n as f64 - (n as f64).sqrt())).abs() < ROUNDING);
        let gradient = Penalty::L1MinusL2.gradient(&middle);
        assert!(gradient.max() - gradient.min() < ROUNDING, "the tangent gradient is 0");
        assert!((Penalty::Frobenius.value(&middle) - (n as f64 - 1.0)).abs() < ROUNDING);
        assert!((Penalty::Entropy.value(&middle) - n as f64 * (n as f64).ln()).abs() < ROUNDING * 10.0);
    }
}

#[test]
fn the_lipschitz_and_curvature_constants_are_attained() {
    for n in 2..9 {
        let size = n as f64;
        let vertex = DMatrix::identity(n, n);
        let gradient = Penalty::L1MinusL2.gradient(&vertex);
        assert!((gradient.norm() - 2.0 * (size * (size - 1.0)).sqrt()).abs() < ROUNDING);
        // From the vertex towards the barycenter the slope is 2√n·√(1 − 1/n), and the Hessian −2/n, at the vertex
        // itself.
        let inward = barycenter(n) - &vertex;
        let unit = &inward / inward.norm();
        let at = |t: f64| p(&(&vertex + &unit * t));
        assert!((gradient.dot(&unit) - 2.0 * (size - 1.0).sqrt()).abs() < ROUNDING);
        let h = 1e-4;
        let curvature = (at(h) - 2.0 * at(2.0 * h) + at(3.0 * h)) / (h * h);
        // Second differences lose 1e-15/h² = 1e-7, and h·P''' is of the order 1e-3.
        assert!((curvature + 2.0 / size).abs() < 2e-2 / size + 1e-3, "n {n}: {curvature}");
    }
}

#[test]
fn t4_heavy_penalties_are_exact_and_light_ones_are_not() {
    // All convex combinations of the six permutations of three with weights in twelfths.
    let vertices: Vec<_> = permutations(3).iter().map(Permutation::to_matrix).collect();
    let mut grid = vec![(DMatrix::zeros(3, 3), 12)];
    for vertex in &vertices[..5] {
        let step = |(x, left): &(DMatrix<f64>, usize)| {
            (0..=*left).map(|k| (x + vertex * (k as f64 / 12.0), left - k)).collect::<Vec<_>>()
        };
        grid = grid.iter().flat_map(step).collect();
    }
    let grid: Vec<_> = grid.into_iter().map(|(x, left)| x + &vertices[5] * (left as f64 / 12.0)).collect();
    let mut light_fails = 0;
    for trial in 0..8 {
        let rng = &mut rng(trial, 13);
        let f = GraphMatching::new(graph(3, trial, rng), graph(3, trial, rng)).unwrap();
        // ∇f is affine: its largest entry over D_n is at a vertex.
        let mut gradient = DMatrix::zeros(3, 3);
        let largest = |vertex: &DMatrix<f64>| {
            f.gradient(vertex, &mut gradient);
            gradient.amax()
        };
        let lipschitz = vertices.iter().map(largest).fold(0.0, f64::max);
        let optimum = permutations(3).iter().map(|q| f.value_at(q)).fold(f64::INFINITY, f64::min);
        let beaten = |weight: f64| {
            let total = |x: &DMatrix<f64>| f.value(x) + weight * p(x);
            // T0 and T1: a grid point that is no vertex is at a distance 1/6 at least.
            grid.iter().filter(|x| nearest(x) > 0.1).any(|x| total(x) <= optimum)
        };
        assert!(!beaten(1.001 * DISTANCE_FACTOR * lipschitz), "trial {trial}");
        light_fails += usize::from(beaten(0.02 * lipschitz));
    }
    assert!(light_fails >= 4, "a light penalty must leave the minimizer inside: {light_fails} of 8");
}

#[test]
fn t4_beyond_the_hessian_every_segment_is_strictly_concave() {
    for trial in 0..100 {
        let rng = &mut rng(trial, 14);
        let n = 2 + trial as usize % 4;
        let (a, b) = (graph(n, trial, rng), graph(n, trial, rng));
        // ‖AD − DB‖ ≤ (‖A‖ + ‖B‖)‖D‖; graphs without edges need a weight as well.
        let hessian = 1.0 + 2.0 * (a.squared_norm().sqrt() + b.squared_norm().sqrt()).powi(2);
        let f = GraphMatching::new(a, b).unwrap();
        let weight = 1.001 * n as f64 * hessian / 2.0;
        let total = |x: &DMatrix<f64>| f.value(x) + weight * p(x);
        let (x, y) = (combination(n, 3, rng), combination(n, 2 * n, rng));
        let sag = total(&((&x + &y) * 0.5)) - 0.5 * (total(&x) + total(&y));
        assert!(sag > 0.0 || (x - y).norm() < 1e-6, "trial {trial}: {sag}");
    }
}

#[test]
fn lower_bounds_are_below_the_optimum_and_proofs_are_right() {
    let mut proved = 0;
    for trial in 0..60 {
        let rng = &mut rng(trial, 15);
        let n = 2 + trial as usize % 5;
        let (a, mut b) = (graph(n, trial, rng), graph(n, trial, rng));
        if trial.is_multiple_of(3) {
            let x = Permutation::random(n, rng).to_matrix();
            b = Graph::from_matrix(&(x.transpose() * a.to_matrix() * x)).unwrap();
        }
        let f = GraphMatching::new(a, b).unwrap();
        let optimum = permutations(n).iter().map(|q| f.value_at(q)).fold(f64::INFINITY, f64::min);
        for method in [Method::Relaxation, Method::Penalized, Method::RelaxationFaq] {
            let optimality = recover(&f, &Settings::of(method)).unwrap().optimality;
            // Values are sums of up to 2n² squares of size 10.
            assert!(optimality.lower_bound <= optimum + 1e-9, "{method}, trial {trial}: {optimality:?}, {optimum}");
            assert!(optimality.value >= optimum - 1e-9, "{method}, trial {trial}: {optimality:?}, {optimum}");
            assert_eq!(optimality.gap, optimality.value - optimality.lower_bound);
            if optimality.is_proved() {
                proved += 1;
                assert!((optimality.value - optimum).abs() <= 1e-9, "{method}, trial {trial}");
            }
        }
    }
    assert!(proved >= 30, "a test of proofs needs some: {proved}");
}

#[test]
fn a_copy_that_lost_edges_and_vertices_is_proved_to_have_lost_no_more() {
    for (trial, vertices) in [(0, 30), (1, 22)] {
        let rng = &mut rng(trial, 16);
        let pairs = (0..30).flat_map(|i| (0..i).map(move |k| (i, k, 1.0)));
        let edges: Vec<_> = pairs.filter(|_| rng.random::<f64>() < 0.2).collect();
        let a = Graph::undirected(30, edges.iter().copied()).unwrap();
        let moved = Permutation::random(30, rng);
        // A tenth of the edges is lost, and every edge of the vertices that are.
        let left = edges.iter().map(|&(i, k, weight)| (moved.apply(i), moved.apply(k), weight));
        let left = left.filter(|&(i, k, _)| i < vertices && k < vertices && rng.random::<f64>() < 0.9);
        let b = Graph::undirected(vertices, left).unwrap();
        let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
        // B's edges are edges of A: at best A's others are lost.
        let lost = 2.0 * (a.edge_count() - b.edge_count()) as f64;
        assert_eq!((f.value_at(&moved), f.trivial_bound()), (lost, lost));
    }
}

#[test]
fn the_radius_is_the_number_it_should_be() {
    // To the six digits that docs/mathematics.md §2 prints, and exactly.
    assert!((ROUNDING_RADIUS - 1.17157).abs() < 5e-6);
    assert_eq!(ROUNDING_RADIUS, 4.0 - 2.0 * SQRT_2);
}
