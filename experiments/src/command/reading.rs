//! How the files of graphs are understood, as options say.

use super::values::named;
use birkhoff::io::{GraphFormat, Reading, Repeated};
use clap::Args;
use clap::builder::TypedValueParser;

/// How the files of graphs are understood.
#[derive(Debug, Args)]
pub struct ReadingOptions {
    /// Format of all graphs [default: what each file holds, and its extension where that leaves a choice]
    #[arg(long, value_parser = formats())]
    pub format: Option<GraphFormat>,
    /// What rows mean that repeat an edge, be it one row a synapse or a call: `agree` takes rows of one weight as one
    /// edge and refuses others (entries of sparse matrices are added). Both directions of an undirected edge are one
    /// row
    #[arg(long, value_name = "HOW", default_value_t, value_parser = repeated())]
    pub repeated: Repeated,
    /// Where a matrix or a directed file is not symmetric, take (W + W^T)/2
    #[arg(long)]
    pub symmetrize: bool,
}

impl ReadingOptions {
    /// What these options ask of a reader.
    pub(super) fn reading(&self, directed: bool) -> Reading {
        let ReadingOptions { format, repeated, symmetrize } = *self;
        Reading::new(directed).with_format(format).with_repeated(repeated).with_symmetrize(symmetrize)
    }
}

fn repeated() -> impl TypedValueParser<Value = Repeated> {
    named(Repeated::ALL.map(|repeated| (repeated.name(), repeated)).to_vec())
}

fn formats() -> impl TypedValueParser<Value = GraphFormat> {
    named(GraphFormat::ALL.map(|format| (format.name(), format)).to_vec())
}
