//! What Burn takes for granted of the record of an optimiser, and a file need not have.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bytes, DType, Tensor};
use burn_pack::Reader;
use prism_model::QNetwork;

/// Shapes of parameters, by their ids.
#[derive(Default)]
struct Shapes(HashMap<u64, Vec<usize>>);

impl ModuleVisitor for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id.val(), param.val().dims().to_vec());
    }
}

/// Checks that the record of an optimiser has tensors for parameters of `network`, each of that parameter's shape, and no
/// other: Burn panics at a tensor of nothing, and at the next update where shapes differ.
pub(super) fn check_optimiser(bytes: &[u8], network: &QNetwork) -> Result<(), String> {
    let mut shapes = Shapes::default();
    network.visit(&mut shapes);
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(|error| error.to_string())?;
    for (name, rank) in reader.scalars() {
        let Some(id) = name.strip_suffix(".__rank") else { continue };
        let shape = id.parse().ok().and_then(|id: u64| shapes.0.get(&id));
        if shape.is_none_or(|shape| usize::try_from(*rank).ok() != Some(shape.len())) {
            return Err(format!("its optimiser has {name} = {rank:?}, which no parameter has"));
        }
    }
    for tensor in reader.into_tensors().map_err(|error| error.to_string())? {
        let (name, kind, shape, id, _) = tensor.into_parts().map_err(|error| error.to_string())?;
        let Some(expected) = id.and_then(|id| shapes.0.get(&id)) else {
            return Err(format!("its optimiser has a tensor {name} of no parameter"));
        };
        let shape = shape.to_vec();
        if shape != *expected || kind != DType::F32 {
            return Err(format!(
                "its optimiser has {name} of {kind:?} and shape {shape:?}, where {expected:?} of F32 is needed"
            ));
        }
    }
    Ok(())
}
