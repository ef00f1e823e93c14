//! What is measured beside learning, once for each [`UpdateSummary`](crate::UpdateSummary).

use burn::tensor::Device;
use prism_model::{QNetwork, Streams};

use crate::agent::config::AgentConfig;
use crate::learner::Learner;
use crate::probe::Probe;
use crate::replay::Replay;

/// Measurements of an agent, always the same ones in the same order.
#[derive(Debug)]
pub(super) struct Diagnostics {
    groups: Vec<Group>,
    device: Device,
    /// Held-out observations, once there are any.
    probe: Option<Probe>,
}

/// Measurements that are made together.
#[derive(Debug)]
enum Group {
    /// Exponent of the importance weights, and the smallest, mean and largest priority.
    Priorities,
    /// Mean of the best q-value over the held-out observations.
    HeldOut,
    /// Mean value and mean advantage over the held-out observations.
    Streams,
    /// Signal-to-noise ratio of each noisy layer.
    Noise { layers: Vec<String> },
}

impl Diagnostics {
    /// The measurements that apply to a configuration and its network.
    pub(super) fn new(config: &AgentConfig, network: &QNetwork, device: &Device) -> Self {
        let mut groups = Vec::new();
        if config.replay.prioritization.is_some() {
            groups.push(Group::Priorities);
        }
        if config.diagnostics.held_out > 0 {
            groups.push(Group::HeldOut);
            if config.network.streams == Streams::Dueling {
                groups.push(Group::Streams);
            }
        }
        let layers: Vec<String> = network.signal_to_noise().into_iter().map(|layer| layer.layer).collect();
        if !layers.is_empty() {
            groups.push(Group::Noise { layers });
        }
        Self { groups, device: device.clone(), probe: None }
    }

    /// Names of the measurements.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.groups.iter().flat_map(|group| match group {
            Group::Priorities => {
                ["importance_exponent", "priority_min", "priority_mean", "priority_max"].map(str::to_owned).to_vec()
            }
            Group::HeldOut => vec!["best_q_value".to_owned()],
            Group::Streams => vec!["mean_value".to_owned(), "mean_advantage".to_owned()],
            Group::Noise { layers } => layers.iter().map(|layer| format!("signal_to_noise_{layer}")).collect(),
        });
        names.collect()
    }

    /// Sets the held-out observations.
    pub(super) fn hold_out(&mut self, probe: Probe) {
        self.probe = Some(probe);
    }

    /// The observations held out, once there are any, `[observations, bytes]`.
    pub(super) fn observations(&self) -> Option<&[u8]> {
        self.probe.as_ref().map(Probe::observations)
    }

    /// Distributions of all actions for the first `count` held-out observations, `[count, actions, atoms]`.
    ///
    /// # Panics
    /// When there are none yet.
    pub(super) fn distributions(&self, count: usize, network: &QNetwork) -> Vec<f32> {
        let probe = self.probe.as_ref().expect("observations are held out before the first update");
        probe.distributions(count, network, &self.device)
    }

    /// Measures, in the order of [`Diagnostics::names`].
    ///
    /// # Panics
    /// When held-out observations are wanted and there are none yet.
    pub(super) fn measure(&self, learner: &Learner, replay: &Replay, importance_exponent: f64) -> Vec<f64> {
        let network = learner.online();
        let probed = self.probe.as_ref().map(|probe| probe.measure(&network, &self.device));
        let probed = || probed.expect("observations are held out before the first update");
        let values = self.groups.iter().flat_map(|group| match group {
            Group::Priorities => {
                let spread = replay.priority_spread().expect("sampling is prioritized");
                vec![importance_exponent, spread.min.into(), spread.mean, spread.max.into()]
            }
            Group::HeldOut => vec![probed().best_q_value],
            Group::Streams => {
                let means = probed().streams.expect("the network is dueling");
                vec![means.value, means.advantage]
            }
            Group::Noise { .. } => network.signal_to_noise().into_iter().map(|layer| f64::from(layer.ratio)).collect(),
        });
        values.collect()
    }
}
