//! The projection of return distributions onto 51 atoms, as the learner's kernel and as a tensor expression.

use burn::tensor::{Device, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prism_model::{Support, present_devices, project, project_by_tensors};

type Projection = fn(Tensor<1>, Tensor<1>, Tensor<2>, &Support) -> Tensor<2>;

const BOTH: [(&str, Projection); 2] = [("kernel", project), ("expression", project_by_tensors)];
const ATOMS: usize = 51;

/// A batch on the host: returns, discounts of three steps or of a termination, probabilities.
struct Rows {
    returns: Vec<f32>,
    discounts: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Rows {
    fn new(batch: usize) -> Self {
        // Multiples of the golden ratio fill the unit interval evenly and never repeat.
        let unit = |i: usize| (i as f32 * 0.618_034).fract();
        let returns = (0..batch).map(|row| 6.0 * unit(row) - 3.0).collect();
        let discounts = (0..batch).map(|row| if row % 8 == 0 { 0.0 } else { 0.99f32.powi(3) }).collect();
        let mut probabilities: Vec<f32> = (0..batch * ATOMS).map(unit).collect();
        for row in probabilities.chunks_exact_mut(ATOMS) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        Self { returns, discounts, probabilities }
    }

    fn upload(&self, device: &Device) -> (Tensor<1>, Tensor<1>, Tensor<2>) {
        let column = |values: &Vec<f32>| Tensor::from_data(TensorData::new(values.clone(), [values.len()]), device);
        let shape = [self.returns.len(), ATOMS];
        let probabilities = Tensor::from_data(TensorData::new(self.probabilities.clone(), shape), device);
        (column(&self.returns), column(&self.discounts), probabilities)
    }

    /// Bellemare et al. 2017, algorithm 1, in f64.
    fn assert_projected(&self, projected: &[f32], support: &Support) {
        let (v_min, v_max) = (f64::from(support.v_min()), f64::from(support.v_max()));
        let spacing = (v_max - v_min) / (ATOMS - 1) as f64;
        for (row, projected) in projected.chunks_exact(ATOMS).enumerate() {
            let mut expected = [0.0f64; ATOMS];
            for (j, &p) in self.probabilities[row * ATOMS..][..ATOMS].iter().enumerate() {
                let z = v_min + j as f64 * spacing;
                let moved = (f64::from(self.returns[row]) + f64::from(self.discounts[row]) * z).clamp(v_min, v_max);
                let b = (moved - v_min) / spacing;
                let (lower, p) = (b.floor(), f64::from(p));
                expected[lower as usize] += p * (1.0 - (b - lower));
                expected[b.ceil() as usize] += p * (b - lower);
            }
            for (atom, (&m, expected)) in projected.iter().zip(expected).enumerate() {
                assert!((f64::from(m) - expected).abs() < 1e-5, "row {row}, atom {atom}: {m} is not {expected}");
            }
        }
    }
}

fn projection(criterion: &mut Criterion) {
    let support = Support::new(-10.0, 10.0, ATOMS).expect("the paper's support");
    for present in present_devices() {
        let (device, device_name) = (present.open(), present.name);
        for batch in [32, 256] {
            let rows = Rows::new(batch);
            let (returns, discounts, probabilities) = rows.upload(&device);
            let mut group = criterion.benchmark_group(format!("projection/{device_name}/{batch}"));
            group.throughput(Throughput::Elements(batch as u64));
            for (name, project) in BOTH {
                let run = || project(returns.clone(), discounts.clone(), probabilities.clone(), &support);
                rows.assert_projected(&run().into_data().try_to_vec::<f32>().expect("floats"), &support);
                group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                    bencher.iter(|| {
                        let projected = run();
                        device.sync().expect("the device computes");
                        projected
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, projection);
criterion_main!(benches);
