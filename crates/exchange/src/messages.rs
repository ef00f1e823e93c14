//! The messages of an ONNX file that are needed here, with the fields that are needed; field numbers are the format's.

use prost::Message;

/// Numbers of four bytes, as ONNX counts types.
pub const FLOAT: i32 = 1;
/// Bytes.
pub const UINT8: i32 = 2;
/// Integers of eight bytes.
pub const INT64: i32 = 7;

/// `onnx.ModelProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// Version of the format.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// Program that wrote the model.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// Its version.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// What is computed.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// Versions of the operators.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    /// Texts.
    #[prost(message, repeated, tag = "14")]
    pub metadata: Vec<Text>,
}

/// `onnx.OperatorSetIdProto`; the empty domain is ONNX's own.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    /// Who defines the operators.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// `onnx.StringStringEntryProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Text {
    /// Key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `onnx.GraphProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// Operations, each after those that it needs.
    #[prost(message, repeated, tag = "1")]
    pub nodes: Vec<Node>,
    /// Name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Weights and other constants.
    #[prost(message, repeated, tag = "5")]
    pub initializers: Vec<Tensor>,
    /// What is fed in.
    #[prost(message, repeated, tag = "11")]
    pub inputs: Vec<Value>,
    /// What comes out.
    #[prost(message, repeated, tag = "12")]
    pub outputs: Vec<Value>,
}

/// `onnx.NodeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of the tensors that it takes.
    #[prost(string, repeated, tag = "1")]
    pub inputs: Vec<String>,
    /// Names of the tensors that it gives.
    #[prost(string, repeated, tag = "2")]
    pub outputs: Vec<String>,
    /// Its own name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operation.
    #[prost(string, tag = "4")]
    pub operator: String,
    /// Its attributes.
    #[prost(message, repeated, tag = "5")]
    pub attributes: Vec<Attribute>,
}

/// `onnx.AttributeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// An integer.
    #[prost(int64, tag = "3")]
    pub int: i64,
    /// Several integers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of them counts: 2 for the integer, 7 for several.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

/// `onnx.TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Axes.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// Type of its numbers.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// The numbers, row-major, lowest byte first.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

/// `onnx.ValueInfoProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Name of the tensor.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type.
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
}

/// `onnx.TypeProto`, of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Kind {
    /// The tensor.
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorKind>,
}

/// `onnx.TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorKind {
    /// Type of its numbers.
    #[prost(int32, tag = "1")]
    pub element: i32,
    /// Its axes.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// `onnx.TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// One of each axis.
    #[prost(message, repeated, tag = "1")]
    pub dims: Vec<Dimension>,
}

/// `onnx.TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// Its size, where that is known.
    #[prost(int64, optional, tag = "1")]
    pub size: Option<i64>,
    /// Its name, where the size is not known.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}
