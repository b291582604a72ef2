//! Checkpoints: everything that a run needs to go on as if it had not stopped.

use super::Training;
use super::optimizer::{Sgd, matrix_name};
use super::report::Tables;
use crate::data::Data;
use crate::export;
use crate::model::Network;
use crate::settings::Settings;
use crate::shuffle::copy_into;
use crate::weights::Weights;
use birkhoff::{Error, Permutation, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

const FILE: &str = "checkpoint.safetensors";
const VELOCITY: &str = "velocity.";
const SUMS: &str = "sums";

/// Where a run's checkpoint is.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

fn permutation_name(shuffle: &str) -> String {
    format!("{shuffle}.shuffle.permutation")
}

/// The settings of the run that left this checkpoint.
///
/// # Errors
/// [`Error::Io`], [`Error::File`].
pub fn settings(path: &Path) -> Result<Settings> {
    let weights = Weights::read(path)?;
    Settings::parse(path, metadata(path, &weights, "settings")?)
}

fn metadata<'a>(path: &Path, weights: &'a Weights, key: &str) -> Result<&'a str> {
    let found = weights.metadata.get(key).map(String::as_str);
    found.ok_or_else(|| Error::file(path, format!("is no checkpoint: it has no {key}")))
}

impl Training<'_> {
    /// Saves the run as it is between two steps.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self) -> Result<()> {
        let mut tensors: BTreeMap<String, Tensor> = self.network.store.variables().into_iter().collect();
        for shuffle in self.network.shuffles() {
            match (shuffle.matrix(), shuffle.permutation()) {
                (Some(matrix), _) => tensors.insert(matrix_name(shuffle.name()), matrix.shallow_clone()),
                (None, permutation) => {
                    let image = permutation.map(Permutation::image).unwrap_or_default();
                    let image: Vec<i64> = image.iter().map(|&channel| channel as i64).collect();
                    tensors.insert(permutation_name(shuffle.name()), Tensor::from_slice(&image))
                }
            };
        }
        let velocity = self.optimizer.velocity.iter();
        tensors.extend(velocity.map(|(name, velocity)| (format!("{VELOCITY}{name}"), velocity.shallow_clone())));
        tensors.insert(SUMS.to_string(), self.sums.shallow_clone());
        let tables =
            serde_json::to_string(&self.tables).map_err(|error| Error::argument("tables", error.to_string()))?;
        let metadata = HashMap::from([
            ("settings".to_string(), self.settings.to_toml()?),
            ("epoch".to_string(), self.epoch.to_string()),
            ("step".to_string(), self.step.to_string()),
            ("seconds".to_string(), self.seconds.to_string()),
            ("tables".to_string(), tables),
        ]);
        Weights { tensors, metadata }.write(&path(&self.settings.output_dir))
    }

    /// Takes over the state of a checkpoint of a run with the same settings.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`].
    pub fn load(&mut self) -> Result<()> {
        let path = path(&self.settings.output_dir);
        let mut weights = Weights::read(&path)?;
        let number = |key: &str| {
            let text = metadata(&path, &weights, key)?;
            text.parse::<f64>().map_err(|_| Error::file(&path, format!("{key} is {text:?}")))
        };
        (self.epoch, self.step, self.seconds) =
            (number("epoch")? as usize, number("step")? as usize, number("seconds")?);
        let tables: Result<Tables> = serde_json::from_str(metadata(&path, &weights, "tables")?)
            .map_err(|error| Error::file(&path, format!("tables: {error}")));
        self.tables = tables?;
        export::load(&path, &mut weights, &self.network)?;
        load_shuffles(&path, &mut weights, &mut self.network)?;
        let sums = weights.take(&path, SUMS, &self.sums)?;
        self.sums = sums.to_device(self.network.device());
        let left = std::mem::take(&mut weights.tensors);
        for (name, tensor) in left {
            let variable = name.strip_prefix(VELOCITY);
            let variable = variable.ok_or_else(|| Error::file(&path, format!("has an unknown tensor {name}")))?;
            self.optimizer.velocity.insert(variable.to_string(), tensor.to_device(self.network.device()));
        }
        Ok(())
    }
}

fn load_shuffles(path: &Path, weights: &mut Weights, network: &mut Network) -> Result<()> {
    let device = network.device();
    for shuffle in network.shuffles_mut() {
        if let Some(image) = weights.tensors.remove(&permutation_name(shuffle.name())) {
            let refuse = |cause: String| Error::file(path, format!("shuffle {}: {cause}", shuffle.name()));
            let image = Vec::<i64>::try_from(&image).map_err(|error| refuse(error.to_string()))?;
            let image = image.into_iter().map(|channel| usize::try_from(channel).unwrap_or(usize::MAX)).collect();
            let permutation = Permutation::new(image).map_err(|error| refuse(error.to_string()))?;
            if permutation.len() != shuffle.len() {
                return Err(refuse("is of another size".to_string()));
            }
            shuffle.fix(permutation, device);
        } else if let Some(like) = shuffle.matrix().map(Tensor::shallow_clone) {
            let matrix = weights.take(path, &matrix_name(shuffle.name()), &like)?;
            copy_into(shuffle, &matrix);
        }
    }
    Ok(())
}

/// A run that has not begun.
///
/// # Errors
/// As [`Network::new`].
pub(super) fn fresh<'a>(settings: &'a Settings, data: &'a Data, device: tch::Device) -> Result<Training<'a>> {
    let network = Network::new(settings.architecture(data.classes), &settings.beginning(), device)?;
    let optimizer = Sgd {
        momentum: settings.momentum,
        weight_decay: settings.weight_decay,
        shuffle_rate: settings.shuffle_learning_rate,
        scaling_rounds: settings.scaling_rounds,
        velocity: BTreeMap::new(),
    };
    let sums = Tensor::zeros([3], (Kind::Double, device));
    let tables = Tables::default();
    let mut training =
        Training { settings, data, network, optimizer, epoch: 0, step: 0, seconds: 0.0, sums, tables, last_test: None };
    if let Some(matrix) = training.traced_matrix()? {
        training.tables.push_matrix(0, &matrix);
    }
    Ok(training)
}
