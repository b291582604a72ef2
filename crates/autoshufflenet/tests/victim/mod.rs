//! A checkpoint, and what may befall it.

use autoshufflenet::data::Data;
use autoshufflenet::model::Version;
use autoshufflenet::settings::Settings;
use autoshufflenet::training::{Checkpoint, RunFolder, Session, Training, checkpoint_path};
use autoshufflenet::weights::Weights;
use birkhoff::Result;
use rand::{Rng, RngExt};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use tch::{Device, Kind};

/// A run in the middle of its second epoch, and its checkpoint.
pub struct Victim {
    settings: Settings,
    pub data: Data,
    _folder: tempfile::TempDir,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl Victim {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            model: Version::V1,
            train_images: 6,
            test_images: 4,
            batch_size: 2,
            epochs: 3,
            test_every: 0,
            trace_matrix: Some("stage2.0".to_string()),
            output_dir: folder.path().to_path_buf(),
            ..Settings::default()
        };
        tch::set_num_threads(1);
        let data = Data::open(&settings, Device::Cpu).unwrap();
        let mut training = Training::new(&settings, &data, Device::Cpu).unwrap();
        training.settle(&RunFolder::open(folder.path()).unwrap(), None).unwrap();
        let [go_on, stop] = [false, true].map(AtomicBool::new);
        for interrupt in [&go_on, &stop] {
            training.run(Session { interrupt, epochs: Some(1), quiet: true }).unwrap();
        }
        let path = checkpoint_path(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        Victim { settings, data, path, bytes, _folder: folder }
    }

    pub fn training(&self) -> Training<'_> {
        Training::new(&self.settings, &self.data, Device::Cpu).unwrap()
    }

    pub fn weights(&self) -> Weights {
        Weights::parse(&self.path, &self.bytes).unwrap()
    }

    /// Loads what is there, and goes on with it for a step, as a run does.
    pub fn try_out(&self, training: &mut Training, weights: Result<Weights>) -> Result<()> {
        training.load(Checkpoint::new(self.path.clone(), weights?)?)?;
        if let Some(batch) = self.data.train_batches(1, 0).next() {
            training.train_step(&batch?, [1e-3, 1e-3]);
        }
        Ok(())
    }
}

/// Bits that flip, ends that are missing, stretches that come from elsewhere.
pub fn damage(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let length = bytes.len();
    // Most of the file is numbers, most of what can go wrong is in the header.
    let place = |rng: &mut _| somewhere(rng, 8 + header, length);
    match rng.random_range(0..6) {
        0 => bytes.truncate(place(rng)),
        1 => {
            let end = (place(rng) + rng.random_range(1..1000)).min(length);
            bytes.drain(end.saturating_sub(rng.random_range(1..1000))..end);
        }
        2 => {
            let (from, to, count) = (place(rng), place(rng), rng.random_range(1..200));
            let stretch = bytes[from..(from + count).min(length)].to_vec();
            bytes.splice(to..to, stretch);
        }
        3 => {
            // Digits become others: shapes, offsets, counters.
            let digits: Vec<usize> = (8..8 + header).filter(|&place| bytes[place].is_ascii_digit()).collect();
            for _ in 0..rng.random_range(1..4) {
                bytes[digits[rng.random_range(0..digits.len())]] = rng.random_range(b'0'..=b'9');
            }
        }
        4 => {
            let size: u64 = rng.random_range(0..=u64::MAX) >> rng.random_range(0..64);
            bytes[..8].copy_from_slice(&size.to_le_bytes());
        }
        _ => {
            for _ in 0..rng.random_range(1..4) {
                bytes[place(rng)] ^= 1 << rng.random_range(0..8);
            }
        }
    }
}

/// A place, in four cases of five before `header`.
fn somewhere(rng: &mut impl Rng, header: usize, length: usize) -> usize {
    let end = if rng.random_bool(0.8) { header } else { length };
    rng.random_range(0..end)
}

/// Numbers that no checkpoint has, or seldom.
fn odd_number(rng: &mut impl Rng) -> serde_json::Value {
    let numbers =
        ["0", "1", "-1", "2", "3", "1e400", "1e18", "0.5", "18446744073709551615", "-0.0", "null", "\"1\"", "[]"];
    serde_json::from_str(numbers[rng.random_range(0..numbers.len())]).unwrap_or(serde_json::Value::Null)
}

/// A checkpoint of another hand: well-formed, sealed, and wrong.
pub fn forge(weights: &mut Weights, rng: &mut impl Rng) {
    let names: Vec<String> = weights.tensors.keys().cloned().collect();
    let name = names[rng.random_range(0..names.len())].clone();
    let tensor = weights.tensors[&name].shallow_clone();
    match rng.random_range(0..9) {
        0 => drop(weights.tensors.remove(&name)),
        1 => {
            let other = names[rng.random_range(0..names.len())].clone();
            let swapped = weights.tensors.insert(other, tensor).unwrap();
            weights.tensors.insert(name, swapped);
        }
        2 => drop(weights.tensors.insert(format!("{name}.more"), tensor)),
        3 => {
            let kinds = [Kind::Float, Kind::Double, Kind::Int64];
            weights.tensors.insert(name, tensor.to_kind(kinds[rng.random_range(0..3)]));
        }
        4 => {
            let flat = tensor.flatten(0, -1);
            let shapes = [flat.unsqueeze(0), flat.narrow(0, 0, 1), flat.repeat([2]), flat.get(0), flat.shallow_clone()];
            weights.tensors.insert(name, shapes[rng.random_range(0..5)].copy());
        }
        5 => {
            let mut values = [f64::NAN, f64::INFINITY, -1.0, 1e30, 0.0, 1e-40, 3.0];
            if tensor.kind() == Kind::Int64 {
                values = [0.0, 1.0, -1.0, 1e9, -1e18, 29.0, 1e18];
            }
            let changed = tensor.copy();
            let place = rng.random_range(0..changed.numel()) as i64;
            let _ = changed.flatten(0, -1).get(place).fill_(values[rng.random_range(0..7)]);
            weights.tensors.insert(name, changed);
        }
        6 => {
            let keys: Vec<String> = weights.metadata.keys().cloned().collect();
            let key = &keys[rng.random_range(0..keys.len())];
            let text = ["", "{}", "null", "epochs = 3", "\u{0}", "[[[["][rng.random_range(0..6)];
            weights.metadata.insert(key.clone(), text.to_string());
        }
        7 => {
            let state = weights.metadata.get("state").map_or("", String::as_str);
            let Ok(mut state) = serde_json::from_str::<serde_json::Map<_, _>>(state) else { return };
            let keys = ["format", "classes", "steps", "epoch", "step", "seconds", "tables", "arithmetic", "images"];
            state.insert(keys[rng.random_range(0..keys.len())].to_string(), odd_number(rng));
            weights.metadata.insert("state".to_string(), serde_json::Value::Object(state).to_string());
        }
        _ => {
            let settings = weights.metadata.get("settings").map_or("", String::as_str);
            let Ok(mut settings) = settings.parse::<toml::Table>() else { return };
            let keys: Vec<String> = settings.keys().cloned().chain(["epochs".to_string()]).collect();
            let values = ["0", "-1", "1.5", "nan", "\"x\"", "true", "9223372036854775807", "[]"];
            let value = values[rng.random_range(0..values.len())];
            let value = format!("x = {value}").parse::<toml::Table>().unwrap()["x"].clone();
            settings.insert(keys[rng.random_range(0..keys.len())].clone(), value);
            weights.metadata.insert("settings".to_string(), settings.to_string());
        }
    }
}
