//! Weights and logits of torchvision's ShuffleNet v2; `reference/make.py` made the values and says how.

use autoshufflenet::export;
use autoshufflenet::model::{Architecture, Beginning, Network, Stem, Version};
use autoshufflenet::shuffle::ShuffleKind;
use autoshufflenet::weights::Weights;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor, no_grad};

const MODULUS: i64 = (1 << 31) - 1;

fn hashed(name: &str) -> i64 {
    name.bytes().fold(0, |value, byte| (value * 131 + i64::from(byte)) % MODULUS)
}

/// Numbers in [−1, 1): a linear congruence of (name, index).
fn noise(name: &str, count: usize) -> Tensor {
    let number = |index: i64| {
        let mixed = (index * 1_103_515_245 + hashed(name) * 12_345) % (1 << 31);
        let mixed = (mixed * 69_069 + 1) % (1 << 31);
        mixed as f64 / (1i64 << 30) as f64 - 1.0
    };
    Tensor::from_slice(&(0..count as i64).map(number).collect::<Vec<_>>())
}

fn fill(name: &str, like: &Tensor) -> Tensor {
    let (size, values) = (like.size(), noise(name, like.numel()).view(like.size().as_slice()));
    match (name, size.len()) {
        (name, _) if name.ends_with("running_var") => values * 0.5 + 1.0,
        (name, 1) if name.ends_with("weight") => values * 0.3 + 1.0,
        (_, 1) => values * 0.2,
        _ => values * (9.0 / (like.numel() as f64 / size[0] as f64)).sqrt(),
    }
}

fn network(width: f64) -> Network {
    let architecture = Architecture { version: Version::V2, width, groups: 1, stem: Stem::Large, classes: 5 };
    Network::new(architecture, &Beginning::default(), Device::Cpu).unwrap()
}

/// A list of all names and shapes, as a number.
fn shapes(variables: &BTreeMap<String, Tensor>) -> i64 {
    let mut all: BTreeMap<String, String> =
        variables.iter().map(|(name, variable)| (name.clone(), format!("{:?}", variable.size()))).collect();
    for name in variables.keys().filter_map(|name| name.strip_suffix("running_mean")) {
        all.insert(format!("{name}num_batches_tracked"), "[]".to_string());
    }
    hashed(&all.iter().map(|(name, shape)| format!("{name} {shape}")).collect::<Vec<_>>().join(";"))
}

#[test]
fn names_shapes_and_logits_are_torchvisions() {
    let mut images = noise("images", 2 * 3 * 64 * 64).view([2, 3, 64, 64]) * 3.0;
    let ramp = Tensor::linspace(-3.0, 3.0, 64, (Kind::Float, Device::Cpu)).to_kind(Kind::Double);
    images = Tensor::stack(&[images.get(0), images.get(1) + ramp], 0);
    let mut reader = csv::Reader::from_path("tests/reference/torchvision.csv").unwrap();
    let rows: Vec<Vec<f64>> = reader.deserialize().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 8);
    for pair in rows.chunks(2) {
        let mut network = network(pair[0][0]);
        network.store.double();
        let variables: BTreeMap<String, Tensor> = network.store.variables().into_iter().collect();
        assert_eq!(shapes(&variables), pair[0][1] as i64, "{variables:?}");
        no_grad(|| variables.iter().for_each(|(name, variable)| variable.shallow_clone().copy_(&fill(name, variable))));
        let logits = no_grad(|| network.forward(&images, false));
        for (image, row) in pair.iter().enumerate() {
            for (class, &expected) in row[3..].iter().enumerate() {
                let logit = logits.double_value(&[image as i64, class as i64]);
                // Double precision; the file has nine digits after the point.
                assert!((logit - expected).abs() < 1e-9 * expected.abs().max(1.0), "{row:?}: {logit}");
            }
        }
    }
}

#[test]
fn weights_travel_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let network = network(0.5);
    export::write(&path, &network, 17).unwrap();
    let written = Weights::read(&path).unwrap();
    assert_eq!(written.tensors["conv1.1.num_batches_tracked"].int64_value(&[]), 17);
    assert!(
        written.tensors.keys().all(|name| !name.contains("shuffle")),
        "the manual network has torchvision's names alone"
    );

    // As torchvision's users save it: no metadata of ours.
    let bare = Weights { tensors: written.tensors, metadata: Default::default() };
    bare.write(&path).unwrap();
    let read = export::read(&path, network.architecture, Device::Cpu).unwrap();
    let images = Tensor::randn([2, 3, 64, 64], (Kind::Float, Device::Cpu));
    let logits = |network: &Network| no_grad(|| network.forward(&images, false));
    assert_eq!(logits(&read), logits(&network));
}

#[test]
fn learned_permutations_are_exported_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for version in [Version::V1, Version::V2] {
        let architecture = Architecture { version, width: 0.5, groups: 3, stem: Stem::Small, classes: 7 };
        let beginning = Beginning { kind: ShuffleKind::Random, ..Beginning::default() };
        let network = Network::new(architecture, &beginning, Device::Cpu).unwrap();
        export::write(&path, &network, 0).unwrap();
        let other = Architecture { version: Version::V2, classes: 3, ..architecture };
        let read = export::read(&path, other, Device::Cpu).unwrap();
        assert_eq!(read.architecture, architecture, "the file's own");
        for (ours, theirs) in network.shuffles().into_iter().zip(read.shuffles()) {
            assert_eq!(ours.permutation(), theirs.permutation());
        }
    }
}

#[test]
fn hostile_files_are_refused_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let network = network(0.5);
    let message =
        |path: &std::path::Path| export::read(path, network.architecture, Device::Cpu).unwrap_err().to_string();
    let damaged = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        export::write(&path, &network, 0).unwrap();
        let mut weights = Weights::read(&path).unwrap();
        change(&mut weights.tensors);
        weights.write(&path).unwrap();
        message(&path)
    };
    let long = |values: &[i64]| Tensor::from_slice(values);
    for (cause, found) in [
        ("has no tensor fc.bias", damaged(&|tensors| drop(tensors.remove("fc.bias")))),
        ("fc.bias is [1]", damaged(&|tensors| drop(tensors.insert("fc.bias".into(), Tensor::from_slice(&[1f32]))))),
        ("tensor more that", damaged(&|tensors| drop(tensors.insert("more".into(), Tensor::from_slice(&[1f32]))))),
        ("not a permutation", damaged(&|tensors| drop(tensors.insert("stage2.0.shuffle".into(), long(&[0, 0]))))),
        ("not a permutation", damaged(&|tensors| drop(tensors.insert("stage2.0.shuffle".into(), long(&[-1, 0]))))),
        ("must have 48", damaged(&|tensors| drop(tensors.insert("stage2.0.shuffle".into(), long(&[1, 0]))))),
    ] {
        assert!(found.contains("weights.safetensors") && found.contains(cause), "{cause}: {found}");
    }
    export::write(&path, &network, 0).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for bytes in [&bytes[..0], &bytes[..7], &bytes[..1000], &bytes[..bytes.len() - 1], &[0xff; 64][..]] {
        std::fs::write(&path, bytes).unwrap();
        assert!(message(&path).contains("no safetensors file"), "{}", message(&path));
    }
}
