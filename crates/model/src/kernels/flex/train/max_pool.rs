//! [`MaxPoolGradients`] on Flex.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use prism_kernels::Arch;
use prism_kernels::gradients::max_pool_gradient;

use crate::kernels::flex::buffers::{contiguous, tensor, values};
use crate::kernels::flex::max_pool::pooling;
use crate::kernels::max_pool::Windows;
use crate::kernels::train::MaxPoolGradients;

impl MaxPoolGradients for Flex {
    fn max_pool_backward(
        x: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        windows: Windows,
    ) -> FloatTensor<Self> {
        let (batch, pooling) = pooling(&x, windows);
        let [x, output, gradient] = [x, output, output_gradient].map(contiguous);
        let gradients = max_pool_gradient(Arch::new(), pooling, values(&x), values(&output), values(&gradient));
        tensor(gradients, [batch, pooling.height, pooling.width, pooling.channels])
    }
}
