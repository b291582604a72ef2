//! What `match` and `qap` read before they search.

use super::search_options::SearchOptions;
use birkhoff::error::{Error, Result};
use birkhoff::graph::Graph;
use birkhoff::io::{CheckpointFile, NamedGraph, read_matrix, read_pairs};
use nalgebra::DMatrix;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Refuses to read standard input twice.
pub(super) fn check_standard_input<'p>(inputs: impl IntoIterator<Item = &'p Path>) -> Result<()> {
    if inputs.into_iter().filter(|&path| path == Path::new("-")).count() > 1 {
        return Err(Error::file("<stdin>", "`-` is given for two inputs, but standard input can be read only once"));
    }
    Ok(())
}

/// The largest weight in absolute value that a search bears: products of four weights stay finite up to here.
const LARGEST_WEIGHT: f64 = 1e70;

/// Refuses weights whose products overflow.
pub(super) fn check_weights(source: &Path, graph: &Graph) -> Result<()> {
    match graph.arcs().map(|(_, _, weight)| weight).find(|weight| weight.abs() > LARGEST_WEIGHT) {
        Some(weight) => {
            Err(Error::file(source, format!("the weight {weight:e} is beyond {LARGEST_WEIGHT:e}: scale the weights")))
        }
        None => Ok(()),
    }
}

/// Refuses weights that have no overlap.
pub(super) fn check_no_negative(source: &Path, graph: &Graph) -> Result<()> {
    match graph.arcs().map(|(_, _, weight)| weight).find(|&weight| weight < 0.0) {
        Some(weight) => {
            Err(Error::file(source, format!("the weight {weight} is below 0, but --objective overlap takes none")))
        }
        None => Ok(()),
    }
}

/// What of [`SearchOptions`] lies in files.
pub(super) struct SearchInputs {
    pub anchors: Vec<(usize, usize)>,
    pub start: Option<DMatrix<f64>>,
    pub start_match: Vec<(usize, usize)>,
    /// The share of B's edges to hide, if it was given.
    pub hold_out: Option<f64>,
    /// What keeps the search, and what it goes on from.
    pub checkpoint: Option<Arc<CheckpointFile>>,
}

impl SearchInputs {
    pub fn read(options: &SearchOptions, a: &NamedGraph, b: &NamedGraph) -> Result<Self> {
        let pairs = |path: &Option<PathBuf>| path.as_deref().map_or(Ok(vec![]), |path| read_pairs(path, a, b));
        let (anchors, start_match) = (pairs(&options.anchors)?, pairs(&options.start_match)?);
        let start = options.start.file().map(|path| read_matrix(path)).transpose()?;
        Ok(SearchInputs { anchors, start, start_match, hold_out: None, checkpoint: None })
    }

    pub fn with_hold_out(self, hold_out: Option<f64>) -> Self {
        SearchInputs { hold_out, ..self }
    }

    pub fn with_checkpoint(self, checkpoint: Option<Arc<CheckpointFile>>) -> Self {
        SearchInputs { checkpoint, ..self }
    }
}

/// The graph of a layer with its vertices in the numbering of `main`; vertices that the layer lacks have no edges
/// there.
pub(super) fn aligned(path: &Path, layer: &NamedGraph, main: &NamedGraph, which: &str) -> Result<Graph> {
    let indices = main.indices();
    let place = |name: &String| {
        let unknown = || Error::file(path, format!("vertex '{name}' is no vertex of the first layer of graph {which}"));
        indices.get(name.as_str()).copied().ok_or_else(unknown)
    };
    let places = layer.names.iter().map(place).collect::<Result<Vec<usize>>>()?;
    let arcs = layer.graph.arcs().map(|(i, j, weight)| (places[i], places[j], weight));
    Graph::directed(main.names.len(), arcs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use birkhoff::io::parse_edge_list;

    #[test]
    fn a_layer_is_put_into_the_numbering_of_the_first() {
        let named = |text: &str| parse_edge_list("g".as_ref(), text.as_bytes(), false).unwrap();
        let main = named("x y\ny z\n");
        let layer = aligned("l".as_ref(), &named("z x 2\n"), &main, "A").unwrap();
        assert_eq!((layer.vertex_count(), layer.weight(0, 2), layer.edge_count()), (3, 2.0, 1));
        let message = aligned("l".as_ref(), &named("z q\n"), &main, "A").unwrap_err().to_string();
        assert_eq!(message, "l: vertex 'q' is no vertex of the first layer of graph A");
    }

    #[test]
    fn standard_input_is_read_once() {
        assert!(check_standard_input(["-", "a"].map(Path::new)).is_ok());
        assert!(check_standard_input(["-", "-"].map(Path::new)).is_err());
    }
}
