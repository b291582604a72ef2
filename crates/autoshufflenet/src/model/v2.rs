//! ShuffleNet v2 (Ma, Zhang, Zheng, Sun, ECCV 2018), with torchvision's tensor names and shapes.

use super::{Architecture, Beginning, REPEATS, Stem, global_mean};
use crate::layers::{BatchNorm, Conv, Linear};
use crate::shuffle::Shuffle;
use birkhoff::Result;
use tch::Tensor;
use tch::nn::Path;

/// Channels: after the stem, after each stage, after the last convolution.
fn channels(width: f64) -> [i64; 5] {
    match (width * 10.0) as i64 {
        5 => [24, 48, 96, 192, 1024],
        10 => [24, 116, 232, 464, 1024],
        15 => [24, 176, 352, 704, 1024],
        _ => [24, 244, 488, 976, 2048],
    }
}

#[derive(Debug)]
pub(crate) struct ShuffleNet {
    stem: (Conv, BatchNorm),
    pooled: bool,
    pub(super) stages: Vec<Stage>,
    pub(super) last: (Conv, BatchNorm),
    classifier: Linear,
}

/// A block that halves the image, and blocks that keep it; a shuffle follows each.
#[derive(Debug)]
pub(super) struct Stage {
    pub first: Downsampling,
    pub branches: Vec<Branch>,
    pub shuffles: Vec<Shuffle>,
}

/// Both halves of the output are convolved from all inputs.
#[derive(Debug)]
pub(super) struct Downsampling {
    pub depthwise: (Conv, BatchNorm),
    pub pointwise: (Conv, BatchNorm),
    pub branch: Branch,
}

/// 1 × 1, depthwise 3 × 3, 1 × 1.
#[derive(Debug)]
pub(super) struct Branch {
    pub first: (Conv, BatchNorm),
    pub depthwise: (Conv, BatchNorm),
    pub last: (Conv, BatchNorm),
}

impl Branch {
    fn new(path: &Path, inputs: i64, outputs: i64, stride: i64) -> Self {
        Branch {
            first: (Conv::pointwise(&(path / 0), inputs, outputs), BatchNorm::new(&(path / 1), outputs)),
            depthwise: (Conv::depthwise(&(path / 3), outputs, stride), BatchNorm::new(&(path / 4), outputs)),
            last: (Conv::pointwise(&(path / 5), outputs, outputs), BatchNorm::new(&(path / 6), outputs)),
        }
    }

    /// What follows the first convolution, whose output is x.
    fn finish(&self, x: &Tensor, train: bool) -> Tensor {
        let x = self.first.1.relu(x, train);
        let x = self.depthwise.1.forward(&self.depthwise.0.forward(&x), train);
        self.last.1.relu(&self.last.0.forward(&x), train)
    }

    fn multiplications(&self, pixels_in: i64, pixels_out: i64) -> i64 {
        self.first.0.multiplications(pixels_in)
            + self.depthwise.0.multiplications(pixels_out)
            + self.last.0.multiplications(pixels_out)
    }
}

impl Downsampling {
    fn new(path: &Path, inputs: i64, half: i64) -> Self {
        let other = path / "branch1";
        Downsampling {
            depthwise: (Conv::depthwise(&(&other / 0), inputs, 2), BatchNorm::new(&(&other / 1), inputs)),
            pointwise: (Conv::pointwise(&(&other / 2), inputs, half), BatchNorm::new(&(&other / 3), half)),
            branch: Branch::new(&(path / "branch2"), inputs, half, 2),
        }
    }

    fn forward(&self, x: &Tensor, train: bool) -> (Tensor, Tensor) {
        let other = self.depthwise.1.forward(&self.depthwise.0.forward(x), train);
        let other = self.pointwise.1.relu(&self.pointwise.0.forward(&other), train);
        (other, self.branch.finish(&self.branch.first.0.forward(x), train))
    }
}

impl Stage {
    fn new(path: &Path, inputs: i64, outputs: i64, repeats: usize) -> Self {
        let half = outputs / 2;
        let branch = |index: usize| Branch::new(&(path / index / "branch2"), half, half, 1);
        let first = Downsampling::new(&(path / 0), inputs, half);
        Stage { first, branches: (1..repeats).map(branch).collect(), shuffles: vec![] }
    }

    /// The halves that the last shuffle, still to be applied, takes.
    fn forward(&self, x: &Tensor, train: bool) -> (Tensor, Tensor) {
        let (mut kept, mut new) = self.first.forward(x, train);
        for (branch, shuffle) in self.branches.iter().zip(&self.shuffles) {
            let (half, convolved) = shuffle.split_then(&[&kept, &new], &branch.first.0.weight, train);
            (kept, new) = (half, branch.finish(&convolved, train));
        }
        (kept, new)
    }
}

impl ShuffleNet {
    pub fn new(path: &Path, architecture: &Architecture, beginning: &Beginning) -> Result<Self> {
        let [stem, c2, c3, c4, last] = channels(architecture.width);
        let stride = if architecture.stem == Stem::Large { 2 } else { 1 };
        let conv1 = path / "conv1";
        let stem_layers = (Conv::new(&(&conv1 / 0), 3, stem, 3, stride, 1), BatchNorm::new(&(&conv1 / 1), stem));
        let mut stages = vec![];
        let mut shuffles = 0;
        for (number, ((inputs, outputs), repeats)) in
            [(stem, c2), (c2, c3), (c3, c4)].into_iter().zip(REPEATS).enumerate()
        {
            let name = format!("stage{}", number + 2);
            let mut stage = Stage::new(&(path / &name), inputs, outputs, repeats);
            for index in 0..repeats {
                let name = format!("{name}.{index}");
                stage.shuffles.push(beginning.shuffle(name, shuffles, outputs as usize, 2, path.device())?);
                shuffles += 1;
            }
            stages.push(stage);
        }
        let conv5 = path / "conv5";
        Ok(ShuffleNet {
            stem: stem_layers,
            pooled: architecture.stem == Stem::Large,
            stages,
            last: (Conv::pointwise(&(&conv5 / 0), c4, last), BatchNorm::new(&(&conv5 / 1), last)),
            classifier: Linear::new(&(path / "fc"), last, architecture.classes as i64),
        })
    }

    pub fn forward(&self, images: &Tensor, train: bool) -> Tensor {
        let mut x = self.stem.1.relu(&self.stem.0.forward(images), train);
        if self.pooled {
            x = x.max_pool2d([3; 2], [2; 2], [1; 2], [1; 2], false);
        }
        let count = self.stages.len();
        for (index, stage) in self.stages.iter().enumerate() {
            let (kept, new) = stage.forward(&x, train);
            let shuffle = &stage.shuffles[stage.branches.len()];
            x = if index + 1 < count {
                shuffle.apply(&[&kept, &new])
            } else {
                shuffle.apply_then(&[&kept, &new], &self.last.0.weight, train)
            };
        }
        self.classifier.forward(&global_mean(&self.last.1.relu(&x, train)))
    }

    pub fn shuffles(&self) -> Vec<&Shuffle> {
        self.stages.iter().flat_map(|stage| &stage.shuffles).collect()
    }

    pub fn shuffles_mut(&mut self) -> Vec<&mut Shuffle> {
        self.stages.iter_mut().flat_map(|stage| &mut stage.shuffles).collect()
    }

    /// Multiplications for one image of side × side pixels, shuffles not counted.
    pub fn multiplications(&self, side: i64) -> i64 {
        let mut side = if self.pooled { side / 2 } else { side };
        let mut count = self.stem.0.multiplications(side * side);
        if self.pooled {
            side /= 2;
        }
        for stage in &self.stages {
            let (before, after) = (side * side, side * side / 4);
            let Downsampling { depthwise, pointwise, branch } = &stage.first;
            count += depthwise.0.multiplications(after) + pointwise.0.multiplications(after);
            count += branch.multiplications(before, after);
            count += stage.branches.iter().map(|branch| branch.multiplications(after, after)).sum::<i64>();
            side /= 2;
        }
        count + self.last.0.multiplications(side * side) + self.classifier.multiplications()
    }
}
