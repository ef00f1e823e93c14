//! [`ConvolutionOps`] on Flex.
//!
//! Burn's Flex convolves through a generic three-dimensional im2col, and its backward pass is a transposed convolution
//! and a convolution with the gradient as kernel.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::{Arch, ConvolutionWork};

use super::buffers::{contiguous, tensor, values};
use crate::kernels::convolution::{ConvolutionForm, ConvolutionOps};

/// The convolution of these images with this weight.
pub(super) fn work(x: &FlexTensor, weight: &FlexTensor, form: ConvolutionForm) -> ConvolutionWork {
    let [out, _, size, _] = weight.layout().shape().dims::<4>();
    ConvolutionWork::new(x.layout().shape().dims(), [out, size], form)
}

impl ConvolutionOps for Flex {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> FloatTensor<Self> {
        let work = work(&x, &weight, form);
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let output = prism_kernels::convolution(Arch::new(), work, values(&x), values(&weight), values(&bias));
        let geometry = work.geometry;
        tensor(output, [work.batch, geometry.rows(), geometry.columns(), geometry.out])
    }
}
