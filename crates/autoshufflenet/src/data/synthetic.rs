//! Ten classes of blurred patterns.

use super::{Images, Store};
use birkhoff::instance::rng;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

const CLASSES: usize = 10;
const TRAIN: usize = 2560;
const TEST: usize = 500;
const SIDE: usize = 32;
/// Each class is a coarse pattern of so many cells a side, blown up.
const CELLS: usize = 4;

/// The same images always: 2560 to train and 500 to test, 32 × 32.
///
/// A class is a coarse pattern of colours; an image is a mixture of it with a pattern of its own, moved by a few
/// pixels, and noise.
pub(super) fn make() -> Store {
    let mut rng = rng(0, 0);
    let classes: Vec<Vec<f64>> = (0..CLASSES).map(|_| pattern(&mut rng)).collect();
    let mut images = |count: usize| {
        let mut pixels = Vec::with_capacity(count * 3 * SIDE * SIDE);
        let labels: Vec<i64> = (0..count).map(|image| (image % CLASSES) as i64).collect();
        for &label in &labels {
            draw(&classes[label as usize], &mut rng, &mut pixels);
        }
        let size = [count as i64, 3, SIDE as i64, SIDE as i64];
        Images { pixels: Tensor::from_slice(&pixels).view(size), labels: Tensor::from_slice(&labels) }
    };
    Store::Memory { train: images(TRAIN), test: images(TEST) }
}

fn pattern(rng: &mut ChaCha8Rng) -> Vec<f64> {
    (0..3 * CELLS * CELLS).map(|_| rng.random_range(0.0..1.0)).collect()
}

fn draw(class: &[f64], rng: &mut ChaCha8Rng, pixels: &mut Vec<u8>) {
    let own = pattern(rng);
    let (down, right) = (rng.random_range(0..6), rng.random_range(0..6));
    for channel in 0..3 {
        for y in 0..SIDE {
            for x in 0..SIDE {
                let cell = |x: usize| x % SIDE * CELLS / SIDE;
                let place = (channel * CELLS + cell(y + down)) * CELLS + cell(x + right);
                let value = 0.6 * class[place] + 0.4 * own[place] + rng.random_range(-0.1..0.1);
                pixels.push((value.clamp(0.0, 1.0) * 255.0) as u8);
            }
        }
    }
}
