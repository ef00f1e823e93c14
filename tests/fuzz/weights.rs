//! Weights, policies, and what PyTorch saves.

use std::io::{Cursor, Read};
use std::path::Path;

use prism_agent::{Element, Policy, to_int8};
use prism_exchange::from_pytorch;
use prism_model::{
    Activation, Convolution, Input, InputElement, Layers, NetworkConfig, Noise, Output, Streams, Support, Torso,
    Weights, open_device,
};
use zip::{CompressionMethod, ZipArchive};

use super::corpus::{self, Corpus};
use super::roms::zip_of;
use super::{Answer, Target, scratch, words_of};
use crate::support::{preset, train_into};

const WORDS: [&str; 16] = [
    "\"F32\"",
    "\"I8\"",
    "\"BF16\"",
    "\"data_offsets\":[0,0]",
    "\"shape\":[0]",
    "\"shape\":[]",
    "\"dtype\"",
    "__metadata__",
    "prism.network",
    "prism.policy",
    "\\\"hidden\\\":[]",
    "\\\"kind\\\":\\\"nature\\\"",
    "\\\"kind\\\":\\\"impala\\\"",
    "\\\"quantiles\\\"",
    "[[[[[[[[[[[[[[[[",
    "{{{{{{{{",
];

/// Networks of every kind, as small as they can be.
fn networks() -> Vec<(&'static str, NetworkConfig)> {
    let vector = Input { shape: vec![3], element: InputElement::F32 };
    let image = Input { shape: vec![2, 9, 8], element: InputElement::U8 };
    let plain = NetworkConfig::dqn(vector, 2, Torso::Mlp { hidden: vec![3, 2] });
    let convolution = Convolution { size: 3, stride: 2, channels: 2 };
    let convolutional = Torso::Convolutional { convolutions: vec![convolution], hidden: vec![2] };
    let of_images = |torso| NetworkConfig { input: image.clone(), torso, ..plain.clone() };
    let support = Support::new(-1.0, 1.0, 5).expect("a support");
    let noisy = Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 };
    vec![
        ("plain", plain.clone()),
        ("convolutional", of_images(convolutional)),
        ("impala", of_images(Torso::Impala { channels: vec![1], hidden: vec![2] })),
        (
            "rainbow",
            NetworkConfig {
                activation: Activation::Selu,
                streams: Streams::Dueling,
                output: Output::Distribution(support),
                layers: noisy,
                ..plain
            },
        ),
    ]
}

pub fn write(corpus: &mut Corpus) {
    use prism_environment::Seed;
    let device = open_device("flex").expect("the processor");
    for (name, config) in networks() {
        let network = config.init(&mut Seed(1).generator(), &device).expect("a network");
        corpus.add("weights", name, Weights::of(&network, &config).bytes());
    }
    let folder = scratch();
    let run = folder.path().join("run");
    train_into(&run, &preset("catch", &["network.hidden=[3]", "training.agent_steps=200"]), 3);
    let file = std::fs::read(run.join("weights/latest.safetensors")).expect("weights");
    corpus.add("policies", "int8", &to_int8(&file).expect("a policy"));
    corpus.add("policies", "run", &file);
}

#[test]
fn weights() {
    let device = open_device("flex").expect("the processor");
    let seeds = corpus::seeds("weights");
    let read = |input: &[u8]| -> Answer {
        let words = |error: prism_model::WeightsError| words_of(&error);
        let weights = Weights::from_bytes(input.to_vec(), "fuzz".to_owned()).map_err(words)?;
        let network = weights.network(&device).map_err(words)?;
        let observation = vec![0; weights.config().input.bytes()];
        drop(network.forward(weights.config().input.upload(&observation, &device)).into_data());
        Ok(())
    };
    Target { name: "weights", seeds, words: &WORDS, room: 64 << 20, inputs: 2_000 }
        .run(|input| read(input).or_else(|_| read(&with_length(input))));
}

/// The file of safetensors with the length that its header has. Otherwise every word of another length in the header would
/// be refused for that alone.
fn with_length(file: &[u8]) -> Vec<u8> {
    let Some((_, rest)) = file.split_first_chunk::<8>() else { return file.to_vec() };
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
    let length = values.next().map_or(0, |_| values.byte_offset());
    [&(length as u64).to_le_bytes()[..], rest].concat()
}

#[test]
fn policies() {
    let seeds = [corpus::seeds("policies"), corpus::seeds("weights")].concat();
    let read = |input: &[u8]| -> Answer {
        let mut policy = Policy::from_bytes(input).map_err(|error| words_of(&error))?;
        match policy.description().input.element {
            Element::U8 => drop(policy.act(&vec![1_u8; policy.observation_len()], 0.0).to_vec()),
            Element::F32 => drop(policy.act(&vec![1.0_f32; policy.observation_len()], 0.0).to_vec()),
        }
        // What acts can be exported as well.
        let _ = prism_exchange::to_onnx(input);
        let _ = to_int8(input);
        Ok(())
    };
    Target { name: "policies", seeds, words: &WORDS, room: 64 << 20, inputs: 5_000 }
        .run(|input| read(input).or_else(|_| read(&with_length(input))));
}

/// A file that PyTorch wrote, and the description of its network.
fn pytorch(name: &str) -> (Vec<u8>, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/exchange/tests/pytorch");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let answers: serde_json::Value = serde_json::from_slice(&read(&format!("{name}.json"))).expect("answers");
    (read(name), answers["network"].to_string())
}

/// Words of pickles: opcodes with their arguments, and what PyTorch calls by name.
const PICKLES: [&str; 20] = [
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ctorch._utils\n_rebuild_parameter\n",
    "ccollections\nOrderedDict\n",
    "ctorch\nFloatStorage\n",
    "cos\nsystem\n",
    "X\u{7}\u{0}\u{0}\u{0}storage",
    "(",
    ")",
    "}",
    "]",
    "t",
    "u",
    "s",
    "Q",
    "R",
    "q\u{1}",
    "h\u{1}",
    "K\u{1}",
    "J\u{0}\u{0}\u{0}\u{40}",
    ".",
];

#[test]
fn state_dicts() {
    for name in ["vector.pth", "half.pth", "extracted.zip", "numbered.safetensors"] {
        let (file, network) = pytorch(name);
        let target = format!("state_dicts/{name}");
        let read = |input: &[u8]| from_pytorch(input, &network).map(drop).map_err(|error| words_of(&error));
        Target { name: &target, seeds: vec![file], words: &PICKLES, room: 96 << 20, inputs: 500 }.run(read);
    }
}

/// Behind the checksums of a zip file.
#[test]
fn pickles() {
    for name in ["vector.pth", "nested.pth", "rainbow.pth"] {
        let (file, network) = pytorch(name);
        let mut zip = ZipArchive::new(Cursor::new(file)).expect("a zip file");
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).expect("an entry");
            let name = entry.name().expect("a name").into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("an entry");
            files.push((name, bytes));
        }
        let place = files.iter().position(|(name, _)| name.ends_with("data.pkl")).expect("a pickle");
        let pickle = files[place].1.clone();
        let target = format!("pickles/{name}");
        Target { name: &target, seeds: vec![pickle], words: &PICKLES, room: 96 << 20, inputs: 2_000 }.run(|input| {
            files[place].1 = input.to_vec();
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            let sealed = zip_of(&files, CompressionMethod::Stored);
            from_pytorch(&sealed, &network).map(drop).map_err(|error| words_of(&error))
        });
    }
}
