//! Weights in a byte each: a file of about a quarter of the size.
//!
//! Each output of a layer has its scale s, the largest of its weights' magnitudes over 127; the file holds round(w / s) as I8
//! and, as `<name>.scale`, s as F32. Biases stay F32. The weights are made f32 again when the file is read: acting takes as
//! long as with others.

use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

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
    let corrupt = |error: safetensors::SafeTensorError| PolicyError::Corrupt { reason: error.to_string() };
    let (_, header) = SafeTensors::read_metadata(file).map_err(corrupt)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, tensor) in SafeTensors::deserialize(file).map_err(corrupt)?.iter() {
        let (shape, data) = (tensor.shape().to_vec(), tensor.data());
        if tensor.dtype() != Dtype::F32 || shape.len() < 2 {
            tensors.insert(name.to_owned(), (tensor.dtype(), shape, data.to_vec()));
            continue;
        }
        let weights: Vec<f32> = data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
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
        let bytes = weights.iter().enumerate().map(byte).collect();
        let scale = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
        tensors.insert(format!("{name}.scale"), (Dtype::F32, vec![scales.len()], scale));
        tensors.insert(name.to_owned(), (Dtype::I8, shape, bytes));
    }
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(corrupt)?;
    safetensors::serialize(views, Some(metadata)).map_err(corrupt)
}
