//! A policy file: the tensors of a safetensors file by name, and the texts beside them.

use std::collections::HashMap;
use std::fmt;

use safetensors::{Dtype, SafeTensors};

use crate::card::Card;
use crate::description::Description;
use crate::error::PolicyError;
use crate::int8::{self, outputs};

/// A policy file, parsed: what [`Policy`](crate::Policy) is made of, for programs that make something else of it.
pub struct PolicyFile<'a> {
    tensors: SafeTensors<'a>,
    pub(crate) metadata: HashMap<String, String>,
}

impl fmt::Debug for PolicyFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFile").field("tensors", &self.tensors.names()).finish_non_exhaustive()
    }
}

impl<'a> PolicyFile<'a> {
    /// Parses a file.
    ///
    /// # Errors
    /// [`PolicyError::Corrupt`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PolicyError> {
        let corrupt = |error: safetensors::SafeTensorError| PolicyError::Corrupt { reason: error.to_string() };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(corrupt)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(corrupt)?, metadata })
    }

    /// The text under this key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The description of the network.
    ///
    /// # Errors
    /// [`PolicyError::NotOurs`], [`PolicyError::Unknown`].
    pub fn network(&self) -> Result<Description, PolicyError> {
        let text = self.metadata.get(Description::KEY).ok_or(PolicyError::NotOurs { key: Description::KEY })?;
        serde_json::from_str(text).map_err(PolicyError::Unknown)
    }

    /// What the file says about its training.
    ///
    /// # Errors
    /// [`PolicyError::Newer`], [`PolicyError::Card`].
    pub fn card(&self) -> Result<Option<Card>, PolicyError> {
        self.metadata.get(Card::KEY).map(|text| Card::read(text)).transpose()
    }

    /// The numbers of the tensor `name`, which must have this shape and be finite. A tensor of bytes, I8, is multiplied by
    /// its scales, which are one for each index of the axis of outputs: the tensor `name` with `.scale` behind it.
    ///
    /// # Errors
    /// [`PolicyError::Tensor`].
    pub fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, PolicyError> {
        let fault = |fault: String| PolicyError::Tensor { tensor: name.to_owned(), fault };
        let tensor = self.tensors.tensor(name).map_err(|_| fault("is missing".to_owned()))?;
        if tensor.shape() != shape {
            return Err(fault(format!("has the shape {:?}, not {shape:?}", tensor.shape())));
        }
        let numbers: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => tensor.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            Dtype::I8 if shape.len() > 1 => {
                let scales = self.take(&int8::scale_of(name), &[outputs(shape)])?;
                int8::widened(tensor.data(), &scales, shape)
            }
            other => return Err(fault(format!("has numbers of type {other}, not F32 or I8"))),
        };
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(fault("is not finite".to_owned()))
        }
    }
}
