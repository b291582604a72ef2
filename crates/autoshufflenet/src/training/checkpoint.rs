//! Checkpoints: everything that a run needs to go on as if it had not stopped.
//!
//! A file of named tensors: the network's weights and running statistics, matrices and permutations of its shuffles,
//! the optimizer's velocities and the epoch's sums. Beside them are the settings, the [`State`], and a sha256 of all
//! that.

use super::Training;
use super::optimizer::matrix_name;
use super::report::Tables;
use crate::data::Unreadable;
use crate::settings::Settings;
use crate::weights::{Weights, is_finite};
use birkhoff::{Error, Permutation, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tch::{Device, Tensor};

const FILE: &str = "checkpoint.safetensors";
/// Before the name of the variable.
pub(super) const VELOCITY: &str = "velocity.";
pub(super) const SUMS: &str = "sums";
const SETTINGS: &str = "settings";
const STATE: &str = "state";
const DIGEST: &str = "sha256";
const FORMAT: u32 = 1;

/// Where a run's checkpoint is.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Removes the checkpoint of a run that is complete.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn remove(folder: &Path) -> Result<()> {
    let path = path(folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, error)),
        _ => Ok(()),
    }
}

pub(super) fn permutation_name(shuffle: &str) -> String {
    format!("{shuffle}.shuffle.permutation")
}

/// A checkpoint as it is read: the form is right, the content is not yet compared with a run.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where it is.
    pub path: PathBuf,
    /// The run's.
    pub settings: Settings,
    pub(super) state: State,
    pub(super) weights: Weights,
}

/// How far a run is, and over what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Of the checkpoint itself.
    format: u32,
    /// [`Data::digest`](crate::data::Data::digest).
    pub images: String,
    pub classes: usize,
    /// Steps an epoch.
    pub steps: usize,
    /// Epochs that are done.
    pub epoch: usize,
    /// Steps of the next one that are done.
    pub step: usize,
    /// That these took.
    pub seconds: f64,
    pub arithmetic: Arithmetic,
    pub tables: Tables,
    pub unreadable: Unreadable,
}

/// What the last digits depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arithmetic {
    device: String,
    threads: i32,
    channels_last: bool,
}

impl Arithmetic {
    /// That of this process.
    pub fn here(settings: &Settings, device: Device) -> Self {
        let channels_last = settings.has_channels_last(device);
        Arithmetic { device: format!("{device:?}"), threads: tch::get_num_threads(), channels_last }
    }

    /// For a person to read.
    pub fn describe(&self) -> String {
        let Arithmetic { device, threads, channels_last } = self;
        let layout = if *channels_last { "innermost" } else { "outermost" };
        format!("{device}, {threads} threads, channels {layout}")
    }
}

impl Checkpoint {
    /// Reads the checkpoint of the run in a folder.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`], [`Error::Parse`] when it is no checkpoint of this version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = path(folder);
        let weights = Weights::read(&path)?;
        Self::new(path, weights)
    }

    /// What the file at `path`, already read, says.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn new(path: PathBuf, weights: Weights) -> Result<Self> {
        let text = |key: &str| {
            let found = weights.metadata.get(key).map(String::as_str);
            found.ok_or_else(|| Error::file(&path, format!("is no checkpoint of this version: it has no {key}")))
        };
        let settings = Settings::parse(&path, text(SETTINGS)?)?;
        let state = text(STATE)?;
        let state: State =
            serde_json::from_str(state).map_err(|error| Error::file(&path, format!("its state: {error}")))?;
        if state.format != FORMAT {
            return Err(Error::file(&path, format!("is of format {}, but must be of {FORMAT}", state.format)));
        }
        text(DIGEST)?;
        Ok(Checkpoint { path, settings, state, weights })
    }

    /// Whether it has the sha256 that it says.
    ///
    /// # Errors
    /// As [`Weights::digest`].
    pub fn is_as_written(&self) -> Result<bool> {
        Ok(self.weights.metadata.get(DIGEST) == Some(&self.weights.digest(DIGEST)?))
    }

    /// Whether it is that of a run which has not learned anything yet.
    pub fn is_at_start(&self) -> bool {
        self.state.epoch == 0 && self.state.step == 0 && self.is_as_written().unwrap_or(false)
    }

    /// Makes the sha256 that of what the checkpoint holds now.
    ///
    /// # Errors
    /// As [`Weights::digest`].
    pub fn seal(weights: &mut Weights) -> Result<()> {
        let digest = weights.digest(DIGEST)?;
        weights.metadata.insert(DIGEST.to_string(), digest);
        Ok(())
    }

    /// What the run was computed with.
    pub fn arithmetic(&self) -> &Arithmetic {
        &self.state.arithmetic
    }
}

impl Training<'_> {
    /// Saves the run as it is between two steps; [`Training::load`] has the other direction.
    ///
    /// # Errors
    /// [`Error::Breakdown`] when a number is not finite, and then an older checkpoint stays; [`Error::Io`].
    pub fn save(&mut self) -> Result<()> {
        self.check_finite()?;
        let mut weights = Weights { tensors: self.tensors(), metadata: HashMap::new() };
        let state = State {
            format: FORMAT,
            images: self.data.digest().to_string(),
            classes: self.data.classes,
            steps: self.data.steps(),
            epoch: self.epoch,
            step: self.step,
            seconds: self.seconds,
            arithmetic: Arithmetic::here(self.settings, self.network.device()),
            tables: self.tables.clone(),
            unreadable: self.data.unreadable(),
        };
        let state = serde_json::to_string(&state).map_err(|error| Error::argument("state", error.to_string()))?;
        weights.metadata.insert(SETTINGS.to_string(), self.settings.to_toml()?);
        weights.metadata.insert(STATE.to_string(), state);
        Checkpoint::seal(&mut weights)?;
        weights.write(&path(&self.settings.output_dir))?;
        self.saved = Some([self.epoch, self.step]);
        Ok(())
    }

    /// All tensors of a checkpoint, by name.
    fn tensors(&self) -> BTreeMap<String, Tensor> {
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
        tensors
    }

    /// That the run has not diverged.
    ///
    /// # Errors
    /// [`Error::Breakdown`] naming the first tensor that is not finite.
    pub(super) fn check_finite(&self) -> Result<()> {
        match self.tensors().iter().find(|(_, tensor)| !is_finite(tensor)) {
            None => Ok(()),
            Some((name, _)) => Err(self.diverged(&format!("{name} is not finite"))),
        }
    }

    /// What to say of numbers that are not finite.
    pub(super) fn diverged(&self, what: &str) -> Error {
        let (epoch, step) = (self.epoch + 1, self.step);
        let kept = self.saved.map_or(String::new(), |[epochs, steps]| {
            let path = path(&self.settings.output_dir);
            format!("; {} holds the run as it was after {epochs} epochs and {steps} steps", path.display())
        });
        Error::Breakdown(format!("{what} in epoch {epoch} after step {step}: lower the learning rate{kept}"))
    }
}
