//! What a run writes while it trains: epochs.csv and timings.csv, and matrices.csv if it is asked to.

use super::evaluate::Score;
use crate::hardening::{Progress, Status};
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Tables that grow by a row an epoch; kept as text, so that a resumed run writes the same bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tables {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    timings: Vec<[String; 4]>,
    #[serde(default)]
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
        let mut columns = vec![
            ("epoch".to_string(), epoch.epoch.to_string()),
            ("learning_rate".to_string(), format!("{:.6}", epoch.learning_rate)),
            ("penalty_weight".to_string(), format!("{:.6e}", epoch.penalty_weight)),
            ("train_loss".to_string(), format!("{:.6}", epoch.train_loss)),
            ("train_accuracy".to_string(), format!("{:.4}", epoch.train_accuracy)),
            ("test_loss".to_string(), epoch.test.map_or(String::new(), |score| format!("{:.6}", score.loss))),
            ("test_accuracy".to_string(), accuracy(epoch.test)),
            ("test_accuracy_hardened".to_string(), accuracy(epoch.test_hardened)),
            ("penalty".to_string(), format!("{penalty:.6}")),
            ("largest_penalty".to_string(), format!("{largest:.6}")),
            ("fixed_shuffles".to_string(), fixed.to_string()),
        ];
        for shuffle in &epoch.shuffles {
            let Progress { name, penalty, residual, status } = shuffle;
            columns.push((format!("{name}.penalty"), format!("{penalty:.6}")));
            columns.push((format!("{name}.residual"), format!("{residual:.3e}")));
            columns.push((format!("{name}.certificate"), status.name().to_string()));
        }
        let (header, row) = columns.into_iter().unzip();
        self.header = header;
        self.rows.push(row);
        self.timings.push([
            epoch.epoch.to_string(),
            format!("{:.3}", epoch.seconds),
            format!("{:.1}", epoch.images_per_second),
            format!("{:.3}", epoch.test_seconds),
        ]);
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
        write_csv(&folder.join("epochs.csv"), &self.header, &self.rows)?;
        write_csv(&folder.join("timings.csv"), &timing_header, &self.timings)?;
        if self.matrices.is_empty() {
            return Ok(());
        }
        let matrix_header = ["epoch", "output_channel", "input_channel", "entry"].map(str::to_string);
        write_csv(&folder.join("matrices.csv"), &matrix_header, &self.matrices)
    }
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
