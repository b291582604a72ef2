//! One image file: read, decoded, cropped to the network's size.

use birkhoff::{Error, Result};
use image::imageops::{FilterType, crop_imm, flip_horizontal_in_place, resize};
use image::{ImageReader, Limits, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::io::{Cursor, Read};
use std::panic::catch_unwind;
use std::path::Path;

/// An image of more pixels a side than this is not decoded: a small file can claim any size.
const LARGEST_SIDE: u32 = 20_000;
/// Bytes that decoding one image may take.
const LARGEST_ALLOCATION: u64 = 1 << 29;
/// Bytes of a file that may be an image.
const LARGEST_FILE: u64 = 1 << 28;

/// The image of a file, or why its content is none.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read at all: that is a matter of the disk, and no reason to learn without it.
pub(super) fn read(path: &Path) -> Result<std::result::Result<RgbImage, String>> {
    let mut bytes = vec![];
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, error))?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Ok(Err(format!("has more than {LARGEST_FILE} bytes")));
    }
    // A decoder that gives up by a panic has met a file that it cannot decode.
    Ok(catch_unwind(|| decode(&bytes)).unwrap_or_else(|panic| Err(super::stream::message(&*panic))))
}

fn decode(bytes: &[u8]) -> std::result::Result<RgbImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LARGEST_SIDE), Some(LARGEST_SIDE));
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| error.to_string().replace('\n', " "))?.into_rgb8();
    if image.width() == 0 || image.height() == 0 {
        return Err("has no pixels".to_string());
    }
    Ok(image)
}

/// A random window of 8 to 100 % of the area and 3:4 to 4:3 in shape, resized to the side, flipped with probability ½:
/// the crop that ImageNet networks are trained with (Szegedy et al. 2015).
pub(super) fn random_crop(image: &RgbImage, side: u32, rng: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = image.dimensions();
    let area = f64::from(width) * f64::from(height);
    let mut window = None;
    for _ in 0..10 {
        let area = area * rng.random_range(0.08..1.0);
        let ratio = rng.random_range((3f64 / 4.0).ln()..(4f64 / 3.0).ln()).exp();
        let (w, h) = ((area * ratio).sqrt().round() as u32, (area / ratio).sqrt().round() as u32);
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            window = Some((rng.random_range(0..=width - w), rng.random_range(0..=height - h), w, h));
            break;
        }
    }
    let flipped = rng.random_bool(0.5);
    let Some((x, y, w, h)) = window else { return centre_crop(image, side) };
    let mut cropped = resize(&*crop_imm(image, x, y, w, h), side, side, FilterType::Triangle);
    if flipped {
        flip_horizontal_in_place(&mut cropped);
    }
    cropped
}

/// The middle 7/8 of the shorter side, as a square, resized to the side.
pub(super) fn centre_crop(image: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let window = (width.min(height) * 7 / 8).max(1);
    let (x, y) = ((width - window) / 2, (height - window) / 2);
    resize(&*crop_imm(image, x, y, window, window), side, side, FilterType::Triangle)
}
