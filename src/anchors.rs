//! Known correspondences: which vertices they leave free.

use crate::error::{Error, Result};

/// Which vertices of two sides, each with its name and size, no anchor is at.
///
/// # Errors
/// [`Error::Argument`] when an anchor is out of range, or two share a vertex.
pub(crate) fn free(anchors: &[(usize, usize)], sides: [(&str, usize); 2]) -> Result<[Vec<bool>; 2]> {
    let mut is_free = sides.map(|(_, size)| vec![true; size]);
    for &(i, j) in anchors {
        for ((name, size), (vertex, is_free)) in sides.into_iter().zip([i, j].into_iter().zip(&mut is_free)) {
            let refuse = |cause: String| Err(Error::argument("anchors", cause));
            match is_free.get_mut(vertex).map(std::mem::take) {
                None => return refuse(format!("({i}, {j}), but {name} has {size} vertices")),
                Some(false) => return refuse(format!("({i}, {j}), but vertex {vertex} of {name} is anchored already")),
                Some(true) => {}
            }
        }
    }
    Ok(is_free)
}
