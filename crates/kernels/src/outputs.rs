//! From what a network's last layers give to one number for each action. Training and acting choose actions by these
//! functions, so that both see the same bits.

/// Makes of the advantages V + A - mean over the actions of A (Wang et al. 2016, equation 9), value by value: of q-values,
/// of atoms or of quantiles.
///
/// # Shapes
/// - `advantages`: `[batch, actions, values]`
/// - `value`: `[batch, values]`
///
/// # Panics
/// When the slices do not fit each other.
pub fn combine_streams(advantages: &mut [f32], value: &[f32], actions: usize, values: usize) {
    assert_eq!((advantages.len(), value.len() % values), (value.len() * actions, 0));
    for (advantages, value) in advantages.chunks_exact_mut(actions * values).zip(value.chunks_exact(values)) {
        for (index, value) in value.iter().enumerate() {
            let sum: f32 = advantages[index..].iter().step_by(values).sum();
            let mean = sum / actions as f32;
            for advantage in advantages[index..].iter_mut().step_by(values) {
                *advantage = value + (*advantage - mean);
            }
        }
    }
}

/// Makes probabilities of each row of `atoms` logits.
///
/// # Panics
/// When `atoms` is 0.
pub fn softmax(logits: &mut [f32], atoms: usize) {
    for row in logits.chunks_exact_mut(atoms) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|logit| *logit = (*logit - largest).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
}

/// The mean of each distribution, `[rows]`, for probabilities `[rows, atoms]`; `means` becomes them.
///
/// # Panics
/// When the support is empty.
pub fn means_of_distributions(probabilities: &[f32], support: &[f32], means: &mut Vec<f32>) {
    let mean = |row: &[f32]| row.iter().zip(support).map(|(probability, atom)| probability * atom).sum::<f32>();
    means.clear();
    means.extend(probabilities.chunks_exact(support.len()).map(mean));
}

/// The mean of each row of `count` quantiles; `means` becomes them.
///
/// # Panics
/// When `count` is 0.
pub fn means_of_quantiles(quantiles: &[f32], count: usize, means: &mut Vec<f32>) {
    means.clear();
    means.extend(quantiles.chunks_exact(count).map(|row| row.iter().sum::<f32>() / count as f32));
}
