//! The files of a run, by name.

use super::report::{MATRICES, TABLES};

/// Name of the file with a run's outcome.
pub const RESULT: &str = "result.json";
/// Name of the file with a run's network.
pub const MODEL: &str = "model.safetensors";
pub(super) const PERMUTATIONS: &str = "permutations.csv";
/// Name of the file with a run's settings.
pub const CONFIG: &str = "config.toml";

/// All that a complete run leaves, but for its manifest.
pub(super) const FILES: [&str; 7] = [CONFIG, TABLES[0], TABLES[1], MATRICES, MODEL, PERMUTATIONS, RESULT];

/// Names all the others; the last that a run writes.
pub(super) const MANIFEST: &str = "manifest.json";
