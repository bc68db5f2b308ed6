//! Attribute values: scalars and flat lists of them.

/// A value that is not a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double, NaN and infinities included.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// An attribute's value. Never nested, because WIT has no recursion.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One scalar.
    Scalar(Scalar),
    /// A flat list; its values are best of one kind.
    List(Vec<Scalar>),
}

impl Scalar {
    /// Bytes of payload; a number or boolean counts as 8.
    pub fn payload_len(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Bool(_) | Self::Int(_) | Self::Double(_) => 8,
        }
    }
}

impl Value {
    /// Bytes of payload, the sum over a list.
    pub fn payload_len(&self) -> usize {
        match self {
            Self::Scalar(scalar) => scalar.payload_len(),
            Self::List(list) => list.iter().map(Scalar::payload_len).sum(),
        }
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(Scalar::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The integer, where it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Scalar(Scalar::Int(int)) => Some(*int),
            _ => None,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Scalar {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::Scalar(Scalar::$variant(value.into()))
            }
        }
    )*};
}

value_from!(String => String, &str => String, bool => Bool, i64 => Int, i32 => Int, u32 => Int, u16 => Int, f64 => Double, Vec<u8> => Bytes);

/// Integers that may not fit saturate: a duration of 292 years is long enough.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Scalar(Scalar::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<Scalar> for Value {
    fn from(value: Scalar) -> Self {
        Self::Scalar(value)
    }
}
