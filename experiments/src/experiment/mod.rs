//! Experiments: a configuration, its trials in parallel, and a folder of results that is there complete or not at all.
//!
//! A claim is a file: `config.toml` says what was done, `trials.csv` has what was measured (every method sees the same
//! instance, and a failed trial is a row with its status), `summary.csv` the means with their intervals, `timings.csv`
//! the seconds, `manifest.json` where it all comes from, and which files are the run's. Only a folder that provably
//! holds such a run and nothing else is replaced by another one. All but the timings and the manifest are the same
//! bytes on every run and for any number of threads.

mod canvas;
mod chart;
mod config;
pub mod error_bounds;
pub mod figures;
mod files;
pub mod graph_matching;
mod interval;
mod journal;
mod lines;
pub mod manifest;
mod ownership;
mod parallel;
mod partial;
mod run_directory;
pub mod two_layer;

pub use chart::{Panel, draw_panels};
pub use config::{Columns, Configuration};
pub use files::sha256;
pub use journal::Part;
pub(crate) use ownership::LooseFiles;
pub use run_directory::RunDirectory;

use birkhoff::error::{Error, Result};
use birkhoff::io::write_atomically;
use journal::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs an experiment, writes its folder, and returns its table for a person to read.
///
/// The progress bar goes to standard error, where that is a terminal and not `quiet`. The figures are drawn from the
/// files, not from memory.
///
/// # Errors
/// What is wrong with the configuration or the folder; an interrupted run is an error and leaves an older folder as it
/// was. What it has done is kept, and the next run of the same configuration goes on from there.
pub fn run<C: Configuration>(experiment: &C, part: Part, interrupt: &Arc<AtomicBool>, quiet: bool) -> Result<String> {
    experiment.validate()?;
    let key = Key::new(C::PROGRAM, &experiment.to_toml_without_place()?);
    let directory = RunDirectory::resumable(experiment.output_dir(), C::PROGRAM, key, part)?;
    let Some(table) = experiment.measure(&directory, interrupt, quiet)? else {
        return Ok(format!("This part is done: {}\n", directory.partial().display()));
    };
    directory.write("config.toml", experiment.to_toml()?.as_bytes())?;
    write_manifest(&directory, experiment)?;
    directory.finish()?;
    Ok(table)
}

/// Writes the manifest of an experiment.
fn write_manifest<C: Configuration>(directory: &RunDirectory, experiment: &C) -> Result<()> {
    let written = directory.files()?;
    let columns: Map<String, Value> = C::COLUMNS
        .iter()
        .filter(|(file, _)| written.iter().any(|name| name == file))
        .map(|(file, columns)| {
            let columns: Map<String, Value> =
                columns.iter().map(|(name, what)| (name.to_string(), json!(what))).collect();
            (file.to_string(), Value::Object(columns))
        })
        .collect();
    let mut manifest = manifest::provenance(C::PROGRAM, env!("CARGO_PKG_VERSION"));
    manifest.extend(manifest::object(json!({
        "threads": rayon::current_num_threads(),
        "rng_seed": experiment.rng_seed(),
        "trials_per_level": experiment.trials(),
        "interval": C::INTERVAL,
        "columns": columns,
    })));
    directory.write_manifest(manifest)
}

/// Writes the rows of a results file.
fn write_rows<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    write_atomically(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        rows.iter().try_for_each(|row| writer.serialize(row)).map_err(std::io::Error::other)?;
        writer.flush()
    })
}

/// Reads the rows of a results file, such as `trials.csv` as [`Trial`](graph_matching::Trial)s.
///
/// # Errors
/// [`Error::Io`], and [`Error::Parse`] with the line.
pub fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let rows = reader.deserialize::<T>().enumerate();
    rows.map(|(index, row)| row.map_err(|error| Error::parse(path, index + 2, error.to_string()))).collect()
}
