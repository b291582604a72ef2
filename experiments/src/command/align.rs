//! `two_layer align`: two networks' weights to a matching of their hidden units.

use super::layers::{Arrays, Sources, reorder_file};
use super::outputs::{check_places, say, take_standard_output, write_json};
use birkhoff::error::{Error, Result};
use birkhoff::io::{TensorPath, is_safetensors, write_atomically, write_match};
use birkhoff::neurons::{Alignment, align};
use birkhoff::objective::two_layer::Inputs;
use birkhoff::permutation::Permutation;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  two_layer align a.safetensors b.safetensors --output b-aligned.safetensors
  two_layer align a.safetensors:fc1.weight b.safetensors:fc1.weight \\
      --bias a.safetensors:fc1.bias b.safetensors:fc1.bias --readout a.safetensors:fc2.weight b.safetensors:fc2.weight
  two_layer align a.safetensors b.safetensors --layer conv1 --layer conv2 --layer fc1 \\
      --readout a.safetensors:fc2.weight b.safetensors:fc2.weight --output b-aligned.safetensors
  two_layer align wa.npy wb.npy --readout va.npy vb.npy --inputs samples.npy --match units.csv
  two_layer align wa.csv wb.csv --covariance s.csv --report report.json

Weights are n x d (a row a unit), biases have n entries, readouts are m x n (a column a unit), as PyTorch's Linear has
them. Kernels of convolutions (out x in x h x w) are flattened: a unit is a channel. Behind them a readout may have a
column for each pixel, the pixels of a channel side by side. Without names, NAME.weight of a .safetensors file is the
hidden layer when it and one other array fit together in one way only; NAME.bias goes with it.

With --layer, each layer is compared by what comes in, its inputs in the order found for the layer before it; the
readout is that of the last one. What else belongs to a unit, as batch normalization does, is not moved.";

/// Arguments of `two_layer align`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AlignArguments {
    /// Hidden weights of network A: .npy, .csv, .npz or .safetensors, there FILE:TENSOR or a whole network
    #[arg(value_parser = tensor_path)]
    pub a: TensorPath,
    /// Those of network B
    #[arg(value_parser = tensor_path)]
    pub b: TensorPath,
    /// A hidden layer of both networks, by its name in their .safetensors files (NAME for NAME.weight and NAME.bias);
    /// once for each layer, from the input on
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bias", "inputs", "covariance"])]
    pub layer: Vec<String>,
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
    /// Write network B with its units in A's order, as .safetensors; other tensors of B's file stay [default: not
    /// written]
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

/// A pair of layers, and how their units were aligned.
struct Aligned {
    /// Its name, where several were asked for.
    name: Option<String>,
    of_b: Sources,
    arrays_of_b: Arrays,
    inputs: usize,
    alignment: Alignment,
}

/// What is known of one layer.
#[derive(Debug, Serialize)]
struct LayerReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    permutation: Vec<usize>,
    value: f64,
    unaligned_value: f64,
    random_value: f64,
    unexplained: f64,
    proved_optimal: bool,
    similarities: Vec<f64>,
}

/// A layer by itself.
#[derive(Debug, Serialize)]
struct OneReport {
    version: &'static str,
    #[serde(flatten)]
    layer: LayerReport,
}

/// Layers that were asked for by name.
#[derive(Debug, Serialize)]
struct LayersReport {
    version: &'static str,
    layers: Vec<LayerReport>,
}

/// Reads, checks, aligns, writes.
pub(super) fn run(arguments: &AlignArguments) -> Result<()> {
    let pairs = pairs(arguments)?;
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

    let mut layers: Vec<Aligned> = Vec::new();
    for (name, of_a, of_b) in pairs {
        let before = layers.last().map(|layer| &layer.alignment.permutation);
        layers.push(align_layer(name, &of_a, of_b, before, &inputs, arguments)?);
    }
    // What cannot be written keeps nothing else from it.
    let written = [
        arguments.output.as_deref().map(|output| write_network(output, &arguments.b.path, &layers)),
        arguments.units.as_deref().map(|path| write_units(path, &layers)),
        arguments.report.as_deref().map(|path| write_report(path, &layers)),
    ];
    if !arguments.quiet && !take_standard_output(&outputs) {
        say(&summary(&layers, &outputs, arguments))?;
    }
    written.into_iter().flatten().collect()
}

/// The layers of A and of B that belong together.
fn pairs(arguments: &AlignArguments) -> Result<Vec<(Option<String>, Sources, Sources)>> {
    let AlignArguments { a, b, bias, readout, layer, .. } = arguments;
    if layer.is_empty() {
        let of_a = Sources::given(a, bias.first(), readout.first())?;
        let of_b = Sources::given(b, bias.get(1), readout.get(1))?;
        return Ok(vec![(None, of_a, of_b)]);
    }
    let pair = |(k, name): (usize, &String)| {
        let readout = |which: usize| readout.get(which).filter(|_| k + 1 == layer.len());
        let (of_a, of_b) = (Sources::named(a, name, readout(0))?, Sources::named(b, name, readout(1))?);
        Ok((Some(name.clone()), of_a, of_b))
    };
    layer.iter().enumerate().map(pair).collect()
}

/// Aligns a layer whose inputs are, in B, in the order `before`.
fn align_layer(
    name: Option<String>,
    of_a: &Sources,
    of_b: Sources,
    before: Option<&Permutation>,
    inputs: &Inputs,
    arguments: &AlignArguments,
) -> Result<Aligned> {
    let (arrays_of_a, mut arrays_of_b) = (of_a.read()?, of_b.read()?);
    if let Some(p) = before {
        arrays_of_b.weights = arrays_of_b.weights.reordered(&of_b.weights.path, 1, p).map_err(|error| {
            let layer = name.as_deref().unwrap_or_default();
            Error::file(&of_b.weights.path, format!("'{layer}' does not follow the layer before it: {error}"))
        })?;
    }
    let (a, b) = (of_a.network(&arrays_of_a)?, of_b.network(&arrays_of_b)?);
    let alignment = align(&a, &b, inputs).map_err(|error| at_its_file(error, arguments))?;
    Ok(Aligned { name, of_b, arrays_of_b, inputs: a.inputs(), alignment })
}

/// B's file with its units moved where all lies in one .safetensors file, else a new file of the layer's arrays.
fn write_network(output: &Path, file: &Path, layers: &[Aligned]) -> Result<()> {
    let mut moves = Vec::new();
    for (k, layer) in layers.iter().enumerate() {
        if k > 0 {
            moves.push((&layer.of_b.weights, 1, &layers[k - 1].alignment.permutation));
        }
        let moving = layer.of_b.moving(&layer.arrays_of_b).into_iter();
        moves.extend(moving.map(|(source, axis)| (source, axis, &layer.alignment.permutation)));
    }
    match (reorder_file(file, output, &moves), layers) {
        (Some(written), _) => written,
        (None, [layer]) => layer.of_b.write_moved(output, &layer.arrays_of_b, &layer.alignment.permutation),
        (None, _) => Err(Error::file(output, "the readout of B has to lie in its file, where its columns are moved")),
    }
}

/// The matched units of one layer as `a,b`, of several as `layer,a,b`.
fn write_units(path: &Path, layers: &[Aligned]) -> Result<()> {
    if let [Aligned { name: None, alignment, .. }] = layers {
        let image = alignment.permutation.image().iter().enumerate();
        let pairs: Vec<_> = image.map(|(i, j)| (i.to_string(), j.to_string())).collect();
        return write_match(path, pairs.iter().map(|(i, j)| (i.as_str(), j.as_str())));
    }
    write_atomically(path, |file| {
        writeln!(file, "layer,a,b")?;
        for Aligned { name, alignment, .. } in layers {
            let name = name.as_deref().unwrap_or_default();
            for (i, j) in alignment.permutation.image().iter().enumerate() {
                writeln!(file, "{name},{i},{j}")?;
            }
        }
        Ok(())
    })
}

fn write_report(path: &Path, layers: &[Aligned]) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match layers {
        [layer @ Aligned { name: None, .. }] => write_json(path, &OneReport { version, layer: report(layer) }),
        _ => write_json(path, &LayersReport { version, layers: layers.iter().map(report).collect() }),
    }
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

fn report(layer: &Aligned) -> LayerReport {
    let alignment = &layer.alignment;
    LayerReport {
        layer: layer.name.clone(),
        permutation: alignment.permutation.image().to_vec(),
        value: alignment.value,
        unaligned_value: alignment.unaligned_value,
        random_value: alignment.random_value,
        unexplained: alignment.unexplained(),
        proved_optimal: alignment.is_proved,
        similarities: alignment.similarities.clone(),
    }
}

fn summary(layers: &[Aligned], outputs: &[&Path], arguments: &AlignArguments) -> String {
    let mut text: String = layers.iter().map(described).collect();
    if arguments.output.is_some() && layers.last().is_some_and(|layer| layer.of_b.readout.is_none()) {
        text += "readout       none was given: what reads these units next has to be reordered, too\n";
    }
    if !outputs.is_empty() {
        let names: Vec<String> = outputs.iter().map(|path| path.display().to_string()).collect();
        text += &format!("written       {}\n", names.join(", "));
    }
    text
}

fn described(layer: &Aligned) -> String {
    let Aligned { name, inputs, alignment, .. } = layer;
    let image = alignment.permutation.image();
    let moved = image.iter().enumerate().filter(|(i, j)| i != *j).count();
    let mut sorted = alignment.similarities.clone();
    sorted.sort_by(f64::total_cmp);
    let name = name.as_ref().map_or(String::new(), |name| format!("layer         {name}\n"));
    format!(
        "{name}\
         units         {} over {inputs} inputs, {moved} of them moved\n\
         distance      {:.6e} aligned ({}), {:.6e} as they were, {:.6e} at random\n\
         unexplained   {:.4} of the distance at random\n\
         similarity    {:.4} median, {:.4} least\n",
        image.len(),
        alignment.value,
        if alignment.is_proved { "proved least" } else { "least to within rounding" },
        alignment.unaligned_value,
        alignment.random_value,
        alignment.unexplained(),
        sorted[sorted.len() / 2],
        sorted[0],
    )
}
