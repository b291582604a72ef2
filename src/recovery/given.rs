//! A matching of the user's own, to begin with.

use super::attempt::{Attempt, AttemptKind};
use super::run::{Run, Search};
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use crate::solver::Iterate;
use std::time::Instant;

impl Search<'_> {
    /// The partner in B of each vertex of A that an anchor or [`start_match`](super::Settings::start_match) names.
    ///
    /// # Errors
    /// [`Error::Argument`] when that matches a vertex twice.
    pub fn given_partners(&self) -> Result<Vec<Option<usize>>> {
        let n = self.objective.size();
        let (mut partners, mut holders) = (vec![None; n], vec![None; n]);
        for &(i, j) in self.settings.anchors.iter().chain(&self.settings.start_match) {
            let refuse = |cause: String| Err(Error::argument("start_match", format!("has ({i}, {j}), but {cause}")));
            if i.max(j) >= n {
                return refuse(format!("there are {n} vertices"));
            }
            if let Some(other) = partners[i].replace(j).filter(|&other| other != j) {
                return refuse(format!("vertex {i} of A is matched to {other} already"));
            }
            if let Some(other) = holders[j].replace(i).filter(|&other| other != i) {
                return refuse(format!("vertex {j} of B is matched to {other} already"));
            }
        }
        Ok(partners)
    }

    /// The answer that local search makes of a [`start_match`](super::Settings::start_match), where there is one; its
    /// other vertices are matched in their order.
    pub fn given(&self) -> Result<Option<(Run, Attempt)>> {
        if self.settings.start_match.is_empty() {
            return Ok(None);
        }
        let began = Instant::now();
        let permutation = Permutation::completed(&self.given_partners()?, self.objective.size())?;
        let last = Iterate::at(permutation.to_matrix());
        let mut run = Run { last, permutation, value: f64::NAN, swaps: 0, agreed: false };
        self.polish(&mut run)?;
        self.anneal(&mut run)?;
        let attempt = Attempt::of(&run, AttemptKind::Given, began);
        Ok(Some((run, attempt)))
    }
}
