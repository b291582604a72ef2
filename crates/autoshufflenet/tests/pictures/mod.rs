//! A small folder of images, as ImageNet is laid out.

use std::path::{Path, PathBuf};

/// Writes train/ and val/ with the classes cat and dog of so many pictures each, PNG and JPEG in turn.
pub fn write(folder: &Path, each: u8) {
    for part in ["train", "val"] {
        for (class, colour) in [("cat", 60), ("dog", 200)] {
            let place = folder.join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for index in 0..each {
                let pixel = |x, y| image::Rgb([colour + (x % 7) as u8, (y * 3) as u8, index.wrapping_mul(8)]);
                let picture = image::RgbImage::from_fn(50 + u32::from(index), 40, pixel);
                picture.save(path(folder, part, class, index)).unwrap();
            }
        }
    }
}

/// The picture of this number.
pub fn path(folder: &Path, part: &str, class: &str, index: u8) -> PathBuf {
    folder.join(part).join(class).join(format!("{index}.{}", if index.is_multiple_of(2) { "png" } else { "JPEG" }))
}
