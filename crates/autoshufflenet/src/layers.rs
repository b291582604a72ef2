//! The layers of ShuffleNet, with PyTorch's initialization and names.

use tch::Tensor;
use tch::nn::{Init, Path, init};

/// A convolution without bias.
#[derive(Debug)]
pub struct Conv {
    /// outputs × inputs per group × side × side.
    pub weight: Tensor,
    stride: i64,
    groups: i64,
}

impl Conv {
    /// side × side with zero padding that keeps the image's size, up to the stride.
    pub fn new(path: &Path, inputs: i64, outputs: i64, side: i64, stride: i64, groups: i64) -> Self {
        let weight = path.var("weight", &[outputs, inputs / groups, side, side], init::DEFAULT_KAIMING_UNIFORM);
        Conv { weight, stride, groups }
    }

    /// 1 × 1, stride 1, one group: a matrix applied to the channels of each pixel.
    pub fn pointwise(path: &Path, inputs: i64, outputs: i64) -> Self {
        Self::new(path, inputs, outputs, 1, 1, 1)
    }

    /// Each channel by itself, 3 × 3.
    pub fn depthwise(path: &Path, channels: i64, stride: i64) -> Self {
        Self::new(path, channels, channels, 3, stride, channels)
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.groups as usize
    }

    /// The layer's output for images `x` (batch × channels × height × width); the weight follows x's kind, so that
    /// images in bf16 are convolved in bf16.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let (weight, padding) = (self.weight.to_kind(x.kind()), self.weight.size()[2] / 2);
        x.conv2d(&weight, None::<Tensor>, [self.stride; 2], [padding; 2], [1; 2], self.groups)
    }

    /// Multiplications for one image whose output has `pixels` pixels.
    pub fn multiplications(&self, pixels: i64) -> i64 {
        self.weight.numel() as i64 * pixels
    }
}

/// Batch normalization over images; ε = 1e-5, momentum 0.1.
#[derive(Debug)]
pub struct BatchNorm {
    /// Scale of each channel.
    pub weight: Tensor,
    /// Shift of each channel.
    pub bias: Tensor,
    /// Mean that evaluation subtracts.
    pub running_mean: Tensor,
    /// Variance that evaluation divides by.
    pub running_var: Tensor,
}

impl BatchNorm {
    /// Scale 1, shift 0.
    pub fn new(path: &Path, channels: i64) -> Self {
        BatchNorm {
            weight: path.var("weight", &[channels], Init::Const(1.0)),
            bias: path.var("bias", &[channels], Init::Const(0.0)),
            running_mean: path.zeros_no_train("running_mean", &[channels]),
            running_var: path.ones_no_train("running_var", &[channels]),
        }
    }

    /// Normalizes by the batch's own statistics in training, by the running ones otherwise.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let (weight, bias) = (Some(&self.weight), Some(&self.bias));
        x.batch_norm(weight, bias, Some(&self.running_mean), Some(&self.running_var), train, 0.1, 1e-5, true)
    }

    /// [`forward`](Self::forward), then ReLU.
    pub fn relu(&self, x: &Tensor, train: bool) -> Tensor {
        self.forward(x, train).relu_()
    }

    /// Its four tensors, each with one entry a channel.
    pub fn tensors(&self) -> [&Tensor; 4] {
        [&self.weight, &self.bias, &self.running_mean, &self.running_var]
    }
}

/// The fully connected layer at the end.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// PyTorch's initialization: uniform within 1/√inputs, both.
    pub fn new(path: &Path, inputs: i64, outputs: i64) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        let uniform = Init::Uniform { lo: -bound, up: bound };
        Linear { weight: path.var("weight", &[outputs, inputs], uniform), bias: path.var("bias", &[outputs], uniform) }
    }

    /// x · Wᵀ + b in the weights' precision, whatever x is in.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.to_kind(self.weight.kind()).linear(&self.weight, Some(&self.bias))
    }

    /// Multiplications for one image.
    pub fn multiplications(&self) -> i64 {
        self.weight.numel() as i64
    }
}
