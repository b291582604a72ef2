//! What a run writes while it trains: epochs.csv and timings.csv, and matrices.csv if it is asked to.

use super::evaluate::Score;
use crate::hardening::{Progress, Status};
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Names of the files with a row an epoch: its numbers, and its times.
pub(super) const TABLES: [&str; 2] = ["epochs.csv", "timings.csv"];
/// Name of the file with a matrix after every epoch.
pub(super) const MATRICES: &str = "matrices.csv";

/// Tables that grow by a row an epoch; kept as text, so that a resumed run writes the same bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tables {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    timings: Vec<[String; 4]>,
    matrices: Vec<[String; 4]>,
}

/// An epoch's numbers.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// At its last step.
    pub learning_rate: f64,
    /// λ at its last step.
    pub penalty_weight: f64,
    /// Mean cross-entropy over its steps, with label smoothing.
    pub train_loss: f64,
    /// Share of its augmented images that were right as they were learned.
    pub train_accuracy: f64,
    /// After it, before any matrix is hardened; not in every epoch.
    pub test: Option<Score>,
    /// After hardening, where a matrix was.
    pub test_hardened: Option<Score>,
    /// Every shuffle before hardening.
    pub shuffles: Vec<Progress>,
    /// Wall-clock seconds of its steps.
    pub seconds: f64,
    /// Images per second of those.
    pub images_per_second: f64,
    /// Wall-clock seconds of its evaluation.
    pub test_seconds: f64,
}

impl Tables {
    /// Adds a row.
    pub fn push(&mut self, epoch: &Epoch) {
        let penalty: f64 = epoch.shuffles.iter().map(|shuffle| shuffle.penalty).sum();
        let largest = epoch.shuffles.iter().map(|shuffle| shuffle.penalty).fold(0.0, f64::max);
        let fixed = epoch.shuffles.iter().filter(|shuffle| shuffle.status == Status::Fixed).count();
        let accuracy = |score: Option<Score>| score.map_or(String::new(), |score| format!("{:.4}", score.accuracy));
        let mut row = vec![
            epoch.epoch.to_string(),
            format!("{:.6}", epoch.learning_rate),
            format!("{:.6e}", epoch.penalty_weight),
            format!("{:.6}", epoch.train_loss),
            format!("{:.4}", epoch.train_accuracy),
            epoch.test.map_or(String::new(), |score| format!("{:.6}", score.loss)),
            accuracy(epoch.test),
            accuracy(epoch.test_hardened),
            format!("{penalty:.6}"),
            format!("{largest:.6}"),
            fixed.to_string(),
        ];
        for Progress { penalty, residual, status, .. } in &epoch.shuffles {
            row.extend([format!("{penalty:.6}"), format!("{residual:.3e}"), status.name().to_string()]);
        }
        self.header = header(epoch.shuffles.iter().map(|shuffle| shuffle.name.as_str()));
        self.rows.push(row);
        self.timings.push([
            epoch.epoch.to_string(),
            format!("{:.3}", epoch.seconds),
            format!("{:.1}", epoch.images_per_second),
            format!("{:.3}", epoch.test_seconds),
        ]);
    }

    /// Whether these are the tables of a run after `epochs` epochs whose shuffles have these names.
    ///
    /// # Errors
    /// [`Error::File`] for `path` that says what does not fit.
    pub fn check<'a>(&self, path: &Path, epochs: usize, shuffles: impl Iterator<Item = &'a str>) -> Result<()> {
        let refuse = |cause: String| Err(Error::file(path, format!("its tables: {cause}")));
        let header = header(shuffles);
        if self.rows.len() != epochs || self.timings.len() != epochs {
            let (rows, timings) = (self.rows.len(), self.timings.len());
            return refuse(format!("{rows} rows and {timings} timings, but {epochs} epochs"));
        }
        if epochs > 0 && self.header != header {
            return refuse("they are those of another network".to_string());
        }
        match self.rows.iter().position(|row| row.len() != header.len()) {
            Some(row) => refuse(format!("epoch {} has {} columns of {}", row + 1, self.rows[row].len(), header.len())),
            None => Ok(()),
        }
    }

    /// Adds the entries of a matrix after `epoch` epochs that are not 0 to four digits.
    pub fn push_matrix(&mut self, epoch: usize, matrix: &DMatrix<f64>) {
        for (i, j) in (0..matrix.nrows()).flat_map(|i| (0..matrix.ncols()).map(move |j| (i, j))) {
            let entry = format!("{:.4}", matrix[(i, j)]);
            if entry != "0.0000" {
                self.matrices.push([epoch.to_string(), i.to_string(), j.to_string(), entry]);
            }
        }
    }

    /// Writes the tables into the run's folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, folder: &Path) -> Result<()> {
        let timing_header = ["epoch", "seconds", "images_per_second", "test_seconds"].map(str::to_string);
        write_csv(&folder.join(TABLES[0]), &self.header, &self.rows)?;
        write_csv(&folder.join(TABLES[1]), &timing_header, &self.timings)?;
        if self.matrices.is_empty() {
            return Ok(());
        }
        let matrix_header = ["epoch", "output_channel", "input_channel", "entry"].map(str::to_string);
        write_csv(&folder.join(MATRICES), &matrix_header, &self.matrices)
    }
}

/// The columns of epochs.csv.
fn header<'a>(shuffles: impl Iterator<Item = &'a str>) -> Vec<String> {
    let fixed = [
        "epoch",
        "learning_rate",
        "penalty_weight",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "test_accuracy_hardened",
        "penalty",
        "largest_penalty",
        "fixed_shuffles",
    ];
    let of_each = |shuffle: &'a str| ["penalty", "residual", "certificate"].map(|what| format!("{shuffle}.{what}"));
    fixed.map(str::to_string).into_iter().chain(shuffles.flat_map(of_each)).collect()
}

/// Writes a table with its header.
///
/// # Errors
/// [`Error::Io`].
pub fn write_csv<R: AsRef<[String]>>(path: &Path, header: &[String], rows: &[R]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(vec![]);
    let mut write = |row: &[String]| writer.write_record(row).map_err(|error| Error::file(path, error.to_string()));
    write(header)?;
    rows.iter().try_for_each(|row| write(row.as_ref()))?;
    let bytes = writer.into_inner().map_err(|error| Error::file(path, error.to_string()))?;
    write_atomically(path, |file| file.write_all(&bytes))
}
