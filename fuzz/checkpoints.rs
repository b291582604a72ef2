//! A solver's checkpoint that somebody else wrote: refused, or gone on from.

use argmin::core::checkpointing::{Checkpoint, CheckpointingFrequency};
use argmin_checkpointing_file::FileCheckpoint;
use birkhoff::Graph;
use birkhoff::objective::GraphMatching;
use birkhoff::solver::{FrankWolfe, Iterate, Limits, minimize};
use std::sync::LazyLock;
use tempfile::TempDir;

/// A file holds the solver and its state.
pub fn checkpoint(bytes: &[u8]) {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for temporary files"));
    std::fs::write(FOLDER.path().join("hostile.arg"), bytes).expect("a temporary file");
    let file =
        FileCheckpoint::new(FOLDER.path().to_str().expect("a plain path"), "hostile", CheckpointingFrequency::Never);
    let Ok(Some((solver, state))) = Checkpoint::<FrankWolfe, Iterate>::load(&file) else { return };
    let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 2.5)]).expect("a path");
    let objective = GraphMatching::new(path.clone(), path).expect("vertices");
    let most = state.iterations().saturating_add(20);
    if let Ok(last) = minimize(&objective, solver, state.max_iterations(most), &Limits::default()) {
        assert_eq!(last.x.shape(), (3, 3));
    }
}
