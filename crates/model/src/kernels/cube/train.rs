//! What only training needs, in Burn's own operations.

use burn_cubecl::CubeBackend;

use crate::kernels::train::adam::AdamOps;
use crate::kernels::train::norm::NormOps;
use crate::kernels::train::rms_prop::RmsPropOps;
use crate::kernels::train::{ConvolutionGradients, LinearGradients, MaxPoolGradients, NoisyLinearGradients};

impl AdamOps for CubeBackend {}

impl ConvolutionGradients for CubeBackend {}

impl LinearGradients for CubeBackend {}

impl MaxPoolGradients for CubeBackend {}

impl NoisyLinearGradients for CubeBackend {}

impl NormOps for CubeBackend {}

impl RmsPropOps for CubeBackend {}
