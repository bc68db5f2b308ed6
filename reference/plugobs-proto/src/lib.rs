//! Protobuf binding of the plugin observability protocol.
