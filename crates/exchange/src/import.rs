//! The weights of a PyTorch network in the layout of a policy file.

use std::collections::{BTreeMap, HashMap};

use prism_agent::{Description, Element, Layers, PolicyError, Streams, Torso};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::error::ImportError;
use crate::state_dict::{self, Tensor};

/// What a policy file's tensors are called, in the order of the network.
enum Layer {
    /// `[out, channels, size, size]`
    Convolution {
        path: String,
        shape: [usize; 4],
    },
    FullyConnected {
        path: String,
        inputs: usize,
        outputs: usize,
        input: LayerInput,
    },
}

/// How the inputs of a fully connected layer follow one another.
#[derive(Clone, Copy)]
enum LayerInput {
    Plain,
    /// The features of an image of `[channels, pixels]`: PyTorch has the pixels of a channel side by side, a policy file the
    /// channels of a pixel.
    Image([usize; 2]),
}

/// Makes a policy file of the weights in a file of PyTorch, for the network that `network` describes, the JSON of
/// [`Description`].
///
/// The file may be what `torch.save` writes of a state dict, a model of Stable-Baselines3, or safetensors. Layers are found
/// by their order and shapes; names count where they must: tensors of a target network (with `target` in their names) are
/// left out, and of a dueling network the streams are those with `val` and with `adv` in their names. Noisy layers are those
/// with `mu` and `sigma` in the names of their tensors. So the networks of CleanRL and of Stable-Baselines3 are read, and
/// most others that flatten images as PyTorch does.
///
/// # Errors
/// [`ImportError`]: what is in the file, and what the network needs.
pub fn from_pytorch(file: &[u8], network: &str) -> Result<Vec<u8>, ImportError> {
    let description: Description = serde_json::from_str(network).map_err(PolicyError::Unknown)?;
    let layers = layers(&description)?;
    let mut source = Source::new(state_dict::read(file)?);
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = BTreeMap::new();
    for layer in &layers {
        match layer {
            Layer::Convolution { path, shape } => {
                let weight = source.next(path, Part::Weight, shape)?;
                tensors.insert(format!("{path}.weight"), (shape.to_vec(), weight));
                let bias = source.next(path, Part::Bias, &shape[..1])?;
                tensors.insert(format!("{path}.bias"), (vec![shape[0]], bias));
            }
            Layer::FullyConnected { path, inputs, outputs, input } => {
                let names = match description.layers {
                    Layers::Plain => &[("", Part::Weight, Part::Bias)][..],
                    Layers::Noisy {} => {
                        &[("mu_", Part::Weight, Part::Bias), ("sigma_", Part::WeightSpread, Part::BiasSpread)][..]
                    }
                };
                for &(prefix, weight, bias) in names {
                    let values = source.next(path, weight, &[*outputs, *inputs])?;
                    let values = transposed(&values, [*inputs, *outputs], input);
                    tensors.insert(format!("{path}.{prefix}weight"), (vec![*inputs, *outputs], values));
                    let values = source.next(path, bias, &[*outputs])?;
                    tensors.insert(format!("{path}.{prefix}bias"), (vec![*outputs], values));
                }
            }
        }
    }
    source.check_empty()?;
    let bytes: BTreeMap<&String, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, values))| (name, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(name, (shape, _))| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), &bytes[name]).expect("whole tensors"))
    });
    let metadata = HashMap::from([(Description::KEY.to_owned(), network.to_owned())]);
    let policy =
        serialize(views, Some(metadata)).map_err(|error| ImportError::Corrupt { reason: error.to_string() })?;
    prism_agent::Policy::from_bytes(&policy)?;
    Ok(policy)
}

/// The layers of a network in the order in which PyTorch's usual modules have them: the streams of value and advantages in
/// that order.
fn layers(description: &Description) -> Result<Vec<Layer>, ImportError> {
    let mut layers = Vec::new();
    let mut input = match *description.input.shape.as_slice() {
        [channels, height, width] if description.input.element == Element::U8 => {
            LayerInput::Image([channels, height * width])
        }
        _ => LayerInput::Plain,
    };
    let convolutions = match &description.torso {
        Torso::Nature { .. } => Torso::NATURE.as_slice(),
        Torso::Convolutional { convolutions, .. } => convolutions,
        Torso::Mlp { .. } => &[],
        Torso::Impala { .. } => return Err(ImportError::Torso("residual blocks")),
    };
    let mut features = description.input.elements()?;
    if !convolutions.is_empty() {
        let &[mut channels, mut height, mut width] = description.input.shape.as_slice() else {
            return Err(ImportError::Network { reason: "its convolutions have no images".to_owned() });
        };
        for (index, &[size, stride, out]) in convolutions.iter().enumerate() {
            let path = format!("convolutions.layers.{index}");
            layers.push(Layer::Convolution { path, shape: [out, channels, size, size] });
            let along = |side: usize| side.checked_sub(size).and_then(|rest| rest.checked_div(stride)).map(|n| n + 1);
            let (Some(rows), Some(columns)) = (along(height), along(width)) else {
                return Err(ImportError::Network { reason: format!("kernels of {size} do not fit its images") });
            };
            [channels, height, width] = [out, rows, columns];
        }
        features = channels * height * width;
        input = LayerInput::Image([channels, height * width]);
    }
    let hidden = description.torso.hidden();
    let (last, earlier) = hidden.split_last().map_or((None, hidden), |(last, earlier)| (Some(*last), earlier));
    for (index, &outputs) in earlier.iter().enumerate() {
        let path = format!("shared.{index}");
        layers.push(Layer::FullyConnected { path, inputs: features, outputs, input });
        (features, input) = (outputs, LayerInput::Plain);
    }
    let values = description.output.values();
    let streams = match description.streams {
        Streams::Single => vec![("head", description.actions)],
        Streams::Dueling => vec![("head.value", 1), ("head.advantage", description.actions)],
    };
    for (stream, actions) in streams {
        let mut inputs = features;
        let mut input = input;
        if let Some(outputs) = last {
            layers.push(Layer::FullyConnected { path: format!("{stream}.hidden"), inputs, outputs, input });
            (inputs, input) = (outputs, LayerInput::Plain);
        }
        layers.push(Layer::FullyConnected {
            path: format!("{stream}.output"),
            inputs,
            outputs: actions * values,
            input,
        });
    }
    Ok(layers)
}

/// `[outputs, inputs]` to `[inputs, outputs]`, with the inputs in the order of policy files.
fn transposed(weight: &[f32], [inputs, outputs]: [usize; 2], input: &LayerInput) -> Vec<f32> {
    let from = |to: usize| match *input {
        LayerInput::Plain => to,
        LayerInput::Image([channels, pixels]) => (to % channels) * pixels + to / channels,
    };
    (0..inputs).flat_map(|to| (0..outputs).map(move |output| weight[output * inputs + from(to)])).collect()
}

/// What a tensor is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Weight,
    WeightSpread,
    Bias,
    BiasSpread,
}

impl Part {
    /// What a tensor of this name is; `None` for the noise of noisy layers, which is drawn anew.
    fn of(name: &str) -> Option<Self> {
        let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
        if last.contains("epsilon") || last.contains("eps") {
            return None;
        }
        let (bias, spread) = (last.contains("bias"), last.contains("sigma"));
        Some(match (bias, spread) {
            (false, false) => Self::Weight,
            (false, true) => Self::WeightSpread,
            (true, false) => Self::Bias,
            (true, true) => Self::BiasSpread,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::WeightSpread => "sigma of the weight",
            Self::Bias => "bias",
            Self::BiasSpread => "sigma of the bias",
        }
    }
}

/// A layer in words.
fn layer_name(path: &str) -> String {
    let number = |index: &str| index.parse::<usize>().map_or(0, |index| index + 1);
    if let Some(index) = path.strip_prefix("convolutions.layers.") {
        return format!("convolution {}", number(index));
    }
    if let Some(index) = path.strip_prefix("shared.") {
        return format!("fully connected layer {}", number(index));
    }
    let stream = match path {
        _ if path.starts_with("head.value") => " of the value stream",
        _ if path.starts_with("head.advantage") => " of the advantage stream",
        _ => "",
    };
    let layer = if path.ends_with("hidden") { "last hidden layer" } else { "output layer" };
    format!("the {layer}{stream}")
}

/// Tensors that have not been taken yet, in the order of the file.
struct Source {
    tensors: Vec<(Part, Tensor)>,
}

impl Source {
    fn new(tensors: Vec<Tensor>) -> Self {
        let wanted = |tensor: &Tensor| {
            let name = tensor.name.to_ascii_lowercase();
            // The atoms of C51, the state of an optimiser.
            let of_network = (1..=4).contains(&tensor.shape.len()) && !name.contains("optim");
            of_network && !name.contains("target") && !matches!(name.rsplit('.').next(), Some("atoms" | "support"))
        };
        let tensors = tensors.into_iter().filter(wanted);
        Self { tensors: tensors.filter_map(|tensor| Some((Part::of(&tensor.name)?, tensor))).collect() }
    }

    /// Takes the next tensor that is this part of a layer, which must have this shape.
    fn next(&mut self, path: &str, part: Part, shape: &[usize]) -> Result<Vec<f32>, ImportError> {
        let of_stream = |name: &str| {
            let name = name.to_ascii_lowercase();
            match path {
                _ if path.starts_with("head.value") => name.contains("val"),
                _ if path.starts_with("head.advantage") => name.contains("adv"),
                // The layers before the streams.
                _ => path.starts_with("head.") || !(name.contains("adv.") || name.contains("advantage")),
            }
        };
        let found = self.tensors.iter().position(|(found, tensor)| *found == part && of_stream(&tensor.name));
        let needed = || format!("{} of {}, of shape {shape:?},", part.name(), layer_name(path));
        let Some(found) = found else {
            let reason = format!("the {} is missing; the file has {}", needed(), self.list());
            return Err(ImportError::Network { reason });
        };
        let tensor = &self.tensors[found].1;
        if tensor.shape != shape {
            let reason = format!("the {} would be {}, of shape {:?}", needed(), tensor.name, tensor.shape);
            return Err(ImportError::Network { reason });
        }
        Ok(self.tensors.remove(found).1.values)
    }

    fn check_empty(&self) -> Result<(), ImportError> {
        if self.tensors.is_empty() {
            return Ok(());
        }
        Err(ImportError::Network { reason: format!("the file has more than it needs: {}", self.list()) })
    }

    fn list(&self) -> String {
        /// More than fit in a message.
        const MOST: usize = 8;
        if self.tensors.is_empty() {
            return "no further tensors".to_owned();
        }
        let listed = self.tensors.iter().take(MOST).map(|(_, tensor)| format!("{} {:?}", tensor.name, tensor.shape));
        let more = if self.tensors.len() > MOST { ", ..." } else { "" };
        listed.collect::<Vec<_>>().join(", ") + more
    }
}
