//! Where the arrays of a hidden layer lie, and how they follow when its units move.

use birkhoff::error::{Error, Result};
use birkhoff::io::{Tensor, TensorPath, is_safetensors, listed, read_shapes, reorder_safetensors, write_safetensors};
use birkhoff::neurons::Network;
use birkhoff::permutation::Permutation;
use nalgebra::DVector;
use std::path::Path;

/// Where the arrays of a hidden layer lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sources {
    pub weights: TensorPath,
    pub bias: Option<TensorPath>,
    pub readout: Option<TensorPath>,
}

/// The arrays of a hidden layer, in their own shapes.
pub(super) struct Arrays {
    pub weights: Tensor,
    bias: Option<Tensor>,
    readout: Option<Tensor>,
}

impl Sources {
    /// Those that are given; where `weights` is a whole .safetensors file, the layer that is found in it.
    pub fn given(weights: &TensorPath, bias: Option<&TensorPath>, readout: Option<&TensorPath>) -> Result<Self> {
        let (bias, readout) = (bias.cloned(), readout.cloned());
        if !is_safetensors(&weights.path) || weights.name.is_some() {
            return Ok(Sources { weights: weights.clone(), bias, readout });
        }
        let found = detect(&weights.path)?;
        Ok(Sources { bias: bias.or(found.bias), readout: readout.or(found.readout), ..found })
    }

    /// The layer called `name` in a .safetensors file: NAME.weight with NAME.bias, or the tensor NAME itself.
    pub fn named(file: &TensorPath, name: &str, readout: Option<&TensorPath>) -> Result<Self> {
        if !is_safetensors(&file.path) || file.name.is_some() {
            return Err(Error::file(&file.path, "--layer picks the layers of a whole .safetensors file"));
        }
        let shapes = read_shapes(&file.path)?;
        let has = |tensor: &str| shapes.iter().any(|(name, _)| name == tensor);
        let weights = [format!("{name}.weight"), name.to_string()].into_iter().find(|tensor| has(tensor));
        let Some(weights) = weights else {
            return Err(Error::file(&file.path, format!("has no layer '{name}'; it has {}", listed(&shapes))));
        };
        let at = |name: String| TensorPath { path: file.path.clone(), name: Some(name) };
        let bias = weights.strip_suffix("weight").map(|stem| format!("{stem}bias")).filter(|bias| has(bias));
        Ok(Sources { weights: at(weights), bias: bias.map(at), readout: readout.cloned() })
    }

    pub fn read(&self) -> Result<Arrays> {
        let optional = |source: &Option<TensorPath>| source.as_ref().map(TensorPath::read).transpose();
        Ok(Arrays { weights: self.weights.read()?, bias: optional(&self.bias)?, readout: optional(&self.readout)? })
    }

    /// The network of these arrays: kernels of convolutions are flattened, and so is all that a unit contributes to.
    pub fn network(&self, arrays: &Arrays) -> Result<Network> {
        let (n, path) = (arrays.units(), &self.weights.path);
        let weights = match arrays.weights.shape[..] {
            [_, _, ..] => arrays.weights.unfolded(path, 0, n)?,
            _ => arrays.weights.matrix(path)?,
        };
        let bias = arrays.bias.as_ref().map(|bias| DVector::from_vec(bias.values.clone()));
        let readout = match (&self.readout, &arrays.readout) {
            (Some(source), Some(readout)) => {
                Some(readout.unfolded(&source.path, outputs_axis(readout), n)?.transpose())
            }
            _ => None,
        };
        Network::new(weights, bias, readout).map_err(|error| Error::file(path, error.to_string()))
    }

    /// What has to move when the units do: each array, and its axis.
    pub fn moving(&self, arrays: &Arrays) -> Vec<(&TensorPath, usize)> {
        let readout = self.readout.as_ref().zip(arrays.readout.as_ref());
        let readout = readout.map(|(source, readout)| (source, outputs_axis(readout)));
        [(&self.weights, 0)].into_iter().chain(self.bias.iter().map(|source| (source, 0))).chain(readout).collect()
    }

    /// These arrays with their units moved, as a new file.
    pub fn write_moved(&self, output: &Path, arrays: &Arrays, p: &Permutation) -> Result<()> {
        let mut tensors = vec![("weight", arrays.weights.reordered(&self.weights.path, 0, p)?)];
        if let Some(bias) = &arrays.bias {
            let flat = Tensor { shape: vec![bias.values.len()], values: bias.values.clone() };
            tensors.push(("bias", flat.reordered(&self.weights.path, 0, p)?));
        }
        if let Some(readout) = &arrays.readout {
            tensors.push(("readout", readout.reordered(&self.weights.path, outputs_axis(readout), p)?));
        }
        write_safetensors(output, &tensors)
    }
}

impl Arrays {
    pub fn units(&self) -> usize {
        if self.weights.shape.len() > 1 { self.weights.shape[0] } else { 1 }
    }
}

/// The axis of a readout along which the units lie. One of a single output may be written as a vector.
fn outputs_axis(readout: &Tensor) -> usize {
    readout.shape.len().saturating_sub(1).min(1)
}

/// Copies a .safetensors file with all these arrays of it reordered; `None` if one of them lies elsewhere.
pub(super) fn reorder_file(
    file: &Path,
    output: &Path,
    moves: &[(&TensorPath, usize, &Permutation)],
) -> Option<Result<()>> {
    if !is_safetensors(file) || moves.iter().any(|(source, ..)| source.path != *file) {
        return None;
    }
    let name = |source: &TensorPath| match &source.name {
        Some(name) => Ok(name.clone()),
        None => read_shapes(file).map(|mut shapes| shapes.remove(0).0),
    };
    let named: Result<Vec<(String, usize, &Permutation)>> =
        moves.iter().map(|&(source, axis, p)| Ok((name(source)?, axis, p))).collect();
    Some(named.and_then(|named| {
        let axes: Vec<_> = named.iter().map(|(name, axis, p)| (name.as_str(), *axis, *p)).collect();
        reorder_safetensors(file, output, &axes)
    }))
}

/// The network in a .safetensors file: its hidden weights n × d (or kernels n × d × h × w), the readout m × n and the
/// bias.
fn detect(file: &Path) -> Result<Sources> {
    let shapes = read_shapes(file)?;
    let weights: Vec<&(String, Vec<usize>)> = shapes.iter().filter(|(_, shape)| shape.len() >= 2).collect();
    let pairs: Vec<(usize, Option<usize>)> = match weights.len() {
        1 => vec![(0, None)],
        2 => [(0, 1), (1, 0)]
            .into_iter()
            .filter(|&(hidden, readout)| follows(&weights[readout].1, &weights[hidden].1))
            .map(|(hidden, readout)| (hidden, Some(readout)))
            .collect(),
        _ => vec![],
    };
    let [(hidden, readout)] = pairs[..] else {
        let cause = "it is not clear which tensor is the hidden layer and which the readout: say FILE:NAME, --readout, --bias, \
                     or --layer for each hidden layer; it has";
        return Err(Error::file(file, format!("{cause} {}", listed(&shapes))));
    };
    let at = |name: &str| TensorPath { path: file.to_path_buf(), name: Some(name.to_string()) };
    let hidden = &weights[hidden].0;
    let bias = hidden.strip_suffix("weight").map(|stem| format!("{stem}bias"));
    let bias = bias.filter(|bias| shapes.iter().any(|(name, _)| name == bias));
    Ok(Sources {
        weights: at(hidden),
        bias: bias.map(|name| at(&name)),
        readout: readout.map(|readout| at(&weights[readout].0)),
    })
}

/// Whether a layer of this shape can stand behind a hidden one: a column a unit, or one a pixel of a channel.
fn follows(readout: &[usize], hidden: &[usize]) -> bool {
    let (columns, units) = (readout[1], hidden[0]);
    columns == units || hidden.len() > 2 && readout.len() == 2 && units > 0 && columns.is_multiple_of(units)
}
