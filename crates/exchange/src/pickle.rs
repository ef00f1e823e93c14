//! The part of Python's pickle format that state dicts are written in. Nothing is run: a pickle names the functions that would
//! rebuild its objects, and only those that make tensors and dicts are known here.

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::ImportError;

/// A value of a pickle.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Something that no weight depends on.
    Other,
    Int(i64),
    Text(Rc<str>),
    Tuple(Rc<[Value]>, Depth),
    /// What a pickle calls by name: a class or a function.
    Global(Rc<str>),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorView>),
    Dict(Vec<(Value, Value)>, Depth),
    /// Of lists only the place is kept: no weight is in one.
    List,
}

/// How many containers are in one another.
type Depth = usize;

impl Value {
    fn depth(&self) -> Depth {
        match self {
            Self::Tuple(_, depth) | Self::Dict(_, depth) => *depth,
            _ => 0,
        }
    }
}

/// The depth of a container of these.
fn depth_of<'a>(items: impl IntoIterator<Item = &'a Value>) -> Result<Depth, ImportError> {
    /// More than any state dict has, and few enough to be walked and dropped by recursion.
    const MOST: Depth = 100;
    match 1 + items.into_iter().map(Value::depth).max().unwrap_or(0) {
        depth if depth > MOST => Err(broken(&format!("has more than {MOST} containers in one another"))),
        depth => Ok(depth),
    }
}

/// Numbers in a file of their own.
#[derive(Debug)]
pub(crate) struct Storage {
    /// PyTorch's class of it, such as `FloatStorage`.
    pub(crate) class: Rc<str>,
    /// The file's name.
    pub(crate) key: Rc<str>,
}

/// A tensor within a storage.
#[derive(Debug)]
pub(crate) struct TensorView {
    pub(crate) storage: Rc<Storage>,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

/// Reads one pickle.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, ImportError> {
    Machine { bytes, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() }.run()
}

struct Machine<'a> {
    /// What is still to be read.
    bytes: &'a [u8],
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

fn broken(reason: &str) -> ImportError {
    ImportError::Corrupt { reason: format!("its pickle {reason}") }
}

impl Machine<'_> {
    fn run(mut self) -> Result<Value, ImportError> {
        loop {
            let [opcode] = self.array()?;
            match opcode {
                // PROTO, FRAME
                0x80 => drop(self.array::<1>()?),
                0x95 => drop(self.array::<8>()?),
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                // NONE, NEWTRUE, NEWFALSE
                b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
                b'}' => self.stack.push(Value::Dict(Vec::new(), 1)),
                b']' | 0x8f => self.stack.push(Value::List),
                b')' => self.stack.push(Value::Tuple(Rc::new([]), 1)),
                b'K' => self.number(|[byte]: [u8; 1]| i64::from(byte))?,
                b'M' => self.number(|bytes| i64::from(u16::from_le_bytes(bytes)))?,
                b'J' => self.number(|bytes| i64::from(i32::from_le_bytes(bytes)))?,
                0x8a => self.long()?,
                // BINFLOAT
                b'G' => {
                    self.array::<8>()?;
                    self.stack.push(Value::Other);
                }
                b'X' => {
                    let length = u32::from_le_bytes(self.array()?) as usize;
                    self.text(length)?;
                }
                0x8c | b'U' => {
                    let [length] = self.array()?;
                    self.text(usize::from(length))?;
                }
                // SHORT_BINBYTES, BINBYTES
                b'C' => {
                    let [length] = self.array()?;
                    self.take(usize::from(length))?;
                    self.stack.push(Value::Other);
                }
                b'B' => {
                    let length = u32::from_le_bytes(self.array()?) as usize;
                    self.take(length)?;
                    self.stack.push(Value::Other);
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.stack.push(Value::Global(format!("{module} {name}").into()));
                }
                0x93 => {
                    let (Value::Text(name), Value::Text(module)) = (self.pop()?, self.pop()?) else {
                        return Err(broken("names something without a text"));
                    };
                    self.stack.push(Value::Global(format!("{module} {name}").into()));
                }
                b'q' => {
                    let [index] = self.array()?;
                    self.remember(u32::from(index))?;
                }
                b'r' => {
                    let index = u32::from_le_bytes(self.array()?);
                    self.remember(index)?;
                }
                0x94 => self.remember(self.memo.len() as u32)?,
                b'h' => {
                    let [index] = self.array()?;
                    self.recall(u32::from(index))?;
                }
                b'j' => {
                    let index = u32::from_le_bytes(self.array()?);
                    self.recall(index)?;
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.tuple(items)?;
                }
                0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(opcode - 0x84));
                    let items = self.stack.split_off(from.ok_or_else(|| broken("makes a tuple of nothing"))?);
                    self.tuple(items)?;
                }
                b'a' => {
                    self.pop()?;
                    self.check_list()?;
                }
                // APPENDS, ADDITEMS
                b'e' | 0x90 => {
                    self.since_mark()?;
                    self.check_list()?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.extend_dict(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.extend_dict(items)?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.stack.push(storage(&id)?);
                }
                // REDUCE, NEWOBJ
                b'R' | 0x81 => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.stack.push(call(&function, &arguments)?);
                }
                // BUILD: attributes of an object, such as the versions beside a state dict.
                b'b' => drop(self.pop()?),
                other => return Err(broken(&format!("has the operation {other:#04x}, which no state dict has"))),
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<&[u8], ImportError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(|| broken("is cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were asked for"))
    }

    fn number<const N: usize>(&mut self, number: impl Fn([u8; N]) -> i64) -> Result<(), ImportError> {
        let number = number(self.array()?);
        self.stack.push(Value::Int(number));
        Ok(())
    }

    /// LONG1: a number of so many bytes, of which eight at most are of use.
    fn long(&mut self) -> Result<(), ImportError> {
        let [length] = self.array()?;
        let bytes = self.take(usize::from(length))?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut number = [sign; 8];
        let count = bytes.len().min(8);
        number[..count].copy_from_slice(&bytes[..count]);
        let number = if bytes.len() > 8 { Value::Other } else { Value::Int(i64::from_le_bytes(number)) };
        self.stack.push(number);
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<(), ImportError> {
        let text = str::from_utf8(self.take(length)?).map_err(|_| broken("has a text that is not UTF-8"))?.into();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<String, ImportError> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("is cut short"))?;
        let line = str::from_utf8(&self.take(end + 1)?[..end]).map_err(|_| broken("has a name that is not UTF-8"))?;
        Ok(line.to_owned())
    }

    fn pop(&mut self) -> Result<Value, ImportError> {
        self.stack.pop().ok_or_else(|| broken("takes from an empty stack"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, ImportError> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| broken("has no mark where one must be"))?))
    }

    /// Dicts and lists, which grow after they are noted, are remembered as nothing: no weight is in one twice.
    fn remember(&mut self, index: u32) -> Result<(), ImportError> {
        let value = match self.stack.last().ok_or_else(|| broken("notes a value of an empty stack"))? {
            Value::Dict(..) | Value::List => Value::Other,
            value => value.clone(),
        };
        self.memo.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), ImportError> {
        let value = self.memo.get(&index).ok_or_else(|| broken("recalls what it has not noted"))?;
        self.stack.push(value.clone());
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) -> Result<(), ImportError> {
        let depth = depth_of(&items)?;
        self.stack.push(Value::Tuple(items.into(), depth));
        Ok(())
    }

    fn check_list(&self) -> Result<(), ImportError> {
        match self.stack.last() {
            Some(Value::List | Value::Other) => Ok(()),
            _ => Err(broken("appends to what is no list")),
        }
    }

    fn extend_dict(&mut self, items: Vec<Value>) -> Result<(), ImportError> {
        let (entries, depth) = match self.stack.last_mut() {
            Some(Value::Dict(entries, depth)) => (entries, depth),
            Some(Value::Other) => return Ok(()),
            _ => return Err(broken("sets an entry of what is no dict")),
        };
        *depth = depth_of(&items)?.max(*depth);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            entries.push((key, value));
        }
        Ok(())
    }
}

/// The storage that a pickle of PyTorch means by `("storage", class, key, device, length)`.
fn storage(id: &Value) -> Result<Value, ImportError> {
    if let Value::Tuple(parts, _) = id
        && let [Value::Text(kind), Value::Global(class), Value::Text(key), ..] = &**parts
        && &**kind == "storage"
    {
        let class = class.strip_prefix("torch ").unwrap_or(class).into();
        return Ok(Value::Storage(Rc::new(Storage { class, key: Rc::clone(key) })));
    }
    Err(broken("refers to something that is no storage of PyTorch"))
}

fn call(function: &Value, arguments: &Value) -> Result<Value, ImportError> {
    let (Value::Global(function), Value::Tuple(arguments, _)) = (function, arguments) else {
        return Err(broken("calls what is no function"));
    };
    match (&**function, &**arguments) {
        ("collections OrderedDict", _) => Ok(Value::Dict(Vec::new(), 1)),
        ("torch._utils _rebuild_parameter", [tensor @ Value::Tensor(_), ..]) => Ok(tensor.clone()),
        ("torch._utils _rebuild_tensor_v2", [Value::Storage(storage), offset, shape, strides, ..]) => {
            let whole = |value: &Value| match value {
                Value::Int(number) => usize::try_from(*number).ok(),
                _ => None,
            };
            let all = |value: &Value| match value {
                Value::Tuple(items, _) => items.iter().map(whole).collect::<Option<Vec<usize>>>(),
                _ => None,
            };
            let view = whole(offset).zip(all(shape)).zip(all(strides));
            let ((offset, shape), strides) = view.ok_or_else(|| broken("has a tensor of impossible shape"))?;
            if shape.len() != strides.len() {
                return Err(broken("has a tensor with more axes than strides"));
            }
            Ok(Value::Tensor(Rc::new(TensorView { storage: Rc::clone(storage), offset, shape, strides })))
        }
        // Devices and types say nothing about weights.
        ("torch device" | "torch Size", _) => Ok(Value::Other),
        _ => Err(ImportError::Object { class: function.replace(' ', ".") }),
    }
}
