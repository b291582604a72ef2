//! The laws of permutations, faces, the projection and Sinkhorn's scaling.

use birkhoff::Permutation;
use birkhoff::instance::rng;
use birkhoff::polytope::{Face, lmo, project, residual, round, sinkhorn};
use nalgebra::DMatrix;
use proptest::prelude::*;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};

/// A sum of n ≤ 12 numbers of size 1 loses less than n units of rounding, and P adds up 2n such sums: 1e-12 is ten
/// times that.
pub const ROUNDING: f64 = 1e-12;

/// A convex combination of `count` random permutations: feasible up to rounding, sparse when `count` is small.
pub fn combination(n: usize, count: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let weights: Vec<f64> = (0..count).map(|_| Exp1.sample(rng)).collect();
    let total: f64 = weights.iter().sum();
    let mut x = DMatrix::zeros(n, n);
    for weight in weights {
        let q = Permutation::random(n, rng);
        (0..n).for_each(|i| x[(i, q.apply(i))] += weight / total);
    }
    x
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_projection_is_feasible_idempotent_and_optimal(n in 1usize..12, exponent in -3i32..4, ties: bool, seed: u64) {
        let rng = &mut rng(seed, 8);
        let scale = 10f64.powi(exponent);
        let y = DMatrix::from_fn(n, n, |_, _| {
            let v: f64 = StandardNormal.sample(rng);
            scale * if ties { v.round() } else { v }
        });
        let x = project(&y, 1e-11).unwrap();
        let size = y.amax().max(1.0);
        // What was asked for, and a little for the sums' rounding.
        prop_assert!(residual(&x) <= 2e-11 * size);
        // ⟨X − Y, Z − X⟩ ≥ 0 for all Z: moving sums by the residual r changes it by n·r times a dual, which is of Y's
        // size.
        let outward = &x - &y;
        prop_assert!(lmo(&outward).unwrap().value - outward.dot(&x) >= -1e-9 * size * size * n as f64);
        // A point within r of D_n is within about r·n of its projection.
        prop_assert!((project(&x, 1e-11).unwrap() - &x).amax() <= 1e-9 * size);
        // A projection is nonexpansive.
        let z = &y + DMatrix::from_fn(n, n, |_, _| { let v: f64 = StandardNormal.sample(rng); v });
        prop_assert!((project(&z, 1e-11).unwrap() - &x).norm() <= (z - &y).norm() + 1e-8 * size);
    }

    #[test]
    fn sinkhorn_keeps_its_invariants_at_extreme_scales(n in 1usize..9, exponent in -300i32..7, seed: u64) {
        let rng = &mut rng(seed, 9);
        let exponent = if seed % 2 == 0 { exponent } else { exponent.rem_euclid(7) };
        let normals = DMatrix::from_fn(n, n, |_, _| -> f64 { StandardNormal.sample(rng) });
        let kernel = normals * 10f64.powi(exponent);
        let (x, rounds) = sinkhorn(&kernel, 1e-10, 500).unwrap();
        // The exponents K + u + v carry a rounding of K's size.
        let rounding = 1e-14 * (n as f64) * kernel.amax().max(1.0);
        prop_assert!(x.iter().all(|&v| (0.0..=1.0 + rounding).contains(&v)));
        let worst = |sums: &[f64]| sums.iter().map(|sum| (sum - 1.0).abs()).fold(0.0, f64::max);
        let (rows, columns) = (worst(x.column_sum().as_slice()), worst(x.row_sum().as_slice()));
        // One side is always scaled; the other when it ended by itself.
        prop_assert!(rows.min(columns) <= rounding);
        if rounds < 500 {
            prop_assert!(rows.max(columns) <= 1.1e-10 + rounding);
        }
        // Scaling rows and columns of e^K beforehand changes nothing in the answer where it converged.
        if exponent <= 0 {
            let (u, v): (f64, f64) = (rng.random_range(-50.0..50.0), rng.random_range(-50.0..50.0));
            let moved = DMatrix::from_fn(n, n, |i, j| kernel[(i, j)] + u * i as f64 - v * j as f64);
            let (again, _) = sinkhorn(&moved, 1e-10, 500).unwrap();
            // Exponents reach 10³ here; convergence leaves 1e-10, magnified by the slow modes.
            prop_assert!((again - x).amax() <= 1e-8);
        }
    }

    #[test]
    fn permutations_form_a_group_and_their_matrices_say_so(n in 0usize..9, seed: u64) {
        let rng = &mut rng(seed, 10);
        let mut draw = || Permutation::random(n, rng);
        let (a, b, c, e) = (draw(), draw(), draw(), Permutation::identity(n));
        prop_assert_eq!(a.compose(&b).compose(&c), a.compose(&b.compose(&c)));
        prop_assert_eq!(&a.compose(&a.inverse()), &e);
        prop_assert_eq!(&a.inverse().compose(&a), &e);
        prop_assert_eq!(a.compose(&e), a.clone());
        prop_assert_eq!(a.compose(&b).inverse(), b.inverse().compose(&a.inverse()));
        // X_p·X_q sends row i to column q(p(i)).
        prop_assert_eq!(a.to_matrix() * b.to_matrix(), b.compose(&a).to_matrix());
        prop_assert_eq!(a.to_matrix().transpose(), a.inverse().to_matrix());
        prop_assert_eq!(a.agreement(&b), b.agreement(&a));
        // Renumbering both sides changes no agreement.
        prop_assert_eq!(a.agreement(&b), c.compose(&a).agreement(&c.compose(&b)));
        prop_assert_eq!(a.agreement(&a), 1.0);
        let text = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(serde_json::from_str::<Permutation>(&text).unwrap(), a.clone());
        if n >= 2 {
            let mut swapped = a.clone();
            swapped.swap(0, n - 1);
            prop_assert_eq!((swapped.apply(0), swapped.apply(n - 1)), (a.apply(n - 1), a.apply(0)));
            let mut twice = a.image().to_vec();
            twice[0] = twice[n - 1];
            prop_assert!(Permutation::new(twice.clone()).is_err());
            prop_assert!(serde_json::from_str::<Permutation>(&serde_json::to_string(&twice).unwrap()).is_err());
        }
    }

    #[test]
    fn a_face_is_a_smaller_polytope(n in 1usize..9, seed: u64) {
        let rng = &mut rng(seed, 11);
        let (rows, columns) = (Permutation::random(n, rng), Permutation::random(n, rng));
        let count = rng.random_range(0..=n);
        let anchors: Vec<_> = (0..count).map(|k| (rows.apply(k), columns.apply(k))).collect();
        let face = Face::new(n, &anchors).unwrap();
        let m = n - count;
        prop_assert_eq!((face.size(), face.is_whole()), (n, count == 0));
        prop_assert_eq!((face.free_rows().len(), face.free_columns().len()), (m, m));
        prop_assert!(face.free_rows().iter().all(|i| anchors.iter().all(|anchor| anchor.0 != *i)));
        prop_assert!(face.free_columns().iter().all(|j| anchors.iter().all(|anchor| anchor.1 != *j)));
        // Points of D_m and of the face correspond, both ways, bit for bit.
        let block = combination(m, 2 * m + 1, rng);
        let x = face.embed(&block);
        prop_assert!(residual(&x) <= ROUNDING);
        prop_assert!(anchors.iter().all(|&(i, j)| x[(i, j)] == 1.0));
        let mut again = DMatrix::zeros(0, 0);
        face.restrict(&x, &mut again);
        prop_assert_eq!(&again, &block);
        // Vertices correspond too, and rounding stays on the face.
        let q = Permutation::random(m, rng);
        prop_assert_eq!(face.vertex(q.image()).to_matrix(), face.embed(&q.to_matrix()));
        let anywhere = DMatrix::from_fn(n, n, |_, _| { let v: f64 = StandardNormal.sample(rng); v });
        let rounded = face.round(&anywhere).unwrap();
        prop_assert!(anchors.iter().all(|&(i, j)| rounded.apply(i) == j));
        face.restrict(&anywhere, &mut again);
        prop_assert_eq!(rounded, face.vertex(round(&again).unwrap().image()));
        prop_assert!(residual(&face.barycenter()) <= ROUNDING);
    }
}
