//! `[optimiser]`: how a gradient changes the weights.

use prism_algorithms::{GradientBound, OptimiserPlan};
use prism_model::{Adam, Optimiser, RmsProp};

use super::choice::{Choice, choice};
use super::given::Given;
use super::key::{Bounds, Key, keys, number};

keys! {
    const KIND: Choice<Optimiser> = choice("optimiser.kind", "How a gradient becomes a step.", &[
        ("adam", "", adam),
        ("rmsprop", "", |given| Optimiser::RmsProp(RmsProp { learning_rate: given.get(&LEARNING_RATE), decay: given.get(&DECAY), epsilon: given.get(&EPSILON) })),
        ("sgd", "", |given| Optimiser::Sgd { learning_rate: given.get(&LEARNING_RATE) }),
    ]);
    const LEARNING_RATE: Key<f64> = number("optimiser.learning_rate", "a number", Bounds::Positive, "Size of a step.");
    const EPSILON: Key<f32> = number("optimiser.epsilon", "a number", Bounds::Positive, "What is added where a step is divided by the gradient's own size.");
    const DECAY: Key<f32> = number("optimiser.decay", "a number", Bounds::Between(0.0, 1.0), "How slowly the running means of gradients follow; 0.95 in Nature DQN.");
    const GRADIENT_NORM: Key<Option<f32>> = number("optimiser.gradient_norm", "a number", Bounds::Positive, "The largest norm of the gradient of all parameters together; \"none\" leaves gradients as they are.").or("none");
}

pub(super) fn read(given: &mut Given) -> OptimiserPlan {
    OptimiserPlan {
        optimiser: given.choose(&KIND),
        gradient_bound: given.get(&GRADIENT_NORM).map_or(GradientBound::None, GradientBound::GlobalNorm),
    }
}

fn adam(given: &mut Given) -> Optimiser {
    let (learning_rate, epsilon) = (given.get(&LEARNING_RATE), given.get(&EPSILON));
    // The decay rates of the paper (Kingma, Ba 2015, algorithm 1); no preset needs others.
    Optimiser::Adam(Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon })
}
