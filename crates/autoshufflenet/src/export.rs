//! A trained network as one safetensors file, and back.
//!
//! v2's tensors have torchvision's names and shapes, its `num_batches_tracked` included, so that the manual network loads into
//! `torchvision.models.shufflenet_v2_x1_0` and its kin. Other shuffles are added as `NAME.shuffle`, the image of the permutation,
//! i64; the metadata key `architecture` has the shapes as JSON.

use crate::model::{Architecture, Beginning, Network};
use crate::shuffle::{Shuffle, ShuffleKind};
use crate::weights::Weights;
use birkhoff::{Error, Permutation, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Device, Tensor, no_grad};

const ARCHITECTURE: &str = "architecture";
const COUNTER: &str = "num_batches_tracked";

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
    let mut network = Network::new(architecture, &Beginning::default(), device)?;
    weights.tensors.retain(|name, _| !name.ends_with(COUNTER));
    load(path, &mut weights, &network)?;
    for shuffle in network.shuffles_mut() {
        let Some(image) = weights.tensors.remove(&shuffle_name(shuffle)) else { continue };
        let refuse = |cause: String| Error::file(path, format!("{}: {cause}", shuffle_name(shuffle)));
        let image = Vec::<i64>::try_from(&image).map_err(|error| refuse(error.to_string()))?;
        let image = image.into_iter().map(|channel| usize::try_from(channel).unwrap_or(usize::MAX)).collect();
        let permutation = Permutation::new(image).map_err(|error| refuse(error.to_string()))?;
        if permutation.len() != shuffle.len() {
            return Err(refuse(format!("has {} channels, but must have {}", permutation.len(), shuffle.len())));
        }
        shuffle.fix(permutation, device);
    }
    weights.nothing_left(path)?;
    Ok(network)
}

/// Takes the network's weights and running statistics out of `weights`.
///
/// # Errors
/// As [`Weights::take`].
pub fn load(path: &Path, weights: &mut Weights, network: &Network) -> Result<()> {
    let mut variables: Vec<(String, Tensor)> = network.store.variables().into_iter().collect();
    variables.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, mut variable) in variables {
        let tensor = weights.take(path, &name, &variable)?;
        no_grad(|| variable.copy_(&tensor));
    }
    Ok(())
}
