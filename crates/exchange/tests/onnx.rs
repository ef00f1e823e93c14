//! ONNX models against the policies that they are made of: the file is decoded again, and its graph computed number by number
//! from the definitions of its operators.

use std::collections::HashMap;

use prism_agent::{Element, Policy};
use prism_exchange::messages::{FLOAT, INT64, Model, Node, UINT8};
use prism_exchange::to_onnx;
use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

#[derive(Clone, Debug)]
struct Array {
    dims: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    fn new(dims: &[usize], values: Vec<f64>) -> Self {
        assert_eq!(dims.iter().product::<usize>(), values.len(), "{dims:?}");
        Self { dims: dims.to_vec(), values }
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { dims: self.dims.clone(), values: self.values.iter().map(|&x| f(x)).collect() }
    }

    /// Two arrays of as many axes, or a scalar as the second; axes of 1 are repeated.
    fn with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let rank = self.dims.len();
        let pad = |array: &Self| [vec![1; rank - array.dims.len()], array.dims.clone()].concat();
        let (one, two) = (pad(self), pad(other));
        let dims: Vec<usize> = one.iter().zip(&two).map(|(a, b)| *a.max(b)).collect();
        let at = |dims_of: &[usize], index: &[usize]| {
            dims_of.iter().zip(index).fold(0, |at, (&axis, &index)| at * axis + if axis == 1 { 0 } else { index })
        };
        let values = indices(&dims).map(|index| f(self.values[at(&one, &index)], other.values[at(&two, &index)]));
        Self { values: values.collect(), dims }
    }
}

fn indices(dims: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let dims = dims.to_vec();
    (0..dims.iter().product()).map(move |mut flat: usize| {
        let mut index = vec![0; dims.len()];
        for (index, &axis) in index.iter_mut().zip(&dims).rev() {
            *index = flat % axis;
            flat /= axis;
        }
        index
    })
}

/// A reduction over one axis (or several, all but the first) whose axis is kept with size 1.
fn reduced(x: &Array, axes: &[i64], reduce: impl Fn(&[f64]) -> f64) -> Array {
    let dims: Vec<usize> =
        x.dims.iter().enumerate().map(|(axis, &size)| if axes.contains(&(axis as i64)) { 1 } else { size }).collect();
    let mut groups = vec![Vec::new(); dims.iter().product()];
    for (index, &value) in indices(&x.dims).zip(&x.values) {
        let at = dims.iter().zip(&index).fold(0, |at, (&axis, &index)| at * axis + if axis == 1 { 0 } else { index });
        groups[at].push(value);
    }
    Array::new(&dims, groups.iter().map(|group| reduce(group)).collect())
}

fn int(node: &Node, name: &str) -> i64 {
    node.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.int).expect("it is there")
}

fn ints(node: &Node, name: &str) -> Vec<i64> {
    node.attributes.iter().find(|attribute| attribute.name == name).map(|a| a.ints.clone()).expect("it is there")
}

/// Windows of a convolution or a pooling: for each output pixel the pixels of the image in each row and column of the window.
fn window(node: &Node, side: usize) -> (usize, impl Fn(usize, usize) -> Option<usize> + use<>) {
    let (size, stride, pad) =
        (ints(node, "kernel_shape")[0] as usize, ints(node, "strides")[0] as usize, ints(node, "pads")[0] as usize);
    let outputs = (side + 2 * pad - size) / stride + 1;
    (outputs, move |output, offset| (output * stride + offset).checked_sub(pad).filter(|&at| at < side))
}

fn compute(node: &Node, inputs: &[&Array]) -> Array {
    let x = inputs[0];
    match node.operator.as_str() {
        "Cast" | "Identity" => x.clone(),
        "Relu" => x.map(|x| x.max(0.0)),
        "Selu" => x.map(|x| 1.050_701 * if x > 0.0 { x } else { 1.673_263_2 * (x.exp() - 1.0) }),
        "Div" => x.with(inputs[1], |a, b| a / b),
        "Add" if x.dims[1] < inputs[1].dims[1] => inputs[1].with(x, |a, b| a + b),
        "Add" => x.with(inputs[1], |a, b| a + b),
        "Sub" => x.with(inputs[1], |a, b| a - b),
        "Max" => x.with(inputs[1], f64::max),
        "Flatten" => Array::new(&[x.dims[0], x.dims[1..].iter().product()], x.values.clone()),
        "Reshape" => {
            let known: i64 = inputs[1].values[1..].iter().map(|&axis| axis as i64).product();
            let mut dims = vec![x.values.len() / known as usize];
            dims.extend(inputs[1].values[1..].iter().map(|&axis| axis as usize));
            Array::new(&dims, x.values.clone())
        }
        "Transpose" => {
            let perm: Vec<usize> = ints(node, "perm").into_iter().map(|axis| axis as usize).collect();
            let dims: Vec<usize> = perm.iter().map(|&axis| x.dims[axis]).collect();
            let values = indices(&dims).map(|index| {
                let mut from = vec![0; index.len()];
                perm.iter().zip(&index).for_each(|(&axis, &index)| from[axis] = index);
                x.values[x.dims.iter().zip(&from).fold(0, |at, (&axis, &index)| at * axis + index)]
            });
            Array::new(&dims, values.collect())
        }
        "Gemm" | "MatMul" => {
            let inner = *x.dims.last().expect("a matrix");
            let outputs = inputs[1].dims[1];
            let rows = x.values.chunks(inner).flat_map(|row| {
                (0..outputs).map(|output| {
                    let bias = inputs.get(2).map_or(0.0, |bias| bias.values[output]);
                    bias + row.iter().enumerate().map(|(i, x)| x * inputs[1].values[i * outputs + output]).sum::<f64>()
                })
            });
            let mut dims = x.dims.clone();
            *dims.last_mut().expect("a matrix") = outputs;
            Array::new(&dims, rows.collect())
        }
        "Conv" => {
            let (weight, bias) = (inputs[1], inputs[2]);
            let &[batch, channels, height, width] = x.dims.as_slice() else { panic!("images") };
            let &[out, _, size, _] = weight.dims.as_slice() else { panic!("kernels") };
            let ((rows, row_at), (columns, column_at)) = (window(node, height), window(node, width));
            let dims = [batch, out, rows, columns];
            let values = indices(&dims).map(|index| {
                let &[image, out, row, column] = index.as_slice() else { panic!("four axes") };
                let terms = indices(&[channels, size, size]).filter_map(|at| {
                    let &[channel, dy, dx] = at.as_slice() else { panic!("three axes") };
                    let (y, x_at) = (row_at(row, dy)?, column_at(column, dx)?);
                    Some(
                        x.values[((image * channels + channel) * height + y) * width + x_at]
                            * weight.values[((out * channels + channel) * size + dy) * size + dx],
                    )
                });
                bias.values[out] + terms.sum::<f64>()
            });
            Array::new(&dims, values.collect())
        }
        "MaxPool" => {
            let &[batch, channels, height, width] = x.dims.as_slice() else { panic!("images") };
            let ((rows, row_at), (columns, column_at)) = (window(node, height), window(node, width));
            let size = ints(node, "kernel_shape")[0] as usize;
            let dims = [batch, channels, rows, columns];
            let values = indices(&dims).map(|index| {
                let pixels = indices(&[size, size]).filter_map(|at| {
                    let (y, x_at) = (row_at(index[2], at[0])?, column_at(index[3], at[1])?);
                    Some(x.values[((index[0] * channels + index[1]) * height + y) * width + x_at])
                });
                pixels.fold(f64::NEG_INFINITY, f64::max)
            });
            Array::new(&dims, values.collect())
        }
        "Softmax" => {
            assert_eq!(int(node, "axis"), 2);
            let weights = x.map(f64::exp);
            weights.with(&reduced(&weights, &[2], |row| row.iter().sum()), |a, b| a / b)
        }
        "ReduceMean" => {
            let mean = reduced(x, &ints(node, "axes"), |row| row.iter().sum::<f64>() / row.len() as f64);
            if int(node, "keepdims") == 1 { mean } else { Array::new(&x.dims[..2], mean.values) }
        }
        "ReduceL2" => reduced(x, &ints(node, "axes"), |row| row.iter().map(|x| x * x).sum::<f64>().sqrt()),
        other => panic!("no policy needs {other}"),
    }
}

/// The outputs of a model, by name.
fn run(model: &Model, observations: Array) -> HashMap<String, Array> {
    let graph = model.graph.as_ref().expect("a graph");
    let mut arrays = HashMap::from([("observations".to_owned(), observations)]);
    for tensor in &graph.initializers {
        let dims: Vec<usize> = tensor.dims.iter().map(|&axis| axis as usize).collect();
        let bytes = &tensor.raw_data;
        let values = match tensor.data_type {
            FLOAT => bytes.as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
            INT64 => bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f64).collect(),
            other => panic!("type {other}"),
        };
        arrays.insert(tensor.name.clone(), Array::new(&dims, values));
    }
    for node in &graph.nodes {
        let inputs: Vec<&Array> = node.inputs.iter().map(|name| &arrays[name]).collect();
        let output = compute(node, &inputs);
        arrays.insert(node.outputs[0].clone(), output);
    }
    graph.outputs.iter().map(|output| (output.name.clone(), arrays[&output.name].clone())).collect()
}

/// A policy file with drawn weights for this network: whatever tensor is missing is added.
fn policy_file(description: &str) -> Vec<u8> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(4);
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    loop {
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("whole numbers"))
        });
        let metadata = HashMap::from([("prism.network".to_owned(), description.to_owned())]);
        let file = safetensors::serialize(views, Some(metadata)).expect("a file");
        let Err(error) = Policy::from_bytes(&file) else { return file };
        let message = error.to_string();
        let mut add = |name: &str, shape: Vec<usize>| {
            let size: usize = shape.iter().product();
            let fan_in = if shape.len() == 4 { shape[1] * 9 } else { shape[0] };
            let scale = (1.0 / fan_in as f32).sqrt();
            let bytes = (0..size).flat_map(|_| generator.random_range(-scale..scale).to_le_bytes()).collect();
            tensors.retain(|(other, _, _)| other != name);
            tensors.push((name.to_owned(), shape, bytes));
        };
        let name = message.split_whitespace().nth(2).expect("a name");
        if message.ends_with("is missing") {
            add(name, vec![1]);
        } else {
            let shape = message.rsplit_once("not [").expect("a shape is wanted").1.trim_end_matches(']');
            add(name, shape.split(", ").map(|axis| axis.parse().expect("a number")).collect());
        }
    }
}

#[test]
fn models_compute_what_policies_do() {
    let image = r#""input":{"shape":[2,20,17],"element":"u8"},"scaling":"elements","actions":3"#;
    let vector = r#""input":{"shape":[5],"element":"f32"},"actions":4"#;
    let convolutional = r#""torso":{"kind":"convolutional","convolutions":[[5,3,4],[2,1,6]],"hidden":[11,7]}"#;
    let mlp = r#""torso":{"kind":"mlp","hidden":[9,8]}"#;
    let (relu, plain) = (r#""activation":"relu""#, r#""layers":{"kind":"plain"}"#);
    let q_values = r#""output":{"kind":"q-values"}"#;
    let distribution = r#""output":{"kind":"distribution","v_min":-3.0,"v_max":2.0,"atoms":6}"#;
    let quantiles = r#""output":{"kind":"quantiles","count":5}"#;
    let (single, dueling) = (r#""streams":"single""#, r#""streams":"dueling""#);
    let elements = r#""scaling":"elements""#;
    for parts in [
        [image, convolutional, relu, single, q_values, plain].as_slice(),
        &[image, convolutional, relu, dueling, distribution, r#""layers":{"kind":"noisy"}"#],
        &[image, r#""torso":{"kind":"impala","channels":[3,4],"hidden":[6]}"#, relu, single, q_values, plain],
        &[image, mlp, relu, single, quantiles, plain],
        &[vector, elements, r#""torso":{"kind":"mlp","hidden":[]}"#, relu, dueling, quantiles, plain],
        &[vector, r#""scaling":"unit-length""#, mlp, r#""activation":"selu""#, single, distribution, plain],
    ] {
        let description = format!("{{{}}}", parts.join(","));
        let file = policy_file(&description);
        let mut policy = Policy::from_bytes(&file).expect("a policy");
        let model = Model::decode(to_onnx(&file).expect("a model").as_slice()).expect("it can be decoded");
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(5);
        let batch = 3;
        let dims = [&[batch], policy.description().input.shape.as_slice()].concat();
        let input = model.graph.as_ref().expect("a graph").inputs[0].kind.clone().expect("a type");
        let element = input.tensor.expect("a tensor").element;
        let (observations, values) = match policy.description().input.element {
            Element::U8 => {
                let bytes: Vec<u8> = (0..dims.iter().product()).map(|_| generator.random()).collect();
                assert_eq!(element, UINT8);
                let values = policy.values(&bytes).to_vec();
                (bytes.into_iter().map(f64::from).collect(), values)
            }
            Element::F32 => {
                let floats: Vec<f32> = (0..dims.iter().product()).map(|_| generator.random_range(-2.0..2.0)).collect();
                assert_eq!(element, FLOAT);
                let values = policy.values(&floats).to_vec();
                (floats.into_iter().map(f64::from).collect(), values)
            }
        };
        let outputs = run(&model, Array::new(&dims, observations));
        assert_eq!(outputs["q_values"].dims, [batch, policy.actions()], "{description}");
        for (value, expected) in outputs["q_values"].values.iter().zip(&values) {
            assert!((value - f64::from(*expected)).abs() < 1e-5, "{value} is not {expected}: {description}");
        }
        let distributions = policy.support().is_some();
        assert_eq!(outputs.contains_key("probabilities"), distributions);
        if distributions {
            let sums = outputs["probabilities"].values.chunks(6).map(|row| row.iter().sum::<f64>());
            assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-9));
        }
        assert_eq!(model.metadata.iter().any(|text| text.key == "support"), distributions);
        assert!(model.metadata.iter().any(|text| text.key == "prism.network"));
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    assert!(to_onnx(b"no policy").expect_err("no policy").to_string().contains("not a complete safetensors file"));
}
