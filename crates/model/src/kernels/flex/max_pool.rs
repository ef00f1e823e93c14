//! [`MaxPoolOps`] on Flex.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::{Arch, Pooling};

use super::buffers::{contiguous, tensor, values};
use crate::kernels::max_pool::{MaxPoolOps, Windows};

/// Number of these feature maps, and the sizes of one.
pub(super) fn pooling(x: &FlexTensor, windows: Windows) -> (usize, Pooling) {
    let [batch, height, width, channels] = x.layout().shape().dims();
    (batch, Pooling { height, width, channels, windows })
}

impl MaxPoolOps for Flex {
    fn max_pool(x: FloatTensor<Self>, windows: Windows) -> FloatTensor<Self> {
        let (batch, pooling) = pooling(&x, windows);
        let mut outputs = Vec::new();
        prism_kernels::max_pool(Arch::new(), pooling, values(&contiguous(x)), &mut outputs);
        tensor(outputs, [batch, pooling.rows(), pooling.columns(), pooling.channels])
    }
}
