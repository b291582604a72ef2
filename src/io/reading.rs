//! How graph files are to be understood, and what was found in one.

use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::text::shown;
use crate::error::{Error, Result};
use std::fmt::{self, Display};
use std::str::FromStr;

/// What becomes of rows that repeat an edge.
///
/// An undirected edge that is listed in both directions is listed once: it is no repetition. Weights agree that differ
/// by 10⁻⁹ of the larger one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Repeated {
    /// Rows with the same weight are one edge, rows with another weight an error; matrices in coordinates (Matrix
    /// Market, SciPy's) add up, as their formats say. Named `agree`.
    #[default]
    Agree,
    /// The weights are added: one row a synapse, a call, a letter. Named `sum`.
    Sum,
    /// The first row counts. Named `first`.
    First,
    /// The largest weight counts. Named `max`.
    Max,
    /// An error. Named `error`.
    Error,
}

impl Repeated {
    /// All of them.
    pub const ALL: [Repeated; 5] = [Repeated::Agree, Repeated::Sum, Repeated::First, Repeated::Max, Repeated::Error];

    /// The name that [`Repeated::from_str`] understands.
    pub const fn name(self) -> &'static str {
        match self {
            Repeated::Agree => "agree",
            Repeated::Sum => "sum",
            Repeated::First => "first",
            Repeated::Max => "max",
            Repeated::Error => "error",
        }
    }

    /// What is said about `count` repeated rows.
    pub(super) fn note(self, count: usize) -> Option<String> {
        let what = match self {
            _ if count == 0 => return None,
            Repeated::Agree => "with the same weight: each edge counts once (--repeated sum adds them)",
            Repeated::Sum => "before: their weights are added",
            Repeated::First => "before: the first counts",
            Repeated::Max => "before: the largest weight counts",
            Repeated::Error => return None,
        };
        let rows = if count == 1 { "1 row repeats an edge" } else { "rows repeat an edge" };
        Some(if count == 1 { format!("{rows} {what}") } else { format!("{count} {rows} {what}") })
    }
}

impl Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Repeated {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Repeated::ALL.into_iter().find(|repeated| repeated.name() == name).ok_or_else(|| {
            let names = Repeated::ALL.map(Repeated::name).join(", ");
            Error::argument("repeated", format!("{} is none of {names}", shown(name)))
        })
    }
}

/// How graph files are to be understood.
///
/// ```
/// use birkhoff::io::{Reading, Repeated};
/// let text = b"AVAL AVBR 1\nAVAL AVBR 1\nAVAL SDQL 1\n";
/// let reading = Reading::default().with_repeated(Repeated::Sum);
/// let file = reading.parse("synapses.edges".as_ref(), text)?;
/// assert_eq!((file.named.graph.weight(0, 1), file.repeated), (2.0, 1));
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// The format; `None` is what the content says, and the extension where that leaves a choice.
    pub format: Option<GraphFormat>,
    /// What the caller wants. `false`: an edge list is a list of undirected edges, and a file whose graph is directed
    /// must be symmetric (but for rounding: its mean with its transpose is taken). `true`: an edge list is a list of
    /// arcs, and an undirected file gives both arcs of each edge.
    pub directed: bool,
    /// What becomes of rows that repeat an edge.
    pub repeated: Repeated,
    /// Where an undirected graph is wanted and W is not symmetric: (W + Wᵀ)/2.
    pub symmetrize: bool,
}

/// A graph as a file gave it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphFile {
    /// The graph with its names.
    pub named: NamedGraph,
    /// The format it was read as.
    pub format: GraphFormat,
    /// Rows that repeated an edge.
    pub repeated: usize,
    /// What a person should know about how the file was understood, a sentence each.
    pub notes: Vec<String>,
}

impl GraphFile {
    pub(super) fn new(format: GraphFormat, named: NamedGraph) -> Self {
        GraphFile { named, format, repeated: 0, notes: vec![] }
    }
}

impl Reading {
    /// Undirected or directed, all else by default.
    pub fn new(directed: bool) -> Self {
        Reading { directed, ..Reading::default() }
    }

    /// In this format, [`None`] for the one that the content says.
    pub fn with_format(mut self, format: impl Into<Option<GraphFormat>>) -> Self {
        self.format = format.into();
        self
    }

    /// Sets what becomes of rows that repeat an edge.
    pub fn with_repeated(mut self, repeated: Repeated) -> Self {
        self.repeated = repeated;
        self
    }

    /// Sets whether (W + Wᵀ)/2 is taken where W is not symmetric.
    pub fn with_symmetrize(mut self, symmetrize: bool) -> Self {
        self.symmetrize = symmetrize;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_repeated_rows_has_a_name() {
        for repeated in Repeated::ALL {
            assert_eq!(repeated.to_string().parse::<Repeated>().unwrap(), repeated);
        }
        assert!(
            "add".parse::<Repeated>().unwrap_err().to_string().starts_with("repeated: 'add' is none of agree, sum")
        );
    }
}
