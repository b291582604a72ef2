//! A trained network as one safetensors file, and back.
//!
//! v2's tensors have torchvision's names and shapes, its `num_batches_tracked` included, so that the manual network
//! loads into `torchvision.models.shufflenet_v2_x1_0` and its kin. Other shuffles are added as `NAME.shuffle`, the
//! image of the permutation, i64; the metadata key `architecture` has the shapes as JSON.

use crate::model::{Architecture, Beginning, Network};
use crate::shuffle::{Shuffle, ShuffleKind};
use crate::weights::Weights;
use birkhoff::{Error, Permutation, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Device, Tensor, no_grad};

const ARCHITECTURE: &str = "architecture";
const COUNTER: &str = "num_batches_tracked";
/// The classifier's, in both networks.
const BIAS: &str = "fc.bias";

fn shuffle_name(shuffle: &Shuffle) -> String {
    format!("{}.shuffle", shuffle.name())
}

/// Writes the network; `steps` is how many batches its running statistics have seen.
///
/// # Errors
/// [`Error::Argument`] when a shuffle is still a matrix; [`Error::Io`].
pub fn write(path: &Path, network: &Network, steps: i64) -> Result<()> {
    let mut tensors: BTreeMap<String, Tensor> = network.store.variables().into_iter().collect();
    let norms: Vec<String> =
        tensors.keys().filter_map(|name| Some(name.strip_suffix("running_mean")?.to_string())).collect();
    tensors.extend(norms.into_iter().map(|norm| (norm + COUNTER, Tensor::from(steps))));
    let manual = manual_shuffles(network.architecture)?;
    for (shuffle, manual) in network.shuffles().into_iter().zip(manual) {
        let Some(permutation) = shuffle.permutation() else {
            return Err(Error::argument("export", format!("the shuffle {} is not rounded yet", shuffle.name())));
        };
        if *permutation != manual {
            let image: Vec<i64> = permutation.image().iter().map(|&channel| channel as i64).collect();
            tensors.insert(shuffle_name(shuffle), Tensor::from_slice(&image));
        }
    }
    let architecture = serde_json::to_string(&network.architecture)
        .map_err(|error| Error::argument("architecture", error.to_string()))?;
    let metadata = HashMap::from([(ARCHITECTURE.to_string(), architecture)]);
    Weights { tensors, metadata }.write(path)
}

/// The manual permutation of each shuffle, to compare with.
fn manual_shuffles(architecture: Architecture) -> Result<Vec<Permutation>> {
    let beginning = Beginning { kind: ShuffleKind::Manual, ..Beginning::default() };
    let network = Network::new(architecture, &beginning, Device::Cpu)?;
    Ok(network.shuffles().into_iter().filter_map(|shuffle| shuffle.permutation().cloned()).collect())
}

/// Reads a network; `assumed` is what a file without our metadata, such as torchvision's, is taken for.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] when a tensor is missing, superfluous, of another shape, or no permutation.
pub fn read(path: &Path, assumed: Architecture, device: Device) -> Result<Network> {
    let mut weights = Weights::read(path)?;
    let architecture = match weights.metadata.get(ARCHITECTURE) {
        None => assumed,
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Error::file(path, format!("its architecture: {error}")))?
        }
    };
    check_classes(path, &weights, architecture)?;
    let mut network = Network::new(architecture, &Beginning::default(), device)?;
    weights.tensors.retain(|name, _| !name.ends_with(COUNTER));
    let variables = take_variables(path, &mut weights, &network)?;
    let mut permutations = vec![];
    for shuffle in network.shuffles() {
        permutations.push(weights.take_permutation(path, &shuffle_name(shuffle), shuffle.len())?);
    }
    weights.nothing_left(path)?;
    overwrite(variables);
    for (shuffle, permutation) in network.shuffles_mut().into_iter().zip(permutations) {
        if let Some(permutation) = permutation {
            shuffle.fix(permutation, device);
        }
    }
    Ok(network)
}

/// That the classifier has as many classes as it is said to have, before a network of that size is made.
///
/// # Errors
/// [`Error::File`] for `path` when it has not; as [`Architecture::validate`].
pub(crate) fn check_classes(path: &Path, weights: &Weights, architecture: Architecture) -> Result<()> {
    architecture.validate().map_err(|error| Error::file(path, format!("its architecture: {error}")))?;
    match weights.tensors.get(BIAS) {
        None => Err(Error::file(path, format!("has no tensor {BIAS}"))),
        Some(bias) if bias.numel() != architecture.classes => {
            let (entries, classes) = (bias.size(), architecture.classes);
            Err(Error::file(
                path,
                format!("tensor {BIAS} is {entries:?}, but must be [{classes}], for so many classes"),
            ))
        }
        Some(_) => Ok(()),
    }
}

/// Each variable and running statistic of the network with its value in `weights`, which is taken out there.
///
/// # Errors
/// As [`Weights::take`].
pub(crate) fn take_variables(path: &Path, weights: &mut Weights, network: &Network) -> Result<Vec<(Tensor, Tensor)>> {
    let variables: BTreeMap<String, Tensor> = network.store.variables().into_iter().collect();
    let take = |(name, variable): (String, Tensor)| {
        let value = if name.ends_with("running_var") {
            weights.take_nonnegative(path, &name, &variable)?
        } else {
            weights.take(path, &name, &variable)?
        };
        Ok((variable, value))
    };
    variables.into_iter().map(take).collect()
}

/// Gives each variable its value.
pub(crate) fn overwrite(variables: Vec<(Tensor, Tensor)>) {
    no_grad(|| variables.into_iter().for_each(|(mut variable, value)| variable.copy_(&value)));
}
