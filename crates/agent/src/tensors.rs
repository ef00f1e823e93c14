//! The tensors of a safetensors file, by name.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};

use crate::error::PolicyError;

/// Metadata key of the network's description.
const NETWORK: &str = "prism.network";

/// A parsed file.
pub(crate) struct Tensors<'a> {
    tensors: SafeTensors<'a>,
    pub(crate) metadata: HashMap<String, String>,
}

impl<'a> Tensors<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, PolicyError> {
        let corrupt = |error: safetensors::SafeTensorError| PolicyError::Corrupt { reason: error.to_string() };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(corrupt)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(corrupt)?, metadata })
    }

    /// The description of the network.
    pub(crate) fn network(&self) -> Result<&str, PolicyError> {
        self.metadata.get(NETWORK).map(String::as_str).ok_or(PolicyError::NotOurs { key: NETWORK })
    }

    /// The numbers of the tensor `name`, which must have this shape and be finite.
    pub(crate) fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, PolicyError> {
        let fault = |fault: String| PolicyError::Tensor { tensor: name.to_owned(), fault };
        let tensor = self.tensors.tensor(name).map_err(|_| fault("is missing".to_owned()))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(fault(format!("has numbers of type {}, not F32", tensor.dtype())));
        }
        if tensor.shape() != shape {
            return Err(fault(format!("has the shape {:?}, not {shape:?}", tensor.shape())));
        }
        let numbers: Vec<f32> = tensor.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(fault("is not finite".to_owned()))
        }
    }
}
