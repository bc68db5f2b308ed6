//! A plugin as its author writes it, and as the host calls it.

use std::marker::PhantomData;
use std::sync::Once;

use plugobs_core::Text;
use plugobs_core::registry::{attribute, event};
use plugobs_tracing::record_of_panic;
use tracing_subscriber::layer::SubscriberExt;

use crate::bindings::exports::plugobs::observability::plugin::Guest;
use crate::context::{self, Context};
use crate::emit::{self, NO_TIME, SDK_TARGET};
use crate::interface::{
    Body, CallContext, CatalogueEntry, CompareRequest, Comparison, Configured, FieldValue,
    GenerateFieldRequest, GenerateRequest, InitRequest, Initialised, MatchFieldRequest, Mismatch,
    Refusal,
};
use crate::layer::RecordLayer;

/// What a plugin does. Everything in a call belongs to the test that it is made
/// for; [`Context::current`] tells which. What a plugin does not serve is an
/// error to its caller.
pub trait Plugin: 'static {
    /// Says what the plugin can do.
    ///
    /// # Errors
    /// Where it will not work with this driver.
    fn init(request: InitRequest) -> Result<Initialised, Refusal>;

    /// Hears what all loaded plugins can do.
    fn update_catalogue(_entries: Vec<CatalogueEntry>) {}

    /// Makes interactions of a definition, an object of JSON.
    ///
    /// # Errors
    /// What is wrong with the definition.
    fn configure_interaction(
        _content_type: String,
        _definition: String,
    ) -> Result<Configured, String> {
        Err(unserved("ConfigureInteraction"))
    }

    /// Compares two bodies.
    ///
    /// # Errors
    /// Where they cannot be compared.
    fn compare_contents(_request: CompareRequest) -> Result<Comparison, String> {
        Err(unserved("CompareContents"))
    }

    /// Makes a body of an example.
    ///
    /// # Errors
    /// Where it cannot be made.
    fn generate_contents(_request: GenerateRequest) -> Result<Option<Body>, String> {
        Err(unserved("GenerateContent"))
    }

    /// Matches one field.
    ///
    /// # Errors
    /// Where it cannot be matched.
    fn match_field(_request: MatchFieldRequest) -> Result<Vec<Mismatch>, String> {
        Err(unserved("MatchField"))
    }

    /// Makes the value of one field.
    ///
    /// # Errors
    /// Where it cannot be made.
    fn generate_field(_request: GenerateFieldRequest) -> Result<FieldValue, String> {
        Err(unserved("GenerateField"))
    }
}

fn unserved(operation: &str) -> String {
    format!("this plugin does not serve {operation}")
}

/// A plugin as the host calls it; see [`crate::export_plugin!`].
pub struct Component<P>(PhantomData<P>);

/// Everything that a process sets up in `main`, before the first call is served.
fn set_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Nothing else in a component can have been first.
        let _ = tracing::subscriber::set_global_default(
            tracing_subscriber::registry().with(RecordLayer),
        );
        let _ = tracing_log::LogTracer::init();
        // A trap has no text: a panic is told before it becomes one
        // (OBS-WASM-33).
        std::panic::set_hook(Box::new(|info| {
            let mut record = record_of_panic(info, Text::from_static(SDK_TARGET), NO_TIME);
            emit::emit(&mut record, Context::current().as_ref());
        }));
    });
}

impl<P: Plugin> Guest for Component<P> {
    fn init(context: CallContext, request: InitRequest) -> Result<Initialised, Refusal> {
        set_up();
        context::set_instance_id(&request.plugin_instance_id);
        // Before the call is known, as a process says it (OBS-LIFE-06).
        emit::started();
        let _served = context::serve(context);
        let current = Context::current();
        let (name, version) = (&request.implementation, &request.version);
        emit::lifecycle(
            event::PLUGIN_INIT_RECEIVED,
            &format!("InitPlugin from {name} {version}"),
            vec![
                (attribute::HOST_IMPLEMENTATION, name.as_str().into()),
                (attribute::HOST_VERSION, version.as_str().into()),
            ],
            current.as_ref(),
        );
        let initialised = P::init(request)?;
        let entries = initialised.catalogue.len();
        emit::lifecycle(
            event::PLUGIN_CATALOGUE_REGISTERED,
            &format!("{entries} catalogue entries"),
            vec![(attribute::CATALOGUE_ENTRIES, (entries as u64).into())],
            current.as_ref(),
        );
        emit::lifecycle(event::PLUGIN_READY, "ready", Vec::new(), current.as_ref());
        Ok(initialised)
    }

    fn update_catalogue(context: CallContext, entries: Vec<CatalogueEntry>) {
        let _served = context::serve(context);
        P::update_catalogue(entries);
    }

    fn configure_interaction(
        context: CallContext,
        content_type: String,
        definition: String,
    ) -> Result<Configured, String> {
        let _served = context::serve(context);
        P::configure_interaction(content_type, definition)
    }

    fn compare_contents(
        context: CallContext,
        request: CompareRequest,
    ) -> Result<Comparison, String> {
        let _served = context::serve(context);
        P::compare_contents(request)
    }

    fn generate_contents(
        context: CallContext,
        request: GenerateRequest,
    ) -> Result<Option<Body>, String> {
        let _served = context::serve(context);
        P::generate_contents(request)
    }

    fn match_field(
        context: CallContext,
        request: MatchFieldRequest,
    ) -> Result<Vec<Mismatch>, String> {
        let _served = context::serve(context);
        P::match_field(request)
    }

    fn generate_field(
        context: CallContext,
        request: GenerateFieldRequest,
    ) -> Result<FieldValue, String> {
        let _served = context::serve(context);
        P::generate_field(request)
    }
}
