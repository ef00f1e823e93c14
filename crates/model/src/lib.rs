//! Networks for value-based reinforcement learning, in Burn, on a device chosen by name at run time.
//!
//! A [`QNetwork`] takes observations as they come from the environment, bytes or floats, and gives q-values. It knows
//! nothing of environments or replay: [`Input`] is all it needs to be told.

mod device;
mod initialise;
mod input;
mod kernels;
mod nature;
mod network;
mod optimiser;
mod weights;

pub use device::{DeviceError, device_names, open_device};
pub use input::{Input, InputElement};
pub use nature::NatureTorso;
pub use network::{NetworkConfig, NetworkError, QNetwork, Torso};
pub use optimiser::Adam;
pub use weights::{Weights, WeightsError};
