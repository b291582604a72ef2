//! Training, from the first step to the rounded network.

mod checkpoint;
mod evaluate;
mod files;
mod finish;
mod manifest;
mod optimizer;
mod report;
mod restore;
mod run_folder;
mod schedule;

pub use checkpoint::{Arithmetic, Checkpoint, path as checkpoint_path};
pub use evaluate::{Score, evaluate, prepare};
pub use files::{CONFIG, MODEL, RESULT};
pub use finish::Outcome;
pub use optimizer::Sgd;
pub use report::{Epoch, Tables, write_csv};
pub use run_folder::{RunFolder, check_is_no_run, is_complete};
pub use schedule::{PenaltySchedule, learning_rate};

use crate::data::{Data, Images};
use crate::hardening::{harden, progress};
use crate::model::Network;
use crate::penalty::penalty;
use crate::settings::Settings;
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use nalgebra::DMatrix;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// A run under way.
#[derive(Debug)]
pub struct Training<'a> {
    settings: &'a Settings,
    data: &'a Data,
    /// The network that is trained.
    pub network: Network,
    optimizer: Sgd,
    /// Epochs that are done.
    epoch: usize,
    /// Steps of this epoch that are done.
    step: usize,
    /// Seconds that this epoch's steps took, in all sessions.
    seconds: f64,
    /// Over this epoch's steps: loss times images, right answers, images. On the device, so that no step waits for it.
    sums: Tensor,
    tables: Tables,
    /// Epochs, and steps of the next one, that the checkpoint in the run's folder holds.
    saved: Option<[usize; 2]>,
    /// The score after the last epoch, before rounding.
    last_test: Option<Score>,
}

/// How a session ended.
#[derive(Debug)]
pub enum Ending {
    /// The run is complete.
    Finished(Box<Outcome>),
    /// It was interrupted, and saved.
    Interrupted,
    /// It has done as many epochs as this session was to do, and is saved.
    Paused,
}

/// Images that a step needs, for batch normalization.
const FEWEST: usize = 2;

/// Steps between two looks at the loss, which make the device wait.
const STEPS_A_LOOK: usize = 10;

/// What a session is told from outside.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Set when the run is to be saved and left.
    pub interrupt: &'a AtomicBool,
    /// Save and leave after so many epochs of this session.
    pub epochs: Option<usize>,
    /// No progress bar.
    pub quiet: bool,
}

impl<'a> Training<'a> {
    /// A run at its beginning.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn new(settings: &'a Settings, data: &'a Data, device: Device) -> Result<Self> {
        let network = Network::new(settings.architecture(data.classes), &settings.beginning(), device)?;
        let optimizer = Sgd {
            momentum: settings.momentum,
            weight_decay: settings.weight_decay,
            shuffle_rate: settings.shuffle_learning_rate,
            scaling_rounds: settings.scaling_rounds,
            velocity: BTreeMap::new(),
        };
        let mut training = Training {
            settings,
            data,
            network,
            optimizer,
            epoch: 0,
            step: 0,
            seconds: 0.0,
            sums: Tensor::zeros([3], (Kind::Double, device)),
            tables: Tables::default(),
            saved: None,
            last_test: None,
        };
        if let Some(matrix) = training.traced_matrix()? {
            training.tables.push_matrix(0, &matrix);
        }
        Ok(training)
    }

    /// Puts the run into its folder: its checkpoint, if it is not that which it goes on from, then its settings and
    /// tables. Only then what an older run has left there goes.
    ///
    /// # Errors
    /// As [`RunFolder::check_free`]; [`Error::Io`].
    pub fn settle(&mut self, folder: &RunFolder, came_from: Option<&Path>) -> Result<()> {
        if !came_from.is_some_and(|checkpoint| folder.holds(checkpoint)) {
            folder.check_free()?;
            self.save()?;
        }
        folder.remove_older()?;
        let config = self.settings.to_toml()?;
        write_atomically(&self.settings.output_dir.join(CONFIG), |file| file.write_all(config.as_bytes()))?;
        if self.epoch > 0 { self.tables.write(&self.settings.output_dir) } else { Ok(()) }
    }

    /// Trains to the end, or until the session is over; checkpoint and tables are written after each epoch.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Breakdown`] when a number is not finite, or a thread that loads images ends. The run's
    /// checkpoint stays.
    pub fn run(&mut self, session: Session) -> Result<Ending> {
        let first = self.epoch;
        let penalty = PenaltySchedule::new(self.settings, self.data.steps());
        while self.epoch < self.settings.epochs {
            if session.epochs.is_some_and(|most| self.epoch - first >= most) {
                return Ok(Ending::Paused);
            }
            let last = self.run_epoch(session, penalty)?;
            let Some([learning_rate, weight]) = last else {
                self.save()?;
                return Ok(Ending::Interrupted);
            };
            self.close_epoch(learning_rate, weight, session.quiet)?;
        }
        Ok(Ending::Finished(Box::new(self.finish()?)))
    }

    /// The rest of this epoch's steps; the last learning rate and λ, or `None` when it was interrupted.
    fn run_epoch(&mut self, session: Session, penalty: PenaltySchedule) -> Result<Option<[f64; 2]>> {
        let (per_epoch, total) = (self.data.steps(), self.data.steps() * self.settings.epochs);
        let bar = self.bar(session.quiet);
        let begun = Instant::now();
        let earlier = self.seconds;
        let mut now = [0.0; 2];
        for batch in self.data.train_batches(self.epoch, self.step) {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    bar.finish_and_clear();
                    // The steps so far are good ones.
                    self.save()?;
                    return Err(error);
                }
            };
            let step = self.epoch * per_epoch + self.step;
            now = [learning_rate(self.settings, step, total, per_epoch), penalty.weight(step)];
            self.train_step(&batch, now);
            self.step += 1;
            self.seconds = earlier + begun.elapsed().as_secs_f64();
            bar.inc(1);
            if self.step.is_multiple_of(STEPS_A_LOOK) {
                self.look(&bar)?;
            }
            if session.interrupt.load(Ordering::Relaxed) && self.step < per_epoch {
                bar.finish_and_clear();
                return Ok(None);
            }
        }
        self.look(&bar)?;
        bar.finish_and_clear();
        Ok(Some(now))
    }

    /// One step of SGD on cross-entropy + λ Σ P(M); none for fewer than two images.
    pub fn train_step(&mut self, batch: &Images, [rate, weight]: [f64; 2]) {
        if batch.len() < FEWEST {
            return;
        }
        let count = batch.len() as f64;
        let logits = self.network.forward(&prepare(self.settings, self.data, &batch.pixels), true);
        let labels = batch.labels.to_device(logits.device());
        let smoothing = self.settings.label_smoothing;
        let loss = logits.cross_entropy_loss(&labels, None::<Tensor>, tch::Reduction::Mean, -100, smoothing);
        match self.penalty().filter(|_| weight > 0.0) {
            Some(penalty) => (&loss + penalty * weight).backward(),
            None => loss.backward(),
        }
        self.optimizer.step(&mut self.network, rate);
        let right = logits.argmax(1, false).eq_tensor(&labels).sum(Kind::Double);
        let sums = [loss.detach().to_kind(Kind::Double) * count, right, Tensor::from(count).to_device(logits.device())];
        self.sums += Tensor::stack(&sums, 0);
    }

    /// Σ P(M) over the matrices that are left.
    fn penalty(&self) -> Option<Tensor> {
        let shuffles = self.network.shuffles();
        shuffles.iter().filter_map(|shuffle| shuffle.matrix()).map(penalty).reduce(|sum, term| sum + term)
    }

    /// Loss and accuracy of this epoch so far.
    fn means(&self) -> Result<[f64; 2]> {
        let mut sums = [0.0f64; 3];
        self.sums.to_device(Device::Cpu).copy_data(&mut sums, 3);
        let count = sums[2].max(1.0);
        if !sums[0].is_finite() {
            return Err(self.diverged("the loss is not finite"));
        }
        Ok([sums[0] / count, sums[1] / count])
    }

    fn look(&self, bar: &ProgressBar) -> Result<()> {
        let [loss, accuracy] = self.means()?;
        if !bar.is_hidden() {
            let penalty = tch::no_grad(|| self.penalty().map_or(0.0, |penalty| penalty.double_value(&[])));
            let rate = (self.step * self.settings.batch_size) as f64 / self.seconds.max(1e-9);
            let accuracy = 100.0 * accuracy;
            bar.set_message(format!(
                "loss {loss:.3}  accuracy {accuracy:.1} %  penalty {penalty:.2}  {rate:.0} images/s"
            ));
        }
        Ok(())
    }

    fn bar(&self, quiet: bool) -> ProgressBar {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(self.data.steps() as u64) };
        let template = format!("epoch {}/{} {{bar:24}} {{pos}}/{{len}}  {{msg}}", self.epoch + 1, self.settings.epochs);
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_position(self.step as u64);
        bar
    }

    /// Evaluates, hardens what is certified, and writes the epoch down.
    fn close_epoch(&mut self, learning_rate: f64, penalty_weight: f64, quiet: bool) -> Result<()> {
        let [train_loss, train_accuracy] = self.means()?;
        self.check_finite()?;
        if self.sums.double_value(&[2]) == 0.0 {
            return Err(self.data.nothing_to_see("training"));
        }
        let begun = Instant::now();
        let shuffles = progress(&self.network)?;
        let traced = self.traced_matrix()?;
        self.epoch += 1;
        let last = self.epoch == self.settings.epochs;
        let every = self.settings.test_every;
        let tests = last || every > 0 && self.epoch.is_multiple_of(every);
        let (settings, data) = (self.settings, self.data);
        let score = |tests: bool, network: &Network| tests.then(|| evaluate(network, settings, data)).transpose();
        let test = score(tests, &self.network)?;
        self.last_test = test.filter(|_| last);
        // The end rounds what is left after the last epoch, certified or not.
        let hardened = if self.settings.no_early_hardening || last { 0 } else { self.harden()? };
        let test_hardened = score(tests && hardened > 0, &self.network)?;
        let images = (self.step * self.settings.batch_size) as f64;
        let epoch = Epoch {
            epoch: self.epoch,
            learning_rate,
            penalty_weight,
            train_loss,
            train_accuracy,
            test,
            test_hardened,
            shuffles,
            seconds: self.seconds,
            images_per_second: images / self.seconds.max(1e-9),
            test_seconds: begun.elapsed().as_secs_f64(),
        };
        self.tables.push(&epoch);
        // As it was before hardening.
        if let Some(matrix) = traced {
            self.tables.push_matrix(self.epoch, &matrix);
        }
        if !quiet {
            // Where standard error is gone, the training goes on.
            let _ = writeln!(std::io::stderr(), "{}", describe(&epoch, hardened));
        }
        (self.step, self.seconds) = (0, 0.0);
        let _ = self.sums.zero_();
        self.save()?;
        self.tables.write(&self.settings.output_dir)
    }

    /// The matrix that the settings ask to write down.
    fn traced_matrix(&self) -> Result<Option<DMatrix<f64>>> {
        let Some(name) = &self.settings.trace_matrix else { return Ok(None) };
        let shuffles = self.network.shuffles();
        let Some(shuffle) = shuffles.iter().find(|shuffle| shuffle.name() == name) else {
            let names: Vec<&str> = shuffles.iter().map(|shuffle| shuffle.name()).collect();
            return Err(Error::argument(
                "trace_matrix",
                format!("there is no shuffle {name}, but {}", names.join(", ")),
            ));
        };
        Ok(Some(shuffle.to_matrix()))
    }

    /// Early hardening, for the kind that has a penalty.
    fn harden(&mut self) -> Result<usize> {
        if self.settings.shuffle != crate::shuffle::ShuffleKind::Auto {
            return Ok(0);
        }
        let hardened = harden(&mut self.network)?;
        self.optimizer.forget_fixed(&self.network);
        Ok(hardened)
    }
}

/// An epoch in a line for people.
fn describe(epoch: &Epoch, hardened: usize) -> String {
    let largest = epoch.shuffles.iter().map(|shuffle| shuffle.penalty).fold(0.0, f64::max);
    let test = epoch.test.map_or(String::new(), |score| format!(", test accuracy {:.2} %", 100.0 * score.accuracy));
    format!(
        "epoch {}: loss {:.3}, training accuracy {:.2} %{test}, largest P {largest:.3}{}, {:.0} images/s",
        epoch.epoch,
        epoch.train_loss,
        100.0 * epoch.train_accuracy,
        if hardened > 0 { format!(", {hardened} shuffles hardened") } else { String::new() },
        epoch.images_per_second,
    )
}
