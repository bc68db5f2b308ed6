//! Plugins that are processes: starts them, reads everything that they write,
//! serves their logs and callbacks, and calls them over gRPC
//! (`spec/binding-grpc.md`).
//!
//! [`GrpcHost`] is a transport of a `plugobs_driver::Driver`; everything else
//! goes through that driver.

mod client;
mod connection;
mod convert;
mod environment;
mod handshake;
mod host;
mod output;
mod process;
mod server;
mod stop;
mod supervise;

pub use host::GrpcHost;
