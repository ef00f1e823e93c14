//! The gradient of [`max_pool`](super::super::max_pool::max_pool).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, backend_extension};
use burn::tensor::IntDType;

use crate::kernels::convolution::{channels_first, channels_last};
use crate::kernels::max_pool::{MaxPoolOps, Windows};

/// Backward pass of [`MaxPoolOps`], which documents the shapes; a gradient has the shape of its variable.
///
/// The gradient goes to the first of several largest values, row by row.
///
/// The default is the gradient of Burn's own pooling.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait MaxPoolGradients: Backend {
    /// Gradient of x.
    #[fusion(default)]
    fn max_pool_backward(
        x: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        windows: Windows,
    ) -> FloatTensor<Self> {
        let Windows { size, stride, padding } = windows;
        let [size, stride, padding, dilation] = [[size; 2], [stride; 2], [padding; 2], [1; 2]];
        let planes = channels_first::<Self>(x);
        let indices =
            Self::max_pool2d_with_indices(planes.clone(), size, stride, padding, dilation, false, IntDType::I32)
                .indices;
        let gradient = channels_first::<Self>(output_gradient);
        let backward =
            Self::max_pool2d_with_indices_backward(planes, size, stride, padding, dilation, false, gradient, indices);
        channels_last::<Self>(backward.x_grad)
    }
}

#[derive(Debug)]
struct MaxPool;

#[derive(Clone, Debug)]
struct Saved<T> {
    x: T,
    output: T,
    windows: Windows,
}

impl<B: MaxPoolGradients> Backward<B, 1> for MaxPool {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, output, windows } = ops.state;
        if let Some(node) = x_node {
            grads.register::<B>(node.id, B::max_pool_backward(x, output, gradient, windows));
        }
    }
}

impl<B: MaxPoolOps + MaxPoolGradients, C: CheckpointStrategy> MaxPoolOps for Autodiff<B, C> {
    fn max_pool(x: FloatTensor<Self>, windows: Windows) -> FloatTensor<Self> {
        let node = x.node();
        let x = x.into_primitive();
        let output = B::max_pool(x.clone(), windows);
        match MaxPool.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => {
                let saved = Saved { x, output: output.clone(), windows };
                preparation.finish(saved, output)
            }
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::max_pool2d;
    use burn::tensor::ops::MaxPoolOptions;
    use burn::tensor::{Tensor, TensorData, Tolerance};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::max_pool::max_pool;
    use crate::kernels::random;

    /// Output and gradient of x.
    fn run(
        pool: impl Fn(Tensor<4>) -> Tensor<4>,
        x: &Tensor<4>,
        cotangent: &impl Fn(&Tensor<4>) -> Tensor<4>,
    ) -> [TensorData; 2] {
        let output = pool(x.clone());
        let gradients = (output.clone() * cotangent(&output)).sum().backward();
        [output.into_data(), x.grad(&gradients).expect("x is tracked").into_data()]
    }

    #[test]
    fn output_and_gradient_equal_burns_own_pooling() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
        // `batch, height, width, channels, size, stride, padding`
        for [batch, height, width, channels, size, stride, padding] in [
            [2, 84, 84, 16, 3, 2, 1],
            [3, 21, 21, 32, 3, 2, 1],
            [1, 1, 1, 5, 3, 2, 1],
            [2, 9, 6, 3, 2, 2, 0],
            [1, 7, 8, 70, 4, 1, 2],
            [2, 10, 5, 1, 3, 3, 0],
        ] {
            let windows = Windows { size, stride, padding };
            let x = random([batch, height, width, channels], &mut rng, &device).require_grad();
            let cotangent = |output: &Tensor<4>| {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
                random(output.dims(), &mut rng, &device)
            };
            let actual = run(|x| max_pool(x, windows), &x, &cotangent);
            let burns_own = |x: Tensor<4>| {
                let planes = x.permute([0, 3, 1, 2]);
                let options = MaxPoolOptions::new([size; 2]).with_stride([stride; 2]).with_padding([padding; 2]);
                max_pool2d(planes, options).permute([0, 2, 3, 1])
            };
            let expected = run(burns_own, &x, &cotangent);
            actual[0].assert_eq(&expected[0], true);
            actual[1].assert_approx_eq::<f32>(&expected[1], Tolerance::rel_abs(1e-6, 1e-6));
        }
    }

    #[test]
    fn a_tie_sends_the_gradient_to_the_first_largest_value() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let values = TensorData::new(vec![1.0f32, 2.0, 2.0, 2.0], [1, 2, 2, 1]);
        let x = Tensor::<4>::from_data(values, &device).require_grad();
        let windows = Windows { size: 2, stride: 1, padding: 0 };
        let [output, gradient] = run(|x| max_pool(x, windows), &x, &|output| output.ones_like() * 3.0);
        assert_eq!(output.try_to_vec::<f32>().expect("floats"), [2.0]);
        assert_eq!(gradient.try_to_vec::<f32>().expect("floats"), [0.0, 3.0, 0.0, 0.0]);
    }
}
