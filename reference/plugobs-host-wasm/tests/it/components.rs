//! What the components of `conformance/fixtures` ask of a host, and offer it.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::support::{components, guest};

#[test]
fn a_guest_of_the_sdk_imports_the_hosts_logging_and_nothing_else() {
    let engine = Engine::default();
    for name in ["plugobs-csv-component.wasm", &guest().file] {
        let component = Component::from_file(&engine, components().join(name)).unwrap();
        let of = component.component_type();
        let imports: Vec<_> = of
            .imports(&engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        let exports: Vec<_> = of
            .exports(&engine)
            .map(|(name, _)| name.to_owned())
            // A name without a package is the tools' own.
            .filter(|name| name.contains(':'))
            .collect();
        // The types are no functions: nothing of them is called.
        let ours = ["types", "logging"].map(|i| format!("plugobs:observability/{i}@0.1.0"));
        assert_eq!(imports, ours, "{name}");
        assert_eq!(exports, ["plugobs:observability/plugin@0.1.0"], "{name}");
    }
}
