//! [`AdamOps`] on Flex: one parallel pass that reads and writes each element once.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use rayon::prelude::*;

use super::adam::{AdamFactors, AdamOps};
use super::flex::{contiguous, values};

/// Elements a thread takes at a time: four such pieces fit a first-level cache's share of the second level.
const PIECE: usize = 16 * 1024;

impl AdamOps for Flex {
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        factors: AdamFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = contiguous(gradient);
        let [mut parameter, mut moment_1, mut moment_2] = [parameter, moment_1, moment_2].map(whole);
        let AdamFactors { keep_1, keep_2, step, correction_2, epsilon } = factors;
        parameter
            .storage_mut::<f32>()
            .par_chunks_mut(PIECE)
            .zip(moment_1.storage_mut::<f32>().par_chunks_mut(PIECE))
            .zip(moment_2.storage_mut::<f32>().par_chunks_mut(PIECE))
            .zip(values(&gradient).par_chunks(PIECE))
            .for_each(|(((parameter, moment_1), moment_2), gradient)| {
                for (((parameter, m), v), &g) in parameter.iter_mut().zip(moment_1).zip(moment_2).zip(gradient) {
                    *m = keep_1 * *m + (1.0 - keep_1) * g;
                    *v = keep_2 * *v + (1.0 - keep_2) * (g * g);
                    *parameter -= step * *m / (v.sqrt() * correction_2 + epsilon);
                }
            });
        (parameter, moment_1, moment_2)
    }
}

/// A tensor that covers its whole storage, so that the storage can be walked.
fn whole(tensor: FlexTensor) -> FlexTensor {
    let elements = tensor.layout().num_elements();
    if tensor.is_contiguous() && tensor.storage::<f32>().len() == elements { tensor } else { tensor.to_contiguous() }
}
