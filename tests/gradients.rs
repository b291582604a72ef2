//! Every objective and penalty against central differences; every shortcut against the long way round.

use birkhoff::instance::rng;
use birkhoff::objective::two_layer::{Inputs, PermutationInside, PermutationOutside, Readout};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::random_point;
use birkhoff::{Graph, Permutation};
use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const SCALES: [f64; 4] = [1e-3, 1.0, 30.0, 1e3];

fn normal(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(rng))
}

/// What kind of graph: of its entries about `share` are not 0, of size `scale`.
#[derive(Clone, Copy, Debug)]
struct Kind {
    share: f64,
    symmetric: bool,
    loops: bool,
    whole: bool,
}

impl Kind {
    const ALL: [Kind; 8] = {
        let mut all = [Kind { share: 0.12, symmetric: false, loops: false, whole: false }; 8];
        let mut k = 0;
        while k < 8 {
            // The sparse ones take the path without dense products: see `both_kinds_of_product_are_met`.
            all[k].share = if k % 2 == 0 { 0.12 } else { 0.9 };
            all[k].symmetric = k / 2 % 2 == 0;
            all[k].loops = k / 4 % 2 == 0;
            k += 1;
        }
        all
    };

    fn graph(self, n: usize, scale: f64, rng: &mut impl Rng) -> Graph {
        let uniform = normal(n, rng).map(|v| (v.abs() * 12.34).fract());
        let mut w = normal(n, rng).zip_map(&uniform, |v, u| if u < self.share { v } else { 0.0 });
        if self.whole {
            w.apply(|v| *v = (2.0 * *v).round());
        }
        if self.symmetric {
            w = &w + w.transpose();
        }
        if !self.loops {
            w.fill_diagonal(0.0);
        }
        Graph::from_matrix(&(w * scale)).unwrap()
    }
}

/// Both objectives for each kind of graph; with layers, a linear term and graphs of unequal size.
fn objectives(n: usize, scale: f64, rng: &mut impl Rng) -> Vec<(String, Box<dyn Objective>)> {
    let mut all: Vec<(String, Box<dyn Objective>)> = Vec::new();
    for kind in Kind::ALL {
        let mut draw = |m: usize| kind.graph(m, scale, rng);
        let (a, b, small, second, third) = (draw(n), draw(n), draw(n - 3), draw(n), draw(n - 2));
        let linear = normal(n, rng) * scale;
        let corner = linear.view((0, 0), (n - 3, n)).into_owned();
        let mut add = |name: &str, objective: Box<dyn Objective>| all.push((format!("{name}, {kind:?}"), objective));
        add("matching", Box::new(GraphMatching::new(a.clone(), b.clone()).unwrap()));
        add("qap", Box::new(QuadraticAssignment::new(a.clone(), b.clone()).unwrap()));
        let matching = GraphMatching::new(small.clone(), b.clone()).unwrap();
        let matching = matching.with_layer(second.clone(), third.clone()).unwrap().with_linear(&corner).unwrap();
        add("matching of unequal sizes in layers, with C", Box::new(matching.with_linear(&linear).unwrap()));
        let qap = QuadraticAssignment::new(a, small).unwrap();
        add("qap of unequal sizes in layers, with C", {
            Box::new(qap.with_layer(third, second).unwrap().with_linear(&linear).unwrap())
        });
    }
    all
}

/// ⟨∇f(X), D⟩ against (f(X + hD) − f(X − hD))/2h, relative to the size of what is differenced.
fn agrees(name: &str, f: &dyn Fn(&DMatrix<f64>) -> f64, g: &DMatrix<f64>, x: &DMatrix<f64>, h: f64, tolerance: f64) {
    let rng = &mut rng(99, 0);
    for entry in 0..6 {
        let mut d = normal(x.nrows(), rng);
        if entry > 0 {
            // A single entry: an error in one place must not hide among the others.
            let kept = (rng.next_u32() as usize) % d.len();
            d = DMatrix::from_fn(d.nrows(), d.ncols(), |i, j| f64::from(i + j * d.nrows() == kept));
        }
        let difference = (f(&(x + &d * h)) - f(&(x - &d * h))) / (2.0 * h);
        let exact = g.dot(&d);
        let size = g.norm() * d.norm() + f(x).abs() * 1e-3;
        assert!((difference - exact).abs() <= tolerance * size, "{name}: {difference} is not {exact}, size {size}");
    }
}

#[test]
fn objectives_have_the_gradient_of_their_differences() {
    for (trial, scale) in SCALES.into_iter().enumerate() {
        let rng = &mut rng(1, trial as u64);
        let n = 9;
        for (name, f) in objectives(n, scale, rng) {
            let x = normal(n, rng) + random_point(n, rng);
            let mut gradient = normal(n, rng); // must be overwritten
            f.gradient(&x, &mut gradient);
            // Central differences of a quadratic are exact; h = 1 leaves nothing but rounding, 1e-16 times the terms'
            // number.
            agrees(&format!("{name}, scale {scale}"), &|x| f.value(x), &gradient, &x, 1.0, 1e-12);
        }
    }
}

#[test]
fn two_layer_losses_have_the_gradient_of_their_differences() {
    for (trial, scale) in SCALES.into_iter().enumerate() {
        let rng = &mut rng(5, trial as u64);
        let (n, d) = (6, 4);
        let w = normal(n, rng).columns(0, d) * scale;
        let teacher =
            if trial.is_multiple_of(2) { random_point(n, rng) } else { Permutation::random(n, rng).to_matrix() };
        let root = normal(d, rng);
        let covariance = &root * root.transpose() + DMatrix::identity(d, d);
        let samples = DMatrix::from_fn(40, d, |_, _| StandardNormal.sample(rng));
        let scalar = Readout::Scalar(DVector::from_fn(n, |_, _| StandardNormal.sample(rng)));
        let x = random_point(n, rng);
        for readout in [Readout::Vector, scalar] {
            for inputs in [Inputs::Standard, Inputs::Normal(covariance.clone()), Inputs::Samples(samples.clone())] {
                let are_samples = matches!(inputs, Inputs::Samples(_));
                let outside = PermutationOutside::new(&w, &teacher, readout.clone(), &inputs).unwrap();
                let inside = PermutationInside::new(&w, &teacher, readout.clone(), &inputs).unwrap();
                for (place, f) in [("outside", &outside as &dyn Objective), ("inside", &inside)] {
                    let mut gradient = normal(n, rng); // must be overwritten
                    let (both, value) = (f.value_and_gradient(&x, &mut gradient), f.value(&x));
                    // The same sums in another order.
                    assert!((both - value).abs() <= 1e-10 * value, "{place}, scale {scale}: {both}, {value}");
                    // Truncation h² times the third derivative, rounding 1e-16/h. On samples a step must cross no kink.
                    let h = if are_samples { 1e-7 } else { 1e-5 };
                    let name = format!("{place}, scale {scale}, samples {are_samples}");
                    agrees(&name, &|x| f.value(x), &gradient, &x, h, 1e-6);
                }
            }
        }
    }
}

#[test]
fn penalties_have_the_gradient_of_their_differences() {
    for penalty in [Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy] {
        for scale in SCALES {
            let rng = &mut rng(2, 0);
            let x = normal(7, rng).map(|v| (0.1 + v.abs()) * scale);
            let gradient = penalty.gradient(&x);
            // h = 1e-4 of the entries: truncation h² = 1e-8, rounding 1e-16/h = 1e-12; the entries nearest 0 cost a
            // factor 100.
            let name = format!("{penalty}, scale {scale}");
            agrees(&name, &|x| penalty.value(x), &gradient, &x, 1e-4 * scale, 1e-6);
            // And on matrices that are not square, for those that allow it.
            if penalty != Penalty::Frobenius {
                let x = x.rows(0, 4).into_owned();
                let d = x.map(|v| (v * 7.7).sin());
                let h = 1e-4 * scale;
                let difference = (penalty.value(&(&x + &d * h)) - penalty.value(&(&x - &d * h))) / (2.0 * h);
                let exact = penalty.gradient(&x).dot(&d);
                assert!((difference - exact).abs() <= 1e-6 * penalty.gradient(&x).norm() * d.norm(), "{name}");
            }
        }
    }
}

#[test]
fn the_penalty_term_of_a_cost_is_its_gradient_up_to_a_constant() {
    let rng = &mut rng(3, 0);
    for penalty in [Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy] {
        for weight in [-2.0, 0.0, 1e-3, 1e3] {
            let (x, base) = (random_point(8, rng), normal(8, rng));
            let mut cost = base.clone();
            let value = penalty.add_gradient(weight, &x, &mut cost);
            assert!((value - penalty.value(&x)).abs() < 1e-13, "{penalty}");
            let rest = cost - &base - penalty.gradient(&x) * weight;
            // Rounding of |weight| × entries (the entropy's reach 28) plus base.
            assert!(rest.max() - rest.min() <= 1e-13 * (1.0 + weight.abs()), "{penalty}, {weight}");
        }
    }
}

#[test]
fn a_blend_is_the_gradient_at_the_blended_point() {
    for (trial, scale) in SCALES.into_iter().enumerate() {
        let rng = &mut rng(4, trial as u64);
        let n = 10;
        for (name, f) in objectives(n, scale, rng) {
            let mut oracle = f.vertex_gradient().expect("quadratic");
            let mut x = random_point(n, rng);
            let mut gradient = DMatrix::zeros(n, n);
            f.gradient(&x, &mut gradient);
            let mut fresh = DMatrix::zeros(n, n);
            for t in [0.0, 1.0, 0.3, 1e-9, 1.0, 0.7] {
                let q = Permutation::random(n, rng);
                oracle.blend(&q, t, &mut gradient);
                x = x * (1.0 - t) + q.to_matrix() * t;
                f.gradient(&x, &mut fresh);
                // Sums of some n² products on both sides.
                let error = (&gradient - &fresh).norm() / fresh.norm().max(f64::MIN_POSITIVE);
                assert!(error <= 1e-12, "{name}, scale {scale}, t {t}: {error}");
            }
        }
    }
}

#[test]
fn a_thousand_blends_stay_near_a_fresh_gradient() {
    let rng = &mut rng(5, 0);
    let n = 12;
    for (name, f) in objectives(n, 1.0, rng) {
        let mut oracle = f.vertex_gradient().expect("quadratic");
        let mut x = random_point(n, rng);
        let (mut gradient, mut fresh) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
        f.gradient(&x, &mut gradient);
        for step in 0..1000 {
            let q = Permutation::random(n, rng);
            // Steps of all sizes: Frank-Wolfe's 2/(k + 2), and a full one now and then.
            let t = if step % 97 == 0 { 1.0 } else { 2.0 / f64::from(step + 2) };
            oracle.blend(&q, t, &mut gradient);
            x = x * (1.0 - t) + q.to_matrix() * t;
        }
        f.gradient(&x, &mut fresh);
        // What docs/mathematics.md §5 asks of the recurrence; each step adds a rounding of 1e-16 and shrinks the
        // earlier ones.
        let error = (&gradient - &fresh).norm() / fresh.norm();
        assert!(error <= 1e-9, "{name}: {error}");
    }
}

#[test]
fn values_at_permutations_and_of_swaps_agree_with_the_value() {
    for (trial, scale) in SCALES.into_iter().enumerate() {
        let rng = &mut rng(6, trial as u64);
        let n = 9;
        for (name, f) in objectives(n, scale, rng) {
            // The sums that cancel have some n² terms of the size of the parts of f, which f(0) shows for the convex
            // form.
            let size = f.value(&DMatrix::zeros(n, n)).abs() + n as f64 * f.scale() + scale * n as f64;
            for _ in 0..5 {
                let p = Permutation::random(n, rng);
                let value = f.value_at(&p);
                assert!((value - f.value(&p.to_matrix())).abs() <= 1e-12 * size, "{name}");
                for i in 0..n {
                    for k in 0..n {
                        let mut swapped = p.clone();
                        swapped.swap(i, k);
                        let change = f.value_at(&swapped) - value;
                        let said = f.swap_change(&p, i, k);
                        assert!((said - change).abs() <= 1e-12 * size, "{name}, swap {i} {k}: {said}, not {change}");
                    }
                }
            }
        }
    }
}

#[test]
fn convex_and_indefinite_form_agree_on_permutations_and_only_there() {
    let rng = &mut rng(7, 0);
    let n = 8;
    let mut apart = 0;
    for (name, f) in objectives(n, 1.0, rng) {
        let Some(indefinite) = f.indefinite_form() else {
            assert!(!f.is_convex(), "{name}");
            continue;
        };
        assert!(f.is_convex() && !indefinite.is_convex());
        for _ in 0..5 {
            let p = Permutation::random(n, rng);
            let (convex, other) = (f.value(&p.to_matrix()), indefinite.value(&p.to_matrix()));
            // Both are sums of some 2n² terms of size up to 10.
            assert!((convex - other).abs() <= 1e-10, "{name}: {convex} and {other}");
            assert!((f.value_at(&p) - indefinite.value_at(&p)).abs() <= 1e-10, "{name}");
        }
        let x = random_point(n, rng);
        // In between, the convex form is the lower one: ‖AX‖² ≤ ‖A‖² where X is a contraction, and so on.
        assert!(f.value(&x) <= indefinite.value(&x) + 1e-10, "{name}");
        apart += usize::from(f.value(&x) < indefinite.value(&x) - 1.0);
    }
    assert!(apart >= 8, "{apart}");
}

#[test]
fn convex_objectives_are_convex_and_mean_what_they_say() {
    let rng = &mut rng(8, 0);
    let n = 9;
    for (name, f) in objectives(n, 1.0, rng).into_iter().filter(|(_, f)| f.is_convex()) {
        for _ in 0..5 {
            let (x, y) = (normal(n, rng), normal(n, rng));
            let sag = 0.5 * (f.value(&x) + f.value(&y)) - f.value(&((&x + &y) * 0.5));
            // Values are near 10⁴ here.
            assert!(sag >= -1e-8, "{name}: {sag}");
        }
    }
    // f(X) = ‖AX − XB‖² + ⟨C, X⟩, written out, and f = s·tr(AᵀXBXᵀ).
    for kind in Kind::ALL {
        let (a, b, c, x) = (kind.graph(n, 1.0, rng), kind.graph(n, 1.0, rng), normal(n, rng), normal(n, rng));
        let (wa, wb) = (a.to_matrix(), b.to_matrix());
        let matching = GraphMatching::new(a.clone(), b.clone()).unwrap().with_linear(&c).unwrap();
        let expected = (&wa * &x - &x * &wb).norm_squared() + c.dot(&x);
        assert!((matching.value(&x) - expected).abs() <= 1e-12 * expected.abs().max(1e3), "{kind:?}");
        let qap = QuadraticAssignment::new(a, b).unwrap();
        let expected = (wa.transpose() * &x * &wb * x.transpose()).trace();
        assert!((qap.value(&x) - expected).abs() <= 1e-12 * expected.abs().max(1e3), "{kind:?}");
    }
}

/// All n! permutations, by Heap's algorithm.
fn permutations(n: usize) -> Vec<Permutation> {
    fn fill(k: usize, image: &mut Vec<usize>, all: &mut Vec<Permutation>) {
        if k <= 1 {
            return all.push(Permutation::new(image.clone()).unwrap());
        }
        for i in 0..k {
            fill(k - 1, image, all);
            image.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut all = vec![];
    fill(n, &mut (0..n).collect(), &mut all);
    all
}

#[test]
fn the_trivial_bound_and_the_lattice_hold_for_every_permutation() {
    let (mut on_lattice, mut bounded, mut tight) = (0, 0, 0);
    for trial in 0..200 {
        let rng = &mut rng(9, trial);
        let n = 1 + trial as usize % 5;
        let kind = Kind { whole: trial % 3 != 0, ..Kind::ALL[trial as usize / 5 % 8] };
        let mut draw = |m: usize| kind.graph(m, if trial.is_multiple_of(7) { 0.5 } else { 1.0 }, rng);
        let (a, b, c, d) = (draw(n), draw(1 + n / 2), draw(n), draw(n));
        let mut f = GraphMatching::new(a.clone(), b).unwrap();
        let mut qap = QuadraticAssignment::new(a, c.clone()).unwrap();
        if trial % 4 == 1 {
            f = f.with_layer(c.clone(), d.clone()).unwrap();
            qap = qap.with_layer(d, c).unwrap();
        }
        if trial % 5 == 2 {
            let linear = normal(n, rng) * 3.0;
            (f, qap) = (f.with_linear(&linear).unwrap(), qap.with_linear(&linear).unwrap());
        }
        let objectives: [&dyn Objective; 3] = [&f, f.indefinite_form().unwrap(), &qap];
        for objective in objectives {
            let values: Vec<f64> = permutations(n).iter().map(|p| objective.value_at(p)).collect();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let bound = objective.trivial_bound();
            assert!(bound <= least + 1e-10, "trial {trial}: bound {bound}, optimum {least}");
            bounded += usize::from(bound.is_finite());
            tight += usize::from((bound - least).abs() < 1e-10);
            if let Some((offset, step)) = objective.lattice() {
                on_lattice += 1;
                for value in values {
                    let steps = (value - offset) / step;
                    // Whole numbers below 2⁵³ are exact.
                    assert_eq!(steps, steps.round(), "trial {trial}: {value} is not in {offset} + {step} Z");
                }
            }
        }
    }
    assert!(on_lattice >= 40 && bounded >= 100 && tight >= 5, "{on_lattice} {bounded} {tight}");
}

#[test]
fn the_lattice_is_as_coarse_as_can_be() {
    let f = |a: Graph, b: Graph| GraphMatching::new(a, b).unwrap();
    let path = Graph::undirected(4, [(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)]).unwrap();
    let star = Graph::undirected(4, [(0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0)]).unwrap();
    let fork = Graph::directed(3, [(0, 1, 1.0), (0, 2, 1.0)]).unwrap();
    let chain = Graph::directed(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
    for (f, n, step) in [(f(path, star), 4, 4.0), (f(fork, chain), 3, 2.0)] {
        let values: Vec<f64> = permutations(n).iter().map(|p| f.value_at(p)).collect();
        assert_eq!(f.lattice().unwrap().1, step);
        // Neighbouring values that differ by one step exist: a coarser lattice would be wrong.
        assert!(values.iter().any(|v| values.iter().any(|w| w - v == step)), "{values:?}");
    }
    let halves = Graph::undirected(2, [(0, 1, 0.5)]).unwrap();
    assert_eq!(f(halves.clone(), halves).lattice().unwrap().1, 1.0);
    let reals = Graph::undirected(3, [(0, 1, 0.1), (1, 2, 1.0)]).unwrap();
    assert!(f(reals.clone(), reals).lattice().is_none());
}

#[test]
fn both_kinds_of_product_are_met() {
    // The kinds above are on both sides of the choice between sparse and dense: arcs(A)·arcs(B)·16 against n⁴.
    let rng = &mut rng(10, 0);
    let n = 10;
    for kind in Kind::ALL {
        let count = kind.graph(n, 1.0, rng).arc_count();
        let dense = 16 * count * count > n.pow(4);
        assert_eq!(dense, kind.share > 0.5, "{kind:?} has {count} arcs");
    }
}
