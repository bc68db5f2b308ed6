//! Writes what is generated in this repository.
