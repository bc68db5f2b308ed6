//! The plugin observability record: model, IDs, limits, registries, JSON form.
