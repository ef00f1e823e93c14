//! State dicts: tensors by name, in the order in which PyTorch saved them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{Cursor, Read};
use std::rc::Rc;

use half::{bf16, f16};
use prism_agent::{Description, PolicyError, PolicyFile};
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

/// The tensors of floats in a file.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Tensor>, ImportError> {
    if bytes.starts_with(b"PK") {
        return zipped(bytes);
    }
    match PolicyFile::parse(bytes) {
        Ok(ours) if ours.metadata(Description::KEY).is_some() => Err(ImportError::Ours),
        _ => match SafeTensors::deserialize(bytes) {
            Ok(tensors) => of_safetensors(&tensors),
            Err(_) => Err(ImportError::Format { found: format(bytes) }),
        },
    }
}

/// What a file seems to be, by its first bytes.
fn format(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => "an empty file",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file, as Keras writes",
        [0x80, 2..=5, ..] => "a pickle without a zip file around it, as PyTorch before 1.6 wrote",
        [0x1f, 0x8b, ..] => "a gzip file, which must be unpacked first",
        // Field 1, the version, and field 2, who made it.
        [0x08, 1..=30, 0x12, ..] => "an ONNX model",
        _ if str::from_utf8(bytes).is_ok() => "a text",
        _ => "a file of another format, or a damaged one",
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
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(corrupt)?;
    let names = names(&archive)?;
    if names.iter().any(|name| name == "policy.pth") {
        let inner = Archive::of(bytes, archive).entry("policy.pth")?;
        return if inner.starts_with(b"PK") {
            torch(&inner)
        } else {
            Err(ImportError::Format { found: format(&inner) })
        };
    }
    torch(bytes)
}

/// A zip file, and how much of it may still be unpacked: a small file must not become more than there is memory.
struct Archive<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    room: u64,
}

impl<'a> Archive<'a> {
    /// Weights hardly become smaller in a zip file, and PyTorch does not pack them at all.
    fn of(bytes: &[u8], archive: ZipArchive<Cursor<&'a [u8]>>) -> Self {
        Self { archive, room: (64 << 20) + 16 * bytes.len() as u64 }
    }

    fn entry(&mut self, name: &str) -> Result<Vec<u8>, ImportError> {
        let failed = |error: &dyn ToString| corrupt(format!("{name}: {}", error.to_string()));
        let file = self.archive.by_name(name).map_err(|error| failed(&error))?;
        let mut bytes = Vec::new();
        file.take(self.room + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        self.room = self
            .room
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| corrupt("it unpacks to many times its size, as no weights do"))?;
        Ok(bytes)
    }
}

fn torch(bytes: &[u8]) -> Result<Vec<Tensor>, ImportError> {
    /// More values than networks for Atari have, and more tensors: several may share the values of one storage.
    const MOST: [usize; 2] = [1 << 28, 10_000];
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(corrupt)?;
    let names = names(&archive)?;
    let folder = names.iter().find_map(|name| name.strip_suffix("data.pkl"));
    let folder = folder.ok_or(ImportError::Format { found: "a zip file without weights of PyTorch" })?;
    let mut archive = Archive::of(bytes, archive);
    let value = pickle::read(&archive.entry(&format!("{folder}data.pkl"))?)?;
    let mut views = Vec::new();
    collect("", &value, &mut views)?;
    let mut storages: HashMap<Rc<str>, Option<Vec<f32>>> = HashMap::new();
    let mut tensors = Vec::new();
    let mut values = 0;
    for (name, view) in views {
        let storage = match storages.entry(Rc::clone(&view.storage.key)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let bytes = archive.entry(&format!("{folder}data/{}", view.storage.key))?;
                new.insert(numbers(&view.storage.class, &bytes))
            }
        };
        let Some(storage) = storage else { continue };
        let tensor = Tensor { values: strided(&name, &view, storage)?, name, shape: view.shape.clone() };
        values += tensor.values.len();
        tensors.push(tensor);
        if values > MOST[0] || tensors.len() > MOST[1] {
            return Err(corrupt("it has more values than any network that is known here"));
        }
    }
    Ok(tensors)
}

fn names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, ImportError> {
    archive.file_names().map(|name| name.map(Into::into).map_err(corrupt)).collect()
}

/// Every tensor of a dict and of those in it, by its path.
fn collect(path: &str, value: &Value, views: &mut Vec<(String, Rc<TensorView>)>) -> Result<(), ImportError> {
    /// More letters than any name has.
    const MOST: usize = 1000;
    match value {
        Value::Tensor(view) => views.push((path.to_owned(), Rc::clone(view))),
        Value::Dict(entries, _) => {
            for (key, value) in entries {
                let Value::Text(key) = key else { continue };
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                if path.len() > MOST {
                    return Err(corrupt(format!("it has a name of more than {MOST} letters")));
                }
                collect(&path, value, views)?;
            }
        }
        _ => {}
    }
    Ok(())
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
