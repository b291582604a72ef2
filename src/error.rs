//! One error type for the whole library: each message names the file, line, field or entry that is wrong.
//!
//! `Err` means bad input. How a run ended is a termination reason, and how good an answer is, is a
//! [`Certificate`](crate::certificate::Certificate); neither is ever an `Err`.

use nalgebra::DMatrix;
use std::path::{Path, PathBuf};

/// What can be wrong with an input, or with the place an output goes to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is not in the format it should be in.
    #[error("{}:{line}: {cause}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line of the file, counted from 1.
        line: usize,
        /// What is wrong there.
        cause: String,
    },
    /// A file as a whole does not make sense (no single line is to blame).
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, got {found}")]
    Shape {
        /// The matrix, vector or graph.
        what: String,
        /// The size that was needed.
        expected: String,
        /// The size that was given.
        found: String,
    },
    /// An entry is NaN, infinite, or otherwise out of its range.
    #[error("{what}: entry ({row}, {column}) is {value}, but must be {required}")]
    Entry {
        /// The matrix.
        what: String,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The offending value.
        value: f64,
        /// What the entry has to be.
        required: &'static str,
    },
    /// A list that should be a permutation is none.
    #[error("not a permutation of 0..{n}: {cause}")]
    NotAPermutation {
        /// Length of the list.
        n: usize,
        /// The first thing that is wrong.
        cause: String,
    },
    /// Forbidden entries leave no complete assignment.
    #[error("no complete assignment avoids the forbidden entries: row {row} cannot be assigned")]
    Infeasible {
        /// A row that cannot be assigned, counted from 0.
        row: usize,
    },
    /// An argument is out of its range.
    #[error("{name}: {cause}")]
    Argument {
        /// The argument or field.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A solver stopped because a value it computed was NaN or infinite.
    #[error("the computation broke down: {0}")]
    Breakdown(String),
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Io`] for `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Error::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// An [`Error::Parse`] for `line` (counted from 1) of `path`.
    pub fn parse(path: impl AsRef<Path>, line: usize, cause: impl Into<String>) -> Self {
        Error::Parse { path: path.as_ref().to_path_buf(), line, cause: cause.into() }
    }

    /// An [`Error::File`] for `path`.
    pub fn file(path: impl AsRef<Path>, cause: impl Into<String>) -> Self {
        Error::File { path: path.as_ref().to_path_buf(), cause: cause.into() }
    }

    /// An [`Error::Shape`].
    pub fn shape(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Error::Shape { what: what.into(), expected: expected.into(), found: found.into() }
    }

    /// An [`Error::Argument`].
    pub fn argument(name: &'static str, cause: impl Into<String>) -> Self {
        Error::Argument { name, cause: cause.into() }
    }
}

/// An error unless all entries of `x` are finite.
pub(crate) fn require_finite(what: &str, x: &DMatrix<f64>) -> Result<()> {
    let Some(k) = x.as_slice().iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let (row, column) = (k % x.nrows(), k / x.nrows());
    Err(Error::Entry { what: what.to_string(), row, column, value: x[k], required: "finite" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_names_the_place() {
        let io = Error::io("a.edges", std::io::Error::other("gone"));
        assert_eq!(io.to_string(), "a.edges: gone");
        assert_eq!(Error::parse("a.edges", 3, "no number").to_string(), "a.edges:3: no number");
        assert_eq!(Error::file("a.edges", "no vertex").to_string(), "a.edges: no vertex");
        assert_eq!(Error::shape("b", "3 x 3", "3 x 4").to_string(), "b: expected 3 x 3, got 3 x 4");
        assert_eq!(Error::argument("weight", "is negative").to_string(), "weight: is negative");
        assert!(Error::Infeasible { row: 2 }.to_string().contains("row 2"));
    }
}
