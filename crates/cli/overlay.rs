//! What a policy thinks, drawn beside the game: each action with its q-value or the distribution of its return.

use prism::play::PlayedStep;
use prism_picture::{Canvas, Rgb};

const BEHIND: Rgb = Rgb([8, 18, 28]);
const WORDS: Rgb = Rgb([219, 230, 238]);
const QUIET: Rgb = Rgb([120, 145, 165]);
const BAR: Rgb = Rgb([74, 99, 118]);
const CHOSEN: Rgb = Rgb([250, 133, 140]);
const ZERO: Rgb = Rgb([42, 64, 84]);

/// Draws what a policy thinks.
#[derive(Debug, Default)]
pub struct Overlay {
    /// The lowest and the highest q-value so far, between which bars are drawn: they keep their scale.
    range: Option<[f32; 2]>,
}

impl Overlay {
    /// Columns that it takes.
    pub const WIDTH: usize = 190;
    const MARGIN: usize = 8;
    /// Rows above the actions: score and steps.
    const HEAD: usize = 24;
    /// Fewest rows of an action.
    const ROW: usize = 10;

    /// Rows that so many actions need.
    pub fn least_height(actions: usize) -> usize {
        Self::HEAD + actions * Self::ROW + Self::MARGIN
    }

    /// The same in words, which all have one length: score and steps, and each action with its q-value.
    pub fn words(step: &mut PlayedStep<'_>) -> Vec<String> {
        let PlayedStep { policy, observation, action, actions, score, steps, .. } = step;
        let head = [format!("score {score}"), format!("step {steps}")];
        let values = policy.values(*observation).iter().zip(actions.iter()).enumerate();
        let values = values.map(|(index, (value, name))| {
            let mark = if *action == Some(index) { '>' } else { ' ' };
            format!("{mark} {name} {value:.2}")
        });
        let words: Vec<String> = head.into_iter().chain(values).collect();
        let longest = words.iter().map(String::len).max().unwrap_or(0);
        words.into_iter().map(|word| format!("{word:longest$}")).collect()
    }

    /// Draws onto a canvas, from the column `left` on.
    pub fn draw(&mut self, canvas: &mut Canvas, left: usize, step: PlayedStep<'_>) {
        let PlayedStep { policy, observation, action, actions, score, steps, .. } = step;
        canvas.fill([left, 0, Self::WIDTH, canvas.height()], BEHIND);
        let left = left + Self::MARGIN;
        canvas.text(left, Self::MARGIN, &format!("score {score}"), WORDS);
        let text = format!("step {steps}");
        canvas.text(left + Self::WIDTH - 2 * Self::MARGIN - Canvas::text_width(&text), Self::MARGIN, &text, QUIET);
        let values = policy.values(observation).to_vec();
        let support = policy.support().map(<[f32]>::to_vec);
        let distributions = policy.distributions(observation);
        let row = (canvas.height() - Self::HEAD - Self::MARGIN) / actions.len().max(1);
        let largest = distributions.map_or(1.0, |all| all.iter().copied().fold(f32::MIN_POSITIVE, f32::max));
        let [low, high] = self.widened(&values, support.as_deref());
        for (index, (name, &value)) in actions.iter().zip(&values).enumerate() {
            let top = Self::HEAD + index * row;
            let chosen = action == Some(index);
            let (words, bars) = if chosen { (WORDS, CHOSEN) } else { (QUIET, BAR) };
            // Names such as DOWNRIGHTFIRE are cut.
            let short: String = name.chars().take(9).collect();
            canvas.text(left, top + (row - Canvas::TEXT_HEIGHT.min(row)) / 2, &short, words);
            let number = format!("{value:.2}");
            let end = left + Self::WIDTH - 2 * Self::MARGIN;
            canvas.text(
                end - Canvas::text_width(&number),
                top + (row - Canvas::TEXT_HEIGHT.min(row)) / 2,
                &number,
                words,
            );
            let (first, width) = (left + 58, Self::WIDTH - 2 * Self::MARGIN - 58 - 40);
            let at = |value: f32| {
                let share = ((value - low) / (high - low).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
                first + (share * (width - 1) as f32).round() as usize
            };
            let (floor, tall) = (top + row - 2, row.saturating_sub(3).max(1));
            if (low..=high).contains(&0.0) {
                canvas.fill([at(0.0), top, 1, row - 1], ZERO);
            }
            match (distributions, &support) {
                (Some(all), Some(support)) => {
                    let probabilities = &all[index * support.len()..][..support.len()];
                    let bar = width.div_ceil(support.len()).max(1);
                    for (&atom, &probability) in support.iter().zip(probabilities) {
                        let size = (probability / largest * tall as f32).round() as usize;
                        canvas.fill([at(atom).min(first + width - bar), floor - size, bar, size], bars);
                    }
                    canvas.fill([first, floor, width, 1], ZERO);
                    canvas.fill([at(value), floor, 1, 2], words);
                }
                _ => {
                    let (start, end) = (at(0.0).min(at(value)), at(0.0).max(at(value)));
                    canvas.fill([start, top + 2, (end - start).max(1), row.saturating_sub(4).max(1)], bars);
                }
            }
        }
    }

    /// The scale that all q-values so far fit on.
    fn widened(&mut self, values: &[f32], support: Option<&[f32]>) -> [f32; 2] {
        if let Some([low, .., high]) = support {
            return [*low, *high];
        }
        let range = self.range.get_or_insert([f32::INFINITY, f32::NEG_INFINITY]);
        for value in values {
            *range = [range[0].min(*value), range[1].max(*value)];
        }
        *range
    }
}

#[cfg(test)]
mod tests {
    use prism_agent::Policy;

    use super::*;

    #[test]
    fn words_name_each_action_and_mark_the_one_that_is_taken() {
        let file = include_bytes!("../agent/tests/policies/catch-0.1.0.safetensors");
        let mut policy = Policy::from_bytes(file).expect("a policy");
        let actions = policy
            .card()
            .map_or_else(|| ["left", "stay", "right"].map(str::to_owned).to_vec(), |card| card.actions.clone());
        let observation = vec![0; policy.observation_bytes()];
        let taken = policy.act(observation.as_slice(), 0.0)[0];
        let mut step = PlayedStep {
            picture: None,
            policy: &mut policy,
            observation: &observation,
            action: Some(taken),
            actions: &actions,
            score: 3.0,
            steps: 7,
        };
        let words = Overlay::words(&mut step);
        assert_eq!((words[0].trim(), words[1].trim(), words.len()), ("score 3", "step 7", 2 + actions.len()));
        assert!(words.iter().all(|word| word.len() == words[0].len()), "{words:?}");
        for (index, name) in actions.iter().enumerate() {
            let mark = if index == taken { '>' } else { ' ' };
            assert!(words[2 + index].starts_with(&format!("{mark} {name} ")), "{words:?}");
        }
    }

    #[test]
    fn bars_span_the_values_that_were_seen() {
        let mut overlay = Overlay::default();
        assert_eq!(overlay.widened(&[2.0, 3.0], None), [2.0, 3.0]);
        assert_eq!(overlay.widened(&[2.5, 3.5], None), [2.0, 3.5]);
        assert_eq!(Overlay::default().widened(&[2.0], Some(&[-10.0, 0.0, 10.0])), [-10.0, 10.0]);
    }
}
