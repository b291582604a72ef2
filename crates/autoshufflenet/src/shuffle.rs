//! The channel shuffle: a matrix M that is learned, or a permutation.
//!
//! M multiplies the channels of each pixel, y = M·x. A permutation p takes `y[i] = x[p(i)]`, as M with M\[i, p(i)\] = 1
//! does.
//!
//! A ShuffleNet block sends one half of y through a branch that starts with a 1 × 1 convolution W, and keeps the other.
//! In training, a soft M is therefore paid for only once: W·M₂ is one small product of weights, and y's second half is
//! never made. Per pixel this is n² multiplications where M and then W would be 1.25 n².

use birkhoff::{Permutation, Result, polytope};
use clap::ValueEnum;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, no_grad};

use crate::device::has_fast_products;
use crate::penalty::make_feasible;

/// What shuffles the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ShuffleKind {
    /// ShuffleNet's own: the channels as groups × n/groups, transposed.
    Manual,
    /// A matrix for each shuffle, learned with the exact penalty.
    Auto,
    /// The same without the penalty: stochastic relaxation.
    Relaxed,
    /// A fixed random permutation for each shuffle.
    Random,
    /// No shuffle.
    None,
}

impl ShuffleKind {
    /// Whether there is a matrix to train.
    pub fn is_learned(self) -> bool {
        matches!(self, ShuffleKind::Auto | ShuffleKind::Relaxed)
    }

    /// As in configurations.
    pub fn name(self) -> &'static str {
        match self {
            ShuffleKind::Manual => "manual",
            ShuffleKind::Auto => "auto",
            ShuffleKind::Relaxed => "relaxed",
            ShuffleKind::Random => "random",
            ShuffleKind::None => "none",
        }
    }
}

/// One shuffle of a network.
#[derive(Debug)]
pub struct Shuffle {
    name: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// n × n, trained.
    Soft(Tensor),
    Fixed(Wiring),
}

/// A permutation, and its image where an accelerator wants it.
#[derive(Debug)]
struct Wiring {
    permutation: Permutation,
    index: Tensor,
}

/// ShuffleNet's own shuffle: channel a·(n/groups) + i becomes channel i·groups + a.
pub fn manual(n: usize, groups: usize) -> Permutation {
    let image = (0..n).map(|channel| channel % groups * (n / groups) + channel / groups).collect();
    Permutation::new(image).unwrap_or_else(|_| Permutation::identity(n))
}

/// Where M starts: share·Π + (1 − share)·U, Π the manual shuffle and U uniform noise scaled onto the polytope.
///
/// The noise breaks the symmetry: J/n is a stationary point of P, so that a matrix of equal entries would never choose.
///
/// # Errors
/// As [`sinkhorn`](birkhoff::polytope::sinkhorn), where it scales.
pub fn start(manual: &Permutation, share: f64, rng: &mut ChaCha8Rng) -> Result<DMatrix<f64>> {
    let n = manual.len();
    let noise = DMatrix::from_fn(n, n, |_, _| rng.random_range(1e-3..1.0f64).ln());
    let (noise, _) = polytope::sinkhorn(&noise, 1e-9, 1000)?;
    Ok(manual.to_matrix() * share + noise * (1.0 - share))
}

impl Shuffle {
    /// A permutation, kept.
    pub fn fixed(name: impl Into<String>, permutation: Permutation, device: Device) -> Self {
        Shuffle { name: name.into(), state: State::fixed(permutation, device) }
    }

    /// A matrix to train.
    pub fn soft(name: impl Into<String>, matrix: &DMatrix<f64>, device: Device) -> Self {
        let n = matrix.nrows() as i64;
        // By columns there, by rows here.
        let matrix = Tensor::from_slice(matrix.as_slice()).view([n, n]).tr().to_kind(Kind::Float).to_device(device);
        Shuffle { name: name.into(), state: State::Soft(matrix.contiguous().set_requires_grad(true)) }
    }

    /// Where it stands in the network, such as `stage2.0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of channels.
    pub fn len(&self) -> usize {
        match &self.state {
            State::Soft(matrix) => matrix.size()[0] as usize,
            State::Fixed(wiring) => wiring.permutation.len(),
        }
    }

    /// Whether there are no channels, which never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// M while it is trained.
    pub fn matrix(&self) -> Option<&Tensor> {
        match &self.state {
            State::Soft(matrix) => Some(matrix),
            State::Fixed(_) => None,
        }
    }

    /// The permutation once there is one.
    pub fn permutation(&self) -> Option<&Permutation> {
        match &self.state {
            State::Soft(_) => None,
            State::Fixed(wiring) => Some(&wiring.permutation),
        }
    }

    /// M in double precision, for certificates and rounding.
    pub fn to_matrix(&self) -> DMatrix<f64> {
        match &self.state {
            State::Fixed(wiring) => wiring.permutation.to_matrix(),
            State::Soft(matrix) => {
                let n = self.len();
                let mut entries = vec![0.0; n * n];
                matrix
                    .detach()
                    .to_device(Device::Cpu)
                    .to_kind(Kind::Double)
                    .contiguous()
                    .copy_data(&mut entries, n * n);
                DMatrix::from_row_slice(n, n, &entries)
            }
        }
    }

    /// Puts a permutation in the place of M.
    pub fn fix(&mut self, permutation: Permutation, device: Device) {
        self.state = State::fixed(permutation, device);
    }

    /// Thresholds and scales M, if it is trained; see [`make_feasible`].
    pub fn make_feasible(&mut self, rounds: usize) {
        if let State::Soft(matrix) = &mut self.state {
            make_feasible(matrix, rounds);
        }
    }

    /// y = M·x, x the channels of all `sources` one after the other.
    pub fn apply(&self, sources: &[&Tensor]) -> Tensor {
        let [whole] = match &self.state {
            State::Soft(matrix) => mix([matrix], sources),
            State::Fixed(wiring) => wiring.gather(sources, [self.len()]),
        };
        whole
    }

    /// W·M·x for a 1 × 1 convolution W.
    ///
    /// In training W·M is made first; evaluation applies M as it is written, so that a matrix that is a permutation
    /// gives the same bits as the permutation.
    pub fn apply_then(&self, sources: &[&Tensor], weight: &Tensor, train: bool) -> Tensor {
        match &self.state {
            State::Soft(matrix) if train => {
                let [y] = mix([&as_matrix(weight).matmul(matrix)], sources);
                y
            }
            _ => convolve(&self.apply(sources), weight),
        }
    }

    /// The first half of y = M·x, and W times its second half, for a 1 × 1 convolution W; evaluation as in
    /// [`apply_then`](Self::apply_then).
    pub fn split_then(&self, sources: &[&Tensor], weight: &Tensor, train: bool) -> (Tensor, Tensor) {
        let half = self.len() / 2;
        let [kept, branch] = match &self.state {
            State::Soft(matrix) => {
                let rows = matrix.split(half as i64, 0);
                if train {
                    let kernels = [&rows[0], &as_matrix(weight).matmul(&rows[1])];
                    let [kept, convolved] = mix(kernels, sources);
                    return (kept, convolved);
                }
                mix([&rows[0], &rows[1]], sources)
            }
            State::Fixed(wiring) => wiring.gather(sources, [half, self.len() - half]),
        };
        let convolved = convolve(&branch, weight);
        (kept, convolved)
    }
}

impl State {
    fn fixed(permutation: Permutation, device: Device) -> Self {
        let image: Vec<i64> = permutation.image().iter().map(|&channel| channel as i64).collect();
        State::Fixed(Wiring { permutation, index: Tensor::from_slice(&image).to_device(device) })
    }
}

impl Wiring {
    /// The channels of y = x∘p, as consecutive parts of the given sizes.
    fn gather<const PARTS: usize>(&self, sources: &[&Tensor], parts: [usize; PARTS]) -> [Tensor; PARTS] {
        let mut start = 0;
        let ranges = parts.map(|size| {
            start += size;
            start - size..start
        });
        if sources[0].device() != Device::Cpu {
            let x = Tensor::cat(sources, 1);
            return ranges.map(|part| x.index_select(1, &self.index.narrow(0, part.start as i64, part.len() as i64)));
        }
        gather_runs(sources, self.permutation.image(), ranges)
    }
}

/// For each range of outputs, the channels that `image` names there, copied run by run of consecutive channels.
///
/// Forward and backward are one copy each: `cat` of slices, where `index_select`'s gradient adds up into zeros.
fn gather_runs<const PARTS: usize>(
    sources: &[&Tensor],
    image: &[usize],
    parts: [std::ops::Range<usize>; PARTS],
) -> [Tensor; PARTS] {
    let sizes: Vec<usize> = sources.iter().map(|source| source.size()[1] as usize).collect();
    // A run ends where the next output does not take the next channel, at the parts' ends and at the sources' ends.
    let mut cut = vec![false; image.len() + 1];
    let mut offset = 0;
    for size in &sizes {
        cut[offset] = true;
        offset += size;
    }
    for part in &parts {
        for output in part.clone() {
            let follows = output > part.start && image[output] == image[output - 1] + 1;
            if !follows {
                cut[image[output]] = true;
                if output > part.start {
                    cut[image[output - 1] + 1] = true;
                }
            }
        }
        cut[image[part.end - 1] + 1] = true;
    }
    let mut run_at: Vec<Option<Tensor>> = std::iter::repeat_with(|| None).take(image.len()).collect();
    let mut offset = 0;
    for (source, size) in sources.iter().zip(sizes) {
        let starts: Vec<usize> = (offset..offset + size).filter(|&channel| cut[channel]).collect();
        let ends = starts[1..].iter().copied().chain([offset + size]);
        let lengths: Vec<i64> = starts.iter().zip(ends).map(|(start, end)| (end - start) as i64).collect();
        for (start, run) in starts.iter().zip(source.split_with_sizes(lengths, 1)) {
            run_at[*start] = Some(run);
        }
        offset += size;
    }
    parts.map(|part| {
        let runs: Vec<&Tensor> = part.filter_map(|output| run_at[image[output]].as_ref()).collect();
        Tensor::cat(&runs, 1)
    })
}

/// From this many pixels an image on, a batch of matrix products beats a 1 × 1 convolution, whose input oneDNN reorders
/// first, on a processor that is good at products: measured on Intel's at 16 × 16 (twice as fast), 8 × 8 (1.2 times)
/// and 4 × 4 pixels (half as fast), on AMD's 0.9, 0.6 and 0.3 times as fast.
const PIXELS_FOR_PRODUCTS: i64 = 64;

/// Whether x is multiplied image by image, and not by a convolution.
fn takes_products(x: &Tensor) -> bool {
    let pixels = x.size()[2] * x.size()[3];
    x.device() == Device::Cpu && has_fast_products() && x.is_contiguous() && pixels >= PIXELS_FOR_PRODUCTS
}

/// K·x over the channels for each kernel K, outputs × channels; x the channels of all `sources` one after the other.
fn mix<const PARTS: usize>(kernels: [&Tensor; PARTS], sources: &[&Tensor]) -> [Tensor; PARTS] {
    let outputs = kernels.map(|kernel| kernel.size()[0]);
    let kernel = joined(&kernels, 0).to_kind(sources[0].kind());
    let y = if takes_products(sources[0]) {
        batched_product(&kernel, sources)
    } else {
        convolve(&joined(sources, 1), &kernel)
    };
    let mut parts = y.split_with_sizes(outputs, 1).into_iter();
    std::array::from_fn(|_| {
        let part = parts.next().unwrap_or_default();
        // One copy here for several where it is used. Channels that are innermost stay so.
        if y.is_contiguous() { part.contiguous() } else { part }
    })
}

/// K·x image by image.
fn batched_product(kernel: &Tensor, sources: &[&Tensor]) -> Tensor {
    let [images, _, height, width] = sources[0].size()[..] else { unreachable!("images have four dimensions") };
    let outputs = kernel.size()[0];
    let mut sum: Option<Tensor> = None;
    let mut offset = 0;
    for source in sources {
        let channels = source.size()[1];
        let part = kernel.narrow(1, offset, channels).expand([images, outputs, channels], false);
        let x = source.reshape([images, channels, height * width]);
        sum = Some(match sum {
            None => part.bmm(&x),
            Some(sum) => sum.baddbmm(&part, &x, 1.0, 1.0),
        });
        offset += channels;
    }
    sum.unwrap_or_default().reshape([images, outputs, height, width])
}

/// The tensors one after the other, without a copy where there is only one.
fn joined(tensors: &[&Tensor], dimension: i64) -> Tensor {
    if let [one] = tensors { one.shallow_clone() } else { Tensor::cat(tensors, dimension) }
}

/// The 1 × 1 convolution of x by `weight`, a matrix or its form as a convolution's weight.
fn convolve(x: &Tensor, weight: &Tensor) -> Tensor {
    let weight = weight.to_kind(x.kind());
    let weight = weight.reshape([weight.size()[0], weight.size()[1], 1, 1]);
    x.conv2d(&weight, None::<Tensor>, [1; 2], [0; 2], [1; 2], 1)
}

/// outputs × inputs × 1 × 1 as outputs × inputs.
fn as_matrix(weight: &Tensor) -> Tensor {
    weight.reshape([weight.size()[0], weight.size()[1]])
}

/// Overwrites M, as a checkpoint does.
pub(crate) fn copy_into(shuffle: &mut Shuffle, matrix: &Tensor) {
    if let State::Soft(target) = &mut shuffle.state {
        no_grad(|| target.copy_(matrix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_image_by_image_are_the_convolution() {
        let random = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        let (kernel, x) = (random(&[5, 12]), random(&[3, 12, 6, 7]));
        let parts = x.split_with_sizes([4, 8], 1);
        let products = batched_product(&kernel, &[&parts[0], &parts[1]]);
        assert!((products - convolve(&x, &kernel)).abs().max().double_value(&[]) < 1e-5);
    }
}
