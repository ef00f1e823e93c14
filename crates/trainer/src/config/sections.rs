//! Every section, and through them every setting there is.

use super::key::Setting;
use super::{diagnostics, environment, evaluation, exploration, learning, network, optimiser, replay, run, training};

/// A part of a configuration.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) sentence: &'static str,
    pub(super) keys: &'static [&'static dyn Setting],
}

/// Every section there is, in the order in which they are listed and written.
pub(super) const SECTIONS: [Section; 10] = [
    Section { name: "environment", sentence: "what is played, and how many of it", keys: environment::KEYS },
    Section { name: "network", sentence: "what acts and learns", keys: network::KEYS },
    Section { name: "exploration", sentence: "how often an action is random", keys: exploration::KEYS },
    Section { name: "replay", sentence: "what is remembered, and how it is drawn", keys: replay::KEYS },
    Section { name: "learning", sentence: "what is learned, and how often", keys: learning::KEYS },
    Section { name: "optimiser", sentence: "how a gradient changes the weights", keys: optimiser::KEYS },
    Section { name: "training", sentence: "when a run ends and what it keeps", keys: training::KEYS },
    Section { name: "evaluation", sentence: "how the agent is scored", keys: evaluation::KEYS },
    Section { name: "diagnostics", sentence: "what is measured beside learning", keys: diagnostics::KEYS },
    Section { name: RUN, sentence: "seed and device, which differ between repeated runs", keys: run::KEYS },
];
/// The section that is no part of what makes runs comparable.
pub(super) const RUN: &str = "run";

pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|section| section.name)
}

/// Whether a section has this name.
pub(crate) fn is_section(name: &str) -> bool {
    sections().any(|section| section == name)
}

/// Every setting there is.
pub(super) fn settings() -> impl Iterator<Item = &'static dyn Setting> {
    SECTIONS.iter().flat_map(|section| section.keys.iter().copied())
}

pub(super) fn setting(path: &str) -> Option<&'static dyn Setting> {
    settings().find(|setting| setting.about().path == path)
}

pub(super) fn keys_of(section: &str) -> Vec<&'static str> {
    settings().map(Setting::about).filter(|about| about.section() == section).map(|about| about.path).collect()
}
