//! Known correspondences: which vertices they leave free.

use crate::error::{Error, Result};

/// Which of the rows and columns no anchor is in.
///
/// # Errors
/// [`Error::Argument`] when an anchor is out of range, or two share a vertex.
pub(crate) fn free(anchors: &[(usize, usize)], rows: usize, columns: usize) -> Result<(Vec<bool>, Vec<bool>)> {
    let (mut row_is_free, mut column_is_free) = (vec![true; rows], vec![true; columns]);
    for &(i, j) in anchors {
        if i >= rows || j >= columns {
            return Err(Error::argument("anchors", format!("({i}, {j}) among {rows} and {columns} vertices")));
        }
        if !std::mem::take(&mut row_is_free[i]) || !std::mem::take(&mut column_is_free[j]) {
            return Err(Error::argument("anchors", format!("a vertex of ({i}, {j}) is anchored twice")));
        }
    }
    Ok((row_is_free, column_is_free))
}
