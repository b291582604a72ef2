//! Two-layer networks: closed forms against samples and constants, shortcuts against the long way, recovery against the
//! truth.

use birkhoff::Permutation;
use birkhoff::instance::rng;
use birkhoff::objective::Objective;
use birkhoff::objective::two_layer::{Inputs, PermutationInside, PermutationOutside, Readout, arc_cosine};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{barycenter, lmo, random_point};
use birkhoff::recovery::{Method, Settings, recover};
use birkhoff::solver::{Iterate, Limits, Stage, StochasticGradient, minimize};
use nalgebra::{DMatrix, DVector, dmatrix};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use std::f64::consts::FRAC_1_PI;

fn normal(rows: usize, columns: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
}

/// A network: weights, teacher, readout, the law of its inputs.
struct Network {
    w: DMatrix<f64>,
    teacher: DMatrix<f64>,
    readout: Readout,
    inputs: Inputs,
    /// The Cholesky factor of the inputs' covariance.
    factor: DMatrix<f64>,
}

impl Network {
    /// Number `k` alternates readouts, laws and teachers.
    fn new(k: usize, rng: &mut impl Rng) -> Self {
        let (n, d) = (rng.random_range(2..5), rng.random_range(2..5));
        let teacher = if k.is_multiple_of(3) { random_point(n, rng) } else { Permutation::random(n, rng).to_matrix() };
        let readout = match k % 2 {
            0 => Readout::Vector,
            _ => Readout::Scalar(DVector::from_column_slice(normal(n, 1, rng).as_slice())),
        };
        let root = normal(d, d, rng);
        let covariance = &root * root.transpose() + DMatrix::identity(d, d) * 0.1;
        let (inputs, factor) = match k / 2 % 2 {
            0 => (Inputs::Standard, DMatrix::identity(d, d)),
            _ => (Inputs::Normal(covariance.clone()), covariance.cholesky().unwrap().l()),
        };
        Network { w: normal(n, d, rng), teacher, readout, inputs, factor }
    }

    fn outside(&self) -> PermutationOutside {
        PermutationOutside::new(&self.w, &self.teacher, self.readout.clone(), &self.inputs).unwrap()
    }

    fn inside(&self) -> PermutationInside {
        PermutationInside::new(&self.w, &self.teacher, self.readout.clone(), &self.inputs).unwrap()
    }

    /// The losses of both places on one input z ~ N(0, I), straight from their definitions.
    fn losses(&self, x: &DMatrix<f64>, z: &DVector<f64>) -> [f64; 2] {
        let inputs = &self.w * (&self.factor * z);
        let relu = |v: &DVector<f64>| v.map(|v| v.max(0.0));
        let outside = (x - &self.teacher) * relu(&inputs);
        let inside = relu(&(x * &inputs)) - relu(&(&self.teacher * &inputs));
        let square = |difference: DVector<f64>| match &self.readout {
            Readout::Vector => difference.norm_squared(),
            Readout::Scalar(v) => v.dot(&difference).powi(2),
        };
        [square(outside), square(inside)]
    }
}

#[test]
fn closed_forms_agree_with_a_million_samples_on_twenty_networks() {
    const SAMPLES: usize = 1_000_000;
    (0..20).into_par_iter().for_each(|k| {
        let rng = &mut rng(21, k as u64);
        let network = Network::new(k, rng);
        let x = random_point(network.w.nrows(), rng);
        let d = network.w.ncols();
        let (mut sums, mut squares) = ([0.0; 2], [0.0; 2]);
        for _ in 0..SAMPLES {
            let losses = network.losses(&x, &DVector::from_fn(d, |_, _| StandardNormal.sample(rng)));
            for place in 0..2 {
                sums[place] += losses[place];
                squares[place] += losses[place] * losses[place];
            }
        }
        for (place, exact) in [network.outside().value(&x), network.inside().value(&x)].into_iter().enumerate() {
            let mean = sums[place] / SAMPLES as f64;
            let error = ((squares[place] / SAMPLES as f64 - mean * mean) / SAMPLES as f64).sqrt();
            // Four standard errors: once in 16,000 by chance, and the seed is fixed.
            assert!((mean - exact).abs() <= 4.0 * error, "{k}, place {place}: {mean} +- {error}, closed form {exact}");
            assert!(error < 0.05 * exact, "{k}: the samples would not see an error");
        }
    });
}

#[test]
fn the_constants_of_the_documentation_are_reproduced() {
    let identity = DMatrix::identity(2, 2);
    let at = |q: f64| dmatrix![q, 1.0 - q; 1.0 - q, q];
    let inside = |readout| PermutationInside::new(&identity, &identity, readout, &Inputs::Standard).unwrap();
    let scalar = inside(Readout::Scalar(DVector::from_element(2, 1.0)));
    let vector = inside(Readout::Vector);
    // To the five digits that docs/mathematics.md §6 prints.
    for (value, expected) in [
        (scalar.value(&at(0.0)), 0.0),
        (scalar.value(&at(0.5)), 0.18169),
        (scalar.value(&at(1.0)), 0.0),
        (vector.value(&at(0.0)), 1.36338),
        (vector.value(&at(0.5)), 0.43169),
        (vector.value(&at(1.0)), 0.0),
    ] {
        assert!((value - expected).abs() < 5e-6, "{value} is not {expected}");
    }
    for tau in [0.6, 0.9] {
        let outside = PermutationOutside::new(&identity, &at(tau), Readout::Vector, &Inputs::Standard).unwrap();
        for q in [0.0, 0.3, 1.0] {
            let expected = 2.0 * (1.0 - FRAC_1_PI) * (q - tau) * (q - tau);
            assert!((outside.value(&at(q)) - expected).abs() < 1e-14);
        }
    }
}

/// From λ = (1 − 1/π)(1 − τ) on, and not before, the path of one weight ends at the permutation.
#[test]
fn the_threshold_of_the_weight_decides_between_the_middle_and_the_permutation() {
    let tau = 0.8;
    let teacher = dmatrix![tau, 1.0 - tau; 1.0 - tau, tau];
    let f = PermutationOutside::new(&DMatrix::identity(2, 2), &teacher, Readout::Vector, &Inputs::Standard).unwrap();
    let threshold = (1.0 - FRAC_1_PI) * (1.0 - tau);
    let minimizer = |weight: f64| {
        let face = birkhoff::polytope::Face::new(2, &[]).unwrap();
        let stage = Stage { weight, max_steps: 10_000, gap_tolerance: 1e-12 };
        let solver = birkhoff::solver::FrankWolfe::new(Penalty::L1MinusL2, vec![stage], face);
        minimize(&f, solver, Iterate::at(barycenter(2)), &Limits::default()).unwrap().x[(0, 0)]
    };
    let below = minimizer(0.95 * threshold);
    assert!(below > 0.95 && below < 0.9999, "{below}");
    assert!(minimizer(1.02 * threshold) > 1.0 - 1e-6);
}

#[test]
fn the_vector_loss_inside_lies_between_two_convex_quadratics() {
    for k in (0..40).step_by(2) {
        let rng = &mut rng(22, k as u64);
        let network = Network::new(k, rng);
        let x = random_point(network.w.nrows(), rng);
        let square = ((&x - &network.teacher) * &network.w * &network.factor).norm_squared();
        let value = network.inside().value(&x);
        assert!(0.25 * square <= value * (1.0 + 1e-12) && value <= 0.5 * square * (1.0 + 1e-12), "{k}");
    }
}

#[test]
fn at_permutations_both_places_and_all_shortcuts_agree() {
    for k in 0..24 {
        let rng = &mut rng(23, k as u64);
        let network = Network::new(k, rng);
        let n = network.w.nrows();
        let (outside, inside) = (network.outside(), network.inside());
        let p = Permutation::random(n, rng);
        let teacher_is_a_permutation = !k.is_multiple_of(3);
        for f in [&outside as &dyn Objective, &inside] {
            let value = f.value(&p.to_matrix());
            // Sums of some 16 terms of size 30.
            let same = |a: f64, b: f64| (a - b).abs() < 1e-11 * (1.0 + value);
            assert!(same(f.value_at(&p), value), "{k}");
            assert!(!teacher_is_a_permutation || same(value, outside.value_at(&p)), "{k}: the places differ");
            let changes = f.swap_changes(&p);
            for (i, j) in [(0, 1), (n - 1, 0)] {
                let mut swapped = p.clone();
                swapped.swap(i, j);
                let change = f.value(&swapped.to_matrix()) - value;
                assert!(same(f.swap_change(&p, i, j), change), "{k}");
                assert!(changes.as_ref().is_none_or(|changes| same(changes(i, j), change)), "{k}");
            }
            assert!(f.trivial_bound() <= value + 1e-11);
        }
        let x = random_point(n, rng);
        let (mut kept, mut fresh) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
        outside.gradient(&x, &mut kept);
        outside.vertex_gradient().unwrap().blend(&p, 0.3, &mut kept);
        outside.gradient(&(&x * 0.7 + p.to_matrix() * 0.3), &mut fresh);
        assert!((kept - &fresh).amax() < 1e-11 * (1.0 + fresh.amax()), "{k}");
    }
}

#[test]
fn on_data_the_loss_is_the_mean_square_and_teachers_are_only_one_kind_of_data() {
    for k in 0..8 {
        let rng = &mut rng(24, k as u64);
        let network = Network::new(k, rng);
        let (n, d) = network.w.shape();
        let (samples, x) = (normal(30, d, rng), random_point(n, rng));
        let readout = || network.readout.clone();
        let inputs = Inputs::Samples(samples.clone());
        let taught = [
            PermutationOutside::new(&network.w, &network.teacher, readout(), &inputs).unwrap().value(&x),
            PermutationInside::new(&network.w, &network.teacher, readout(), &inputs).unwrap().value(&x),
        ];
        let plain = Network {
            factor: DMatrix::identity(d, d),
            w: network.w.clone(),
            teacher: network.teacher.clone(),
            readout: readout(),
            inputs,
        };
        let mut means = [0.0; 2];
        for row in samples.row_iter() {
            let losses = plain.losses(&x, &row.transpose());
            (0..2).for_each(|place| means[place] += losses[place] / 30.0);
        }
        for place in 0..2 {
            assert!((taught[place] - means[place]).abs() < 1e-11 * (1.0 + means[place]), "{k}: {taught:?}, {means:?}");
        }
        // Outputs of one's own, which no teacher makes.
        let width = if matches!(network.readout, Readout::Vector) { n } else { 1 };
        let outputs = normal(30, width, rng);
        let hidden = (&samples * network.w.transpose()).map(|v| v.max(0.0)) * x.transpose();
        let outer = match &network.readout {
            Readout::Vector => hidden,
            Readout::Scalar(v) => DMatrix::from_column_slice(30, 1, (hidden * v).as_slice()),
        };
        let expected = (outer - &outputs).norm_squared() / 30.0;
        let fitted = PermutationOutside::fit(&network.w, readout(), &samples, &outputs).unwrap().value(&x);
        assert!((fitted - expected).abs() < 1e-11 * (1.0 + expected));
        let inside = PermutationInside::fit(&network.w, readout(), &samples, &outputs).unwrap();
        let p = Permutation::random(n, rng);
        assert!((inside.value(&p.to_matrix()) - inside.value_at(&p)).abs() < 1e-11 * (1.0 + expected));
    }
}

#[test]
fn parallel_opposite_and_zero_units_have_finite_losses_and_gradients() {
    let w = dmatrix![1.0, 0.0; 2.0, 0.0; -1.0, 0.0; 0.0, 0.0; 1.0, 1e-9];
    let rng = &mut rng(25, 0);
    for readout in [Readout::Vector, Readout::Scalar(DVector::from_vec(vec![1.0, -1.0, 2.0, 1.0, 0.0]))] {
        let teacher = Permutation::random(5, rng).to_matrix();
        let inside = PermutationInside::new(&w, &teacher, readout, &Inputs::Standard).unwrap();
        for x in [DMatrix::identity(5, 5), teacher.clone(), barycenter(5), Permutation::random(5, rng).to_matrix()] {
            let mut gradient = DMatrix::zeros(5, 5);
            let value = inside.value_and_gradient(&x, &mut gradient);
            assert!(value.is_finite() && gradient.iter().all(|v| v.is_finite()));
            assert!(value >= -1e-14, "{value}");
        }
        assert!(inside.value(&teacher).abs() < 1e-14);
    }
    assert_eq!(arc_cosine::squared_distance(&[0.0, 0.0], &[3.0, 4.0]), 12.5);
}

/// Random d × d weights and a hidden permutation.
fn hidden(d: usize, noise: f64, rng: &mut impl Rng) -> (DMatrix<f64>, Permutation, DMatrix<f64>) {
    let (w, truth) = (normal(d, d, rng), Permutation::random(d, rng));
    let teacher = truth.to_matrix() * (1.0 - noise) + random_point(d, rng) * noise;
    (w, truth, teacher)
}

#[test]
fn the_path_recovers_the_teacher_inside_with_vector_output() {
    for trial in 0..10 {
        let (w, truth, teacher) = hidden(10, 0.0, &mut rng(26, trial));
        let f = PermutationInside::new(&w, &teacher, Readout::Vector, &Inputs::Standard).unwrap();
        let answer = recover(&f, &Settings::default().with_polish(false)).unwrap();
        assert_eq!(answer.permutation, truth, "trial {trial}");
        assert!(answer.optimality.is_proved() && answer.certificate.is_certified());
    }
}

#[test]
fn the_relaxation_is_exact_for_a_permutation_and_no_permutation_for_another_teacher() {
    for trial in 0..10 {
        let (w, truth, teacher) = hidden(8, 0.0, &mut rng(27, trial));
        let f = PermutationOutside::new(&w, &teacher, Readout::Vector, &Inputs::Standard).unwrap();
        let answer = recover(&f, &Settings::of(Method::Relaxation)).unwrap();
        assert_eq!(answer.permutation, truth);
        assert!(
            (answer.x.to_dense().as_ref() - truth.to_matrix()).amax() < 1e-6,
            "trial {trial}: the relaxed minimizer is the teacher"
        );

        let (w, truth, teacher) = hidden(8, 0.6, &mut rng(28, trial));
        let f = PermutationOutside::new(&w, &teacher, Readout::Vector, &Inputs::Standard).unwrap();
        let relaxed = recover(&f, &Settings::of(Method::Relaxation)).unwrap();
        assert!(!relaxed.certificate.is_certified() && f.value(&relaxed.x.to_dense()) < 0.05 * f.value_at(&truth));
        let penalized = recover(&f, &Settings::default().with_polish(false)).unwrap();
        assert!(penalized.certificate.is_certified() && penalized.permutation == truth, "trial {trial}");
    }
}

#[test]
fn a_scalar_readout_leaves_the_relaxation_a_face_of_zeros() {
    let rng = &mut rng(29, 0);
    let (w, truth, teacher) = hidden(30, 0.0, rng);
    let v = DVector::from_column_slice(normal(30, 1, rng).as_slice());
    let f = PermutationOutside::new(&w, &teacher, Readout::Scalar(v), &Inputs::Standard).unwrap();
    // Many points of D_n have Xᵀv = Tᵀv: among them one that is nearer to the middle.
    let answer = recover(&f, &Settings::of(Method::Relaxation).with_polish(false)).unwrap();
    assert!(f.value(&answer.x.to_dense()) < 1e-2 * f.value(&barycenter(30)), "zero is nearly reached");
    assert!((answer.x.to_dense().as_ref() - truth.to_matrix()).norm() > 1.0, "and not at the teacher only");
}

#[test]
fn stochastic_gradient_on_samples_finds_the_teacher_and_repeats_itself() {
    let (w, truth, teacher) = hidden(8, 0.0, &mut rng(30, 0));
    let loss = |inputs: &Inputs| PermutationInside::new(&w, &teacher, Readout::Vector, inputs).unwrap();
    let f = loss(&Inputs::Standard);
    let stages: Vec<Stage> = [0.0, 0.1, 0.5, 2.0, 5.0]
        .map(|weight| Stage { weight: weight * f.scale(), max_steps: 100, gap_tolerance: 0.0 })
        .to_vec();
    let run = || {
        let batch = |k| -> birkhoff::Result<Box<dyn Objective>> {
            Ok(Box::new(loss(&Inputs::Samples(normal(32, 8, &mut rng(31, k))))))
        };
        let solver = StochasticGradient::new(Penalty::L1MinusL2, stages.clone(), 0.01 / f.scale(), batch);
        minimize(&f, solver, Iterate::at(barycenter(8)), &Limits::default()).unwrap()
    };
    let last = run();
    assert_eq!(lmo(&(-&*last.x)).unwrap().permutation, truth);
    assert!(last.current_penalty() < 1e-6, "{}", last.current_penalty());
    assert_eq!(last.x, run().x);
}

#[test]
fn networks_that_do_not_fit_are_refused_with_their_shapes() {
    let w = DMatrix::from_element(3, 2, 1.0);
    let teacher = DMatrix::identity(3, 3);
    let message = |w: &DMatrix<f64>, teacher: &DMatrix<f64>, readout: Readout, inputs: Inputs| {
        let inside = PermutationInside::new(w, teacher, readout.clone(), &inputs).unwrap_err().to_string();
        assert_eq!(PermutationOutside::new(w, teacher, readout, &inputs).unwrap_err().to_string(), inside);
        inside
    };
    let vector = || Readout::Vector;
    for (found, expected) in [
        (message(&w, &DMatrix::identity(2, 2), vector(), Inputs::Standard), "teacher T: expected 3 x 3, got 2 x 2"),
        (
            message(&w, &teacher, Readout::Scalar(DVector::zeros(4)), Inputs::Standard),
            "readout v: expected 3 x 1, got 4 x 1",
        ),
        (message(&DMatrix::zeros(0, 2), &teacher, vector(), Inputs::Standard), "weights W: expected n x d"),
        (message(&(&w * f64::NAN), &teacher, vector(), Inputs::Standard), "weights W: entry (0, 0) is NaN"),
        (
            message(&w, &teacher, vector(), Inputs::Normal(DMatrix::identity(3, 3))),
            "covariance: expected 2 x 2, got 3 x 3",
        ),
        (
            message(&w, &teacher, vector(), Inputs::Normal(-DMatrix::identity(2, 2))),
            "covariance: is not symmetric and positive",
        ),
        (message(&w, &teacher, vector(), Inputs::Normal(dmatrix![1.0, 0.5; 0.0, 1.0])), "covariance: is not symmetric"),
        (message(&w, &teacher, vector(), Inputs::Samples(DMatrix::zeros(4, 3))), "samples: expected 4 x 2, got 4 x 3"),
        (
            message(&w, &teacher, vector(), Inputs::Samples(DMatrix::zeros(0, 2))),
            "samples: expected N x 2 with N >= 1, got 0 x 2",
        ),
    ] {
        assert!(found.starts_with(expected), "{found}");
    }
    let fit = PermutationOutside::fit(&w, Readout::Vector, &DMatrix::zeros(4, 2), &DMatrix::zeros(4, 1));
    assert!(fit.unwrap_err().to_string().contains("outputs: expected 4 x 3, got 4 x 1"));
}
