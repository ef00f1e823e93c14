//! A sum tree: numbers whose prefix sums are found in O(log N).

/// Non-negative numbers, the leaves, under a binary tree whose inner nodes hold the sums of their children.
///
/// An inner node is always computed as the sum of its two children, never adjusted by a difference, so rounding errors do
/// not accumulate however often leaves change: the tree is at all times the one that a rebuild from its leaves would give,
/// bit for bit, and a sum is off by at most one rounding per level. No rebuild is ever due; saving the leaves is enough.
///
/// Leaves that were never set are 0. The tree doubles when a leaf beyond its end is set, which changes no sum.
#[derive(Debug, PartialEq)]
pub(super) struct SumTree {
    /// The root is node 1, the children of node i are 2 i and 2 i + 1, the second half are the leaves. Node 0 is unused.
    nodes: Vec<f64>,
    /// Leaves, as nodes, whose ancestors are to be computed again.
    touched: Vec<usize>,
}

impl SumTree {
    /// A tree of zeros.
    pub(super) fn new() -> Self {
        Self { nodes: vec![0.0; 2], touched: Vec::new() }
    }

    /// Sets a leaf; [`repair`](Self::repair) must follow before sums are read.
    ///
    /// # Panics
    /// When the value is negative or not finite.
    pub(super) fn set(&mut self, leaf: usize, value: f64) {
        assert!(value >= 0.0 && value.is_finite(), "leaf {leaf} cannot be {value}: it must be finite and not negative");
        if leaf >= self.leaves() {
            self.grow((leaf + 1).next_power_of_two());
        }
        let node = self.leaves() + leaf;
        self.nodes[node] = value;
        self.touched.push(node);
    }

    /// Computes the sums above all leaves set since the last call, each of them once.
    pub(super) fn repair(&mut self) {
        let Self { nodes, touched } = self;
        touched.sort_unstable();
        // All touched nodes are of one level, which ends at the root.
        while touched.first().is_some_and(|&node| node > 1) {
            touched.iter_mut().for_each(|node| *node /= 2);
            touched.dedup();
            for &node in &*touched {
                nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
            }
        }
        touched.clear();
    }

    /// The sum of all leaves.
    pub(super) fn total(&self) -> f64 {
        debug_assert!(self.touched.is_empty(), "sums are read before they are repaired");
        self.nodes[1]
    }

    /// The value of a leaf that has been set.
    pub(super) fn leaf(&self, leaf: usize) -> f64 {
        self.nodes[self.leaves() + leaf]
    }

    /// The leaf within which the running sum of the leaves passes each target: the first whose sum with all leaves before
    /// it is above the target. A target at or past the total, which rounding can produce, gives the last leaf above 0, so
    /// that a leaf of 0 is never found.
    ///
    /// All targets descend level by level together, so that their memory latencies overlap.
    ///
    /// # Panics
    /// When all leaves are 0.
    pub(super) fn find<const N: usize>(&self, mut targets: [f64; N]) -> [usize; N] {
        assert!(self.total() > 0.0, "nothing can be found under a sum of {}", self.total());
        let mut nodes = [1; N];
        let mut level_nodes = 1;
        while level_nodes < self.leaves() {
            for (node, target) in nodes.iter_mut().zip(&mut targets) {
                let (left, right) = (self.nodes[2 * *node], self.nodes[2 * *node + 1]);
                // The node is above 0, so one child is; left is, if the target lies below it. No `&&`: half of all
                // branches would be mispredicted.
                let goes_right = (*target >= left) & (right > 0.0);
                *target -= if goes_right { left } else { 0.0 };
                *node = 2 * *node + usize::from(goes_right);
            }
            level_nodes *= 2;
        }
        nodes.map(|node| node - self.leaves())
    }

    /// Bytes of all nodes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<f64>() + self.touched.capacity() * size_of::<usize>()
    }

    /// Checks the invariants of the tree.
    pub(super) fn check_valid(&self) -> Result<(), String> {
        if !self.touched.is_empty() {
            return Err(format!("the sums above {} leaves are not repaired", self.touched.len()));
        }
        for (node, children) in self.nodes.chunks_exact(2).enumerate().skip(1) {
            if self.nodes[node] != children[0] + children[1] {
                return Err(format!("sum {} of node {node} is not that of {children:?}", self.nodes[node]));
            }
        }
        Ok(())
    }

    /// How many leaves there are, a power of two.
    fn leaves(&self) -> usize {
        self.nodes.len() / 2
    }

    /// Gives the tree this many leaves.
    fn grow(&mut self, leaves: usize) {
        let mut nodes = vec![0.0; 2 * leaves];
        nodes[leaves..leaves + self.leaves()].copy_from_slice(&self.nodes[self.leaves()..]);
        for node in (1..leaves).rev() {
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
        }
        self.nodes = nodes;
        self.touched.clear();
    }
}

#[cfg(test)]
mod tests {
    use prism_environment::Seed;
    use proptest::prelude::*;
    use rand::RngExt;

    use super::SumTree;

    /// The first leaf whose sum with all before it is above the target, else the last above 0, by adding them up.
    fn naive_find(leaves: &[f64], target: f64) -> Option<usize> {
        let mut sum = 0.0;
        let passed = leaves.iter().position(|leaf| {
            sum += leaf;
            sum > target
        });
        passed.or_else(|| leaves.iter().rposition(|&leaf| leaf > 0.0))
    }

    proptest! {
        // Whole numbers add up without rounding, so both must agree exactly.
        #[test]
        fn it_finds_what_adding_up_finds(
            operations in prop::collection::vec((prop::collection::vec((0..200usize, 0..5u32), 1..40), 0.0..1.1), 1..200),
        ) {
            let mut tree = SumTree::new();
            let mut leaves = vec![0.0; 200];
            for (settings, fraction) in operations {
                for (leaf, value) in settings {
                    tree.set(leaf, f64::from(value));
                    leaves[leaf] = f64::from(value);
                }
                tree.repair();
                prop_assert_eq!(tree.check_valid(), Ok(()));
                let total: f64 = leaves.iter().sum();
                prop_assert_eq!(tree.total(), total);
                let target: f64 = fraction * total;
                for target in [target, target.floor()] {
                    if let Some(expected) = naive_find(&leaves, target) {
                        prop_assert_eq!(tree.find([target, 0.0]), [expected, naive_find(&leaves, 0.0).unwrap()]);
                    }
                }
            }
        }

        #[test]
        fn rounding_never_leads_to_an_empty_leaf(
            values in prop::collection::vec(prop_oneof![Just(0.0), 1e-30..1e30, 0.1..0.2], 1..100),
            fractions in prop::collection::vec(0.0..1.0, 50),
        ) {
            prop_assume!(values.iter().any(|&value| value > 0.0));
            let mut tree = SumTree::new();
            for (leaf, &value) in values.iter().enumerate() {
                tree.set(leaf, value);
            }
            tree.repair();
            let total = tree.total();
            let edges = [0.0, total.next_down(), total, total.next_up(), f64::INFINITY];
            for target in fractions.iter().map(|fraction| fraction * total).chain(edges) {
                let [found] = tree.find([target]);
                prop_assert!(values[found] > 0.0, "{target} of {total} led to leaf {found}");
                let before: f64 = values[..found].iter().sum();
                let tolerance = 1e-12 * total;
                prop_assert!(before <= target + tolerance);
                prop_assert!(target.min(total) <= before + values[found] + tolerance);
            }
        }
    }

    #[test]
    fn a_tree_that_grew_is_one_that_was_large_from_the_start() {
        let value = |leaf: usize| (leaf as f64 + 0.1).sqrt();
        let (mut grown, mut large) = (SumTree::new(), SumTree::new());
        large.set(63, value(63));
        for leaf in 0..64 {
            grown.set(leaf, value(leaf));
            grown.repair();
            large.set(leaf, value(leaf));
        }
        large.repair();
        assert_eq!(grown, large);
    }

    #[test]
    fn memory_follows_the_leaves_that_were_set() {
        let mut tree = SumTree::new();
        for leaf in 0..1_000 {
            tree.set(leaf, 1.0);
            tree.repair();
        }
        assert!(tree.memory_bytes() <= 2 * 1_024 * 8 + 64, "{} bytes", tree.memory_bytes());
    }

    /// Changes leaves of very different sizes and looks for sums that have moved away from the leaves.
    fn assert_no_drift(operations: u64) {
        const LEAVES: usize = 5_000;
        let mut generator = Seed(1).generator();
        let mut tree = SumTree::new();
        let mut leaves = vec![0.0; LEAVES];
        for operation in 1..=operations {
            let leaf = generator.random_range(0..LEAVES);
            // A sum that was moved by differences would keep 1e-16 of each 1e8 that has come and gone.
            leaves[leaf] = 10f64.powi(generator.random_range(-8..=8)) * generator.random::<f64>();
            tree.set(leaf, leaves[leaf]);
            if operation % 8 == 0 {
                tree.repair();
                let target = generator.random::<f64>() * tree.total();
                assert!(leaves[tree.find([target])[0]] > 0.0);
            }
        }
        // The large ones leave: what stays is the error, if there is any.
        for (leaf, value) in leaves.iter_mut().enumerate() {
            *value = value.min(1e-6);
            tree.set(leaf, *value);
        }
        tree.repair();
        assert_eq!(tree.check_valid(), Ok(()));
        let total: f64 = leaves.iter().sum();
        assert!((tree.total() / total - 1.0).abs() < 1e-12, "the total is {}, not {total}", tree.total());
    }

    /// A million operations, or as many as `PRISM_SOAK_OPERATIONS` says.
    #[test]
    fn many_operations_do_not_move_the_sums() {
        let operations = std::env::var("PRISM_SOAK_OPERATIONS");
        assert_no_drift(operations.map_or(1_000_000, |operations| operations.parse().expect("a number of operations")));
    }

    #[test]
    #[should_panic(expected = "leaf 3 cannot be NaN")]
    fn a_leaf_that_is_not_a_number_is_refused() {
        SumTree::new().set(3, f64::NAN);
    }

    #[test]
    #[should_panic(expected = "nothing can be found under a sum of 0")]
    fn nothing_is_found_where_nothing_is() {
        SumTree::new().find([0.0]);
    }
}
