//! [`ConvolutionGradients`] on Flex.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::gradients::{convolution_input_gradient, convolution_weight_gradient, gradient_sums, rectify};
use prism_kernels::{Arch, ConvolutionWork, padded};

use super::whole;
use crate::kernels::convolution::{ConvolutionForm, FusedActivation};
use crate::kernels::flex::buffers::{contiguous, tensor, values};
use crate::kernels::flex::convolution::work;
use crate::kernels::train::ConvolutionGradients;

/// The gradient before the rectifier, `[batch, pixels, padded out]`, from the one after it, `[batch, pixels, out]`; and its
/// sums, `[out]`. Where `out` needs no padding, it is computed in place.
fn rectified(arch: Arch, work: ConvolutionWork, output: &[f32], gradient: FlexTensor) -> (FlexTensor, Vec<f32>) {
    let (out, padded_out) = (work.geometry.out, work.geometry.padded_out());
    let mut gradient = if padded_out == out {
        whole(gradient)
    } else {
        let gradients = padded(values(&contiguous(gradient)), out);
        tensor(gradients, [work.batch * work.geometry.pixels(), padded_out])
    };
    let sums = match work.activation {
        FusedActivation::Relu => rectify(arch, work, output, gradient.storage_mut()),
        // Only read: if something else shares the gradient, writing would copy it.
        FusedActivation::Identity => gradient_sums(arch, work, gradient.storage()),
    };
    (gradient, sums)
}

impl ConvolutionGradients for Flex {
    fn convolution_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let work = work(&x, &weight, form);
        let [x, output] = [x, output].map(contiguous);
        let arch = Arch::new();
        let (gradient, sums) = rectified(arch, work, values(&output), output_gradient);
        let of_weight = convolution_weight_gradient(arch, work, values(&x), gradient.storage());
        (tensor(of_weight, weight.layout().shape().clone()), tensor(sums, [work.geometry.out]))
    }

    fn convolution_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let work = work(&x, &weight, form);
        let [x, weight, output] = [x, weight, output].map(contiguous);
        let arch = Arch::new();
        let (gradient, sums) = rectified(arch, work, values(&output), output_gradient);
        let of_x = convolution_input_gradient(arch, work, values(&weight), gradient.storage());
        let of_weight = convolution_weight_gradient(arch, work, values(&x), gradient.storage());
        let [x, weight] = [&x, &weight].map(|tensor| tensor.layout().shape().clone());
        (tensor(of_x, x), tensor(of_weight, weight), tensor(sums, [work.geometry.out]))
    }
}
