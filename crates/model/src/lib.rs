//! Networks for value-based reinforcement learning, in Burn, on a device chosen by name at run time.
//!
//! A [`QNetwork`] takes observations as they come from the environment, bytes or floats, and gives q-values, or the
//! distributions or quantiles of returns that these are the means of. [`NetworkConfig`] says which of the DQN family's
//! networks it is: one stream or [two](Streams::Dueling), [plain or noisy layers](Layers), [q-values, distributions or
//! quantiles](Output). It knows nothing of environments or replay: [`Input`] is all it needs to be told.

mod activation;
mod awake;
mod convolutions;
mod device;
mod fully_connected;
mod head;
mod impala;
mod initialise;
mod input;
mod kernels;
mod network;
mod noisy;
mod normal;
mod optimiser;
mod projection;
mod scaling;
mod support;
mod transfer;
mod weights;

pub use activation::Activation;
pub use awake::awake;
pub use convolutions::Convolution;
pub use device::{
    BACKENDS, BackendSurvey, DeviceChoice, DeviceClass, DeviceError, PresentDevice, device_names, find_device,
    open_device, present_devices, survey,
};
pub use fully_connected::Layers;
pub use head::Streams;
pub use input::{Input, InputElement};
pub use kernels::norm::{scaled_by, sum_of_squares};
pub use network::{NetworkConfig, NetworkError, NetworkParts, Output, QNetwork, SignalToNoise, Torso};
pub use noisy::Noise;
pub use optimiser::{Adam, Moments, Optimiser, RmsProp};
pub use projection::{project, project_by_tensors};
pub use scaling::Scaling;
pub use support::{Support, SupportError};
pub use transfer::{read, reads, write, writes};
pub use weights::{Weights, WeightsError};
