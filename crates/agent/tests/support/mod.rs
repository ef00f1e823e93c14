//! Policy files made for tests.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// A network's description and the tensors that it needs.
pub struct Network {
    pub description: String,
    pub tensors: Vec<(String, Vec<usize>)>,
}

/// Weight and bias of a layer.
fn layer(path: &str, shape: &[usize], outputs: usize) -> [(String, Vec<usize>); 2] {
    [(format!("{path}.weight"), shape.to_vec()), (format!("{path}.bias"), vec![outputs])]
}

/// Two numbers, two hidden layers of 33 and 20, distributions of 5 atoms for three actions, dueling.
pub fn vectors() -> Network {
    let description = r#"{"input":{"shape":[2],"element":"f32"},"scaling":"elements","actions":3,
        "torso":{"kind":"mlp","hidden":[33,20]},"activation":"relu","streams":"dueling",
        "output":{"kind":"distribution","v_min":-2.0,"v_max":2.0,"atoms":5},"layers":{"kind":"plain"}}"#;
    let layers = [
        layer("shared.0", &[2, 33], 33),
        layer("head.value.hidden", &[33, 20], 20),
        layer("head.value.output", &[20, 5], 5),
        layer("head.advantage.hidden", &[33, 20], 20),
        layer("head.advantage.output", &[20, 15], 15),
    ];
    Network { description: description.to_owned(), tensors: layers.into_iter().flatten().collect() }
}

/// Nature's network over four frames of 84x84, with 6 actions.
#[allow(dead_code, reason = "not every test needs it")]
pub fn nature() -> Network {
    let description = r#"{"input":{"shape":[4,84,84],"element":"u8"},"scaling":"elements","actions":6,
        "torso":{"kind":"nature","hidden":512},"activation":"relu","streams":"single",
        "output":{"kind":"q-values"},"layers":{"kind":"plain"}}"#;
    let layers = [
        layer("convolutions.layers.0", &[32, 4, 8, 8], 32),
        layer("convolutions.layers.1", &[64, 32, 4, 4], 64),
        layer("convolutions.layers.2", &[64, 64, 3, 3], 64),
        layer("head.hidden", &[3136, 512], 512),
        layer("head.output", &[512, 6], 6),
    ];
    Network { description: description.to_owned(), tensors: layers.into_iter().flatten().collect() }
}

/// IMPALA's network with stages of 4 and 8 channels over two frames of 20x17, with 6 actions.
#[allow(dead_code, reason = "not every test needs it")]
pub fn impala() -> Network {
    let description = r#"{"input":{"shape":[2,20,17],"element":"u8"},"scaling":"elements","actions":6,
        "torso":{"kind":"impala","channels":[4,8],"hidden":[16]},"activation":"relu","streams":"single",
        "output":{"kind":"q-values"},"layers":{"kind":"plain"}}"#;
    let mut layers = Vec::new();
    for (stage, channels, out) in [(0, 2, 4), (1, 4, 8)] {
        let path = |name: &str| format!("convolutions.stages.{stage}.{name}");
        layers.push(layer(&path("convolution"), &[out, channels, 3, 3], out));
        for name in ["first.first", "first.second", "second.first", "second.second"] {
            layers.push(layer(&path(name), &[out, out, 3, 3], out));
        }
    }
    layers.extend([layer("head.hidden", &[5 * 5 * 8, 16], 16), layer("head.output", &[16, 6], 6)]);
    Network { description: description.to_owned(), tensors: layers.into_iter().flatten().collect() }
}

impl Network {
    /// The bytes of a policy file with drawn weights and these further texts.
    pub fn file(&self, texts: &[(&str, &str)]) -> Vec<u8> {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(3);
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, shape)| {
                let size: usize = shape.iter().product();
                let scale = (shape.len() as f32 / size as f32).sqrt().min(0.3);
                let weights = (0..size).flat_map(|_| generator.random_range(-scale..scale).to_le_bytes()).collect();
                (name.clone(), shape.clone(), weights)
            })
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("whole numbers"))
        });
        let texts = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        let metadata: HashMap<String, String> =
            texts.chain([("prism.network".to_owned(), self.description.clone())]).collect();
        safetensors::serialize(views, Some(metadata)).expect("a file")
    }
}
