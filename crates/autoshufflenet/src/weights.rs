//! Named tensors in safetensors files. Whatever a file says is checked here before libtorch, or a network, sees it.

use birkhoff::io::write_atomically;
use birkhoff::{Error, Permutation, Result};
use birkhoff_programs::experiment::sha256;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Device, Kind, TchError, Tensor, no_grad};

/// Tensors by name, with text by key.
#[derive(Debug)]
pub struct Weights {
    /// The tensors.
    pub tensors: BTreeMap<String, Tensor>,
    /// The file's `__metadata__`.
    pub metadata: HashMap<String, String>,
}

const KINDS: [(Kind, Dtype); 3] = [(Kind::Float, Dtype::F32), (Kind::Double, Dtype::F64), (Kind::Int64, Dtype::I64)];

/// Bytes of the largest file that is read: far above any ShuffleNet, below what takes a machine down.
const LARGEST: u64 = 4 << 30;
/// A convolution has four; libtorch's operations end at 64.
const MOST_SIDES: usize = 4;

impl Weights {
    /// Writes a file, whole or not at all. Kinds: f32, f64, i64.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a tensor of another kind.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = self.serialize(path)?;
        write_atomically(path, |file| file.write_all(&bytes))
    }

    /// The content of a file; `path` names it in messages.
    ///
    /// # Errors
    /// [`Error::File`] for a tensor of another kind than f32, f64 and i64.
    pub fn serialize(&self, path: &Path) -> Result<Vec<u8>> {
        let refuse = |cause: String| Error::file(path, cause);
        let parts = self.tensors.iter().map(|(name, tensor)| Ok((name, Part::of(name, tensor).map_err(refuse)?)));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let views = parts.iter().map(|(name, Part { dtype, shape, bytes })| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| refuse(error.to_string()))?;
            Ok((name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        safetensors::serialize(views, Some(self.metadata.clone())).map_err(|error| refuse(error.to_string()))
    }

    /// Reads a file of at most 4 GiB.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when it is no safetensors file, too large, or holds a tensor that is empty, of
    /// more than four dimensions, or of another kind than f32, f64 and i64.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |error| Error::io(path, error);
        let found = std::fs::metadata(path).map_err(failed)?;
        if !found.is_file() {
            return Err(Error::file(path, "is no file"));
        }
        if found.len() > LARGEST {
            return Err(Error::file(
                path,
                format!("has {} bytes, but no network has more than {LARGEST}", found.len()),
            ));
        }
        Self::parse(path, &std::fs::read(path).map_err(failed)?)
    }

    /// The content of a file; `path` names it in messages.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let refuse = |cause: String| Error::file(path, cause);
        let no_file = |error| refuse(format!("no safetensors file: {error}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(no_file)?;
        let file = SafeTensors::deserialize(bytes).map_err(no_file)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let found = KINDS.iter().find(|(_, dtype)| *dtype == view.dtype());
            let (kind, _) = found.ok_or_else(|| refuse(format!("tensor {name} is of kind {:?}", view.dtype())))?;
            // The bytes are as many as the sides say; beside a side of 0 the others may say anything.
            if view.data().is_empty() {
                return Err(refuse(format!("tensor {name} is empty: {:?}", view.shape())));
            }
            if view.shape().len() > MOST_SIDES {
                return Err(refuse(format!("tensor {name} has {} dimensions", view.shape().len())));
            }
            let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
            let tensor = Tensor::f_from_data_size(view.data(), &shape, *kind);
            tensors.insert(name, tensor.map_err(|error| refuse(first_line(&error)))?);
        }
        Ok(Weights { tensors, metadata: header.metadata().clone().unwrap_or_default() })
    }

    /// The same tensors under the same names, without a copy of their numbers.
    pub fn shallow_clone(&self) -> Self {
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        Weights { tensors, metadata: self.metadata.clone() }
    }

    /// The sha256 of all tensors, with their names, kinds and shapes, and of all metadata but that under `except`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a tensor of another kind than those that can be written.
    pub fn digest(&self, except: &str) -> Result<String> {
        let broken = |cause: String| Error::argument("weights", cause);
        let mut tensors = vec![];
        for (name, tensor) in &self.tensors {
            let Part { dtype, shape, bytes } = Part::of(name, tensor).map_err(broken)?;
            tensors.push((name, format!("{dtype:?}"), shape, sha256(&bytes)));
        }
        let metadata: BTreeMap<_, _> = self.metadata.iter().filter(|(key, _)| *key != except).collect();
        let all = serde_json::to_string(&(tensors, metadata)).map_err(|error| broken(error.to_string()))?;
        Ok(sha256(all.as_bytes()))
    }

    /// Takes out the tensor of this name, shape and kind, whose entries are all finite.
    ///
    /// # Errors
    /// [`Error::File`] for `path` when it is missing, of another shape or kind, or has an entry that is not finite.
    pub fn take(&mut self, path: &Path, name: &str, like: &Tensor) -> Result<Tensor> {
        let tensor = self.tensors.remove(name).ok_or_else(|| Error::file(path, format!("has no tensor {name}")))?;
        if tensor.size() != like.size() || tensor.kind() != like.kind() {
            let (found, kind, size) = (tensor.size(), tensor.kind(), like.size());
            return Err(Error::file(
                path,
                format!("tensor {name} is {found:?} ({kind:?}), but must be {size:?} ({:?})", like.kind()),
            ));
        }
        if !is_finite(&tensor) {
            return Err(Error::file(path, format!("tensor {name} has an entry that is not finite")));
        }
        Ok(tensor)
    }

    /// As [`take`](Self::take), for a tensor whose entries are at least 0.
    ///
    /// # Errors
    /// As [`take`](Self::take); [`Error::File`] for a negative entry.
    pub fn take_nonnegative(&mut self, path: &Path, name: &str, like: &Tensor) -> Result<Tensor> {
        let tensor = self.take(path, name, like)?;
        match no_grad(|| tensor.min().double_value(&[])) {
            smallest if smallest < 0.0 => {
                Err(Error::file(path, format!("tensor {name} has the entry {smallest}, but none may be negative")))
            }
            _ => Ok(tensor),
        }
    }

    /// Takes out the image of a permutation of n channels, if there is one of this name.
    ///
    /// # Errors
    /// [`Error::File`] for `path` when it is no list of whole numbers, no permutation, or of another length.
    pub fn take_permutation(&mut self, path: &Path, name: &str, n: usize) -> Result<Option<Permutation>> {
        let Some(image) = self.tensors.remove(name) else { return Ok(None) };
        let refuse = |cause: String| Error::file(path, format!("{name}: {cause}"));
        if image.kind() != Kind::Int64 || image.dim() != 1 {
            return Err(refuse(format!("is {:?} ({:?}), but must be a list (Int64)", image.size(), image.kind())));
        }
        let image = Vec::<i64>::try_from(&image).map_err(|error| refuse(first_line(&error)))?;
        let image = image.into_iter().map(|channel| usize::try_from(channel).unwrap_or(usize::MAX)).collect();
        let permutation = Permutation::new(image).map_err(|error| refuse(error.to_string()))?;
        if permutation.len() != n {
            return Err(refuse(format!("has {} channels, but must have {n}", permutation.len())));
        }
        Ok(Some(permutation))
    }

    /// An error when tensors are left that nobody took.
    ///
    /// # Errors
    /// [`Error::File`] naming the first.
    pub fn nothing_left(&self, path: &Path) -> Result<()> {
        match self.tensors.keys().next() {
            None => Ok(()),
            Some(name) => Err(Error::file(path, format!("has a tensor {name} that the network does not"))),
        }
    }
}

/// Whether no entry is NaN or infinite.
pub fn is_finite(tensor: &Tensor) -> bool {
    no_grad(|| tensor.isfinite().all().int64_value(&[]) == 1)
}

/// A tensor as it is in a file.
struct Part {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Part {
    fn of(name: &str, tensor: &Tensor) -> std::result::Result<Self, String> {
        let found = KINDS.iter().find(|(kind, _)| *kind == tensor.kind());
        let (_, dtype) = found.ok_or_else(|| format!("tensor {name} is of kind {:?}", tensor.kind()))?;
        let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.f_copy_data_u8(&mut bytes, tensor.numel()).map_err(|error| first_line(&error))?;
        Ok(Part { dtype: *dtype, shape: tensor.size().iter().map(|&side| side as usize).collect(), bytes })
    }
}

/// What libtorch says, without its stack.
fn first_line(error: &TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}
