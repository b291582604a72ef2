//! Named tensors in safetensors files.

use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Tensors by name, with text by key.
#[derive(Debug)]
pub struct Weights {
    /// The tensors.
    pub tensors: BTreeMap<String, Tensor>,
    /// The file's `__metadata__`.
    pub metadata: HashMap<String, String>,
}

const KINDS: [(Kind, Dtype); 3] = [(Kind::Float, Dtype::F32), (Kind::Double, Dtype::F64), (Kind::Int64, Dtype::I64)];

impl Weights {
    /// Writes a file, whole or not at all. Kinds: f32, f64, i64.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a tensor of another kind.
    pub fn write(&self, path: &Path) -> Result<()> {
        let refuse = |cause: String| Error::file(path, cause);
        let mut parts: Vec<(&String, Dtype, Vec<usize>, Vec<u8>)> = vec![];
        for (name, tensor) in &self.tensors {
            let found = KINDS.iter().find(|(kind, _)| *kind == tensor.kind());
            let (_, dtype) = found.ok_or_else(|| refuse(format!("tensor {name} is of kind {:?}", tensor.kind())))?;
            let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
            let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
            tensor.f_copy_data_u8(&mut bytes, tensor.numel()).map_err(|error| refuse(error.to_string()))?;
            parts.push((name, *dtype, tensor.size().iter().map(|&side| side as usize).collect(), bytes));
        }
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| refuse(error.to_string()))?;
            Ok((name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let bytes =
            safetensors::serialize(views, Some(self.metadata.clone())).map_err(|error| refuse(error.to_string()))?;
        write_atomically(path, |file| file.write_all(&bytes))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when it is no safetensors file or holds other kinds than f32, f64 and i64.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let refuse = |cause: String| Error::file(path, cause);
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|error| refuse(format!("no safetensors file: {error}")))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| refuse(format!("no safetensors file: {error}")))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let found = KINDS.iter().find(|(_, dtype)| *dtype == view.dtype());
            let (kind, _) = found.ok_or_else(|| refuse(format!("tensor {name} is of kind {:?}", view.dtype())))?;
            let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
            let tensor =
                Tensor::f_from_data_size(view.data(), &shape, *kind).map_err(|error| refuse(error.to_string()))?;
            tensors.insert(name, tensor);
        }
        Ok(Weights { tensors, metadata: header.metadata().clone().unwrap_or_default() })
    }

    /// Takes out the tensor of this name, shape and kind.
    ///
    /// # Errors
    /// [`Error::File`] for `path` when it is missing or of another shape or kind.
    pub fn take(&mut self, path: &Path, name: &str, like: &Tensor) -> Result<Tensor> {
        let tensor = self.tensors.remove(name).ok_or_else(|| Error::file(path, format!("has no tensor {name}")))?;
        if tensor.size() != like.size() || tensor.kind() != like.kind() {
            let (found, kind, size) = (tensor.size(), tensor.kind(), like.size());
            return Err(Error::file(
                path,
                format!("tensor {name} is {found:?} ({kind:?}), but must be {size:?} ({:?})", like.kind()),
            ));
        }
        Ok(tensor)
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
