//! Accuracy on the test images.

use crate::data::Data;
use crate::model::Network;
use crate::settings::{Precision, Settings};
use birkhoff::Error;
use serde::{Deserialize, Deserializer, Serialize};
use tch::{Kind, Reduction, Tensor, no_grad};

/// How well a network does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross-entropy, in nats, without label smoothing. It may overflow; JSON has no word for that but `null`.
    #[serde(deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Share of images whose largest logit is their label's, 0 to 1.
    pub accuracy: f64,
    /// Number of images.
    pub images: usize,
}

/// A batch as the network wants it: normalized, in the kind and layout of the settings.
pub fn prepare(settings: &Settings, data: &Data, pixels: &Tensor) -> Tensor {
    let mut images = data.normalize(pixels);
    if settings.precision == Precision::Bf16 {
        images = images.to_kind(Kind::BFloat16);
    }
    if settings.has_channels_last(images.device()) {
        images = images.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    }
    images
}

fn number_or_null<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(json)?.unwrap_or(f64::NAN))
}

/// The network on all test images, in evaluation mode.
///
/// # Errors
/// [`Error::Io`] when a file cannot be read; [`Error::Breakdown`] when none is an image.
pub fn evaluate(network: &Network, settings: &Settings, data: &Data) -> birkhoff::Result<Score> {
    let (mut loss, mut correct, mut images) = (0.0, 0, 0);
    no_grad(|| {
        for batch in data.test_batches() {
            let batch = batch?;
            if batch.is_empty() {
                continue;
            }
            let logits = network.forward(&prepare(settings, data, &batch.pixels), false);
            let labels = batch.labels.to_device(logits.device());
            let sum = logits.cross_entropy_loss(&labels, None::<Tensor>, Reduction::Sum, -100, 0.0);
            loss += sum.double_value(&[]);
            correct += logits.argmax(1, false).eq_tensor(&labels).sum(Kind::Int64).int64_value(&[]);
            images += batch.len();
        }
        Ok::<_, Error>(())
    })?;
    if images == 0 {
        return Err(data.nothing_to_see("test"));
    }
    Ok(Score { loss: loss / images as f64, accuracy: correct as f64 / images as f64, images })
}
