#![doc = include_str!("../README.md")]
//!
//! # Overview
//!
//! A [`QNetwork`] takes observations as they come from the environment, bytes or floats, and gives q-values, or the
//! distributions or quantiles of returns that these are the means of. [`NetworkConfig`] chooses among the networks of
//! the DQN family: one stream or [two](Streams::Dueling), [plain or noisy layers](Layers), [q-values, distributions or
//! quantiles](Output). [`Input`] is all that it needs to know of the environment, [`open_device`] and [`find_device`]
//! find devices by name, and [`Weights`] saves and loads. With feature `train`, [`Optimiser`] changes weights and
//! [`clip_global_norm`] bounds their gradients.

mod activation;
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
#[cfg(feature = "train")]
mod optimiser;
mod pool;
mod projection;
mod scaling;
mod support;
mod transfer;
mod weights;

pub use activation::Activation;
pub use burn::tensor::Device;
pub use convolutions::Convolution;
pub use device::{
    BACKENDS, BackendSurvey, DeviceChoice, DeviceClass, DeviceError, PresentDevice, device_names, find_device,
    open_device, present_devices, survey,
};
pub use fully_connected::Layers;
pub use head::Streams;
pub use input::{Input, InputElement};
pub use network::{NetworkConfig, NetworkError, NetworkParts, Output, QNetwork, SignalToNoise, Torso};
pub use noisy::Noise;
#[cfg(feature = "train")]
pub use optimiser::{Adam, Moments, Optimiser, RmsProp, clip_global_norm, global_norm};
pub use pool::keep_pool_awake;
pub use projection::{project, project_by_tensors};
pub use scaling::Scaling;
pub use support::{Support, SupportError};
pub use transfer::{read, reads, write, writes};
pub use weights::{Weights, WeightsError};
