//! The penalty, the shuffle and folding against their definitions.

use autoshufflenet::hardening::{harden, progress, round_all};
use autoshufflenet::model::{Architecture, Beginning, Counts, Network, Stem, Version, fold, table};
use autoshufflenet::penalty::{make_feasible, penalty};
use autoshufflenet::shuffle::{Shuffle, ShuffleKind, manual, start};
use birkhoff::Permutation;
use birkhoff::instance::rng;
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{random_point, residual};
use nalgebra::DMatrix;
use tch::{Device, Kind, Tensor, no_grad};

const V1: Architecture = Architecture { version: Version::V1, width: 0.5, groups: 3, stem: Stem::Small, classes: 10 };
const V2: Architecture = Architecture { version: Version::V2, groups: 1, ..V1 };

fn network(architecture: Architecture, kind: ShuffleKind) -> Network {
    Network::new(architecture, &Beginning { kind, rng_seed: 7, ..Beginning::default() }, Device::Cpu).unwrap()
}

fn images(count: i64) -> Tensor {
    Tensor::randn([count, 3, 32, 32], (Kind::Float, Device::Cpu))
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

/// Running statistics as after training: none are 0 and 1, so that folding has to move them, too.
fn disturb(network: &Network) {
    no_grad(|| {
        for (name, mut variable) in network.store.variables() {
            if name.ends_with("running_mean") || name.ends_with("bias") {
                let _ = variable.uniform_(-0.2, 0.2);
            } else if name.ends_with("running_var") || (variable.dim() == 1 && name.ends_with("weight")) {
                let _ = variable.uniform_(0.5, 1.5);
            }
        }
    });
}

#[test]
fn autograd_and_the_library_agree_on_the_penalty_and_its_gradient() {
    for n in [2, 7, 60] {
        let x = random_point(n, &mut rng(1, n as u64));
        let shuffle = Shuffle::soft("m", &x, Device::Cpu);
        let matrix = shuffle.matrix().unwrap();
        let value = penalty(matrix);
        value.backward();
        // Single precision, sums of n² terms.
        assert!((value.double_value(&[]) - Penalty::L1MinusL2.value(&x)).abs() < 1e-5 * n as f64);
        let gradient = Penalty::L1MinusL2.gradient(&x);
        for i in 0..n {
            for j in 0..n {
                let ours = matrix.grad().double_value(&[i as i64, j as i64]);
                assert!((ours - gradient[(i, j)]).abs() < 1e-5, "({i}, {j}): {ours} and {}", gradient[(i, j)]);
            }
        }
    }
}

#[test]
fn a_step_back_to_feasibility_scales_columns_then_rows_in_turn() {
    let mut matrix = Tensor::randn([40, 40], (Kind::Float, Device::Cpu)).abs() - 0.1;
    let mut expected = to_matrix(&matrix).map(|entry| entry.max(0.0));
    for rounds in [1, 20] {
        for _ in 0..rounds {
            expected.column_iter_mut().for_each(|mut column| column /= column.sum());
            expected.row_iter_mut().for_each(|mut row| row /= row.sum());
        }
        make_feasible(&mut matrix, rounds);
        let ours = to_matrix(&matrix);
        assert!((&ours - &expected).amax() < 1e-6, "{rounds} rounds");
        assert!(ours.iter().zip(&expected).all(|(ours, expected)| (*ours == 0.0) == (*expected == 0.0)));
    }
    assert!(residual(&to_matrix(&matrix)) < 1e-5);
}

#[test]
fn extinct_rows_and_columns_stay_and_the_others_stay_finite() {
    let mut matrix = Tensor::ones([5, 5], (Kind::Float, Device::Cpu));
    let _ = matrix.select(0, 1).fill_(-1.0);
    let _ = matrix.select(1, 3).fill_(0.0);
    make_feasible(&mut matrix, 10);
    let feasible = to_matrix(&matrix);
    assert!(feasible.row(1).iter().chain(&feasible.column(3)).all(|&entry| entry == 0.0));
    assert!((feasible.row(0).sum() - 1.0).abs() < 1e-6 && feasible.iter().all(|entry| entry.is_finite()));
    let _ = matrix.get(0).get(0).fill_(f64::NAN);
    make_feasible(&mut matrix, 10);
    assert!(to_matrix(&matrix)[(0, 0)].is_nan(), "a breakdown is hidden");
}

fn to_matrix(tensor: &Tensor) -> DMatrix<f64> {
    let size = tensor.size();
    DMatrix::from_fn(size[0] as usize, size[1] as usize, |i, j| tensor.double_value(&[i as i64, j as i64]))
}

#[test]
fn the_manual_shuffle_is_torchs_channel_shuffle() {
    for (n, groups) in [(48, 2), (60, 3), (96, 8)] {
        let x = Tensor::arange(2 * n * 9, (Kind::Float, Device::Cpu)).view([2, n, 3, 3]);
        let shuffle = Shuffle::fixed("m", manual(n as usize, groups as usize), Device::Cpu);
        assert_eq!(shuffle.apply(&[&x]), x.channel_shuffle(groups));
    }
}

#[test]
fn a_permutation_takes_the_channels_it_says_from_one_source_or_two() {
    let x = Tensor::randn([3, 20, 4, 4], (Kind::Float, Device::Cpu));
    let halves = x.split(10, 1);
    for trial in 0..20 {
        let p = Permutation::random(20, &mut rng(5, trial));
        let index: Vec<i64> = p.image().iter().map(|&channel| channel as i64).collect();
        let expected = x.index_select(1, &Tensor::from_slice(&index));
        let shuffle = Shuffle::fixed("m", p, Device::Cpu);
        assert_eq!(shuffle.apply(&[&x]), expected);
        assert_eq!(shuffle.apply(&[&halves[0], &halves[1]]), expected);
        let identity = Tensor::eye(10, (Kind::Float, Device::Cpu));
        let (kept, branch) = shuffle.split_then(&[&halves[0], &halves[1]], &identity, true);
        assert_eq!(kept, expected.narrow(1, 0, 10));
        assert!(largest_difference(&branch, &expected.narrow(1, 10, 10)) < 1e-6);
    }
}

#[test]
fn the_gradient_through_a_permutation_is_its_inverse() {
    let x = Tensor::randn([2, 12, 3, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let p = Permutation::random(12, &mut rng(6, 0));
    let weights = Tensor::randn([2, 12, 3, 3], (Kind::Float, Device::Cpu));
    (Shuffle::fixed("m", p.clone(), Device::Cpu).apply(&[&x]) * &weights).sum(Kind::Float).backward();
    let inverse: Vec<i64> = p.inverse().image().iter().map(|&channel| channel as i64).collect();
    assert_eq!(x.grad(), weights.index_select(1, &Tensor::from_slice(&inverse)));
}

#[test]
fn a_matrix_fixed_at_the_manual_permutation_gives_the_manual_networks_logits_bit_for_bit() {
    for architecture in [V1, V2] {
        let manual_network = network(architecture, ShuffleKind::Manual);
        let mut auto = network(architecture, ShuffleKind::Auto);
        // Tests run side by side and draw from libtorch's one generator, so that the seed alone would not do.
        auto.store.copy(&manual_network.store).unwrap();
        for (shuffle, wanted) in auto.shuffles_mut().into_iter().zip(manual_network.shuffles()) {
            let permutation = wanted.permutation().unwrap();
            *shuffle = Shuffle::soft(wanted.name(), &permutation.to_matrix(), Device::Cpu);
        }
        let images = images(4);
        let logits = |network: &Network| no_grad(|| network.forward(&images, false));
        assert_eq!(logits(&auto), logits(&manual_network), "{:?}", architecture.version);
        assert_eq!(round_all(&mut auto).unwrap(), 16);
        assert_eq!(logits(&auto), logits(&manual_network), "{:?}", architecture.version);
    }
}

#[test]
fn the_product_of_weights_that_training_makes_is_the_matrix_applied_as_it_is_written() {
    for (channels, side) in [(48, 16), (48, 8)] {
        let matrix = start(&manual(channels, 2), 0.3, &mut rng(8, 0)).unwrap();
        let shuffle = Shuffle::soft("m", &matrix, Device::Cpu);
        let half = channels as i64 / 2;
        let random = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        let (kept, new, weight) =
            (random(&[3, half, side, side]), random(&[3, half, side, side]), random(&[half, half, 1, 1]));
        let both = [true, false].map(|train| shuffle.split_then(&[&kept, &new], &weight, train));
        // Sums of about 48 terms of size about 5 in another order.
        assert!(largest_difference(&both[0].0, &both[1].0) < 1e-5);
        assert!(largest_difference(&both[0].1, &both[1].1) < 1e-4);
        let whole = shuffle.apply(&[&kept, &new]);
        assert!(largest_difference(&whole.narrow(1, 0, half), &both[0].0) < 1e-5);
        let wide = random(&[7, 2 * half, 1, 1]);
        let [merged, plain] = [true, false].map(|train| shuffle.apply_then(&[&kept, &new], &wide, train));
        assert!(largest_difference(&merged, &plain) < 1e-4);
    }
}

#[test]
fn the_order_of_the_channels_in_memory_changes_nothing_but_the_last_digits() {
    for (architecture, kind) in [(V1, ShuffleKind::Auto), (V2, ShuffleKind::Auto), (V2, ShuffleKind::Random)] {
        let network = network(architecture, kind);
        let images = images(4);
        let innermost = images.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        for train in [true, false] {
            let [plain, other] = [&images, &innermost].map(|images| no_grad(|| network.forward(images, train)));
            assert!(largest_difference(&plain, &other) < 1e-4, "{:?} {kind:?} {train}", architecture.version);
        }
    }
}

#[test]
fn a_folded_network_gives_the_same_logits_from_fewer_and_longer_runs() {
    for architecture in [V1, Architecture { groups: 8, ..V1 }, V2, Architecture { width: 1.0, ..V2 }] {
        for kind in [ShuffleKind::Random, ShuffleKind::Manual, ShuffleKind::None] {
            let mut network = network(architecture, kind);
            disturb(&network);
            let images = images(3);
            let logits = |network: &Network| no_grad(|| network.forward(&images, false));
            let unfolded = logits(&network);
            let before = runs(&network);
            fold(&mut network).unwrap();
            let difference = largest_difference(&logits(&network), &unfolded);
            let size = unfolded.abs().max().double_value(&[]);
            assert!(difference < 1e-5 * size.max(1.0), "{architecture:?} {kind:?}: {difference} of {size}");
            assert!(unfolded.std(false).double_value(&[]) > 1e-3, "the logits say something");
            if kind == ShuffleKind::Random {
                assert!(runs(&network) * 2 < before, "{architecture:?}: {} of {before} runs", runs(&network));
            }
        }
    }
}

/// How many stretches of consecutive channels all shuffles copy.
fn runs(network: &Network) -> usize {
    let images = network.shuffles().into_iter().map(|shuffle| shuffle.permutation().unwrap().image().to_vec());
    images.map(|image| 1 + image.windows(2).filter(|pair| pair[1] != pair[0] + 1).count()).sum()
}

#[test]
fn a_network_with_matrices_is_not_folded() {
    let message = fold(&mut network(V2, ShuffleKind::Auto)).unwrap_err().to_string();
    assert!(message.contains("stage2.0"), "{message}");
}

#[test]
fn rounding_always_gives_bijections() {
    for trial in 0..5 {
        let mut network = network(V2, ShuffleKind::Auto);
        for (index, shuffle) in network.shuffles_mut().into_iter().enumerate() {
            let n = shuffle.len();
            // From barycenters over noise to infeasible matrices with empty rows.
            let mut rng = rng(trial, index as u64);
            let matrix = match trial {
                0 => DMatrix::from_element(n, n, 1.0 / n as f64),
                1 => DMatrix::zeros(n, n),
                _ => random_point(n, &mut rng) * (trial as f64),
            };
            *shuffle = Shuffle::soft(shuffle.name(), &matrix, Device::Cpu);
        }
        assert_eq!(round_all(&mut network).unwrap(), 16);
        for shuffle in network.shuffles() {
            let mut image = shuffle.permutation().unwrap().image().to_vec();
            image.sort();
            assert!(image.iter().copied().eq(0..shuffle.len()));
        }
    }
}

#[test]
fn only_what_is_certified_is_hardened() {
    let mut network = network(V2, ShuffleKind::Auto);
    let p = Permutation::random(48, &mut rng(9, 0));
    let near = p.to_matrix() * 0.99 + random_point(48, &mut rng(9, 1)) * 0.01;
    let name = network.shuffles()[1].name().to_string();
    *network.shuffles_mut()[1] = Shuffle::soft(name, &near, Device::Cpu);
    assert_eq!(harden(&mut network).unwrap(), 1);
    assert_eq!(network.shuffles()[1].permutation(), Some(&p));
    let progress = progress(&network).unwrap();
    assert_eq!((progress[0].status.name(), progress[1].status.name()), ("none", "fixed"));
    assert!(progress[0].penalty > 20.0 && progress[1].penalty == 0.0);
}

#[test]
fn a_start_is_feasible_and_its_share_of_the_manual_shuffle_is_as_told() {
    let manual = manual(24, 2);
    let matrix = start(&manual, 0.5, &mut rng(10, 0)).unwrap();
    assert!(residual(&matrix) < 1e-6);
    assert!((0..24).all(|i| matrix[(i, manual.apply(i))] > 0.5));
    // J/n is stationary: what a matrix chooses there must come from its noise.
    let noise = start(&manual, 0.0, &mut rng(10, 0)).unwrap();
    assert!(noise.iter().fold(0.0f64, |largest, &entry| largest.max(entry)) > 1.5 / 24.0);
}

#[test]
fn parameters_and_multiplications_are_the_authors() {
    for (architecture, Counts { parameters, multiplications }, [published_multiplications, published_parameters]) in
        table().unwrap()
    {
        // The authors count to three digits, and for v2 a little differently (1 %).
        let (millions, of) = (multiplications as f64 / 1e6, published_multiplications);
        let tolerance = if architecture.version == Version::V1 { 0.6 } else { 0.015 * of };
        assert!((millions - of).abs() < tolerance, "{architecture:?}: {millions} M multiplications, published {of}");
        let (millions, of) = (parameters as f64 / 1e6, published_parameters);
        assert!((millions - of).abs() < 0.06, "{architecture:?}: {millions} M parameters, published {of}");
    }
}
