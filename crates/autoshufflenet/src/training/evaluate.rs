//! Accuracy on the test images.

use crate::data::Data;
use crate::model::Network;
use crate::settings::{Precision, Settings};
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor, no_grad};

/// How well a network does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross-entropy, in nats, without label smoothing.
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

/// The network on all test images, in evaluation mode.
pub fn evaluate(network: &Network, settings: &Settings, data: &Data) -> Score {
    let (mut loss, mut correct, mut images) = (0.0, 0, 0);
    no_grad(|| {
        for batch in data.test_batches() {
            let logits = network.forward(&prepare(settings, data, &batch.pixels), false);
            let labels = batch.labels.to_device(logits.device());
            let sum = logits.cross_entropy_loss(&labels, None::<Tensor>, Reduction::Sum, -100, 0.0);
            loss += sum.double_value(&[]);
            correct += logits.argmax(1, false).eq_tensor(&labels).sum(Kind::Int64).int64_value(&[]);
            images += labels.numel();
        }
    });
    let count = images.max(1) as f64;
    Score { loss: loss / count, accuracy: correct as f64 / count, images }
}
