//! Weights as safetensors files, with the configuration of their network and other texts as metadata.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use safetensors::tensor::TensorInfo;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::network::{NetworkConfig, NetworkError, QNetwork};

/// Metadata key under which the network's configuration is stored, as JSON.
const NETWORK_KEY: &str = "prism.network";

/// Weights files call [`QNetwork`]'s image layers `convolutions`; the format of existing files depends on it.
const TO_FILES: (&str, &str) = (r"^image\.", "convolutions.");
const FROM_FILES: (&str, &str) = (r"^convolutions\.", "image.");

/// Why weights could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read the weights {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not a whole safetensors file.
    #[error("{origin} is not a complete safetensors file: {reason}")]
    Corrupt {
        /// Where the bytes came from.
        origin: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A safetensors file of another program.
    #[error("{origin} is a safetensors file without the description of a network under `{NETWORK_KEY}`")]
    NotOurs {
        /// Where the bytes came from.
        origin: String,
    },
    /// This version does not understand the description of the network.
    #[error("{origin} describes a network that this version does not know")]
    Unknown {
        /// Where the bytes came from.
        origin: String,
        /// What is wrong with the description.
        source: serde_json::Error,
    },
    /// Numbers of another type than networks have.
    #[error("{origin} holds the tensor {tensor} in numbers of type {found}, but F32 is needed")]
    OtherNumbers {
        /// Where the bytes came from.
        origin: String,
        /// The first such tensor.
        tensor: String,
        /// Their type, as safetensors calls it.
        found: String,
    },
    /// Numbers that nothing can be computed with.
    #[error("{origin} holds weights that are not finite: learning had blown up when they were saved")]
    NotFinite {
        /// Where the bytes came from.
        origin: String,
    },
    /// The file holds another network than the expected one.
    #[error("{origin} holds another network: {differences}")]
    OtherNetwork {
        /// Where the bytes came from.
        origin: String,
        /// Each part that differs: as the file describes it, and as it would have to be.
        differences: String,
    },
    /// The file describes a network that cannot be built.
    #[error("{origin} describes an impossible network")]
    Impossible {
        /// Where the bytes came from.
        origin: String,
        /// Why it is impossible.
        source: NetworkError,
    },
}

/// The bytes of a safetensors file and the network configuration read from them.
#[derive(Clone, Debug)]
pub struct Weights {
    bytes: Vec<u8>,
    config: NetworkConfig,
    /// All texts of the file, the network's configuration included.
    metadata: BTreeMap<String, String>,
    origin: String,
}

/// The header of a safetensors file, which follows its length. The maps are ordered, so equal contents have equal bytes.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

impl Header {
    /// Bytes of a file before its header.
    const START: usize = size_of::<u64>();

    /// The header of a file, and the bytes of its tensors.
    fn split(file: &[u8]) -> (Self, &[u8]) {
        let (length, rest) = file.split_first_chunk().expect("a parsed file has a header");
        let (header, tensors) = rest.split_at(u64::from_le_bytes(*length) as usize);
        (serde_json::from_slice(header).expect("a parsed file has a header of this form"), tensors)
    }

    /// The file with this header and the bytes of its tensors.
    fn join(&self, tensors: &[u8]) -> Vec<u8> {
        let mut header = serde_json::to_vec(self).expect("a header is plain data");
        // Tensors begin at whole words.
        header.resize(header.len().next_multiple_of(Self::START), b' ');
        [&(header.len() as u64).to_le_bytes(), header.as_slice(), tensors].concat()
    }
}

impl Weights {
    /// The weights of a network that was built from `config`.
    pub fn of(network: &QNetwork, config: &NetworkConfig) -> Self {
        let json = serde_json::to_string(config).expect("a network configuration is plain data");
        // The store's own metadata would be written beside ours in an order that changes from run to run.
        let store = SafetensorsStore::from_bytes(None).clear_metadata().metadata(NETWORK_KEY, json.clone());
        let store = store.with_key_remapping(TO_FILES.0, TO_FILES.1);
        let mut store = store.skip_enum_variants(true);
        network.save_into(&mut store).expect("saving to memory does not fail");
        let bytes = store.get_bytes().expect("the network was saved just now");
        let metadata = [(NETWORK_KEY.to_owned(), json)].into();
        Self { bytes, config: config.clone(), metadata, origin: "these weights".to_owned() }
    }

    /// The same weights with another text in the file, which [`Self::metadata`] reads; it replaces an earlier text under
    /// the same key. The order in which texts are given makes no difference to the bytes.
    ///
    /// # Panics
    /// When the key is that of the network's own description, `prism.network`.
    #[must_use]
    pub fn with_metadata(self, key: &str, value: &str) -> Self {
        assert_ne!(key, NETWORK_KEY, "this key describes the network");
        let (mut header, tensors) = Header::split(&self.bytes);
        header.metadata.insert(key.to_owned(), value.to_owned());
        Self { bytes: header.join(tensors), metadata: header.metadata, ..self }
    }

    /// Whether every number is finite; after learning has diverged some are not.
    pub fn are_finite(&self) -> bool {
        let (_, tensors) = Header::split(&self.bytes);
        // Networks hold single precision alone, and the file has its numbers one after the other, lowest byte first.
        tensors.as_chunks().0.iter().all(|&number| f32::from_le_bytes(number).is_finite())
    }

    /// The text that the file carries under this key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`WeightsError::Read`] and the errors of [`Self::from_bytes`].
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let bytes = std::fs::read(path).map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(bytes, path.display().to_string())
    }

    /// Reads weights from memory; `origin` names them in errors.
    ///
    /// # Errors
    /// [`WeightsError::Corrupt`], [`WeightsError::NotOurs`], [`WeightsError::Unknown`], [`WeightsError::OtherNumbers`].
    pub fn from_bytes(bytes: Vec<u8>, origin: String) -> Result<Self, WeightsError> {
        let corrupt = |reason: String| WeightsError::Corrupt { origin: origin.clone(), reason };
        // A whole parse, so that a truncated file is noticed now and not when its last tensor is wanted.
        SafeTensors::deserialize(&bytes).map_err(|error| corrupt(error.to_string()))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| corrupt(error.to_string()))?;
        let metadata: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
        let json = metadata.get(NETWORK_KEY).ok_or_else(|| WeightsError::NotOurs { origin: origin.clone() })?;
        let config =
            serde_json::from_str(json).map_err(|source| WeightsError::Unknown { origin: origin.clone(), source })?;
        let mut tensors: Vec<(String, &TensorInfo)> = header.tensors().into_iter().collect();
        tensors.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some((tensor, info)) = tensors.into_iter().find(|(_, info)| info.dtype != Dtype::F32) {
            return Err(WeightsError::OtherNumbers { origin, tensor, found: info.dtype.to_string() });
        }
        Ok(Self { bytes, config, metadata, origin })
    }

    /// The safetensors file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The network that these weights fill.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Builds the network with these weights.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`]; [`WeightsError::Impossible`] and [`WeightsError::Corrupt`] when the tensors do not fit
    /// the description.
    pub fn network(&self, device: &Device) -> Result<QNetwork, WeightsError> {
        if !self.are_finite() {
            return Err(WeightsError::NotFinite { origin: self.origin.clone() });
        }
        // A description is a few words, and a network of its sizes could need more memory than there is.
        let (largest, most) = (self.config.largest_layer(), self.bytes.len() / size_of::<f32>());
        if largest > most as u128 {
            let reason = format!("it describes a layer of {largest} weights, and has no more than {most} numbers");
            return Err(WeightsError::Corrupt { origin: self.origin.clone(), reason });
        }
        // Every drawn weight is overwritten below: the seed has no effect.
        let mut unused = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut network = self
            .config
            .init(&mut unused, device)
            .map_err(|source| WeightsError::Impossible { origin: self.origin.clone(), source })?;
        let store = SafetensorsStore::from_bytes(Some(self.bytes.clone())).skip_enum_variants(true);
        let mut store = store.with_key_remapping(FROM_FILES.0, FROM_FILES.1);
        network
            .load_from(&mut store)
            .map_err(|error| WeightsError::Corrupt { origin: self.origin.clone(), reason: error.to_string() })?;
        Ok(network)
    }

    /// Checks that these weights fill the network `expected`.
    ///
    /// # Errors
    /// [`WeightsError::OtherNetwork`].
    pub fn check(&self, expected: &NetworkConfig) -> Result<(), WeightsError> {
        if self.config == *expected {
            return Ok(());
        }
        let differing =
            parts(&self.config).into_iter().zip(parts(expected)).filter(|(found, expected)| found != expected);
        let differences: Vec<String> = differing
            .map(|((part, found), (_, expected))| format!("its {part} is {found}, but {expected} is needed"))
            .collect();
        Err(WeightsError::OtherNetwork { origin: self.origin.clone(), differences: differences.join("; ") })
    }
}

/// The parts of a network with what each is called.
fn parts(config: &NetworkConfig) -> [(&'static str, String); 8] {
    let NetworkConfig { input, scaling, actions, torso, activation, streams, output, layers } = config;
    [
        ("input", format!("{:?} of {:?}", input.shape, input.element)),
        ("scaling of the input", format!("{scaling:?}")),
        ("number of actions", actions.to_string()),
        ("torso", format!("{torso:?}")),
        ("activation", format!("{activation:?}")),
        ("choice of streams", format!("{streams:?}")),
        ("output", format!("{output:?}")),
        ("kind of layers", format!("{layers:?}")),
    ]
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;
    use crate::activation::Activation;
    use crate::fully_connected::Layers;
    use crate::head::Streams;
    use crate::input::{Input, InputElement};
    use crate::network::{Output, Torso};
    use crate::noisy::Noise;
    use crate::support::Support;

    fn config(hidden: usize) -> NetworkConfig {
        NetworkConfig::dqn(Input { shape: vec![4, 36, 40], element: InputElement::U8 }, 3, Torso::Nature { hidden })
    }

    /// Networks that differ from `config(16)` in one part each, and one in all.
    fn variants() -> Vec<NetworkConfig> {
        let noisy = |noise| Layers::Noisy { noise, sigma: 0.1 };
        let distribution = Output::Distribution(Support::new(-0.1, 7.3, 21).expect("a valid support"));
        let quantiles = Output::Quantiles { count: NonZeroUsize::new(7).expect("above 0") };
        let impala = Torso::Impala { channels: vec![2, 3], hidden: vec![4] };
        let plain = config(16);
        vec![
            plain.clone(),
            NetworkConfig { torso: Torso::Mlp { hidden: vec![5, 4] }, ..plain.clone() },
            NetworkConfig { activation: Activation::Selu, ..plain.clone() },
            NetworkConfig { streams: Streams::Dueling, ..plain.clone() },
            NetworkConfig { output: distribution, ..plain.clone() },
            NetworkConfig { output: quantiles, ..plain.clone() },
            NetworkConfig { streams: Streams::Dueling, output: quantiles, ..plain.clone() },
            NetworkConfig { torso: impala, ..plain.clone() },
            NetworkConfig { layers: noisy(Noise::Independent), ..plain.clone() },
            NetworkConfig { layers: noisy(Noise::Factorised), ..plain.clone() },
            NetworkConfig {
                activation: Activation::Selu,
                streams: Streams::Dueling,
                output: distribution,
                layers: noisy(Noise::Factorised),
                ..plain
            },
        ]
    }

    fn network(config: &NetworkConfig) -> (QNetwork, Device) {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        (config.init(&mut Xoshiro256PlusPlus::seed_from_u64(3), &device).expect("a valid network"), device)
    }

    #[test]
    fn saved_weights_of_every_network_give_the_same_q_values() {
        for config in variants() {
            let (network, device) = network(&config);
            let bytes = Weights::of(&network, &config).bytes().to_vec();
            assert_eq!(bytes, Weights::of(&network, &config).bytes(), "equal networks are saved as equal bytes");
            let weights = Weights::from_bytes(bytes, "memory".to_owned()).expect("these were saved just now");
            assert_eq!(weights.config(), &config);
            weights.check(&config).expect("the same network");
            let observation: Vec<u8> = (0..config.input.bytes()).map(|i| (i % 251) as u8).collect();
            let q_values = |network: &QNetwork| {
                let mut noise = Xoshiro256PlusPlus::seed_from_u64(4);
                network.with_noise(&mut noise).forward(config.input.upload(&observation, &device)).into_data()
            };
            q_values(&weights.network(&device).expect("they fit")).assert_eq(&q_values(&network), true);
        }
    }

    #[test]
    fn tensors_have_the_names_of_the_file_format() {
        let names = |config: &NetworkConfig| {
            let weights = Weights::of(&network(config).0, config);
            let file = SafeTensors::deserialize(weights.bytes()).expect("it was saved just now");
            let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
            names.sort_unstable();
            names
        };
        let layers = |paths: &[&str]| -> Vec<String> {
            paths.iter().flat_map(|path| ["bias", "weight"].map(|name| format!("{path}.{name}"))).collect()
        };
        let nature = ["convolutions.layers.0", "convolutions.layers.1", "convolutions.layers.2", "head.hidden"];
        assert_eq!(names(&config(16)), layers(&[&nature[..], &["head.output"]].concat()));
        let impala = NetworkConfig { torso: Torso::Impala { channels: vec![2], hidden: vec![5, 4] }, ..config(16) };
        let stage = ["convolution", "first.first", "first.second", "second.first", "second.second"];
        let stage = stage.map(|layer| format!("convolutions.stages.0.{layer}"));
        let paths = stage.iter().map(String::as_str).chain(["head.hidden", "head.output", "shared.0"]);
        assert_eq!(names(&impala), layers(&paths.collect::<Vec<_>>()));
    }

    #[test]
    fn texts_are_read_back_beside_the_weights_and_their_order_makes_no_difference() {
        let config = config(16);
        let (network, device) = network(&config);
        let plain = Weights::of(&network, &config);
        let texts = [("prism.config", "[learning]\ngamma = 0.99 # \"γ\"\n"), ("a", ""), ("zebra", "stripes")];
        let with = |order: [usize; 3]| {
            order.iter().fold(plain.clone(), |weights, &index| weights.with_metadata(texts[index].0, texts[index].1))
        };
        let weights = with([0, 1, 2]);
        for order in [[2, 1, 0], [1, 2, 0]] {
            assert_eq!(with(order).bytes(), weights.bytes());
        }
        let replaced = plain.clone().with_metadata("zebra", "spots").with_metadata("a", "b");
        let replaced = replaced.with_metadata("a", "").with_metadata("zebra", "stripes");
        assert_eq!(replaced.bytes(), with([1, 2, 1]).bytes());

        let read = Weights::from_bytes(weights.bytes().to_vec(), "memory".to_owned()).expect("these are whole");
        for (key, value) in texts {
            assert_eq!((weights.metadata(key), read.metadata(key)), (Some(value), Some(value)));
            assert_eq!(plain.metadata(key), None);
        }
        assert_eq!((read.config(), read.metadata("other")), (&config, None));
        let observation = vec![100; config.input.bytes()];
        let q_values = |network: QNetwork| network.forward(config.input.upload(&observation, &device)).into_data();
        q_values(read.network(&device).expect("they fit")).assert_eq(&q_values(network.clone()), true);
    }

    #[test]
    #[should_panic(expected = "this key describes the network")]
    fn the_description_of_the_network_cannot_be_replaced() {
        let config = config(16);
        let _ = Weights::of(&network(&config).0, &config).with_metadata(NETWORK_KEY, "{}");
    }

    #[test]
    fn damaged_and_foreign_files_are_refused_with_their_name() {
        let config = config(16);
        let (network, _) = network(&config);
        let bytes = Weights::of(&network, &config).bytes().to_vec();
        for damaged in [&bytes[..bytes.len() - 5], &bytes[..20], &[], b"not safetensors at all"] {
            let error = Weights::from_bytes(damaged.to_vec(), "file.safetensors".to_owned()).expect_err("damaged");
            assert!(matches!(error, WeightsError::Corrupt { .. }), "{error}");
            assert!(error.to_string().contains("file.safetensors"), "{error}");
        }
        let empty = |metadata| {
            let bytes = safetensors::serialize(Vec::<(&str, safetensors::tensor::TensorView)>::new(), metadata);
            Weights::from_bytes(bytes.expect("an empty file"), "x".to_owned()).expect_err("nothing to load")
        };
        assert!(matches!(empty(None), WeightsError::NotOurs { .. }));
        let older = serde_json::json!({"input": config.input, "actions": 3, "torso": config.torso}).to_string();
        let error = empty(Some([(NETWORK_KEY.to_owned(), older)].into()));
        assert!(matches!(error, WeightsError::Unknown { .. }), "{error}");
        assert!(std::error::Error::source(&error).expect("a cause").to_string().contains("scaling"), "{error}");
    }

    #[test]
    fn weights_of_another_network_are_refused_with_what_differs() {
        let (network, _) = network(&config(16));
        let weights = Weights::of(&network, &config(16));
        weights.check(&config(16)).expect("the same network");
        for other in variants().into_iter().skip(1).chain([config(24)]) {
            let message = weights.check(&other).expect_err("another network").to_string();
            for ((part, found), (_, needed)) in parts(&config(16)).into_iter().zip(parts(&other)) {
                let said = format!("its {part} is {found}, but {needed} is needed");
                assert_eq!(message.contains(&said), found != needed, "{message}: {said}");
            }
        }
    }

    #[test]
    fn weights_that_are_not_finite_make_no_network() {
        let config = config(16);
        let (network, device) = network(&config);
        let mut bytes = Weights::of(&network, &config).bytes().to_vec();
        let last = bytes.len() - size_of::<f32>();
        bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        let weights = Weights::from_bytes(bytes, "blown.safetensors".to_owned()).expect("a whole file");
        let error = weights.network(&device).expect_err("no number");
        assert!(matches!(&error, WeightsError::NotFinite { origin } if origin == "blown.safetensors"), "{error}");
    }

    #[test]
    fn numbers_of_another_type_are_refused_by_the_name_of_their_tensor() {
        let config = config(16);
        let description = serde_json::to_string(&config).expect("plain data");
        let half = safetensors::tensor::TensorView::new(Dtype::F16, vec![2], &[0; 4]).expect("two numbers");
        let metadata = Some([(NETWORK_KEY.to_owned(), description)].into());
        let bytes = safetensors::serialize([("layer.weight", half)], metadata).expect("a small file");
        let message =
            Weights::from_bytes(bytes, "half.safetensors".to_owned()).expect_err("half precision").to_string();
        for part in ["half.safetensors", "layer.weight", "F16", "F32"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
