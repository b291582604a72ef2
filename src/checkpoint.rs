//! What a long search has done, kept so that another one goes on from there.
//!
//! A search without matrices is a sequence of [`Part`]s, each of which depends on the search's [`Task`] and the parts
//! before it only. Whoever makes the search again and hands it the parts that were kept has it go the same way: what is
//! kept is not made again, and the answer is that of a search in one go, bit for bit.

use crate::error::{Error, Result};
use crate::sparse_matrix::SparseMatrix;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What decides a search's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Inputs by name, each with its [`digest`](Self::with_input).
    pub inputs: Vec<(String, String)>,
    /// Settings by name, each as a text.
    pub settings: Vec<(String, String)>,
}

impl Task {
    /// With an input, of which the sha256 of these numbers is taken.
    pub fn with_input(mut self, name: impl Into<String>, numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut hash = Sha256::new();
        numbers.into_iter().for_each(|number| hash.update(number.to_le_bytes()));
        let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.inputs.push((name.into(), digest));
        self
    }

    /// With a setting.
    pub fn with_setting(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }
}

/// A part of a search: a path, if there is one, and the local search from where it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The partner in B of each vertex of A, or [`NONE`](crate::assignment::NONE).
    pub partners: Vec<u32>,
    /// What local search gained.
    pub gain: f64,
    /// Steps of the paths, each with one assignment.
    pub steps: u64,
    /// What else is known of a search's first path.
    pub first: Option<FirstPath>,
}

/// A search's first path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstPath {
    /// X where it ended, before it was rounded.
    pub x: SparseMatrix,
    /// What was to be expected of its candidates, see [`Candidates::recall`](crate::features::Candidates::recall).
    pub recall: f64,
}

/// Keeps the parts of a search, somewhere.
pub trait Keeper: Send + Sync {
    /// A search of this task begins: the parts of it that were kept before, in order.
    ///
    /// # Errors
    /// When those that were kept are of another task.
    fn begin(&self, task: Task) -> Result<Vec<Part>>;

    /// The next part is done. A search does not end because it cannot be kept.
    fn keep(&self, part: &Part);

    /// No part follows.
    fn end(&self);

    /// The error that what was kept is not of this search, with the cause.
    fn refuse(&self, cause: String) -> Error;
}
