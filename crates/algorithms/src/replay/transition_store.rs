//! The living transitions, without their frames.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::transition::{Transition, TransitionId};

/// Transitions in the order they came, at most `capacity` of them; the oldest leave first.
#[derive(Debug)]
pub(super) struct TransitionStore {
    capacity: usize,
    first: TransitionId,
    records: VecDeque<Record>,
}

/// One transition and where its frames are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Number of the newest frame of `s` in its stream; that of `s'` is `transition.steps` later.
    pub(super) frame: u64,
    pub(super) stream: u32,
    /// How many frames of the stack of `s` are stored; the older ones are zeros. `s'` has `transition.steps` more, up to
    /// the whole stack.
    pub(super) stored_frames: u8,
    pub(super) transition: Transition,
}

impl Record {
    /// Number of the oldest frame of `s`.
    pub(super) fn oldest_frame(&self) -> u64 {
        self.frame + 1 - u64::from(self.stored_frames)
    }
}

impl TransitionStore {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, first: TransitionId(0), records: VecDeque::new() }
    }

    /// Adds a transition and returns the one it evicts.
    pub(super) fn push(&mut self, record: Record) -> Option<Record> {
        let evicted = if self.records.len() == self.capacity {
            self.first.0 += 1;
            self.records.pop_front()
        } else {
            None
        };
        self.records.push_back(record);
        evicted
    }

    /// The ids of the living transitions.
    pub(super) fn living(&self) -> Range<TransitionId> {
        self.first..TransitionId(self.first.0 + self.records.len() as u64)
    }

    pub(super) fn get(&self, id: TransitionId) -> &Record {
        let index = id.0.checked_sub(self.first.0).and_then(|index| self.records.get(index as usize));
        index.unwrap_or_else(|| panic!("{id} is not in the replay: it holds {:?}", self.living()))
    }

    pub(super) fn records(&self) -> &VecDeque<Record> {
        &self.records
    }

    #[cfg(test)]
    pub(super) fn record_mut(&mut self, index: usize) -> &mut Record {
        &mut self.records[index]
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>()
    }

    /// Loads a store of these transitions; the error says what is wrong with it.
    pub(super) fn load(capacity: usize, first: TransitionId, records: VecDeque<Record>) -> Result<Self, String> {
        if records.len() > capacity {
            return Err(format!("it holds {} transitions, its capacity is {capacity}", records.len()));
        }
        if first.0 != 0 && records.len() < capacity {
            return Err(format!("transitions have left it, yet it holds only {} of {capacity}", records.len()));
        }
        if first.0.checked_add(capacity as u64).is_none() {
            return Err(format!("its oldest is {first}, which leaves no ids for new ones"));
        }
        Ok(Self { capacity, first, records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_32_bytes() {
        // The documented memory per transition depends on it.
        assert_eq!(size_of::<Record>(), 32);
    }
}
