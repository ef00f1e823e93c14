//! Room for what layers compute, kept from call to call so that acting allocates nothing.

/// What the layers of a network write.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) image: ImageBuffers,
    /// Features, and those of the layer after.
    pub(crate) features: [Vec<f32>; 2],
    /// What the value stream of a dueling network gives, `[batch, values]`.
    pub(crate) value: Vec<f32>,
    /// What the network gives, `[batch, actions, values]`.
    pub(crate) outputs: Vec<f32>,
    /// Of [`prism_kernels::Linear`].
    pub(crate) sums: Vec<f32>,
    /// `[batch, actions]`
    pub(crate) q_values: Vec<f32>,
    pub(crate) actions: Vec<usize>,
}

/// What the layers for images write.
#[derive(Default)]
pub(crate) struct ImageBuffers {
    /// `[batch, height, width, channels]`, of the observations at first, of features in the end.
    pub(crate) images: Vec<f32>,
    pub(crate) next: Vec<f32>,
    pub(crate) rectified: Vec<f32>,
}

impl Buffers {
    /// Makes room for layers of `values` values in whatever is swapped between layers, so that all of it has been allocated
    /// after one call.
    pub(crate) fn reserve(&mut self, values: usize) {
        let [features, next] = &mut self.features;
        for room in [features, next, &mut self.image.images, &mut self.image.next] {
            room.clear();
            room.reserve(values);
        }
    }
}
