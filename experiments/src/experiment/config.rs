//! What all experiments' configurations have in common: one complete TOML file.

use super::run_directory::RunDirectory;
use birkhoff::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A CSV file, and its columns with what they mean and their unit.
pub type Columns = (&'static str, &'static [(&'static str, &'static str)]);

/// The configuration of an experiment, and how it is measured.
pub trait Configuration: Serialize + DeserializeOwned + Sync {
    /// The program that runs it.
    const PROGRAM: &'static str;

    /// The built-in file: its name and its content.
    const BUILT_IN: (&'static str, &'static str);

    /// What the intervals in its files and figures are.
    const INTERVAL: &'static str;

    /// Its CSV files, their columns and what these mean.
    const COLUMNS: &'static [Columns];

    /// Folder of the results, relative to the current one.
    fn output_dir(&self) -> &Path;

    /// Trials of each kind.
    fn trials(&self) -> usize;

    /// Seed of everything random.
    fn rng_seed(&self) -> u64;

    /// Replaces what is given.
    fn set(&mut self, output_dir: Option<PathBuf>, trials: Option<usize>, rng_seed: Option<u64>);

    /// Makes it small enough for some seconds, with every part still there.
    fn shrink(&mut self);

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the key.
    fn validate(&self) -> Result<()>;

    /// Does it: writes trials, summaries and figures into the folder, and returns the table; none where the folder is
    /// only to take a shard.
    ///
    /// # Errors
    /// When the folder cannot be written to, or `interrupt` is set.
    fn measure(&self, directory: &RunDirectory, interrupt: &Arc<AtomicBool>, quiet: bool) -> Result<Option<String>>;

    /// The built-in configuration.
    ///
    /// # Errors
    /// None, unless the built-in file is broken; a test reads it.
    fn built_in() -> Result<Self> {
        Self::parse(Path::new(Self::BUILT_IN.0), Self::BUILT_IN.1)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Parse`] with line and key when a key is unknown, missing or of the wrong type;
    /// as [`Configuration::validate`].
    fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let text = String::from_utf8(bytes).map_err(|_| Error::file(path, "not UTF-8 text"))?;
        Self::parse(path, &text)
    }

    /// [`Configuration::read`] from memory; `source` names the text in messages.
    ///
    /// # Errors
    /// As [`Configuration::read`].
    fn parse(source: &Path, text: &str) -> Result<Self> {
        let experiment: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count();
            Error::parse(source, line, error.message().replace('\n', " "))
        })?;
        experiment.validate().map_err(|error| Error::file(source, error.to_string()))?;
        Ok(experiment)
    }

    /// The configuration as TOML, every key written out: reading it gives the same experiment.
    ///
    /// # Errors
    /// [`Error::Argument`] when a value has no form in TOML (a seed above 2⁶³).
    fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::argument("configuration", error.to_string()))
    }

    /// What its results depend on: the configuration without the folder that they go to.
    ///
    /// # Errors
    /// As [`Configuration::to_toml`].
    fn to_toml_without_place(&self) -> Result<String> {
        let refuse = |error: String| Error::argument("configuration", error);
        let mut table: toml::Table =
            self.to_toml()?.parse().map_err(|error: toml::de::Error| refuse(error.to_string()))?;
        table.remove("output_dir");
        toml::to_string(&table).map_err(|error| refuse(error.to_string()))
    }
}

/// The keys that all configurations have, as fields of these names: what [`Configuration`] asks of them.
macro_rules! common_keys {
    () => {
        fn output_dir(&self) -> &std::path::Path {
            &self.output_dir
        }

        fn trials(&self) -> usize {
            self.trials
        }

        fn rng_seed(&self) -> u64 {
            self.rng_seed
        }

        fn set(&mut self, output_dir: Option<std::path::PathBuf>, trials: Option<usize>, rng_seed: Option<u64>) {
            self.output_dir = output_dir.unwrap_or_else(|| std::mem::take(&mut self.output_dir));
            self.trials = trials.unwrap_or(self.trials);
            self.rng_seed = rng_seed.unwrap_or(self.rng_seed);
        }
    };
}
pub(super) use common_keys;

/// An error unless there are between 1 and a million trials.
pub(super) fn check_trials(trials: usize) -> Result<()> {
    if (1..=1_000_000).contains(&trials) {
        return Ok(());
    }
    Err(Error::argument("trials", "must be between 1 and 1000000"))
}

/// An error unless `values` are different, at least one, and all as `is_valid` asks.
pub(super) fn check_list<T: PartialEq>(
    name: &'static str,
    values: &[T],
    required: &str,
    is_valid: impl Fn(&T) -> bool,
) -> Result<()> {
    let twice = (1..values.len()).any(|index| values[..index].contains(&values[index]));
    if values.is_empty() || twice || !values.iter().all(is_valid) {
        return Err(Error::argument(name, format!("must be a list of different {required}, one at least")));
    }
    Ok(())
}
