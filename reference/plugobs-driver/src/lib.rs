//! Driver side of the plugin observability protocol.
