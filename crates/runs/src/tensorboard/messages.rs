//! The messages of an event file, and those that its hyperparameters are written in.
//!
//! These are TensorFlow's `Event`, `Summary`, `SummaryMetadata` and `TensorProto` and TensorBoard's `HParamsPluginData`
//! with the few fields that are used here; field numbers are the formats'. The crates that write such files were last
//! released years ago.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(string, optional, tag = "3")]
    pub(super) file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(super) summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<SummaryValue>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SummaryValue {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    /// A `oneof` in the original: optional here so that a zero is written as well.
    #[prost(float, optional, tag = "2")]
    pub(super) simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(enumeration = "DataType", tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    strings: Vec<Vec<u8>>,
}

/// `tensorflow.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
enum DataType {
    Invalid = 0,
    Float = 1,
    String = 7,
}

/// `tensorflow.TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dimensions: Vec<Dimension>,
}

/// `tensorflow.TensorShapeProto.Dim`.
#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, tag = "1")]
    size: i64,
}

/// `tensorflow.SummaryMetadata`.
#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
    #[prost(enumeration = "DataClass", tag = "4")]
    class: i32,
}

/// `tensorflow.SummaryMetadata.PluginData`.
#[derive(Clone, PartialEq, Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

/// `tensorflow.DataClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
enum DataClass {
    Unknown = 0,
    Tensor = 2,
}

/// `tensorboard.hparams.HParamsPluginData`; its version, 0, need not be written.
#[derive(Clone, PartialEq, Message)]
struct HParamsPluginData {
    #[prost(oneof = "HParamsData", tags = "2, 3, 4")]
    data: Option<HParamsData>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum HParamsData {
    #[prost(message, tag = "2")]
    Experiment(Experiment),
    #[prost(message, tag = "3")]
    Start(SessionStart),
    #[prost(message, tag = "4")]
    End(SessionEnd),
}

/// `tensorboard.hparams.Experiment`: what is compared, and by what.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Experiment {
    #[prost(message, repeated, tag = "4")]
    pub(super) hparam_infos: Vec<HParamInfo>,
    #[prost(message, repeated, tag = "5")]
    pub(super) metric_infos: Vec<MetricInfo>,
}

/// `tensorboard.hparams.HParamInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HParamInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(enumeration = "HParamType", tag = "4")]
    kind: i32,
}

/// `tensorboard.hparams.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
enum HParamType {
    Unset = 0,
    String = 1,
    Bool = 2,
    Float64 = 3,
}

/// `tensorboard.hparams.MetricInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) name: Option<MetricName>,
}

/// `tensorboard.hparams.MetricName`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricName {
    #[prost(string, tag = "2")]
    pub(super) tag: String,
}

/// `tensorboard.hparams.SessionStartInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionStart {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) hparams: BTreeMap<String, JsonValue>,
    #[prost(double, tag = "5")]
    pub(super) start_time_secs: f64,
}

/// `tensorboard.hparams.SessionEndInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionEnd {
    #[prost(enumeration = "Status", tag = "1")]
    pub(super) status: i32,
    #[prost(double, tag = "2")]
    pub(super) end_time_secs: f64,
}

/// `tensorboard.hparams.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(super) enum Status {
    Unknown = 0,
    Success = 1,
    Failure = 2,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct JsonValue {
    #[prost(oneof = "HParam", tags = "2, 3, 4")]
    kind: Option<HParam>,
}

/// The value of a hyperparameter.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum HParam {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Flag(bool),
}

impl HParam {
    pub(super) fn info(&self, name: &str) -> HParamInfo {
        let kind = match self {
            Self::Number(_) => HParamType::Float64,
            Self::Text(_) => HParamType::String,
            Self::Flag(_) => HParamType::Bool,
        };
        HParamInfo { name: name.to_owned(), kind: kind.into() }
    }

    pub(super) fn value(self) -> JsonValue {
        JsonValue { kind: Some(self) }
    }
}

impl From<&toml::Value> for HParam {
    fn from(value: &toml::Value) -> Self {
        match value {
            toml::Value::Integer(number) => Self::Number(*number as f64),
            toml::Value::Float(number) => Self::Number(*number),
            toml::Value::Boolean(flag) => Self::Flag(*flag),
            toml::Value::String(text) => Self::Text(text.clone()),
            other => Self::Text(other.to_string()),
        }
    }
}

impl SummaryValue {
    pub(super) fn scalar(tag: &str, value: f64) -> Self {
        Self { tag: tag.to_owned(), simple_value: Some(value as f32), tensor: None, metadata: None }
    }

    /// A text for the plugin of that name.
    pub(super) fn text(tag: &str, text: &str) -> Self {
        let dimensions = vec![Dimension { size: 1 }];
        let strings = vec![text.as_bytes().to_vec()];
        let tensor = Tensor { dtype: DataType::String.into(), shape: Some(Shape { dimensions }), strings };
        Self::of_plugin(tag.to_owned(), "text", Vec::new(), tensor, DataClass::Tensor)
    }

    /// A message for the plugin of hyperparameters, which reads it from the metadata; the tensor is empty.
    pub(super) fn hparams(tag: &str, data: HParamsData) -> Self {
        let content = HParamsPluginData { data: Some(data) }.encode_to_vec();
        let dimensions = vec![Dimension { size: 0 }];
        let tensor = Tensor { dtype: DataType::Float.into(), shape: Some(Shape { dimensions }), strings: Vec::new() };
        Self::of_plugin(format!("_hparams_/{tag}"), "hparams", content, tensor, DataClass::Unknown)
    }

    fn of_plugin(tag: String, plugin: &str, content: Vec<u8>, tensor: Tensor, class: DataClass) -> Self {
        let plugin = Some(Plugin { name: plugin.to_owned(), content });
        Self { tag, simple_value: None, tensor: Some(tensor), metadata: Some(Metadata { plugin, class: class.into() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `ours` is what TensorBoard 2.21 writes for the same thing, given as hexadecimal digits. Its messages were
    /// made with `tensorboard.plugins.hparams.summary_v2` and serialised by Python's protobuf. The entries of a map may
    /// come in another order, so that they are compared as messages and by their length.
    fn assert_same(ours: &SummaryValue, digits: &str) {
        let digit = |place: usize| digits.get(place..place + 2).map(|pair| u8::from_str_radix(pair, 16).unwrap());
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).filter_map(digit).collect();
        let theirs = SummaryValue::decode(bytes.as_slice()).unwrap();
        let content = |value: &SummaryValue| {
            let plugin = value.metadata.clone().unwrap().plugin.unwrap();
            HParamsPluginData::decode(plugin.content.as_slice()).unwrap()
        };
        assert_eq!(content(ours), content(&theirs));
        assert_eq!((&ours.tag, &ours.tensor), (&theirs.tag, &theirs.tensor));
        assert_eq!(ours.encoded_len(), bytes.len());
    }

    fn hyperparameters() -> [(&'static str, HParam); 4] {
        [
            ("device", HParam::Text("flex".to_owned())),
            ("on", HParam::Flag(true)),
            ("replay.capacity", HParam::Number(20_000.0)),
            ("seed", HParam::Number(7.0)),
        ]
    }

    #[test]
    fn what_is_compared_is_written_as_tensorboard_does() {
        let metric = |tag: &str| MetricInfo { name: Some(MetricName { tag: tag.to_owned() }) };
        let experiment = Experiment {
            hparam_infos: hyperparameters().iter().map(|(name, value)| value.info(name)).collect(),
            metric_infos: ["episode/mean_score", "evaluation/mean"].map(metric).to_vec(),
        };
        assert_same(
            &SummaryValue::hparams("experiment", HParamsData::Experiment(experiment)),
            "0a145f68706172616d735f2f6578706572696d656e7442060801120212004a6f0a6d0a0768706172616d7312621260220a0a066465\
             76696365200122060a026f6e200222130a0f7265706c61792e6361706163697479200322080a047365656420032a160a1412126570\
             69736f64652f6d65616e5f73636f72652a130a11120f6576616c756174696f6e2f6d65616e",
        );
    }

    #[test]
    fn hyperparameters_and_the_end_are_written_as_tensorboard_does() {
        let hparams = hyperparameters().map(|(name, value)| (name.to_owned(), value.value())).into_iter().collect();
        let start = SessionStart { hparams, start_time_secs: 1.5 };
        assert_same(
            &SummaryValue::hparams("session_start_info", HParamsData::Start(start)),
            "0a1c5f68706172616d735f2f73657373696f6e5f73746172745f696e666f42060801120212004a650a630a0768706172616d731258\
             1a560a110a04736565641209110000000000001c400a1c0a0f7265706c61792e6361706163697479120911000000000088d3400a08\
             0a026f6e120220010a100a0664657669636512061a04666c657829000000000000f83f",
        );
        let end = SessionEnd { status: Status::Failure.into(), end_time_secs: 2.5 };
        assert_same(
            &SummaryValue::hparams("session_end_info", HParamsData::End(end)),
            "0a1a5f68706172616d735f2f73657373696f6e5f656e645f696e666f42060801120212004a1a0a180a0768706172616d73120d220b\
             0802110000000000000440",
        );
    }

    #[test]
    fn a_text_is_written_as_tensorboard_does() {
        let bytes = SummaryValue::text("config", "    a = 1\n").encode_to_vec();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "0a06636f6e66696742140807120412020801420a2020202061203d20310a4a0a0a060a04746578742002");
    }
}
