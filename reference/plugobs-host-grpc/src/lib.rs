//! Hosts plugins that are processes spoken to over gRPC.
