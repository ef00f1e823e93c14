//! The state that an optimiser keeps of each parameter.

use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Running means of a parameter's gradient g and of g².
#[derive(Clone, Debug)]
pub struct Moments<const D: usize> {
    /// Steps taken.
    pub(super) steps: usize,
    /// Of g.
    pub(super) mean: Tensor<D>,
    /// Of g².
    pub(super) mean_square: Tensor<D>,
}

impl<const D: usize> Moments<D> {
    /// Before the first step.
    pub(super) fn zeros_like(gradient: &Tensor<D>) -> Self {
        Self { steps: 0, mean: gradient.zeros_like(), mean_square: gradient.zeros_like() }
    }

    pub(super) fn moved_to(mut self, device: &Device) -> Self {
        self.mean = self.mean.to_device(device);
        self.mean_square = self.mean_square.to_device(device);
        self
    }
}

impl<const D: usize> RecordState for Moments<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "steps", self.steps.into());
        out.push_tensor(prefix, "mean", self.mean.to_data());
        out.push_tensor(prefix, "mean_square", self.mean_square.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        // Burn passes its default device here, a CUDA one in a build with CUDA, even where there is none. The next step
        // moves the tensors to the parameter's device.
        #[cfg(feature = "flex")]
        let device = {
            let _ = device;
            &Device::flex()
        };
        let mut tensor = |name| Some(Tensor::from_data(source.take_tensor(prefix, name)?, device));
        let (mean, mean_square) = (tensor("mean")?, tensor("mean_square")?);
        let steps = source.take_scalar(prefix, "steps")?.try_into().ok()?;
        Some(Self { steps, mean, mean_square })
    }
}
