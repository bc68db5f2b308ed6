//! How messages are put into frames and read out of them. As the library's own
//! codec, but made for messages of many records: room for all of one is made at
//! once, and the records of a batch stay where the frame has them.

use std::marker::PhantomData;

use bytes::Buf;
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Encodes `T`, decodes `U`.
#[derive(Debug, Clone)]
pub struct FrameCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for FrameCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for FrameCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = FrameEncoder<T>;
    type Decoder = FrameDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        FrameEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        FrameDecoder(PhantomData)
    }
}

/// Writes a message into a frame.
#[derive(Debug)]
pub struct FrameEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for FrameEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        frame.reserve(message.encoded_len());
        let encoded = message.encode(frame);
        encoded.map_err(|error| Status::internal(error.to_string()))
    }
}

/// Reads a message out of a frame.
#[derive(Debug)]
pub struct FrameDecoder<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for FrameDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // One that can be cut into pieces for less than the library's buffer.
        let bytes = frame.copy_to_bytes(frame.remaining());
        let message = U::decode(bytes);
        message.map(Some).map_err(|error| {
            // The code that gRPC has for it.
            Status::internal(format!("a message cannot be decoded: {error}"))
        })
    }
}
