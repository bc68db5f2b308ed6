//! The operations of the plugin interface, in terms of no transport and no
//! interface version. Payloads belong to the test framework: this crate carries
//! them and looks at none but `testContext` and a mock server's key.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value as Json};

/// A body with its type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// The media type.
    pub content_type: String,
    /// `None` is a missing body, which is not an empty one.
    pub content: Option<Bytes>,
    /// Whether content is text or binary, where the type does not tell.
    pub hint: ContentHint,
}

/// How to take a body's content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContentHint {
    /// By its type.
    #[default]
    Default,
    /// As text.
    Text,
    /// As bytes.
    Binary,
}

/// A matching rule or a generator: a type and its settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// Such as `regex`.
    pub kind: String,
    /// Its settings.
    pub values: Map<String, Json>,
}

/// What a plugin stored with an interaction and with the pact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginConfiguration {
    /// With the interaction.
    pub interaction: Map<String, Json>,
    /// With the pact.
    pub pact: Map<String, Json>,
}

/// One thing that a plugin can do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CatalogueEntry {
    /// In the deployed spelling, such as `CONTENT_MATCHER`.
    pub kind: String,
    /// Its key, such as `csv`.
    pub key: String,
    /// Such as `content-types`.
    pub values: BTreeMap<String, String>,
}

/// Asks for a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareContents {
    /// What should be.
    pub expected: Body,
    /// What is.
    pub actual: Body,
    /// Whether more than expected is fine.
    pub allow_unexpected_keys: bool,
    /// Rules by path.
    pub rules: BTreeMap<String, Vec<Rule>>,
    /// What the plugin stored.
    pub plugin_configuration: Option<PluginConfiguration>,
}

/// Asks for generated content.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GenerateContents {
    /// The example.
    pub contents: Body,
    /// Generators by path.
    pub generators: BTreeMap<String, Rule>,
    /// What the plugin stored.
    pub plugin_configuration: Option<PluginConfiguration>,
    /// The deployed number of the mode: 1 consumer, 2 provider.
    pub test_mode: i32,
    /// The deployed number: 0 request, 1 response.
    pub content_for: i32,
}

/// A value of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// JSON of any kind; numbers keep whether they are integers.
    Json(Json),
    /// Bytes.
    Binary(Bytes),
}

/// Asks whether one field matches.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchField {
    /// The catalogue key of the matcher.
    pub key: String,
    /// The rule.
    pub rule: Rule,
    /// Where the field is.
    pub path: String,
    /// How mismatches are to be named.
    pub mismatch_type: String,
    /// What should be.
    pub expected: FieldValue,
    /// What is.
    pub actual: FieldValue,
    /// What the plugin stored.
    pub plugin_configuration: Option<PluginConfiguration>,
}

/// Asks for one generated field.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateField {
    /// The catalogue key of the generator.
    pub key: String,
    /// The generator.
    pub generator: Rule,
    /// Where the field is.
    pub path: String,
    /// The example.
    pub example: FieldValue,
    /// What the plugin stored.
    pub plugin_configuration: Option<PluginConfiguration>,
    /// As in [`GenerateContents`].
    pub test_mode: i32,
}

/// One interaction of a mock server or a verification.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InteractionContents {
    /// Its type, or for interface 1 its key.
    pub kind: String,
    /// What the plugin stored.
    pub plugin_configuration: Option<PluginConfiguration>,
    /// The consumer.
    pub consumer: String,
    /// The provider.
    pub provider: String,
}

/// The data of an interaction: a body and metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InteractionData {
    /// The body.
    pub body: Option<Body>,
    /// Values that are not JSON are bytes.
    pub metadata: BTreeMap<String, FieldValue>,
}

/// Asks for a mock server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StartMockServer {
    /// The interface to bind, empty for any.
    pub host_interface: String,
    /// The port, 0 for any.
    pub port: u16,
    /// Whether with TLS.
    pub tls: bool,
    /// For interface 2.
    pub interactions: Vec<InteractionContents>,
    /// The whole pact as JSON, for interface 1.
    pub pact: String,
}

/// Asks to prepare, or to make, a verification.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VerifyInteraction {
    /// Empty while preparing.
    pub data: Option<InteractionData>,
    /// Settings of the verification.
    pub config: Map<String, Json>,
    /// For interface 2.
    pub interaction: InteractionContents,
    /// The whole pact as JSON, for interface 1.
    pub pact: String,
    /// The interaction's key in the pact, for interface 1.
    pub interaction_key: String,
}

/// A call to a plugin. `testContext` is not part of it: the driver adds it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// The first call; the transport adds the instance's identity.
    Init {
        /// The driver's name.
        implementation: String,
        /// The driver's version.
        version: String,
        /// What this driver can do.
        host_capabilities: Vec<String>,
    },
    /// Tells the catalogue of all plugins.
    UpdateCatalogue(Vec<CatalogueEntry>),
    /// Makes an interaction from its definition.
    ConfigureInteraction {
        /// The media type.
        content_type: String,
        /// The definition.
        contents_config: Map<String, Json>,
    },
    /// Compares bodies.
    CompareContents(Box<CompareContents>),
    /// Generates a body.
    GenerateContents(Box<GenerateContents>),
    /// Matches one field.
    MatchField(Box<MatchField>),
    /// Generates one field.
    GenerateField(Box<GenerateField>),
    /// Starts a mock server.
    StartMockServer(Box<StartMockServer>),
    /// Stops a mock server.
    ShutdownMockServer {
        /// From the answer to the start.
        server_key: String,
    },
    /// Asks what a mock server saw.
    GetMockServerResults {
        /// From the answer to the start.
        server_key: String,
    },
    /// Prepares a verification.
    PrepareInteraction(Box<VerifyInteraction>),
    /// Verifies an interaction.
    VerifyInteraction(Box<VerifyInteraction>),
}

impl Request {
    /// The deployed name of the operation, such as `CompareContents`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Init { .. } => "InitPlugin",
            Self::UpdateCatalogue(_) => "UpdateCatalogue",
            Self::ConfigureInteraction { .. } => "ConfigureInteraction",
            Self::CompareContents(_) => "CompareContents",
            Self::GenerateContents(_) => "GenerateContent",
            Self::MatchField(_) => "MatchField",
            Self::GenerateField(_) => "GenerateField",
            Self::StartMockServer(_) => "StartMockServer",
            Self::ShutdownMockServer { .. } => "ShutdownMockServer",
            Self::GetMockServerResults { .. } => "GetMockServerResults",
            Self::PrepareInteraction(_) => "PrepareInteractionForVerification",
            Self::VerifyInteraction(_) => "VerifyInteraction",
        }
    }
}

/// One mismatch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mismatch {
    /// What should be.
    pub expected: Option<Bytes>,
    /// What is.
    pub actual: Option<Bytes>,
    /// What is wrong, for people.
    pub mismatch: String,
    /// Where.
    pub path: String,
    /// A diff, where the plugin made one.
    pub diff: String,
    /// Such as `body`.
    pub mismatch_type: String,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Not empty: the comparison could not be made.
    pub error: String,
    /// Expected and actual type, where they differ.
    pub type_mismatch: Option<(String, String)>,
    /// Mismatches by path.
    pub results: BTreeMap<String, Vec<Mismatch>>,
}

/// One interaction that a plugin made from a definition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfiguredInteraction {
    /// The body.
    pub contents: Option<Body>,
    /// Rules by path.
    pub rules: BTreeMap<String, Vec<Rule>>,
    /// Generators by path.
    pub generators: BTreeMap<String, Rule>,
    /// Metadata of a message.
    pub message_metadata: Map<String, Json>,
    /// To be stored.
    pub plugin_configuration: Option<PluginConfiguration>,
    /// Text for people.
    pub markup: String,
    /// Whether the markup is HTML, not CommonMark.
    pub markup_is_html: bool,
    /// Such as `request`.
    pub part_name: String,
    /// Rules of the metadata, by path.
    pub metadata_rules: BTreeMap<String, Vec<Rule>>,
    /// Generators of the metadata, by path.
    pub metadata_generators: BTreeMap<String, Rule>,
}

/// What a mock server or verification found about one thing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MockServerResult {
    /// Where.
    pub path: String,
    /// What went wrong as a whole.
    pub error: String,
    /// What did not match.
    pub mismatches: Vec<Mismatch>,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// Whether the interaction was verified.
    pub success: bool,
    /// What came back.
    pub response: Option<InteractionData>,
    /// Errors, and mismatches.
    pub errors: Vec<String>,
    /// What did not match.
    pub mismatches: Vec<Mismatch>,
    /// Lines for the person who reads the result; the driver makes user
    /// records of them.
    pub output: Vec<String>,
}

/// A plugin's answer. Errors that the interface carries as data are data here
/// too; a failed call is the transport's error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Response {
    /// To init.
    Initialised {
        /// What the plugin can do.
        catalogue: Vec<CatalogueEntry>,
        /// Its capabilities.
        plugin_capabilities: Vec<String>,
    },
    /// To init: it will not work with this driver.
    InitRefused {
        /// Why.
        error: String,
        /// What it misses.
        missing_host_capabilities: Vec<String>,
    },
    /// Done.
    Empty,
    /// To configure.
    Configured {
        /// Not empty: it failed.
        error: String,
        /// What was made.
        interactions: Vec<ConfiguredInteraction>,
        /// To be stored.
        plugin_configuration: Option<PluginConfiguration>,
    },
    /// To compare.
    Compared(Comparison),
    /// To generate.
    Generated(Option<Body>),
    /// To match a field.
    FieldMatched {
        /// Not empty: it failed.
        error: String,
        /// What did not match.
        mismatches: Vec<Mismatch>,
    },
    /// To generate a field.
    FieldGenerated {
        /// Not empty: it failed.
        error: String,
        /// The value.
        value: Option<FieldValue>,
    },
    /// To start a mock server.
    MockServerStarted {
        /// To name it by.
        key: String,
        /// Where it listens.
        port: u16,
        /// Its base address.
        address: String,
    },
    /// A plugin's own refusal to start a mock server, prepare or verify.
    Refused {
        /// Why.
        error: String,
    },
    /// To shut down, or to ask for results.
    MockServerResults {
        /// Whether all went well.
        ok: bool,
        /// What was seen.
        results: Vec<MockServerResult>,
    },
    /// To prepare.
    Prepared(InteractionData),
    /// To verify.
    Verified(Verification),
}

impl Response {
    /// `ok`, `mismatch`, or `error` for an error that the interface carries as
    /// data.
    pub fn outcome(&self) -> &'static str {
        let settle = |failed: bool, mismatched: bool| match (failed, mismatched) {
            (true, _) => "error",
            (false, true) => "mismatch",
            (false, false) => "ok",
        };
        match self {
            Self::InitRefused { .. } | Self::Refused { .. } => "error",
            Self::Configured { error, .. } | Self::FieldGenerated { error, .. } => {
                settle(!error.is_empty(), false)
            }
            Self::Compared(c) => settle(
                !c.error.is_empty(),
                c.type_mismatch.is_some() || c.results.values().any(|m| !m.is_empty()),
            ),
            Self::FieldMatched { error, mismatches } => {
                settle(!error.is_empty(), !mismatches.is_empty())
            }
            Self::MockServerResults { ok, .. } => settle(false, !ok),
            Self::Verified(v) => settle(!v.errors.is_empty(), !v.success),
            Self::Initialised { .. }
            | Self::Empty
            | Self::Generated(_)
            | Self::MockServerStarted { .. }
            | Self::Prepared(_) => "ok",
        }
    }

    /// The error that the interface carries as data, where there is one.
    pub fn error_text(&self) -> Option<&str> {
        let text = match self {
            Self::InitRefused { error, .. }
            | Self::Refused { error }
            | Self::Configured { error, .. }
            | Self::FieldMatched { error, .. }
            | Self::FieldGenerated { error, .. } => error,
            Self::Compared(comparison) => &comparison.error,
            Self::Verified(verification) => verification.errors.first()?,
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}
