//! Weights in a byte each: a file of about a quarter of the size.
//!
//! Each output of a layer has its scale s, the largest of its weights' magnitudes over 127; the file holds round(w / s) as I8
//! and, as `<name>.scale`, s as F32. Biases stay F32. The weights are made f32 again when the file is read: acting takes as
//! long as with others.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::error::PolicyError;

/// Outputs of the layer with a weight of this shape: `[inputs, outputs]` or `[out, channels, size, size]`.
pub(crate) fn outputs(shape: &[usize]) -> usize {
    if let &[_, outputs] = shape { outputs } else { shape[0] }
}

/// Index of the output that each weight belongs to.
fn output_of(shape: &[usize]) -> impl Fn(usize) -> usize + use<> {
    let (inputs_last, outputs) = (shape.len() > 2, outputs(shape));
    let inputs = shape.iter().product::<usize>() / outputs.max(1);
    move |index| if inputs_last { index / inputs } else { index % outputs }
}

/// The weights that the bytes stand for.
pub(crate) fn widened(bytes: &[u8], scales: &[f32], shape: &[usize]) -> Vec<f32> {
    let output_of = output_of(shape);
    let weight = |(index, byte): (usize, &u8)| f32::from(byte.cast_signed()) * scales[output_of(index)];
    bytes.iter().enumerate().map(weight).collect()
}

/// The same policy file with its weights in a byte each.
///
/// # Errors
/// [`PolicyError`], where the bytes are no policy.
pub fn to_int8(file: &[u8]) -> Result<Vec<u8>, PolicyError> {
    crate::Policy::from_bytes(file)?;
    let (metadata, mut tensors) = parts(file)?;
    let wide = |(dtype, shape, _): &Tensor| *dtype == Dtype::F32 && shape.len() > 1;
    let names: Vec<String> = tensors.iter().filter(|(_, tensor)| wide(tensor)).map(|(name, _)| name.clone()).collect();
    for name in names {
        let (_, shape, bytes) = &tensors[&name];
        let (shape, weights) = (shape.clone(), numbers(bytes));
        let output_of = output_of(&shape);
        let mut scales = vec![0.0_f32; outputs(&shape)];
        for (index, weight) in weights.iter().enumerate() {
            let scale = &mut scales[output_of(index)];
            *scale = scale.max(weight.abs() / 127.0);
        }
        let byte = |(index, weight): (usize, &f32)| {
            let scale = scales[output_of(index)];
            // An output without weights has a scale of 0.
            if scale > 0.0 { (weight / scale).round() as i8 } else { 0 }.cast_unsigned()
        };
        let narrow = weights.iter().enumerate().map(byte).collect();
        tensors.insert(scale_of(&name), (Dtype::F32, vec![scales.len()], bytes_of(&scales)));
        tensors.insert(name, (Dtype::I8, shape, narrow));
    }
    join(metadata, &tensors)
}

/// The same policy file with its weights as F32, for programs that read no others: those that [`to_int8`] has rounded become
/// what the bytes stand for, and a file of F32 keeps its weights.
///
/// # Errors
/// [`PolicyError`], where the bytes are no policy.
pub fn to_f32(file: &[u8]) -> Result<Vec<u8>, PolicyError> {
    crate::Policy::from_bytes(file)?;
    let (metadata, mut tensors) = parts(file)?;
    let narrow = |(dtype, shape, _): &Tensor| *dtype == Dtype::I8 && shape.len() > 1;
    let names: Vec<String> =
        tensors.iter().filter(|(_, tensor)| narrow(tensor)).map(|(name, _)| name.clone()).collect();
    for name in names {
        // A tensor that no layer has may lack its scales, and stays as it is.
        let Some((Dtype::F32, _, scales)) = tensors.remove(&scale_of(&name)) else { continue };
        let (_, shape, bytes) = &tensors[&name];
        let (shape, scales) = (shape.clone(), numbers(&scales));
        if scales.len() != outputs(&shape) {
            continue;
        }
        let weights = widened(bytes, &scales, &shape);
        tensors.insert(name, (Dtype::F32, shape, bytes_of(&weights)));
    }
    join(metadata, &tensors)
}

/// Type of its numbers, shape and bytes.
type Tensor = (Dtype, Vec<usize>, Vec<u8>);
type Metadata = HashMap<String, String>;

/// Name of the tensor of scales that belongs to a tensor of bytes.
pub(crate) fn scale_of(name: &str) -> String {
    format!("{name}.scale")
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The texts and the tensors of a safetensors file.
fn parts(file: &[u8]) -> Result<(Metadata, BTreeMap<String, Tensor>), PolicyError> {
    let (_, header) = SafeTensors::read_metadata(file).map_err(corrupt)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(file).map_err(corrupt)?;
    let tensors = file
        .iter()
        .map(|(name, tensor)| (name.to_owned(), (tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec())));
    Ok((metadata, tensors.collect()))
}

fn join(metadata: Metadata, tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, PolicyError> {
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(corrupt)?;
    safetensors::serialize(views, Some(metadata)).map_err(corrupt)
}

fn corrupt(error: SafeTensorError) -> PolicyError {
    PolicyError::Corrupt { reason: error.to_string() }
}
