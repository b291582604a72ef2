//! Taking over a checkpoint: all of it is compared with the run that it is to go on with, then all of it is taken.

use super::Training;
use super::checkpoint::{Checkpoint, SUMS, State, VELOCITY, permutation_name};
use super::optimizer::matrix_name;
use crate::export;
use crate::model::Network;
use crate::settings::Settings;
use crate::shuffle::{Shuffle, copy_into};
use crate::weights::Weights;
use birkhoff::{Error, Permutation, Result};
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// What a checkpoint holds for a network, checked.
struct Content {
    /// Each variable of the network with what it becomes.
    variables: Vec<(Tensor, Tensor)>,
    /// What each shuffle becomes.
    shuffles: Vec<Held>,
    velocity: BTreeMap<String, Tensor>,
    sums: Tensor,
}

enum Held {
    Matrix(Tensor),
    Permutation(Permutation),
}

/// Steps that no epoch has.
const TOO_MANY_STEPS: usize = 1_000_000_000;

impl Training<'_> {
    /// Takes over the state of a checkpoint, which may be that of a run elsewhere. Nothing is changed when there is an
    /// error.
    ///
    /// # Errors
    /// [`Error::File`] for what does not fit: other settings than may be given anew, other images, or a checkpoint that
    /// is damaged.
    pub fn load(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let refuse = |cause: String| Err(Error::file(&checkpoint.path, cause));
        if let Some((key, [ours, theirs])) = self.settings.difference(&checkpoint.settings)? {
            return refuse(format!("is of a run with {key} = {theirs}, not {ours}"));
        }
        let State { images, classes, steps, .. } = &checkpoint.state;
        if (images.as_str(), *classes, *steps) != (self.data.digest(), self.data.classes, self.data.steps()) {
            let (here, wanted) = (format!("{} classes", self.data.classes), format!("{classes} classes"));
            let (now, per_epoch) = (self.data.steps(), steps);
            return refuse(format!(
                "is of a run on other images: {wanted} and {per_epoch} steps an epoch there, {here} and {now} steps here, and their \
                 names or contents differ"
            ));
        }
        let (content, state) = checkpoint.check(&self.network)?;
        self.sums = content.sums.to_device(self.network.device());
        let device = self.network.device();
        let velocity = content.velocity.into_iter();
        self.optimizer.velocity = velocity.map(|(name, velocity)| (name, velocity.to_device(device))).collect();
        apply(&mut self.network, content.variables, content.shuffles);
        (self.epoch, self.step, self.seconds) = (state.epoch, state.step, state.seconds);
        self.tables = state.tables;
        self.data.add_unreadable(state.unreadable);
        self.saved = Some([self.epoch, self.step]);
        Ok(())
    }
}

impl Checkpoint {
    /// The network as it is in the checkpoint, and how many steps it has seen. No images are needed.
    ///
    /// # Errors
    /// [`Error::File`] when the checkpoint is damaged.
    pub fn into_network(self, device: Device) -> Result<(Network, i64)> {
        let architecture = self.settings.architecture(self.state.classes);
        export::check_classes(&self.path, &self.weights, architecture)?;
        let mut network = Network::new(architecture, &self.settings.beginning(), device)?;
        let (content, state) = self.check(&network)?;
        apply(&mut network, content.variables, content.shuffles);
        Ok((network, (state.epoch * state.steps + state.step) as i64))
    }

    /// Everything, compared with a network of its settings that has not been trained.
    fn check(self, fresh: &Network) -> Result<(Content, State)> {
        let shuffles = fresh.shuffles();
        self.state.check(&self, &shuffles)?;
        let (path, mut weights) = (&self.path, self.weights.shallow_clone());
        let variables = export::take_variables(path, &mut weights, fresh)?;
        let mut held = vec![];
        for shuffle in &shuffles {
            let name = permutation_name(shuffle.name());
            held.push(match (weights.take_permutation(path, &name, shuffle.len())?, shuffle.matrix()) {
                (Some(permutation), None) if shuffle.permutation() != Some(&permutation) => {
                    return Err(Error::file(path, format!("{name}: is not that of a run with these settings")));
                }
                (Some(permutation), _) => Held::Permutation(permutation),
                (None, Some(like)) => {
                    Held::Matrix(weights.take_nonnegative(path, &matrix_name(shuffle.name()), like)?)
                }
                (None, None) => return Err(Error::file(path, format!("has no tensor {name}"))),
            });
        }
        let velocity = self.take_velocity(&mut weights, fresh, &held)?;
        let sums = self.take_sums(&mut weights)?;
        weights.nothing_left(path)?;
        if !self.is_as_written()? {
            let cause = "is not as it was written, for its sha256 differs: the file is damaged, or was changed";
            return Err(Error::file(path, cause));
        }
        Ok((Content { variables, shuffles: held, velocity, sums }, self.state))
    }

    /// The velocity of every variable that is trained, or of none before the first step.
    fn take_velocity(&self, weights: &mut Weights, fresh: &Network, held: &[Held]) -> Result<BTreeMap<String, Tensor>> {
        let variables = fresh.store.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
        let mut trained: BTreeMap<String, Tensor> = variables.collect();
        for (shuffle, held) in fresh.shuffles().into_iter().zip(held) {
            if let Held::Matrix(matrix) = held {
                trained.insert(matrix_name(shuffle.name()), matrix.shallow_clone());
            }
        }
        if self.state.epoch == 0 && !weights.tensors.keys().any(|name| name.starts_with(VELOCITY)) {
            return Ok(BTreeMap::new());
        }
        let take = |(name, like): (String, Tensor)| {
            let velocity = weights.take(&self.path, &format!("{VELOCITY}{name}"), &like)?;
            Ok((name, velocity))
        };
        trained.into_iter().map(take).collect()
    }

    /// Loss times images, right answers and images of the epoch's steps.
    fn take_sums(&self, weights: &mut Weights) -> Result<Tensor> {
        let like = Tensor::zeros([3], (Kind::Double, Device::Cpu));
        let sums = weights.take_nonnegative(&self.path, SUMS, &like)?;
        let [right, images] = [1, 2].map(|place| sums.double_value(&[place]));
        if right > images || images > (self.state.step * self.settings.batch_size) as f64 {
            let cause = format!("its sums count {right} right answers of {images} images in {} steps", self.state.step);
            return Err(Error::file(&self.path, cause));
        }
        Ok(sums)
    }
}

impl State {
    /// Checks the counters against the settings, and the tables against the counters.
    fn check(&self, checkpoint: &Checkpoint, shuffles: &[&Shuffle]) -> Result<()> {
        let Checkpoint { path, settings: Settings { epochs, .. }, .. } = checkpoint;
        let refuse = |cause: String| Err(Error::file(path, cause));
        let State { steps, epoch, step, seconds, .. } = self;
        if !(1..TOO_MANY_STEPS).contains(steps) {
            return refuse(format!("has {steps} steps an epoch"));
        }
        if epoch > epochs || step >= steps || (epoch == epochs && *step > 0) {
            return refuse(format!(
                "is after {epoch} of {epochs} epochs and {step} of {steps} steps, which no run ever is"
            ));
        }
        if !(0.0..f64::MAX).contains(seconds) {
            return refuse(format!("has taken {seconds} seconds"));
        }
        self.tables.check(path, *epoch, shuffles.iter().map(|shuffle| shuffle.name()))
    }
}

fn apply(network: &mut Network, variables: Vec<(Tensor, Tensor)>, shuffles: Vec<Held>) {
    export::overwrite(variables);
    let device = network.device();
    for (shuffle, held) in network.shuffles_mut().into_iter().zip(shuffles) {
        match held {
            Held::Matrix(matrix) => copy_into(shuffle, &matrix),
            Held::Permutation(permutation) => shuffle.fix(permutation, device),
        }
    }
}
