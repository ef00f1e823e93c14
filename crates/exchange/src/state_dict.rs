//! State dicts: tensors by name, in the order in which PyTorch saved them.

use std::io::{Cursor, Read};
use std::rc::Rc;

use half::{bf16, f16};
use prism_agent::PolicyError;
use safetensors::{Dtype, SafeTensors};
use zip::ZipArchive;

use crate::error::ImportError;
use crate::pickle::{self, TensorView, Value};

/// A tensor of a state dict.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Row-major.
    pub(crate) values: Vec<f32>,
}

/// The most that a file within a zip file may unpack to.
const MOST: u64 = 1 << 30;

/// The tensors of floats in a file.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Tensor>, ImportError> {
    if bytes.starts_with(b"PK") {
        return zipped(bytes);
    }
    match SafeTensors::deserialize(bytes) {
        Ok(tensors) => of_safetensors(&tensors),
        Err(_) => Err(ImportError::Format),
    }
}

fn corrupt(error: impl ToString) -> ImportError {
    ImportError::Corrupt { reason: error.to_string() }
}

fn of_safetensors(file: &SafeTensors<'_>) -> Result<Vec<Tensor>, ImportError> {
    // By their place in the file, which is the order of layers more often than that of names.
    let mut tensors: Vec<_> = file.iter().collect();
    tensors.sort_by_key(|(_, tensor)| tensor.data().as_ptr().addr());
    let floats = tensors.into_iter().filter_map(|(name, tensor)| {
        let class = match tensor.dtype() {
            Dtype::F32 => "FloatStorage",
            Dtype::F64 => "DoubleStorage",
            Dtype::F16 => "HalfStorage",
            Dtype::BF16 => "BFloat16Storage",
            _ => return None,
        };
        let values = numbers(class, tensor.data())?;
        Some(Tensor { name: name.to_owned(), shape: tensor.shape().to_vec(), values })
    });
    Ok(floats.collect())
}

/// The zip file that torch.save writes, or the one of Stable-Baselines3 with such a file in it.
fn zipped(bytes: &[u8]) -> Result<Vec<Tensor>, ImportError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(corrupt)?;
    let names = names(&archive)?;
    if names.iter().any(|name| name == "policy.pth") {
        let inner = entry(&mut archive, "policy.pth")?;
        return if inner.starts_with(b"PK") { torch(&inner) } else { Err(ImportError::Format) };
    }
    torch(bytes)
}

fn torch(bytes: &[u8]) -> Result<Vec<Tensor>, ImportError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(corrupt)?;
    let names = names(&archive)?;
    let folder = names.iter().find_map(|name| name.strip_suffix("data.pkl")).ok_or(ImportError::Format)?;
    let value = pickle::read(&entry(&mut archive, &format!("{folder}data.pkl"))?)?;
    let mut views = Vec::new();
    collect("", &value, &mut views);
    let mut tensors = Vec::new();
    for (name, view) in views {
        let bytes = entry(&mut archive, &format!("{folder}data/{}", view.storage.key))?;
        let Some(storage) = numbers(&view.storage.class, &bytes) else { continue };
        tensors.push(Tensor { values: strided(&name, &view, &storage)?, name, shape: view.shape.clone() });
    }
    Ok(tensors)
}

fn names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, ImportError> {
    archive.file_names().map(|name| name.map(Into::into).map_err(corrupt)).collect()
}

fn entry(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, ImportError> {
    let file = archive.by_name(name).map_err(|error| corrupt(format!("{name}: {error}")))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).map_err(|error| corrupt(format!("{name}: {error}")))?;
    Ok(bytes)
}

/// Every tensor of a dict and of those in it, by its path.
fn collect(path: &str, value: &Value, views: &mut Vec<(String, Rc<TensorView>)>) {
    match value {
        Value::Tensor(view) => views.push((path.to_owned(), Rc::clone(view))),
        Value::Dict(entries) => {
            for (key, value) in entries {
                let Value::Text(key) = key else { continue };
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                collect(&path, value, views);
            }
        }
        _ => {}
    }
}

/// The numbers of a storage; `None` where they are not floats.
fn numbers(class: &str, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match class {
        "FloatStorage" => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        "DoubleStorage" => bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        "HalfStorage" => bytes.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        "BFloat16Storage" => bytes.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        _ => return None,
    })
}

/// The tensor's values, row-major.
fn strided(name: &str, view: &TensorView, storage: &[f32]) -> Result<Vec<f32>, ImportError> {
    let outside = || corrupt(format!("the tensor {name} reaches beyond its storage"));
    // Strides of 0 repeat values: a tensor has no more of them than its storage, as those that training saves do.
    let count = view.shape.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis));
    let count = count.filter(|&count| count <= storage.len()).ok_or_else(outside)?;
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; view.shape.len()];
    for _ in 0..count {
        let at = index
            .iter()
            .zip(&view.strides)
            .try_fold(view.offset, |at, (&index, &stride)| at.checked_add(stride.checked_mul(index)?));
        values.push(*at.and_then(|at| storage.get(at)).ok_or_else(outside)?);
        for (index, &axis) in index.iter_mut().zip(&view.shape).rev() {
            *index += 1;
            if *index < axis {
                break;
            }
            *index = 0;
        }
    }
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(ImportError::Policy(PolicyError::Tensor { tensor: name.to_owned(), fault: "is not finite".to_owned() }))
    }
}
