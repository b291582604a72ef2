//! The formats of graphs: their names, and the extensions that say them.

use super::source::without_gz;
use super::text::shown;
use crate::error::{Error, Result};
use std::fmt::{self, Display};
use std::path::Path;
use std::str::FromStr;

/// The graph formats that can be read.
///
/// ```
/// use birkhoff::io::GraphFormat;
/// use std::path::Path;
/// assert_eq!(GraphFormat::from_path(Path::new("yeast.mtx.gz")), GraphFormat::MatrixMarket);
/// assert_eq!("edge-list".parse::<GraphFormat>()?, GraphFormat::EdgeList);
/// assert_eq!(GraphFormat::GraphMl.to_string(), "graphml");
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GraphFormat {
    /// A row an edge: `u v [w]`, or a table with a header; named `edge-list`. See
    /// [`parse_edge_list`](super::parse_edge_list).
    EdgeList,
    /// A square sparse or dense matrix; named `matrix-market`. See [`parse_matrix_market`](super::parse_matrix_market).
    MatrixMarket,
    /// An XML format; named `graphml`. See [`parse_graphml`](super::parse_graphml).
    GraphMl,
    /// The dense adjacency matrix, row by row, or a row an edge; named `csv`. See
    /// [`parse_csv_graph`](super::parse_csv_graph).
    Csv,
    /// Nested keys and values; named `gml`. See [`parse_gml`](super::parse_gml).
    Gml,
    /// LEDA's own format, of SANA, MAGNA++ and L-GRAAL; named `leda`. See [`parse_leda`](super::parse_leda).
    Leda,
    /// Cytoscape's simple interaction format; named `sif`. See [`parse_sif`](super::parse_sif).
    Sif,
    /// The dense adjacency matrix as a NumPy array; named `npy`. See [`parse_npy_graph`](super::parse_npy_graph).
    Npy,
    /// A sparse matrix of SciPy, or one dense array, in a NumPy archive; named `npz`. See
    /// [`parse_npz_graph`](super::parse_npz_graph).
    Npz,
}

impl GraphFormat {
    /// All formats.
    pub const ALL: [GraphFormat; 9] = [
        GraphFormat::EdgeList,
        GraphFormat::MatrixMarket,
        GraphFormat::GraphMl,
        GraphFormat::Csv,
        GraphFormat::Gml,
        GraphFormat::Leda,
        GraphFormat::Sif,
        GraphFormat::Npy,
        GraphFormat::Npz,
    ];

    /// The formats that can also be written.
    pub const WRITTEN: [GraphFormat; 4] =
        [GraphFormat::EdgeList, GraphFormat::MatrixMarket, GraphFormat::GraphMl, GraphFormat::Csv];

    /// The format that the extension of `path` says, in upper or lower case; `.gz` behind it does not count.
    ///
    /// | extension | format |
    /// |---|---|
    /// | `.mtx` | Matrix Market |
    /// | `.graphml`, `.xml` | GraphML |
    /// | `.csv` | dense matrix, or a row an edge |
    /// | `.gml` | GML |
    /// | `.gw`, `.leda` | LEDA |
    /// | `.sif` | SIF |
    /// | `.npy`, `.npz` | NumPy |
    /// | `.edges`, `.edgelist`, `.txt`, `.tsv`, `.el`, `.ncol`, any other, none, `-` | edge list |
    pub fn from_path(path: &Path) -> Self {
        let path = without_gz(path);
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
        match extension.as_str() {
            "mtx" => GraphFormat::MatrixMarket,
            "graphml" | "xml" => GraphFormat::GraphMl,
            "csv" => GraphFormat::Csv,
            "gml" => GraphFormat::Gml,
            "gw" | "leda" => GraphFormat::Leda,
            "sif" => GraphFormat::Sif,
            "npy" => GraphFormat::Npy,
            "npz" => GraphFormat::Npz,
            _ => GraphFormat::EdgeList,
        }
    }

    /// The name that [`GraphFormat::from_str`] understands.
    pub const fn name(self) -> &'static str {
        match self {
            GraphFormat::EdgeList => "edge-list",
            GraphFormat::MatrixMarket => "matrix-market",
            GraphFormat::GraphMl => "graphml",
            GraphFormat::Csv => "csv",
            GraphFormat::Gml => "gml",
            GraphFormat::Leda => "leda",
            GraphFormat::Sif => "sif",
            GraphFormat::Npy => "npy",
            GraphFormat::Npz => "npz",
        }
    }
}

impl Display for GraphFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for GraphFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        GraphFormat::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = GraphFormat::ALL.map(GraphFormat::name).join(", ");
            Error::argument("format", format!("{} is none of {names}", shown(name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_choose_the_format() {
        for (path, format) in [
            ("a.edges", GraphFormat::EdgeList),
            ("a.MTX", GraphFormat::MatrixMarket),
            ("a.graphml", GraphFormat::GraphMl),
            ("x/a.xml", GraphFormat::GraphMl),
            ("a.b.csv", GraphFormat::Csv),
            ("a.csv.gz", GraphFormat::Csv),
            ("a.gml", GraphFormat::Gml),
            ("a.gw", GraphFormat::Leda),
            ("a.sif", GraphFormat::Sif),
            ("a.npz", GraphFormat::Npz),
            ("csv", GraphFormat::EdgeList),
            ("gz", GraphFormat::EdgeList),
            ("-", GraphFormat::EdgeList),
        ] {
            assert_eq!(GraphFormat::from_path(Path::new(path)), format, "{path}");
        }
    }

    #[test]
    fn format_names_are_read_back_and_others_are_refused() {
        for format in GraphFormat::ALL {
            assert_eq!(format.to_string().parse::<GraphFormat>().unwrap(), format);
        }
        let message = "gexf".parse::<GraphFormat>().unwrap_err().to_string();
        assert_eq!(
            message,
            "format: 'gexf' is none of edge-list, matrix-market, graphml, csv, gml, leda, sif, npy, npz"
        );
    }
}
