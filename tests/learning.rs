//! Learning tests: values and scores that training must reach, short and seeded.

use std::num::{NonZeroU32, NonZeroUsize};

use prism::Ending;
use prism_algorithms::{
    Agent, AgentConfig, Batch, Bootstrap, DiagnosticsPlan, GradientBound, Learner, LearnerConfig, LearningPlan,
    LinearSchedule, Measure, Objective, OptimiserPlan, ReplayPlan, Sampling, TdLoss,
};
use prism_environment::{AgentSteps, Chain, Environment, Seed, StepType, TimeLimit};
use prism_model::{
    Activation, Adam, Input, InputElement, Layers, NetworkConfig, NetworkParts, Optimiser, Scaling, Streams, Torso,
};
use rand::RngExt;

use crate::support::{Family, preset, rows, train_into};

const STATES: usize = 6;
const GAMMA: f64 = 0.9;

/// Learns from uniformly random actions: 20,000 to begin with, then one for each of 2,500 updates.
fn chain_agent(n: u16) -> AgentConfig {
    let always = LinearSchedule::new(1.0, 1.0, AgentSteps(1)).expect("a valid schedule");
    AgentConfig {
        network: NetworkParts {
            scaling: Scaling::Elements,
            torso: Torso::Mlp { hidden: vec![64] },
            activation: Activation::Relu,
            streams: Streams::Single,
            layers: Layers::Plain,
        },
        exploration: always,
        replay: ReplayPlan {
            capacity: 20_000,
            warm_up: AgentSteps(20_000),
            sampling: Sampling::Uniform,
            prioritization: None,
        },
        learning: LearningPlan {
            gamma: GAMMA,
            n_step: n,
            batch_size: 64,
            period: AgentSteps(1),
            target_period: AgentSteps(50),
            bootstrap: Bootstrap::Max,
            objective: Objective::Td(TdLoss::Squared),
        },
        optimiser: OptimiserPlan {
            optimiser: Optimiser::Adam(Adam { learning_rate: 3e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }),
            gradient_bound: GradientBound::None,
        },
        diagnostics: DiagnosticsPlan { record_period: 100, held_out: 0, distributions: None },
    }
}

/// Q-values `[states, actions]` learned on a chain.
fn chain_values(n: u16, limit: TimeLimit) -> Vec<[f32; 2]> {
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    let seed = Seed(11);
    let mut chain = Chain::new(NonZeroUsize::new(STATES).expect("not 0"), limit, seed.derive("environment", 0));
    let mut agent = Agent::new(&chain_agent(n), chain.spec(), 1, seed, &device).expect("a valid agent");
    let mut observation = vec![0; chain.spec().observation.bytes()];
    chain.reset(&mut observation).expect("a chain resets");
    agent.begin(0, &observation);
    for _ in 0..22_500 {
        let mut policy = agent.policy();
        let action = policy.act(&observation, agent.position().epsilon)[0];
        agent.retire(policy);
        let step = chain.step(action, &mut observation).expect("the action exists");
        agent.observe(0, action, &step, &observation).expect("single frames follow each other");
        if step.step_type == StepType::Last {
            chain.reset(&mut observation).expect("a chain resets");
            agent.begin(0, &observation);
        }
        agent.learn().expect("losses are finite");
    }
    assert_eq!(agent.position().updates, 2_500);
    let mut positions = vec![0.0f32; STATES * STATES];
    for state in 0..STATES {
        positions[state * STATES + state] = 1.0;
    }
    agent.policy().values(bytemuck::cast_slice(&positions)).as_chunks::<2>().0.to_vec()
}

fn assert_advance_values(n: u16, limit: TimeLimit, expected: impl Fn(usize) -> f64) {
    for (state, [advance, quit]) in chain_values(n, limit).into_iter().enumerate() {
        let expected = expected(state);
        assert!((f64::from(advance) - expected).abs() < 0.05, "state {state}: advance {advance}, not {expected}");
        assert!(quit.abs() < 0.05, "state {state}: quit {quit}, not 0");
    }
}

/// gamma^m for the state m steps before the rewarding one.
fn optimal(state: usize) -> f64 {
    GAMMA.powi((STATES - 1 - state) as i32)
}

#[test]
fn one_step_learning_finds_the_optimal_values_of_the_chain() {
    assert_advance_values(1, TimeLimit::None, optimal);
}

#[test]
fn a_time_limit_changes_no_value_because_it_bootstraps() {
    // With a limit of 2 steps, 4 of 6 starts never see the reward: only bootstrapping at the truncation carries it back.
    let limit = TimeLimit::Steps(NonZeroU32::new(2).expect("not 0"));
    assert_advance_values(1, limit, optimal);
}

#[test]
fn three_step_learning_finds_its_own_fixed_point() {
    let chain = Chain::new(NonZeroUsize::new(STATES).expect("not 0"), TimeLimit::None, Seed(0));
    let n = NonZeroU32::new(3).expect("not 0");
    assert_advance_values(3, TimeLimit::None, |state| chain.advance_value(state, GAMMA, n, 0.5));
}

#[test]
fn catch_is_learned_from_three_seeds_and_from_several_environments() {
    for (seed, settings) in [(1, &[][..]), (2, &[]), (3, &["environment.count=4"]), (4, &["training.pipeline=true"])] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let summary = train_into(&folder.path().join("run"), &preset("catch", settings), seed);
        // The preset stops at a mean of 0.95 over 100 games; 50,000 agent steps are its limit.
        assert_eq!(summary.ending, Ending::Solved, "seed {seed}: mean score {:?}", summary.mean_score);
    }
}

/// Trains a member on Catch with three seeds.
fn learn_catch(name: &str) {
    let family = Family::read();
    let settings = family.settings(&family.members[name]);
    for seed in 1..=3 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let summary = train_into(&folder.path().join("run"), &preset("catch", &settings), seed);
        // As above: the preset stops at a mean of 0.95 over 100 games; 50,000 agent steps are its limit.
        assert_eq!(summary.ending, Ending::Solved, "{name}, seed {seed}: mean score {:?}", summary.mean_score);
    }
}

/// A test for each member, so that they run side by side.
macro_rules! catch_is_learned_by {
    ($($test:ident: $member:literal,)*) => {
        $(#[test]
        fn $test() {
            learn_catch($member);
        })*

        #[test]
        fn every_member_of_the_family_has_a_learning_test() {
            let tested = [$($member),*];
            assert!(Family::read().members.keys().all(|member| tested.contains(&member.as_str())), "{tested:?}");
        }
    };
}

catch_is_learned_by! {
    catch_is_learned_with_n_step_returns: "n-step",
    catch_is_learned_by_double_dqn: "double",
    catch_is_learned_by_a_dueling_network: "dueling",
    catch_is_learned_with_independent_noise: "noisy-independent",
    catch_is_learned_with_factorised_noise: "noisy-factorised",
    catch_is_learned_from_proportional_draws: "proportional",
    catch_is_learned_from_rank_based_draws: "rank-based",
    catch_is_learned_from_copies_of_rewarded_transitions: "copy-rewarded",
    catch_is_learned_by_c51: "c51",
    catch_is_learned_by_qr_dqn: "qr-dqn",
    catch_is_learned_by_the_combination_without_distributions: "combined",
    catch_is_learned_by_rainbow: "rainbow",
}

#[test]
fn the_priorities_of_a_run_follow_its_losses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let family = Family::read();
    let mut settings = family.settings(&family.members["proportional"]);
    settings.push("training.agent_steps=2500");
    train_into(&folder.path().join("run"), &preset("catch", &settings), 1);
    let rows = rows(&folder.path().join("run/train.csv"));
    let last = rows.last().expect("20 rows");
    // Every transition starts with the largest priority seen, at least 1; most losses of Catch are far below that.
    let [min, mean, max] = ["priority_min", "priority_mean", "priority_max"].map(|column| last.number(column));
    assert!(min < 0.01 && mean < 0.5 && max >= mean, "priorities from {min} to {max}, mean {mean}");
    assert!((last.number("importance_exponent") - (0.4 + 0.6 * 2500.0 / 20000.0)).abs() < 0.01);
}

/// Mean q-value of the only action of the first state of a two-state process, learned with a target network that lags
/// behind. The action leads to the second state, where ten actions end the episode with rewards of mean 0 and standard
/// deviation 1: the true value is 0.
fn learned_value_of_a_noisy_choice(bootstrap: Bootstrap) -> f64 {
    const ACTIONS: usize = 10;
    const BATCH: usize = 32;
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    let input = Input { shape: vec![2], element: InputElement::F32 };
    // One linear layer over one-hot states is a table.
    let network = NetworkConfig::dqn(input.clone(), ACTIONS, Torso::Mlp { hidden: vec![] });
    let config = LearnerConfig {
        objective: Objective::Td(TdLoss::Squared),
        bootstrap,
        optimiser: Optimiser::Sgd { learning_rate: 0.5 },
        gradient_bound: GradientBound::None,
        priorities: None,
    };
    let mut learner = Learner::new(config, network, Seed(1), &device).expect("a valid network");
    let mut generator = Seed(2).generator();
    let states: [&[u8]; 2] = [bytemuck::cast_slice(&[1.0f32, 0.0]), bytemuck::cast_slice(&[0.0f32, 1.0])];
    let mut batch = Batch::new(BATCH, input.bytes());
    let (mut sum, mut count) = (0.0, 0);
    for update in 0..3_000 {
        let places =
            batch.observations.chunks_mut(input.bytes()).zip(batch.next_observations.chunks_mut(input.bytes()));
        for (example, (observation, next_observation)) in places.enumerate() {
            let first = example % 4 == 0;
            observation.copy_from_slice(states[usize::from(!first)]);
            next_observation.copy_from_slice(states[1]);
            batch.actions[example] = if first { 0 } else { generator.random_range(0..ACTIONS as i32) };
            // The sum of three uniform numbers in -1..1 has variance 1.
            let noise: f32 = (0..3).map(|_| generator.random_range(-1.0..1.0)).sum();
            batch.returns[example] = if first { 0.0 } else { noise };
            batch.discounts[example] = if first { 1.0 } else { 0.0 };
        }
        let result = learner.update(&batch, Measure::Losses).read();
        if update % 20 == 0 {
            learner.replace_target();
        }
        if update >= 500 {
            sum += f64::from(result.q_values[0]);
            count += 1;
        }
    }
    sum / f64::from(count)
}

#[test]
fn double_learning_overestimates_less() {
    let plain = learned_value_of_a_noisy_choice(Bootstrap::Max);
    let double = learned_value_of_a_noisy_choice(Bootstrap::Double);
    assert!(plain > 0.2, "the largest of ten noisy estimates is biased upwards, not {plain}");
    assert!(double.abs() < 0.5 * plain, "double: {double}, plain: {plain}");
}
