//! ShuffleNet v1 (Zhang, Zhou, Lin, Sun, CVPR 2018).

use super::{Architecture, Beginning, REPEATS, Stem, global_mean};
use crate::layers::{BatchNorm, Conv, Linear};
use crate::shuffle::Shuffle;
use birkhoff::Result;
use tch::Tensor;
use tch::nn::Path;

/// Channels after the stem and after each stage, as in the authors' implementation.
fn channels(width: f64, groups: usize) -> [i64; 4] {
    let scaled = |channels: i64| (channels as f64 * width) as i64;
    let stem = match (width, groups) {
        (width, 3) if width < 1.0 => 12,
        (width, _) if width < 1.0 => 16,
        (width, _) if width < 2.0 => 24,
        _ => 48,
    };
    let first = scaled(if groups == 3 { 240 } else { 384 });
    [stem, first, 2 * first, 4 * first]
}

#[derive(Debug)]
pub(crate) struct ShuffleNet {
    stem: (Conv, BatchNorm),
    pooled: bool,
    pub(super) units: Vec<Unit>,
    classifier: Linear,
}

/// 1 × 1 in groups, shuffle, depthwise 3 × 3, 1 × 1 in groups; its input is added, or joined where the image is halved.
#[derive(Debug)]
pub(super) struct Unit {
    pub first: (Conv, BatchNorm),
    pub shuffle: Shuffle,
    pub depthwise: (Conv, BatchNorm),
    pub last: (Conv, BatchNorm),
    halves: bool,
}

impl Unit {
    fn new(path: &Path, inputs: i64, outputs: i64, groups: [i64; 2], halves: bool, shuffle: Shuffle) -> Self {
        let middle = outputs / 4;
        let new = if halves { outputs - inputs } else { outputs };
        let stride = if halves { 2 } else { 1 };
        Unit {
            first: (
                Conv::new(&(path / "first"), inputs, middle, 1, 1, groups[0]),
                BatchNorm::new(&(path / "first_norm"), middle),
            ),
            shuffle,
            depthwise: (
                Conv::depthwise(&(path / "depthwise"), middle, stride),
                BatchNorm::new(&(path / "depthwise_norm"), middle),
            ),
            last: (
                Conv::new(&(path / "last"), middle, new, 1, 1, groups[1]),
                BatchNorm::new(&(path / "last_norm"), new),
            ),
            halves,
        }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let new = self.first.1.relu(&self.first.0.forward(x), train);
        let new = self.shuffle.apply(&[&new]);
        let new = self.depthwise.1.forward(&self.depthwise.0.forward(&new), train);
        let new = self.last.1.forward(&self.last.0.forward(&new), train);
        if self.halves {
            let kept = x.avg_pool2d([3; 2], [2; 2], [1; 2], false, true, None::<i64>);
            Tensor::cat(&[kept, new.relu()], 1)
        } else {
            (x + new).relu_()
        }
    }
}

impl ShuffleNet {
    pub fn new(path: &Path, architecture: &Architecture, beginning: &Beginning) -> Result<Self> {
        let [stem, c2, c3, c4] = channels(architecture.width, architecture.groups);
        let groups = architecture.groups as i64;
        let stride = if architecture.stem == Stem::Large { 2 } else { 1 };
        let mut units = vec![];
        let mut inputs = stem;
        for (number, (outputs, repeats)) in [c2, c3, c4].into_iter().zip(REPEATS).enumerate() {
            for index in 0..repeats {
                let name = format!("stage{}.{index}", number + 2);
                let middle = outputs as usize / 4;
                let shuffle = beginning.shuffle(name, units.len(), middle, architecture.groups, path.device())?;
                // The stem has too few channels to be grouped.
                let grouped = [if units.is_empty() { 1 } else { groups }, groups];
                let path = path / format!("stage{}", number + 2) / index;
                units.push(Unit::new(&path, inputs, outputs, grouped, index == 0, shuffle));
                inputs = outputs;
            }
        }
        let conv1 = path / "conv1";
        Ok(ShuffleNet {
            stem: (Conv::new(&(&conv1 / 0), 3, stem, 3, stride, 1), BatchNorm::new(&(&conv1 / 1), stem)),
            pooled: architecture.stem == Stem::Large,
            units,
            classifier: Linear::new(&(path / "fc"), c4, architecture.classes as i64),
        })
    }

    pub fn forward(&self, images: &Tensor, train: bool) -> Tensor {
        let mut x = self.stem.1.relu(&self.stem.0.forward(images), train);
        if self.pooled {
            x = x.max_pool2d([3; 2], [2; 2], [1; 2], [1; 2], false);
        }
        for unit in &self.units {
            x = unit.forward(&x, train);
        }
        self.classifier.forward(&global_mean(&x))
    }

    pub fn shuffles(&self) -> Vec<&Shuffle> {
        self.units.iter().map(|unit| &unit.shuffle).collect()
    }

    pub fn shuffles_mut(&mut self) -> Vec<&mut Shuffle> {
        self.units.iter_mut().map(|unit| &mut unit.shuffle).collect()
    }

    /// Multiplications for one image of side × side pixels, shuffles not counted.
    pub fn multiplications(&self, side: i64) -> i64 {
        let mut side = if self.pooled { side / 2 } else { side };
        let mut count = self.stem.0.multiplications(side * side);
        if self.pooled {
            side /= 2;
        }
        for unit in &self.units {
            let before = side * side;
            if unit.halves {
                side /= 2;
            }
            let after = side * side;
            count += unit.first.0.multiplications(before)
                + unit.depthwise.0.multiplications(after)
                + unit.last.0.multiplications(after);
        }
        count + self.classifier.multiplications()
    }
}
