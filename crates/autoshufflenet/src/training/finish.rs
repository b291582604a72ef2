//! The end of a run: rounding, accuracy before and after, and the files that stay.

use super::evaluate::{Score, evaluate, prepare};
use super::files::{MODEL, PERMUTATIONS, RESULT};
use super::report::write_csv;
use super::{FEWEST, Training, checkpoint, manifest};
use crate::export;
use crate::hardening::{Progress, progress, round_all};
use crate::model::{Beginning, Network};
use crate::shuffle::{Shuffle, ShuffleKind};
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tch::{Device, no_grad};

/// How a run came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The trained network, matrices as they are.
    pub before: Score,
    /// The same after rounding.
    pub after: Score,
    /// Shuffles that were still matrices at the end, and so were rounded.
    pub rounded: usize,
    /// Shuffles among them that T2 or T3 certified: rounding had no choice.
    pub certified: usize,
    /// Largest P(M) before rounding.
    pub largest_penalty: f64,
    /// Share of the channels, over all shuffles, that come from elsewhere than in the manual shuffle.
    #[serde(default)]
    pub off_manual: f64,
    /// The same against the permutations nearest to where the run began: 0 if nothing was learned.
    #[serde(default)]
    pub off_start: f64,
}

impl Outcome {
    /// For a person to read.
    pub fn describe(&self) -> String {
        let percent = |score: Score| 100.0 * score.accuracy;
        let (before, after) = (percent(self.before), percent(self.after));
        let rounding = match self.rounded {
            0 => "no matrix was left to round".to_string(),
            rounded => {
                format!("{} of {rounded} matrices certified, largest P {:.3}", self.certified, self.largest_penalty)
            }
        };
        format!(
            "test accuracy {before:.2} % before rounding, {after:.2} % after ({} images); {rounding}; {:.0} % of the channels \
             are not where the manual shuffle puts them, {:.0} % not where the start did",
            self.after.images,
            100.0 * self.off_manual,
            100.0 * self.off_start
        )
    }
}

impl Training<'_> {
    /// Rounds what is left, evaluates before and after, and writes all files anew, the manifest last. Only then the
    /// checkpoint goes: a run that is killed before does this again.
    pub(super) fn finish(&mut self) -> Result<Outcome> {
        let shuffles = progress(&self.network)?;
        let before = match self.last_test {
            Some(score) => score,
            None => evaluate(&self.network, self.settings, self.data)?,
        };
        let soft: Vec<&Progress> =
            shuffles.iter().filter(|shuffle| shuffle.status != crate::hardening::Status::Fixed).collect();
        let certified = soft.iter().filter(|shuffle| shuffle.status != crate::hardening::Status::Soft).count();
        let rounded = round_all(&mut self.network)?;
        self.recalibrate()?;
        let after = if rounded > 0 || self.settings.recalibration_batches > 0 {
            evaluate(&self.network, self.settings, self.data)?
        } else {
            before
        };
        let largest_penalty = shuffles.iter().map(|shuffle| shuffle.penalty).fold(0.0, f64::max);
        let off_manual = self.share_elsewhere(ShuffleKind::Manual)?;
        let off_start = self.share_elsewhere(self.settings.shuffle)?;
        let outcome = Outcome { before, after, rounded, certified, largest_penalty, off_manual, off_start };
        let folder = &self.settings.output_dir;
        let steps = (self.settings.epochs * self.data.steps()) as i64;
        self.tables.write(folder)?;
        export::write(&folder.join(MODEL), &self.network, steps)?;
        self.write_permutations()?;
        let mut result = json!(outcome);
        let unreadable = self.data.unreadable();
        if let Some((file, cause)) = unreadable.first_key_value() {
            result["unreadable_images"] = json!({ "count": unreadable.len(), "first": format!("{file}: {cause}") });
        }
        let text = serde_json::to_string_pretty(&result).map_err(|error| Error::file(RESULT, error.to_string()))?;
        write_atomically(&folder.join(RESULT), |file| writeln!(file, "{text}"))?;
        manifest::write(self.settings, self.network.device())?;
        checkpoint::remove(folder)?;
        Ok(outcome)
    }

    /// Renews the running statistics of batch normalization, nothing else, with a few training batches.
    fn recalibrate(&self) -> Result<()> {
        no_grad(|| {
            let batches = self.data.train_batches(self.settings.epochs, 0).take(self.settings.recalibration_batches);
            for batch in batches {
                let batch = batch?;
                if batch.len() >= FEWEST {
                    drop(self.network.forward(&prepare(self.settings, self.data, &batch.pixels), true));
                }
            }
            Ok(())
        })
    }

    /// Share of the channels whose permutation is not that of a fresh network of this kind, its matrices rounded.
    fn share_elsewhere(&self, kind: ShuffleKind) -> Result<f64> {
        let beginning = Beginning { kind, ..self.settings.beginning() };
        let mut fresh = Network::new(self.network.architecture, &beginning, Device::Cpu)?;
        round_all(&mut fresh)?;
        let (ours, fresh) = (self.network.shuffles(), fresh.shuffles());
        let image = |shuffle: &Shuffle| shuffle.permutation().map(|p| p.image().to_vec()).unwrap_or_default();
        let pairs: Vec<(usize, usize)> =
            ours.into_iter().zip(fresh).flat_map(|(a, b)| image(a).into_iter().zip(image(b))).collect();
        Ok(pairs.iter().filter(|(a, b)| a != b).count() as f64 / pairs.len().max(1) as f64)
    }

    /// permutations.csv: output channel i of a shuffle is its input channel p(i).
    fn write_permutations(&self) -> Result<()> {
        let header = ["shuffle", "output_channel", "input_channel"].map(str::to_string);
        let mut rows = vec![];
        for shuffle in self.network.shuffles() {
            let image = shuffle.permutation().map(|permutation| permutation.image().to_vec()).unwrap_or_default();
            rows.extend(
                image.iter().enumerate().map(|(i, j)| [shuffle.name().to_string(), i.to_string(), j.to_string()]),
            );
        }
        write_csv(&self.settings.output_dir.join(PERMUTATIONS), &header, &rows)
    }
}
