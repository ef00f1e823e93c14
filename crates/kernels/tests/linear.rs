//! Fully connected layers against their documented sums.

mod support;

use prism_kernels::gradients::{linear_input_gradient, linear_weight_gradient};
use prism_kernels::{Factors, LayerWeights, Linear, WeightNoise, linear, padded};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::support::instruction_sets;

#[test]
fn each_instruction_set_and_any_number_of_threads_computes_the_documented_sums() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut cases = vec![[32, 700, 512], [1, 300, 512], [20, 64, 306], [20, 120, 306], [300, 100, 60]];
    cases.extend((0..30).map(|_| [40, 70, 90].map(|end| rng.random_range(1..end))));
    if cfg!(miri) {
        // It takes ten thousand times as long.
        cases = vec![[3, 2, 5], [1, 3, 18]];
    }
    for [batch, inputs, outputs] in cases {
        let sizes = [batch * inputs, inputs * outputs, inputs * outputs, outputs, batch * outputs, inputs, outputs];
        let [x, weight, sigma, bias, cotangent, of_inputs, of_outputs] =
            sizes.map(|len| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>());
        let padded_of_outputs = padded(&of_outputs, outputs);
        for noisy in [false, true] {
            let factors = noisy.then_some(Factors { inputs: &of_inputs, outputs: &padded_of_outputs });
            let noise = factors.map(|factors| WeightNoise { sigma: &sigma, factors });
            let weights = LayerWeights::new(&weight, outputs, noise);
            let lens = [batch * outputs, inputs * outputs, if noisy { inputs * outputs } else { 0 }, batch * inputs];
            let mut expected = lens.map(|len| vec![0.0f64; len]);
            for example in 0..batch {
                for output in 0..outputs {
                    expected[0][example * outputs + output] += f64::from(bias[output]);
                    for input in 0..inputs {
                        let at = input * outputs + output;
                        let x = f64::from(x[example * inputs + input]);
                        let gradient = f64::from(cotangent[example * outputs + output]);
                        let factor = f64::from(of_inputs[input]) * f64::from(of_outputs[output]);
                        let spread = if noisy { f64::from(sigma[at]) * factor } else { 0.0 };
                        let weight = f64::from(weight[at]) + spread;
                        expected[0][example * outputs + output] += x * weight;
                        expected[1][at] += x * gradient;
                        if noisy {
                            expected[2][at] += x * gradient * factor;
                        }
                        expected[3][example * inputs + input] += weight * gradient;
                    }
                }
            }
            for arch in instruction_sets() {
                let run = |threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
                    pool.install(|| {
                        let (weight, spread) = linear_weight_gradient(arch, [inputs, outputs], &x, &cotangent, factors);
                        let input = linear_input_gradient(arch, batch, inputs, weights, &cotangent);
                        [linear(arch, &x, weights, &bias), weight, spread, input]
                    })
                };
                let actual = run(1);
                if !noisy {
                    // Room that has been used before.
                    let (mut output, mut sums) = (vec![7.0; 3], vec![8.0; 1000]);
                    Linear::new(&weight, &bias).forward(arch, &x, &mut output, &mut sums);
                    assert!(output == actual[0], "laid out once: {batch} x {inputs} x {outputs}, {arch:?}");
                }
                let alone = x.chunks(inputs).flat_map(|x| linear(arch, x, weights, &bias));
                assert!(alone.eq(actual[0].iter().copied()), "alone: {batch} x {inputs} x {outputs}, {arch:?}");
                let case = format!("{batch} x {inputs} x {outputs}, noisy: {noisy}, {arch:?}");
                assert!([2, 5].into_iter().all(|threads| run(threads) == actual), "{case}");
                for ((actual, expected), terms) in actual.iter().zip(&expected).zip([inputs, batch, batch, outputs]) {
                    assert_eq!(actual.len(), expected.len());
                    let tolerance = 1e-5 * (terms as f64).sqrt();
                    for (actual, expected) in actual.iter().zip(expected) {
                        let close = (f64::from(*actual) - expected).abs() <= tolerance;
                        assert!(close, "{case}: {actual} is not {expected}");
                    }
                }
            }
        }
    }
}
