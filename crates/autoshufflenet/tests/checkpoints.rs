//! Checkpoints that were damaged, or made by others: each is an error that names the file, or is what it says.
//!
//! `MUTATIONS=100000 cargo test --release -p autoshufflenet --test checkpoints` tries more of them.

mod victim;

use autoshufflenet::settings::Settings;
use autoshufflenet::training::Checkpoint;
use autoshufflenet::weights::Weights;
use birkhoff::Result;
use birkhoff::instance::rng;
use rand::RngExt;
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Kind, Tensor};
use victim::{Victim, damage, forge};

/// How often each cause came up, without the numbers and names in it.
#[derive(Default)]
struct Causes(BTreeMap<String, usize>);

impl Causes {
    fn count(&mut self, path: &Path, outcome: Result<()>) {
        let cause = match outcome {
            Ok(()) => "loaded".to_string(),
            Err(error) => {
                let message = error.to_string();
                let cause = message.strip_prefix(path.to_str().unwrap());
                let cause = cause.unwrap_or_else(|| panic!("the file is not named: {message}"));
                assert!(!cause.contains("frame #"), "a stack of C++: {message}");
                let words = cause.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
                words.take(4).collect::<Vec<_>>().join(" ")
            }
        };
        *self.0.entry(cause).or_default() += 1;
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }
}

fn mutations(default: usize) -> u64 {
    std::env::var("MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(default as u64)
}

#[test]
fn a_damaged_checkpoint_is_refused_with_its_name_and_never_half_taken() {
    let victim = Victim::new();
    let mut training = victim.training();
    victim.try_out(&mut training, Ok(victim.weights())).unwrap();
    let mut causes = Causes::default();
    for number in 0..mutations(1500) {
        let mut rng = rng(1, number);
        let mut bytes = victim.bytes.clone();
        damage(&mut bytes, &mut rng);
        let outcome = victim.try_out(&mut training, Weights::parse(&victim.path, &bytes));
        assert!(outcome.is_err() || bytes == victim.bytes, "mutation {number} is taken for what was written");
        causes.count(&victim.path, outcome);
    }
    println!("{} damaged files: {:#?}", causes.total(), causes.0);
    assert!(causes.0.len() > 8, "{:?}", causes.0);
}

#[test]
fn a_forged_checkpoint_is_refused_or_holds_what_a_run_can_hold() {
    let victim = Victim::new();
    let mut training = victim.training();
    let mut causes = Causes::default();
    for number in 0..mutations(500) {
        let mut rng = rng(2, number);
        let mut weights = victim.weights();
        for _ in 0..rng.random_range(1..3) {
            forge(&mut weights, &mut rng);
        }
        Checkpoint::seal(&mut weights).unwrap();
        causes.count(&victim.path, victim.try_out(&mut training, Ok(weights)));
    }
    println!("{} forged checkpoints: {:#?}", causes.total(), causes.0);
    assert!(causes.0.len() > 15 && causes.0.contains_key("loaded"), "{:?}", causes.0);
}

type Change<'a> = &'a dyn Fn(&mut Weights);

#[test]
fn every_cause_is_named() {
    let victim = Victim::new();
    let mut training = victim.training();
    let mut refused = |change: &dyn Fn(&mut Weights)| {
        let mut weights = victim.weights();
        change(&mut weights);
        Checkpoint::seal(&mut weights).unwrap();
        victim.try_out(&mut training, Ok(weights)).unwrap_err().to_string()
    };
    let state = |key: &'static str, value: &'static str| {
        move |weights: &mut Weights| {
            let mut state: serde_json::Value = serde_json::from_str(&weights.metadata["state"]).unwrap();
            state[key] = serde_json::from_str(value).unwrap();
            weights.metadata.insert("state".to_string(), state.to_string());
        }
    };
    let tensor = |name: &'static str, values: &'static [f64], kind: Kind| {
        move |weights: &mut Weights| drop(weights.tensors.insert(name.into(), Tensor::from_slice(values).to_kind(kind)))
    };
    let filled = |name: &'static str, value: f64| {
        move |weights: &mut Weights| drop(weights.tensors.get_mut(name).unwrap().fill_(value))
    };
    let permutation = "stage2.0.shuffle.permutation";
    let changes: [(&str, Change); 16] = [
        ("has no tensor sums", &|weights| drop(weights.tensors.remove("sums"))),
        ("has no tensor velocity.fc.bias", &|weights| drop(weights.tensors.remove("velocity.fc.bias"))),
        ("tensor velocity.fc.bias is [1] (Float), but must be [10]", &tensor("velocity.fc.bias", &[1.0], Kind::Float)),
        ("tensor sums is [3] (Float), but must be [3] (Double)", &tensor("sums", &[0.0; 3], Kind::Float)),
        ("right answers of", &tensor("sums", &[1.0, 2.0, 1.0], Kind::Double)),
        ("tensor fc.weight has an entry that is not finite", &filled("fc.weight", f64::NAN)),
        ("tensor stage2.0.shuffle.matrix has the entry -1", &filled("stage2.0.shuffle.matrix", -1.0)),
        ("running_var has the entry -0.5", &filled("stage2.0.last_norm.running_var", -0.5)),
        ("not a permutation", &tensor(permutation, &[0.0, 0.0], Kind::Int64)),
        ("has 2 channels, but must have 30", &tensor(permutation, &[1.0, 0.0], Kind::Int64)),
        ("must be a list", &tensor(permutation, &[1.0, 0.0], Kind::Float)),
        ("after 4 of 3 epochs", &state("epoch", "4")),
        ("3 of 3 steps, which no run ever is", &state("step", "3")),
        ("1 rows and 1 timings, but 2 epochs", &state("epoch", "2")),
        ("its state: invalid value: integer `-1`", &state("step", "-1")),
        ("is of format 9", &state("format", "9")),
    ];
    for (cause, change) in changes {
        let message = refused(change);
        assert!(message.contains("checkpoint.safetensors: ") && message.contains(cause), "{cause}: {message}");
    }
    let mut weights = victim.weights();
    let _ = weights.tensors.get_mut("fc.bias").unwrap().fill_(0.125);
    let message = victim.try_out(&mut training, Ok(weights)).unwrap_err().to_string();
    assert!(message.contains("is not as it was written"), "{message}");
}

#[test]
fn sizes_are_compared_with_the_file_before_a_network_of_that_size_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let classes = "{\"version\":\"v2\",\"width\":0.5,\"groups\":3,\"stem\":\"small\",\"classes\":9000000000000000000}";
    let mut weights = Weights { tensors: BTreeMap::new(), metadata: Default::default() };
    weights.metadata.insert("architecture".to_string(), classes.to_string());
    weights.tensors.insert("fc.bias".to_string(), Tensor::from_slice(&[0f32; 10]));
    weights.write(&path).unwrap();
    let assumed = Settings::default().architecture(10);
    let read = || autoshufflenet::export::read(&path, assumed, Device::Cpu).unwrap_err().to_string();
    assert!(read().contains("tensor fc.bias is [10], but must be [9000000000000000000]"), "{}", read());
    // A side of 0 allows any other.
    let header = "{\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[18446744073709551615,0],\"data_offsets\":[0,0]}}";
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    std::fs::write(&path, bytes).unwrap();
    assert!(read().contains("fc.bias is empty"), "{}", read());
}

#[test]
fn what_is_no_safetensors_file_is_refused_whatever_it_is() {
    for (file, cause) in [("/dev/zero", "is no file"), ("/", "is no file"), ("Cargo.toml", "no safetensors file")] {
        let message = Weights::read(Path::new(file)).unwrap_err().to_string();
        assert!(message.contains(file) && message.contains(cause), "{message}");
    }
}
