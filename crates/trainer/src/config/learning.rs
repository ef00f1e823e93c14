//! `[learning]`: what is learned, and how often.

use std::num::NonZeroUsize;

use prism_algorithms::{
    Bootstrap, DistributionRecords, DistributionTarget, LearningPlan, Objective, ReplayPlan, TdLoss,
};
use prism_environment::AgentSteps;
use prism_model::Support;

use super::choice::{Choice, choice};
use super::given::Given;
use super::key::{Bounds, Key, keys, name, number, whole};
use super::{diagnostics, environment, replay};

keys! {
    const GAMMA: Key<f64> = number("learning.gamma", "a discount", Bounds::Within(0.0, 1.0), "What a reward is worth one agent step later.");
    const N_STEP: Key<u16> = whole("learning.n_step", 1..=1000, "agent steps", "Rewards that are summed before a transition bootstraps.");
    const BATCH_SIZE: Key<usize> = whole("learning.batch_size", 1..=65_536, "transitions", "How many an update learns from.");
    const PERIOD: Key<AgentSteps> = whole("learning.period", 1..=u64::MAX, "agent steps", "How often there is an update, over all environments together.");
    const TARGET_PERIOD: Key<AgentSteps> = whole("learning.target_period", 1..=u64::MAX, "agent steps", "How often the target network is replaced, over all environments together.");
    const BOOTSTRAP: Key<Bootstrap> = name("learning.bootstrap", "Which network chooses the action that a target is taken from: the target network, or the online one (double).").before_2("\"max\"");
    const LOSS: Choice<(Objective, Option<DistributionRecords>)> = choice("learning.loss", "What is learned, with the output that the network has for it.", &[
        ("squared", "of q-values", |_| (Objective::Td(TdLoss::Squared), None)),
        ("huber", "of q-values, errors clipped", |_| (Objective::Td(TdLoss::Huber), None)),
        ("cross-entropy", "of distributions over atoms: C51", |given| (categorical(given), diagnostics::distributions(given))),
        ("quantile-huber", "of quantiles: QR-DQN", |given| (Objective::Quantile { quantiles: given.get(&QUANTILES), kappa: given.get(&KAPPA) }, None)),
    ]);
    const DISTRIBUTION_TARGET: Key<DistributionTarget> = name("learning.distribution_target", "How the distribution of s' becomes the target of s: projection onto the fixed atoms (Bellemare et al. 2017), or neighbour-spreading, the heuristic of Zai and Brown 2020.");
    const ATOMS: Key<usize> = whole("learning.atoms", 2..=1000, "atoms", "Values that a return can take, evenly spaced.").formerly("network.atoms");
    const V_MIN: Key<f32> = number("learning.v_min", "a number", Bounds::Finite, "The smallest return of the support, below learning.v_max.").formerly("network.v_min");
    const V_MAX: Key<f32> = number("learning.v_max", "a number", Bounds::Finite, "The largest return of the support, above learning.v_min.").formerly("network.v_max");
    const QUANTILES: Key<NonZeroUsize> = whole("learning.quantiles", 1..=1000, "quantiles", "How many quantiles of the return are learned; 200 in the paper.");
    const KAPPA: Key<f32> = number("learning.kappa", "a number", Bounds::From(0.0), "Error up to which the quantile loss is quadratic; 0 for the plain quantile loss, 1 in the paper.");
}

pub(super) fn read(given: &mut Given, replay: &ReplayPlan) -> (LearningPlan, Option<DistributionRecords>) {
    let (objective, distributions) = given.choose(&LOSS);
    let plan = LearningPlan {
        gamma: given.get(&GAMMA),
        n_step: given.get(&N_STEP),
        batch_size: given.get(&BATCH_SIZE),
        period: given.get(&PERIOD),
        target_period: given.get(&TARGET_PERIOD),
        bootstrap: given.get(&BOOTSTRAP),
        objective,
    };
    // The steps still in the n-step tail of each environment have not become transitions yet.
    let environments = given.get(&environment::COUNT).get();
    let least = plan.batch_size + usize::from(plan.n_step) * environments;
    if replay.warm_up.0 < least as u64 {
        let others = [N_STEP.path(), BATCH_SIZE.path(), environment::COUNT.path()];
        let reason = format!("the first batch must find enough transitions: set at least {least}");
        given.refuse(replay::WARM_UP.path(), &others, reason);
    }
    (plan, distributions)
}

fn categorical(given: &mut Given) -> Objective {
    let target = given.get(&DISTRIBUTION_TARGET);
    let (atoms, v_min, v_max) = (given.get(&ATOMS), given.get(&V_MIN), given.get(&V_MAX));
    let support = Support::new(v_min, v_max, atoms).unwrap_or_else(|error| {
        given.refuse(V_MAX.path(), &[V_MIN.path(), ATOMS.path()], error);
        Support::new(-1.0, 1.0, 2).expect("two ends are a support")
    });
    Objective::Categorical { target, support }
}
