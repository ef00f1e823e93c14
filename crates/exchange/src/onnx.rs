//! A policy as an ONNX model.

use prism_agent::{
    Activation, Card, Description, Element, Layers, Output, PolicyError, PolicyFile, Scaling, Streams, Torso,
};
use prost::Message;

use crate::messages::{
    Attribute, Dimension, FLOAT, Graph, INT64, Kind, Model, Node, OperatorSet, Shape, Tensor, TensorKind, Text, UINT8,
    Value,
};

/// Version of ONNX's operators that models use.
pub const OPSET: i64 = 17;
/// Version of ONNX's file format; runtimes of 2022 read it.
const IR_VERSION: i64 = 8;

/// The policy in a policy file as an ONNX model.
///
/// Its input `observations` is `[batch, channels, height, width]` of bytes (`uint8`) or `[batch, values]` of numbers
/// (`float`), as the network takes them: the model scales them itself. Its output `q_values` is `[batch, actions]`; networks
/// with distributions also give `probabilities`, `[batch, actions, atoms]`, those with quantiles `quantiles`, `[batch, actions,
/// quantiles]`. The batch may have any size. The model's metadata has the texts of the policy file, and the atoms under
/// `support`, with commas between them.
///
/// # Errors
/// [`PolicyError`], where the bytes are no policy.
pub fn to_onnx(policy: &[u8]) -> Result<Vec<u8>, PolicyError> {
    // Whatever is wrong with the file is said in the words of those who act with it.
    let read = prism_agent::Policy::from_bytes(policy)?;
    let file = PolicyFile::parse(policy)?;
    let description = file.network()?;
    let mut model = Builder::new(&file, description.layers);
    let features = model.features(&description)?;
    let mut outputs = vec![value("q_values", FLOAT, &[description.actions])];
    match description.output {
        Output::QValues => {
            let values = model.head(&description, &features)?;
            let shape = model.integers(&[-1, description.actions as i64]);
            model.named("Reshape", &[&values, &shape], "q_values", Vec::new());
        }
        Output::Distribution { atoms, .. } => {
            let logits = model.head(&description, &features)?;
            model.named("Softmax", &[&logits], "probabilities", vec![int("axis", 2)]);
            let support = model.floats(read.support().unwrap_or_default(), &[atoms, 1]);
            let means = model.node("MatMul", &["probabilities", &support], Vec::new());
            let shape = model.integers(&[-1, description.actions as i64]);
            model.named("Reshape", &[&means, &shape], "q_values", Vec::new());
            outputs.push(value("probabilities", FLOAT, &[description.actions, atoms]));
        }
        Output::Quantiles { count } => {
            let values = model.head(&description, &features)?;
            model.named("Identity", &[&values], "quantiles", Vec::new());
            model.named("ReduceMean", &["quantiles"], "q_values", vec![ints("axes", &[2]), int("keepdims", 0)]);
            outputs.push(value("quantiles", FLOAT, &[description.actions, count]));
        }
    }
    let element = match description.input.element {
        Element::U8 => UINT8,
        Element::F32 => FLOAT,
    };
    let graph = Graph {
        nodes: model.nodes,
        name: "policy".to_owned(),
        initializers: model.initializers,
        inputs: vec![value("observations", element, &description.input.shape)],
        outputs,
    };
    let support: Vec<String> = read.support().unwrap_or_default().iter().map(f32::to_string).collect();
    let texts = [("support", (!support.is_empty()).then(|| support.join(",")))]
        .into_iter()
        .chain([Description::KEY, Card::KEY].map(|key| (key, file.metadata(key).map(str::to_owned))));
    let metadata = texts.filter_map(|(key, value)| Some(Text { key: key.to_owned(), value: value? })).collect();
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "prism".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata,
    };
    Ok(model.encode_to_vec())
}

/// A graph that is being made of a policy file's layers.
struct Builder<'a> {
    file: &'a PolicyFile<'a>,
    /// What the names of fully connected weights begin with: noisy layers give their means.
    mean: &'static str,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
}

impl<'a> Builder<'a> {
    fn new(file: &'a PolicyFile<'a>, layers: Layers) -> Self {
        let mean = match layers {
            Layers::Plain => "",
            Layers::Noisy {} => "mu_",
        };
        Self { file, mean, nodes: Vec::new(), initializers: Vec::new() }
    }

    /// Adds an operation with one output, whose name it returns.
    fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let output = format!("{}_{}", operator.to_lowercase(), self.nodes.len());
        self.named(operator, inputs, &output, attributes);
        output
    }

    fn named(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: Vec<Attribute>) {
        self.nodes.push(Node {
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            outputs: vec![output.to_owned()],
            name: format!("{operator}_{}", self.nodes.len()),
            operator: operator.to_owned(),
            attributes,
        });
    }

    /// Adds a constant, whose name it returns.
    fn constant(&mut self, name: String, data_type: i32, dims: &[usize], raw_data: Vec<u8>) -> String {
        let dims = dims.iter().map(|&axis| axis as i64).collect();
        self.initializers.push(Tensor { dims, data_type, name: name.clone(), raw_data });
        name
    }

    fn floats(&mut self, values: &[f32], dims: &[usize]) -> String {
        let name = format!("constant_{}", self.initializers.len());
        self.constant(name, FLOAT, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn integers(&mut self, values: &[i64]) -> String {
        let name = format!("constant_{}", self.initializers.len());
        self.constant(name, INT64, &[values.len()], values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Adds a tensor of the policy file under its own name.
    fn weight(&mut self, name: &str, shape: &[usize]) -> Result<String, PolicyError> {
        let values = self.file.take(name, shape)?;
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(self.constant(name.to_owned(), FLOAT, shape, bytes))
    }

    /// Everything before the streams: the name of `[batch, features]` and the number of features.
    fn features(&mut self, description: &Description) -> Result<(String, usize), PolicyError> {
        let shape = &description.input.shape;
        let mut x = "observations".to_owned();
        if description.input.element == Element::U8 {
            let floats = self.node("Cast", &[&x], vec![int("to", i64::from(FLOAT))]);
            let scale = self.floats(&[255.0], &[]);
            x = self.node("Div", &[&floats, &scale], Vec::new());
        }
        if description.scaling == Scaling::UnitLength {
            let axes: Vec<i64> = (1..=shape.len() as i64).collect();
            let length = self.node("ReduceL2", &[&x], vec![ints("axes", &axes), int("keepdims", 1)]);
            let smallest = self.floats(&[f32::MIN_POSITIVE], &[]);
            let length = self.node("Max", &[&length, &smallest], Vec::new());
            x = self.node("Div", &[&x, &length], Vec::new());
        }
        let (image, hidden) = match &description.torso {
            Torso::Mlp { hidden } => (None, hidden.as_slice()),
            Torso::Nature { hidden } => {
                (Some(self.convolutions(x.clone(), shape, &Torso::NATURE)?), std::slice::from_ref(hidden))
            }
            Torso::Convolutional { convolutions, hidden } => {
                (Some(self.convolutions(x.clone(), shape, convolutions)?), hidden.as_slice())
            }
            Torso::Impala { channels, hidden } => (Some(self.impala(x.clone(), shape, channels)?), hidden.as_slice()),
        };
        let mut width = match image {
            Some((images, [channels, height, width])) => {
                x = self.channels_last(&images);
                channels * height * width
            }
            None => {
                if shape.len() == 3 && description.input.element == Element::U8 {
                    x = self.channels_last(&x);
                }
                description.input.elements()?
            }
        };
        x = self.node("Flatten", &[&x], vec![int("axis", 1)]);
        let earlier = hidden.split_last().map_or(hidden, |(_, earlier)| earlier);
        for (index, &next) in earlier.iter().enumerate() {
            let sums = self.fully_connected(&format!("shared.{index}"), &x, [width, next])?;
            x = self.activation(description.activation, &sums);
            width = next;
        }
        Ok((x, width))
    }

    /// Images as policies flatten them, with the channels of a pixel side by side.
    fn channels_last(&mut self, images: &str) -> String {
        self.node("Transpose", &[images], vec![ints("perm", &[0, 2, 3, 1])])
    }

    fn convolution(&mut self, path: &str, x: &str, shape: [usize; 4], form: [usize; 2]) -> Result<String, PolicyError> {
        let [out, _, size, _] = shape;
        let [stride, padding] = form.map(|number| number as i64);
        let weight = self.weight(&format!("{path}.weight"), &shape)?;
        let bias = self.weight(&format!("{path}.bias"), &[out])?;
        let size = size as i64;
        let attributes =
            vec![ints("kernel_shape", &[size; 2]), ints("strides", &[stride; 2]), ints("pads", &[padding; 4])];
        Ok(self.node("Conv", &[x, &weight, &bias], attributes))
    }

    /// Convolutions with rectifiers: the name of the images they make, and their shape.
    fn convolutions(
        &mut self,
        mut x: String,
        shape: &[usize],
        sizes: &[[usize; 3]],
    ) -> Result<(String, [usize; 3]), PolicyError> {
        let &[mut channels, mut height, mut width] = shape else { unreachable!("a policy's images have three axes") };
        for (index, &[size, stride, out]) in sizes.iter().enumerate() {
            let path = format!("convolutions.layers.{index}");
            let sums = self.convolution(&path, &x, [out, channels, size, size], [stride, 0])?;
            x = self.node("Relu", &[&sums], Vec::new());
            [channels, height, width] = [out, (height - size) / stride + 1, (width - size) / stride + 1];
        }
        Ok((x, [channels, height, width]))
    }

    /// IMPALA's stages: the name of the images they make, and their shape.
    fn impala(
        &mut self,
        mut x: String,
        shape: &[usize],
        stages: &[usize],
    ) -> Result<(String, [usize; 3]), PolicyError> {
        let &[mut channels, mut height, mut width] = shape else { unreachable!("a policy's images have three axes") };
        for (index, &out) in stages.iter().enumerate() {
            let path = |name: &str| format!("convolutions.stages.{index}.{name}");
            let sums = self.convolution(&path("convolution"), &x, [out, channels, 3, 3], [1, 1])?;
            let pooling = vec![ints("kernel_shape", &[3; 2]), ints("strides", &[2; 2]), ints("pads", &[1; 4])];
            x = self.node("MaxPool", &[&sums], pooling);
            [channels, height, width] = [out, (height - 1) / 2 + 1, (width - 1) / 2 + 1];
            for block in ["first", "second"] {
                let rectified = self.node("Relu", &[&x], Vec::new());
                let first = self.convolution(&path(&format!("{block}.first")), &rectified, [out, out, 3, 3], [1, 1])?;
                let rectified = self.node("Relu", &[&first], Vec::new());
                let change =
                    self.convolution(&path(&format!("{block}.second")), &rectified, [out, out, 3, 3], [1, 1])?;
                x = self.node("Add", &[&x, &change], Vec::new());
            }
        }
        Ok((self.node("Relu", &[&x], Vec::new()), [channels, height, width]))
    }

    fn fully_connected(&mut self, path: &str, x: &str, shape: [usize; 2]) -> Result<String, PolicyError> {
        let weight = self.weight(&format!("{path}.{}weight", self.mean), &shape)?;
        let bias = self.weight(&format!("{path}.{}bias", self.mean), &shape[1..])?;
        Ok(self.node("Gemm", &[x, &weight, &bias], Vec::new()))
    }

    fn activation(&mut self, activation: Activation, x: &str) -> String {
        let operator = match activation {
            Activation::Relu => "Relu",
            // ONNX's own constants are those of the paper, rounded to f32.
            Activation::Selu => "Selu",
        };
        self.node(operator, &[x], Vec::new())
    }

    /// The last hidden layer, where there is one, and the outputs: the name of `[batch, actions, values]`.
    fn stream(
        &mut self,
        description: &Description,
        path: &str,
        (features, width): &(String, usize),
        actions: usize,
    ) -> Result<String, PolicyError> {
        let hidden = description.torso.hidden().last();
        let (mut x, mut inputs) = (features.clone(), *width);
        if let Some(&hidden) = hidden {
            let sums = self.fully_connected(&format!("{path}.hidden"), &x, [inputs, hidden])?;
            x = self.activation(description.activation, &sums);
            inputs = hidden;
        }
        let values = description.output.values();
        let outputs = self.fully_connected(&format!("{path}.output"), &x, [inputs, actions * values])?;
        let shape = self.integers(&[-1, actions as i64, values as i64]);
        Ok(self.node("Reshape", &[&outputs, &shape], Vec::new()))
    }

    fn head(&mut self, description: &Description, features: &(String, usize)) -> Result<String, PolicyError> {
        match description.streams {
            Streams::Single => self.stream(description, "head", features, description.actions),
            Streams::Dueling => {
                let value = self.stream(description, "head.value", features, 1)?;
                let advantages = self.stream(description, "head.advantage", features, description.actions)?;
                let mean = self.node("ReduceMean", &[&advantages], vec![ints("axes", &[1]), int("keepdims", 1)]);
                let centred = self.node("Sub", &[&advantages, &mean], Vec::new());
                Ok(self.node("Add", &[&value, &centred], Vec::new()))
            }
        }
    }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), int: value, ints: Vec::new(), kind: 2 }
}

fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute { name: name.to_owned(), int: 0, ints: values.to_vec(), kind: 7 }
}

/// A tensor that is fed in or comes out: `[batch, ...]`.
fn value(name: &str, element: i32, shape: &[usize]) -> Value {
    let batch = Dimension { size: None, name: Some("batch".to_owned()) };
    let axes = shape.iter().map(|&axis| Dimension { size: Some(axis as i64), name: None });
    let shape = Shape { dims: [batch].into_iter().chain(axes).collect() };
    Value { name: name.to_owned(), kind: Some(Kind { tensor: Some(TensorKind { element, shape: Some(shape) }) }) }
}
