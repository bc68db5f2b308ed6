//! Integration tests of rendering.
