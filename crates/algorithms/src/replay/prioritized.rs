//! The prioritized samplers.

use std::ops::Range;

use prism_environment::Generator;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::rank_heap::RankHeap;
use super::sampling::{PrioritySpread, Sampling};
use super::sum_tree::SumTree;
use super::uniform;
use crate::transition::TransitionId;

/// Draws that are looked up together, so that their memory latencies overlap.
const TOGETHER: usize = 16;

/// Draws transitions by their priorities (Schaul et al. 2016).
///
/// A transition's slot is its id modulo the capacity, which is that of the transition it replaces. Memory is taken as
/// slots fill: 20 to 40 bytes for each.
#[derive(Debug)]
pub(super) struct Prioritized {
    capacity: u64,
    /// Raw priority of each slot; never -0.
    priorities: Vec<f32>,
    largest: f32,
    masses: Masses,
}

/// What the probability of a slot is proportional to.
#[derive(Debug)]
enum Masses {
    Proportional { exponent: f64, tree: SumTree },
    RankBased(RankHeap),
}

/// The part of a [`Prioritized`] that is saved: the rest follows from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Priorities {
    priorities: Vec<f32>,
    largest: f32,
    /// With ranks: slots in heap order, and changes since they were sorted.
    heap: Option<(Vec<u32>, usize)>,
}

impl Prioritized {
    /// An empty sampler, if `sampling` has priorities.
    pub(super) fn new(sampling: Sampling, capacity: usize) -> Option<Self> {
        let masses = match sampling {
            Sampling::Proportional { exponent } => Masses::Proportional { exponent, tree: SumTree::new() },
            Sampling::RankBased { exponent } => Masses::RankBased(RankHeap::new(exponent)),
            Sampling::Uniform | Sampling::CopyRewarded { .. } => return None,
        };
        Some(Self { capacity: capacity as u64, priorities: Vec::new(), largest: 1.0, masses })
    }

    /// Adds a transition with the largest priority seen, in the slot of the one it evicts.
    pub(super) fn add(&mut self, id: TransitionId) {
        let slot = self.slot(id);
        if slot == self.priorities.len() {
            self.priorities.push(0.0);
        }
        self.set(slot, self.largest);
        self.settle();
    }

    /// Sets raw priorities; those of evicted transitions are ignored; of several for one id the last counts.
    pub(super) fn update(&mut self, living: Range<TransitionId>, ids: &[TransitionId], priorities: &[f32]) {
        for (&id, &priority) in ids.iter().zip(priorities) {
            if living.contains(&id) {
                self.largest = self.largest.max(priority);
                // Adding 0 makes -0 a 0: ranks are sorted by the bits of priorities.
                self.set(self.slot(id), priority + 0.0);
            }
        }
        self.settle();
    }

    /// Draws ids, the k-th of B from the k-th of B equal parts of the whole mass (Schaul et al. 2016, appendix B.2), and
    /// writes their importance weights.
    pub(super) fn sample(
        &self,
        living: Range<TransitionId>,
        importance_exponent: f64,
        generator: &mut Generator,
        ids: &mut [TransitionId],
        weights: &mut [f32],
    ) {
        let total = self.masses.total();
        if total == 0.0 {
            // All priorities are 0, hence equal.
            uniform::sample(living, generator, ids);
            weights.fill(1.0);
            return;
        }
        let segment = total / ids.len() as f64;
        let mut segments = 0..ids.len();
        for (ids, weights) in ids.chunks_mut(TOGETHER).zip(weights.chunks_mut(TOGETHER)) {
            let mut targets = [0.0; TOGETHER];
            for (target, k) in targets.iter_mut().zip(segments.by_ref().take(ids.len())) {
                *target = segment * (k as f64 + generator.random::<f64>());
            }
            let found = self.masses.find(targets);
            for ((id, weight), (slot, mass)) in ids.iter_mut().zip(weights).zip(found) {
                *id = self.id(slot, living.start);
                *weight = mass as f32;
            }
        }
        // N and the total mass cancel in (N P)^-b divided by its largest value: what stays is a ratio of masses.
        let least = weights.iter().copied().fold(f32::INFINITY, f32::min);
        for weight in weights {
            *weight = (f64::from(least) / f64::from(*weight)).powf(importance_exponent) as f32;
        }
    }

    /// Smallest, mean and largest priority, unless there are none. Reads all of them, 4 bytes each.
    pub(super) fn spread(&self) -> Option<PrioritySpread> {
        let (mut min, mut sum, mut max) = (f32::INFINITY, 0.0, 0.0f32);
        for &priority in &self.priorities {
            min = min.min(priority);
            sum += f64::from(priority);
            max = max.max(priority);
        }
        let mean = sum / self.priorities.len() as f64;
        (!self.priorities.is_empty()).then_some(PrioritySpread { min, mean, max, largest_seen: self.largest })
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        let masses = match &self.masses {
            Masses::Proportional { tree, .. } => tree.memory_bytes(),
            Masses::RankBased(heap) => heap.memory_bytes(),
        };
        self.priorities.capacity() * size_of::<f32>() + masses
    }

    /// The part to save.
    pub(super) fn save(&self) -> Priorities {
        let heap = match &self.masses {
            Masses::Proportional { .. } => None,
            Masses::RankBased(heap) => Some((heap.slots().to_vec(), heap.changes())),
        };
        Priorities { priorities: self.priorities.clone(), largest: self.largest, heap }
    }

    /// Loads a saved sampler; the error says what is wrong with it.
    pub(super) fn load(sampling: Sampling, capacity: usize, saved: Option<Priorities>) -> Result<Option<Self>, String> {
        let Some(Priorities { priorities, largest, heap }) = saved else {
            return match sampling {
                Sampling::Uniform | Sampling::CopyRewarded { .. } => Ok(None),
                Sampling::Proportional { .. } | Sampling::RankBased { .. } => {
                    Err(format!("it has no priorities for {sampling:?}"))
                }
            };
        };
        let bad = |priority: &&f32| !(priority.is_finite() && priority.is_sign_positive());
        if let Some(priority) = priorities.iter().find(bad) {
            return Err(format!("a priority is {priority}"));
        }
        let masses = match (sampling, heap) {
            (Sampling::Proportional { exponent }, None) => {
                let mut tree = SumTree::new();
                for (slot, &priority) in priorities.iter().enumerate() {
                    tree.set(slot, mass(priority, exponent));
                }
                tree.repair();
                Masses::Proportional { exponent, tree }
            }
            (Sampling::RankBased { exponent }, Some((slots, changes))) => {
                Masses::RankBased(RankHeap::load(exponent, slots, changes)?)
            }
            _ => return Err(format!("its priorities are not those of {sampling:?}")),
        };
        Ok(Some(Self { capacity: capacity as u64, priorities, largest, masses }))
    }

    /// Checks the invariants of a sampler of this many transitions.
    pub(super) fn check_valid(&self, transitions: usize) -> Result<(), String> {
        let size = self.priorities.len();
        if size != transitions {
            return Err(format!("it has {size} priorities for {transitions} transitions"));
        }
        let max = self.priorities.iter().copied().fold(1.0, f32::max);
        if !(max..=f32::MAX).contains(&self.largest) {
            return Err(format!("the largest priority seen is {}, a transition has {max}", self.largest));
        }
        match &self.masses {
            Masses::Proportional { exponent, tree } => {
                let wrong = |&slot: &usize| tree.leaf(slot) != mass(self.priorities[slot], *exponent);
                if let Some(slot) = (0..size).find(wrong) {
                    let (leaf, priority) = (tree.leaf(slot), self.priorities[slot]);
                    return Err(format!("slot {slot} has priority {priority} and leaf {leaf}"));
                }
                tree.check_valid()
            }
            Masses::RankBased(heap) => heap.check_valid(&self.priorities),
        }
    }

    fn set(&mut self, slot: usize, priority: f32) {
        self.priorities[slot] = priority;
        match &mut self.masses {
            Masses::Proportional { exponent, tree } => tree.set(slot, mass(priority, *exponent)),
            Masses::RankBased(heap) => heap.set(slot, &self.priorities),
        }
    }

    /// Must follow [`set`](Self::set) before the masses are read.
    fn settle(&mut self) {
        match &mut self.masses {
            Masses::Proportional { tree, .. } => tree.repair(),
            Masses::RankBased(heap) => heap.sort_when_due(&self.priorities),
        }
    }

    fn slot(&self, id: TransitionId) -> usize {
        (id.0 % self.capacity) as usize
    }

    /// The living id of a slot.
    fn id(&self, slot: usize, oldest: TransitionId) -> TransitionId {
        let age = (slot as u64 + self.capacity - oldest.0 % self.capacity) % self.capacity;
        TransitionId(oldest.0 + age)
    }
}

impl Masses {
    fn total(&self) -> f64 {
        match self {
            Self::Proportional { tree, .. } => tree.total(),
            Self::RankBased(heap) => heap.total(),
        }
    }

    /// The slots at which the running mass passes each target, and their masses.
    fn find(&self, targets: [f64; TOGETHER]) -> [(usize, f64); TOGETHER] {
        match self {
            Self::Proportional { tree, .. } => tree.find(targets).map(|slot| (slot, tree.leaf(slot))),
            Self::RankBased(heap) => targets.map(|target| heap.find(target)),
        }
    }
}

fn mass(priority: f32, exponent: f64) -> f64 {
    f64::from(priority).powf(exponent)
}

#[cfg(test)]
mod tests {
    use super::{Priorities, Prioritized, Sampling};

    const PROPORTIONAL: Sampling = Sampling::Proportional { exponent: 0.5 };
    const RANK_BASED: Sampling = Sampling::RankBased { exponent: 0.5 };

    fn load(
        sampling: Sampling,
        priorities: [f32; 2],
        largest: f32,
        heap: Option<(Vec<u32>, usize)>,
    ) -> Result<(), String> {
        let saved = Priorities { priorities: priorities.to_vec(), largest, heap };
        let sampler = Prioritized::load(sampling, 5, Some(saved))?;
        sampler.expect("there are priorities").check_valid(2)
    }

    #[test]
    fn damage_is_found_and_named() {
        let ranks = || Some((vec![1, 0], 0));
        assert_eq!(load(PROPORTIONAL, [2.0, 3.0], 3.0, None), Ok(()));
        assert_eq!(load(RANK_BASED, [2.0, 3.0], 3.0, ranks()), Ok(()));
        for (result, message) in [
            (load(PROPORTIONAL, [2.0, f32::NAN], 3.0, None), "a priority is NaN"),
            (load(RANK_BASED, [2.0, -0.0], 3.0, ranks()), "a priority is -0"),
            (load(PROPORTIONAL, [2.0, 3.0], 2.5, None), "the largest priority seen is 2.5, a transition has 3"),
            (load(PROPORTIONAL, [0.2, 0.3], 0.5, None), "the largest priority seen is 0.5, a transition has 1"),
            (load(PROPORTIONAL, [2.0, 3.0], f32::INFINITY, None), "the largest priority seen is inf"),
            (load(PROPORTIONAL, [2.0, 3.0], 3.0, ranks()), "its priorities are not those of Proportional"),
            (load(RANK_BASED, [2.0, 3.0], 3.0, None), "its priorities are not those of RankBased"),
            (load(Sampling::Uniform, [2.0, 3.0], 3.0, None), "its priorities are not those of Uniform"),
            (load(RANK_BASED, [3.0, 2.0], 3.0, ranks()), "rank 2 has a larger priority"),
            (Prioritized::load(PROPORTIONAL, 5, None).map(|_| ()), "it has no priorities for Proportional"),
        ] {
            let reason = result.unwrap_err();
            assert!(reason.contains(message), "{reason:?} does not say {message:?}");
        }
        let mut sampler = Prioritized::new(PROPORTIONAL, 5).unwrap();
        sampler.add(super::TransitionId(0));
        assert_eq!(sampler.check_valid(2), Err("it has 1 priorities for 2 transitions".into()));
    }
}
