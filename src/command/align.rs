//! `two_layer align`: two networks' weights to a matching of their hidden units.

use super::outputs::{check_places, say, take_standard_output, write_json};
use crate::error::{Error, Result};
use crate::io::{
    Tensor, TensorPath, is_safetensors, listed, read_shapes, reorder_safetensors, write_match, write_safetensors,
};
use crate::neurons::{Alignment, Network, align};
use crate::objective::two_layer::Inputs;
use clap::Args;
use nalgebra::DVector;
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  two_layer align a.safetensors b.safetensors --output b-aligned.safetensors
  two_layer align a.safetensors:fc1.weight b.safetensors:fc1.weight \\
      --bias a.safetensors:fc1.bias b.safetensors:fc1.bias --readout a.safetensors:fc2.weight b.safetensors:fc2.weight
  two_layer align wa.npy wb.npy --readout va.npy vb.npy --inputs samples.npy --match units.csv
  two_layer align wa.csv wb.csv --covariance s.csv --report report.json

Weights are n x d (a row a unit), biases have n entries, readouts are m x n (a column a unit), as PyTorch's Linear has
them. Without names, NAME.weight of a .safetensors file is the hidden layer when it and one other matrix fit together
in one way only; NAME.bias goes with it.";

/// Arguments of `two_layer align`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AlignArguments {
    /// Hidden weights of network A: .npy, .csv or .safetensors, there FILE:TENSOR or a whole network
    #[arg(value_parser = tensor_path)]
    pub a: TensorPath,
    /// Those of network B
    #[arg(value_parser = tensor_path)]
    pub b: TensorPath,
    /// Biases of the hidden units of A and B [default: none, or found in .safetensors]
    #[arg(long, num_args = 2, value_names = ["A", "B"], value_parser = tensor_path)]
    pub bias: Vec<TensorPath>,
    /// Readouts of A and B [default: none, or found in .safetensors]
    #[arg(long, num_args = 2, value_names = ["A", "B"], value_parser = tensor_path)]
    pub readout: Vec<TensorPath>,
    /// Inputs on which the units are compared, a row a sample [default: standard normal inputs, in closed form]
    #[arg(long, value_name = "FILE", value_parser = tensor_path, conflicts_with = "covariance")]
    pub inputs: Option<TensorPath>,
    /// Covariance of normal inputs, d x d
    #[arg(long, value_name = "FILE", value_parser = tensor_path)]
    pub covariance: Option<TensorPath>,
    /// Write network B with its units in A's order, as .safetensors; other tensors of B's file stay [default: not written]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the matched units, counted from 0, as CSV `a,b`; `-` is standard output [default: not written]
    #[arg(long = "match", value_name = "FILE")]
    pub units: Option<PathBuf>,
    /// Write what is known of the alignment as JSON [default: not written]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// No summary on standard output
    #[arg(short, long)]
    pub quiet: bool,
}

fn tensor_path(text: &str) -> std::result::Result<TensorPath, std::convert::Infallible> {
    Ok(TensorPath::from(text))
}

/// What of a network lies where.
#[derive(Debug, Clone, PartialEq)]
struct Sources {
    weights: TensorPath,
    bias: Option<TensorPath>,
    readout: Option<TensorPath>,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    permutation: Vec<usize>,
    value: f64,
    unaligned_value: f64,
    random_value: f64,
    unexplained: f64,
    proved_optimal: bool,
    similarities: Vec<f64>,
}

/// Reads, checks, aligns, writes.
pub(super) fn run(arguments: &AlignArguments) -> Result<()> {
    let of_a = Sources::of(&arguments.a, arguments.bias.first(), arguments.readout.first())?;
    let of_b = Sources::of(&arguments.b, arguments.bias.get(1), arguments.readout.get(1))?;
    let (a, b) = (of_a.read()?, of_b.read()?);
    let inputs = match (&arguments.inputs, &arguments.covariance) {
        (Some(samples), _) => Inputs::Samples(samples.read()?.matrix(&samples.path)?),
        (None, Some(covariance)) => Inputs::Normal(covariance.read()?.matrix(&covariance.path)?),
        (None, None) => Inputs::Standard,
    };
    if let Some(output) = arguments.output.as_deref().filter(|output| !is_safetensors(output)) {
        return Err(Error::file(output, "the aligned network is written as .safetensors, and has to be called so"));
    }
    let outputs: Vec<&Path> =
        [&arguments.output, &arguments.units, &arguments.report].into_iter().flatten().map(|path| &**path).collect();
    let named = [&arguments.a, &arguments.b].into_iter().chain(&arguments.bias).chain(&arguments.readout);
    let read = named.chain(&arguments.inputs).chain(&arguments.covariance).map(|source| source.path.as_path());
    check_places(&outputs, read)?;

    let alignment = align(&a, &b, &inputs).map_err(|error| at_its_file(error, arguments))?;
    // What cannot be written keeps nothing else from it.
    let written = [
        arguments.output.as_deref().map(|output| of_b.write_reordered(output, &b, &alignment)),
        arguments.units.as_deref().map(|path| write_units(path, &alignment)),
        arguments.report.as_deref().map(|path| write_json(path, &report(&alignment))),
    ];
    if !arguments.quiet && !take_standard_output(&outputs) {
        say(&summary(&a, &alignment, &outputs))?;
    }
    written.into_iter().flatten().collect()
}

/// The matched units, counted from 0.
fn write_units(path: &Path, alignment: &Alignment) -> Result<()> {
    let image = alignment.permutation.image().iter().enumerate();
    let pairs: Vec<_> = image.map(|(i, j)| (i.to_string(), j.to_string())).collect();
    write_match(path, pairs.iter().map(|(i, j)| (i.as_str(), j.as_str())))
}

/// Errors in what a file gave name that file.
fn at_its_file(error: Error, arguments: &AlignArguments) -> Error {
    let (Error::Shape { what, .. } | Error::Entry { what, .. }) = &error else { return error };
    let source = match what.as_str() {
        "samples" => arguments.inputs.as_ref(),
        "covariance" => arguments.covariance.as_ref(),
        _ => Some(&arguments.b),
    };
    match source {
        Some(source) => Error::file(&source.path, error.to_string()),
        None => error,
    }
}

fn report(alignment: &Alignment) -> Report {
    Report {
        version: env!("CARGO_PKG_VERSION"),
        permutation: alignment.permutation.image().to_vec(),
        value: alignment.value,
        unaligned_value: alignment.unaligned_value,
        random_value: alignment.random_value,
        unexplained: alignment.unexplained(),
        proved_optimal: alignment.is_proved,
        similarities: alignment.similarities.clone(),
    }
}

fn summary(a: &Network, alignment: &Alignment, outputs: &[&Path]) -> String {
    let image = alignment.permutation.image();
    let moved = image.iter().enumerate().filter(|(i, j)| i != *j).count();
    let mut sorted = alignment.similarities.clone();
    sorted.sort_by(f64::total_cmp);
    let mut text = format!(
        "units         {} over {} inputs, {moved} of them moved\n\
         distance      {:.6e} aligned ({}), {:.6e} as they were, {:.6e} at random\n\
         unexplained   {:.4} of the distance at random\n\
         similarity    {:.4} median, {:.4} least\n",
        a.units(),
        a.inputs(),
        alignment.value,
        if alignment.is_proved { "proved least" } else { "least to within rounding" },
        alignment.unaligned_value,
        alignment.random_value,
        alignment.unexplained(),
        sorted[sorted.len() / 2],
        sorted[0],
    );
    if !outputs.is_empty() {
        let names: Vec<String> = outputs.iter().map(|path| path.display().to_string()).collect();
        text += &format!("written       {}\n", names.join(", "));
    }
    text
}

impl Sources {
    fn of(weights: &TensorPath, bias: Option<&TensorPath>, readout: Option<&TensorPath>) -> Result<Self> {
        let (bias, readout) = (bias.cloned(), readout.cloned());
        if !is_safetensors(&weights.path) || weights.name.is_some() {
            return Ok(Sources { weights: weights.clone(), bias, readout });
        }
        let found = detect(&weights.path)?;
        Ok(Sources { bias: bias.or(found.bias), readout: readout.or(found.readout), ..found })
    }

    fn read(&self) -> Result<Network> {
        let matrix = |source: &TensorPath| source.read()?.matrix(&source.path);
        let bias = self.bias.as_ref().map(|source| source.read().map(|bias| DVector::from_vec(bias.values)));
        let readout = self.readout.as_ref().map(matrix).transpose()?;
        Network::new(matrix(&self.weights)?, bias.transpose()?, readout)
            .map_err(|error| Error::file(&self.weights.path, error.to_string()))
    }

    /// B's file with its units moved where it is one .safetensors file, else a new file of its arrays.
    fn write_reordered(&self, output: &Path, network: &Network, alignment: &Alignment) -> Result<()> {
        let p = &alignment.permutation;
        let parts = [(Some(&self.weights), 0), (self.bias.as_ref(), 0), (self.readout.as_ref(), 1)];
        let file = &self.weights.path;
        let parts: Vec<(&TensorPath, usize)> =
            parts.into_iter().filter_map(|(source, axis)| Some((source?, axis))).collect();
        if is_safetensors(file) && parts.iter().all(|(source, _)| source.path == *file) {
            let mut axes = Vec::new();
            for (source, axis) in &parts {
                let name = match &source.name {
                    Some(name) => name.clone(),
                    None => read_shapes(file)?.remove(0).0,
                };
                // A readout of one row may be written as a vector.
                let last = source.read()?.shape.len().saturating_sub(1);
                axes.push((name, (*axis).min(last)));
            }
            let axes: Vec<(&str, usize)> = axes.iter().map(|(name, axis)| (name.as_str(), *axis)).collect();
            return reorder_safetensors(file, output, &axes, p);
        }
        let moved = network.reordered(p);
        let tensor = |matrix: &nalgebra::DMatrix<f64>| Tensor {
            shape: vec![matrix.nrows(), matrix.ncols()],
            values: matrix.transpose().as_slice().to_vec(),
        };
        let mut tensors = vec![("weight", tensor(moved.weights()))];
        if let Some(bias) = moved.bias() {
            tensors.push(("bias", Tensor { shape: vec![bias.len()], values: bias.as_slice().to_vec() }));
        }
        if let Some(readout) = moved.readout() {
            tensors.push(("readout", tensor(readout)));
        }
        write_safetensors(output, &tensors)
    }
}

/// The network in a .safetensors file: its hidden matrix n × d, the readout m × n and the hidden bias.
fn detect(file: &Path) -> Result<Sources> {
    let shapes = read_shapes(file)?;
    let matrices: Vec<&(String, Vec<usize>)> = shapes.iter().filter(|(_, shape)| shape.len() == 2).collect();
    let pairs: Vec<(usize, Option<usize>)> = match matrices.len() {
        1 => vec![(0, None)],
        2 => [(0, 1), (1, 0)]
            .into_iter()
            .filter(|&(hidden, readout)| matrices[readout].1[1] == matrices[hidden].1[0])
            .map(|(hidden, readout)| (hidden, Some(readout)))
            .collect(),
        _ => vec![],
    };
    let [(hidden, readout)] = pairs[..] else {
        let cause = "it is not clear which tensor is the hidden layer and which the readout: say FILE:NAME, --readout, --bias; it has";
        return Err(Error::file(file, format!("{cause} {}", listed(&shapes))));
    };
    let at = |name: &str| TensorPath { path: file.to_path_buf(), name: Some(name.to_string()) };
    let hidden = &matrices[hidden].0;
    let bias = hidden.strip_suffix("weight").map(|stem| format!("{stem}bias"));
    let bias = bias.filter(|bias| shapes.iter().any(|(name, _)| name == bias));
    Ok(Sources {
        weights: at(hidden),
        bias: bias.map(|name| at(&name)),
        readout: readout.map(|readout| at(&matrices[readout].0)),
    })
}
