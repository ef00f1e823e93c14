//! Approximate ranks of priorities.

/// Transitions, by their slots, in a binary heap with the largest priority on top; a transition's rank is its place.
///
/// A change costs O(log N). Between sorts a place can differ from the true rank, as in a heap only parents and children
/// are in order; after as many changes as there are transitions the heap is sorted, which makes the places exact and costs
/// O(log N) per change as well. (Schaul et al. 2016, appendix B.2, sort every million steps.) Equal priorities share no
/// rank: each has a place of its own.
///
/// The priorities, by slot, belong to the caller and come with each call.
#[derive(Debug)]
pub(super) struct RankHeap {
    exponent: f64,
    /// Slots in heap order: the children of place i are 2 i + 1 and 2 i + 2. Rank is place + 1.
    slots: Vec<u32>,
    /// Place of each slot.
    places: Vec<u32>,
    /// Cumulative mass of the places up to and including each. A place's mass is fixed, so sums are only ever appended.
    cumulative: Vec<f64>,
    /// Changes since the last sort.
    changes: usize,
}

impl RankHeap {
    /// An empty heap where rank r has mass `r^-exponent`.
    pub(super) fn new(exponent: f64) -> Self {
        Self { exponent, slots: Vec::new(), places: Vec::new(), cumulative: Vec::new(), changes: 0 }
    }

    /// A heap that was saved as [`slots`](Self::slots) and [`changes`](Self::changes), or what is wrong with it.
    pub(super) fn load(exponent: f64, slots: Vec<u32>, changes: usize) -> Result<Self, String> {
        let mut heap = Self::new(exponent);
        let mut places = vec![None; slots.len()];
        for (place, &slot) in slots.iter().enumerate() {
            match places.get_mut(slot as usize) {
                Some(unset @ None) => *unset = Some(place as u32),
                _ => return Err(format!("place {place} of {} is taken by slot {slot}", slots.len())),
            }
        }
        heap.places = places.into_iter().flatten().collect();
        for place in 0..slots.len() {
            heap.extend_cumulative(place);
        }
        Ok(Self { slots, changes, ..heap })
    }

    /// Restores the heap after the priority of `slot` has changed, or adds `slot` if it is the next new one. No other slot
    /// may have changed since the last call.
    pub(super) fn set(&mut self, slot: usize, priorities: &[f32]) {
        if slot == self.slots.len() {
            self.extend_cumulative(slot);
            self.slots.push(slot as u32);
            self.places.push(slot as u32);
        }
        let place = self.rise(self.places[slot] as usize, priorities);
        self.sink(place, priorities);
        self.changes += 1;
    }

    /// Sorts the heap if it is due.
    pub(super) fn sort_when_due(&mut self, priorities: &[f32]) {
        if self.changes < self.slots.len() {
            return;
        }
        // The bits of non-negative floats sort as the floats do; equal priorities are sorted by slot.
        let key = |&slot: &u32| u64::from(!priorities[slot as usize].to_bits()) << 32 | u64::from(slot);
        let mut keys: Vec<u64> = self.slots.iter().map(key).collect();
        keys.sort_unstable();
        for (place, key) in keys.into_iter().enumerate() {
            self.put(place, key as u32);
        }
        self.changes = 0;
    }

    /// The mass of all ranks.
    pub(super) fn total(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// The slot at which the running mass, from the first rank on, passes `target`, and its mass.
    pub(super) fn find(&self, target: f64) -> (usize, f64) {
        let place = self.cumulative.partition_point(|&sum| sum <= target);
        // Rounding can put a target at the total.
        let place = place.min(self.slots.len() - 1);
        (self.slots[place] as usize, self.mass(place))
    }

    /// Slots in heap order.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Changes since the last sort.
    pub(super) fn changes(&self) -> usize {
        self.changes
    }

    /// Bytes of all columns.
    pub(super) fn memory_bytes(&self) -> usize {
        (self.slots.capacity() + self.places.capacity()) * size_of::<u32>()
            + self.cumulative.capacity() * size_of::<f64>()
    }

    /// Checks the invariants of the heap.
    pub(super) fn check_valid(&self, priorities: &[f32]) -> Result<(), String> {
        let size = priorities.len();
        if [self.slots.len(), self.places.len(), self.cumulative.len()] != [size; 3] {
            return Err(format!("{} ranks for {size} priorities", self.slots.len()));
        }
        if self.changes >= size.max(1) {
            return Err(format!("its {size} ranks should have been sorted {} changes ago", self.changes));
        }
        for (place, &slot) in self.slots.iter().enumerate() {
            if self.places.get(slot as usize) != Some(&(place as u32)) {
                return Err(format!("slot {slot} does not know its place {place}"));
            }
            let parent = self.slots[place.saturating_sub(1) / 2];
            if priorities[parent as usize] < priorities[slot as usize] {
                return Err(format!("rank {} has a larger priority than the rank above it in the heap", place + 1));
            }
        }
        Ok(())
    }

    fn mass(&self, place: usize) -> f64 {
        ((place + 1) as f64).powf(-self.exponent)
    }

    fn extend_cumulative(&mut self, place: usize) {
        self.cumulative.push(self.total() + self.mass(place));
    }

    fn put(&mut self, place: usize, slot: u32) {
        self.slots[place] = slot;
        self.places[slot as usize] = place as u32;
    }

    /// Moves the slot at a place up to where its parent is not smaller, and returns that place.
    fn rise(&mut self, mut place: usize, priorities: &[f32]) -> usize {
        let slot = self.slots[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if priorities[self.slots[parent] as usize] >= priorities[slot as usize] {
                break;
            }
            self.put(place, self.slots[parent]);
            place = parent;
        }
        self.put(place, slot);
        place
    }

    /// Moves the slot at a place down to where no child is larger.
    fn sink(&mut self, mut place: usize, priorities: &[f32]) {
        let slot = self.slots[place];
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.slots.len());
            let priority = |place: &usize| priorities[self.slots[*place] as usize];
            let larger = children.max_by(|a, b| priority(a).total_cmp(&priority(b)));
            let Some(child) = larger.filter(|child| priority(child) > priorities[slot as usize]) else {
                break;
            };
            self.put(place, self.slots[child]);
            place = child;
        }
        self.put(place, slot);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::RankHeap;

    /// A heap of these priorities, each set in turn.
    fn heap(exponent: f64, priorities: &[f32]) -> RankHeap {
        let mut heap = RankHeap::new(exponent);
        for slot in 0..priorities.len() {
            heap.set(slot, priorities);
        }
        heap
    }

    proptest! {
        #[test]
        fn it_stays_a_heap_and_is_sorted_when_due(
            changes in prop::collection::vec((0..50usize, 0..10u8), 1..400),
        ) {
            let mut heap = RankHeap::new(0.7);
            let mut priorities = Vec::new();
            let mut since_sort = 0;
            for (slot, priority) in changes {
                let slot = slot.min(priorities.len());
                if slot == priorities.len() {
                    priorities.push(0.0);
                }
                priorities[slot] = f32::from(priority);
                heap.set(slot, &priorities);
                heap.sort_when_due(&priorities);
                prop_assert_eq!(heap.check_valid(&priorities), Ok(()));
                since_sort += 1;
                if since_sort >= priorities.len() {
                    since_sort = 0;
                    let ranked: Vec<_> = heap.slots().iter().map(|&slot| priorities[slot as usize]).collect();
                    prop_assert!(ranked.is_sorted_by(|a, b| a >= b), "{:?}", ranked);
                }
            }
        }
    }

    #[test]
    fn the_mass_of_a_rank_is_a_power_of_it() {
        let priorities = [3.0, 9.0, 1.0];
        let heap = heap(0.5, &priorities);
        let masses = [1.0, 0.5f64.sqrt(), (1.0 / 3.0f64).sqrt()];
        assert!((heap.total() - masses.iter().sum::<f64>()).abs() < 1e-15);
        let edges = [0.0, masses[0], masses[0] + masses[1]];
        for ((slot, mass), edge) in [1, 0, 2].into_iter().zip(masses).zip(edges) {
            for target in [edge, edge + 0.999 * mass] {
                let found = heap.find(target);
                assert_eq!(found.0, slot, "{target}");
                assert!((found.1 - mass).abs() < 1e-15);
            }
        }
        assert_eq!(heap.find(heap.total()).0, 2);
    }

    #[test]
    fn a_saved_order_is_loaded_or_refused() {
        let priorities = [3.0, 9.0, 1.0, 9.0];
        let saved = heap(0.5, &priorities);
        let loaded = RankHeap::load(0.5, saved.slots().to_vec(), 2).unwrap();
        assert_eq!(loaded.check_valid(&priorities), Ok(()));
        assert_eq!((loaded.slots(), loaded.changes()), (saved.slots(), 2));
        assert_eq!((&loaded.places, &loaded.cumulative), (&saved.places, &saved.cumulative));

        for (slots, changes, message) in [
            (vec![1, 0, 1, 3], 0, "place 2 of 4 is taken by slot 1"),
            (vec![1, 0, 4, 3], 0, "place 2 of 4 is taken by slot 4"),
            (vec![1, 0, 2], 0, "3 ranks for 4 priorities"),
            (vec![2, 0, 1, 3], 0, "rank 2 has a larger priority"),
            (vec![1, 3, 0, 2], 4, "sorted 4 changes ago"),
        ] {
            let loaded = RankHeap::load(0.5, slots, changes);
            let reason = loaded.and_then(|heap| heap.check_valid(&priorities)).unwrap_err();
            assert!(reason.contains(message), "{reason:?} does not say {message:?}");
        }
    }
}
