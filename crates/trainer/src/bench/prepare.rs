//! From a case to work that is ready to be timed.

use std::path::Path;

use prism_model::Device;

use super::case::Case;
use super::work::{Work, WorkError};
use super::{networks, playing, sampling};

/// Makes a case ready and checks its first results. Cases of the processor alone leave the device alone.
pub(super) fn prepare(case: Case, device: &Device, roms: Option<&Path>) -> Result<Work, WorkError> {
    match case {
        Case::Forward { agent, batch } => networks::forward(agent, batch, device),
        Case::Update { agent, batch } => networks::update(agent, batch, device),
        Case::Projection { batch } => networks::projection(batch, device),
        Case::Sampling { scheme, batch } => sampling::draw(scheme, batch, sampling::TRANSITIONS),
        Case::Environment { game, count } => playing::environment(game, count, roms),
        Case::EndToEnd { agent } => playing::end_to_end(agent, device, roms),
    }
}
