//! The file of a batch that learning has blown up on.

use prism_algorithms::OffendingBatch;
use prism_model::{Input, InputElement};
use safetensors::tensor::{Dtype, TensorView};

/// The file in the run's folder.
pub(super) const FILE: &str = "offending-batch.safetensors";

/// The batch as safetensors: `observations` and `next_observations` `[B, ..]`, `actions`, `returns`, `discounts`, `ids`, `losses` and
/// `q_values` `[B]`.
pub(super) fn safetensors(offending: &OffendingBatch, input: &Input) -> Vec<u8> {
    let OffendingBatch { update, batch, losses, q_values } = offending;
    let size = batch.size();
    let shape: Vec<usize> = std::iter::once(size).chain(input.shape.iter().copied()).collect();
    let element = match input.element {
        InputElement::U8 => Dtype::U8,
        InputElement::F32 => Dtype::F32,
    };
    let ids: Vec<u8> = batch.ids.iter().flat_map(|id| id.0.to_le_bytes()).collect();
    let actions: Vec<u8> = batch.actions.iter().flat_map(|action| action.to_le_bytes()).collect();
    let floats = [&batch.returns, &batch.discounts, losses, q_values]
        .map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    let [returns, discounts, losses, q_values] = &floats;
    let column = || vec![size];
    let tensors = [
        ("observations", element, shape.clone(), &batch.observations),
        ("next_observations", element, shape, &batch.next_observations),
        ("actions", Dtype::I32, column(), &actions),
        ("returns", Dtype::F32, column(), returns),
        ("discounts", Dtype::F32, column(), discounts),
        ("ids", Dtype::U64, column(), &ids),
        ("losses", Dtype::F32, column(), losses),
        ("q_values", Dtype::F32, column(), q_values),
    ];
    let views = tensors.map(|(name, element, shape, bytes)| {
        (name, TensorView::new(element, shape, bytes).expect("a batch's columns have its size"))
    });
    let metadata = [("update".to_owned(), update.to_string())].into();
    safetensors::serialize(views, Some(metadata)).expect("a batch is written to memory")
}
