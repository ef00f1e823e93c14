//! Observations as a caller has them.

/// Whole observations, one after the other: bytes as environments write them, or the numbers of vectors.
///
/// Functions that take observations take a reference to either: `&[u8]`, `&Vec<u8>`, `&[f32]`, `&[f32; 4]` and so on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observations<'a> {
    /// Bytes. Of a network whose elements are [`Element::F32`](crate::Element::F32), each four of them are a native-endian
    /// number.
    Bytes(&'a [u8]),
    /// Numbers, for networks whose elements are [`Element::F32`](crate::Element::F32).
    Floats(&'a [f32]),
}

impl Observations<'_> {
    /// Bytes or numbers.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }
}

impl<'a> From<&'a [u8]> for Observations<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Observations<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Observations<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a [f32]> for Observations<'a> {
    fn from(floats: &'a [f32]) -> Self {
        Self::Floats(floats)
    }
}

impl<'a> From<&'a Vec<f32>> for Observations<'a> {
    fn from(floats: &'a Vec<f32>) -> Self {
        Self::Floats(floats)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Observations<'a> {
    fn from(floats: &'a [f32; N]) -> Self {
        Self::Floats(floats)
    }
}
