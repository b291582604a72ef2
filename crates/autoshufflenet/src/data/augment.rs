//! Crop and flip, for a whole batch at once, on the device the images are on.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

/// Pixels of black that are put around an image before it is cropped to its size.
const PADDING: i64 = 4;

/// Each image moved by up to [`PADDING`] pixels either way, black moving in, and flipped with probability ½.
pub(super) fn crop_and_flip(pixels: &Tensor, rng: &mut ChaCha8Rng) -> Tensor {
    let size = pixels.size();
    let (count, height, width) = (size[0], size[2], size[3]);
    let drawn: Vec<[i64; 3]> = (0..count)
        .map(|_| {
            let shift = 0..=2 * PADDING;
            [rng.random_range(shift.clone()), rng.random_range(shift), i64::from(rng.random_bool(0.5))]
        })
        .collect();
    let column = |which: usize| {
        let values: Vec<i64> = drawn.iter().map(|drawn| drawn[which]).collect();
        Tensor::from_slice(&values).view([count, 1, 1, 1]).to_device(pixels.device())
    };
    let (down, right, flipped) = (column(0), column(1), column(2));
    let range = |length: i64| Tensor::arange(length, (tch::Kind::Int64, pixels.device()));
    let rows = range(height).view([1, 1, height, 1]) + down;
    let x = range(width).view([1, 1, 1, width]);
    let mirrored: Tensor = (width - 1) - &x;
    let columns = &x + &flipped * (mirrored - &x) + right;
    let place = (rows * (width + 2 * PADDING) + columns).view([count, 1, height * width]);
    let padded = pixels.constant_pad_nd([PADDING; 4]).flatten(2, 3);
    padded
        .gather(2, &place.expand([count, size[1], height * width], false), false)
        .view([count, size[1], height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use birkhoff::instance::rng;
    use tch::{Device, Kind};

    #[test]
    fn every_output_is_a_moved_or_mirrored_window_of_its_own_image() {
        let pixels = Tensor::arange(6 * 3 * 64, (Kind::Int64, Device::Cpu)).view([6, 3, 8, 8]) + 1;
        let output = crop_and_flip(&pixels, &mut rng(3, 0));
        let padded = pixels.constant_pad_nd([PADDING; 4]);
        let mut moves = std::collections::BTreeSet::new();
        for image in 0..6 {
            let found =
                (0..=8).flat_map(|down| (0..=8).flat_map(move |right| [(down, right, false), (down, right, true)]));
            let found: Vec<_> = found
                .filter(|&(down, right, flip)| {
                    let window = padded.get(image).narrow(1, down, 8).narrow(2, right, 8);
                    let window = if flip { window.flip([2]) } else { window };
                    window == output.get(image)
                })
                .collect();
            assert_eq!(found.len(), 1, "image {image}");
            moves.insert(found[0]);
        }
        assert!(moves.len() > 3, "{moves:?}");
    }
}
