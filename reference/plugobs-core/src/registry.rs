// Generated from spec/registries/*.json by `cargo run -p plugobs-gen`. Do not edit.

//! The registries of the specification, as constants, tables and enums.

use std::fmt;

/// What a record is for. An open list: an unknown channel is kept and shown as operational.
pub mod channel {
    /// Milestones of the plugin and of the driver, from which a reader draws the timeline of a run. (OBS-LIFE-02)
    pub const LIFECYCLE: &str = "lifecycle";

    /// Logs for developers of the plugin, subject to level filters. (OBS-CHAN-03)
    pub const OPERATIONAL: &str = "operational";

    /// Messages for the person who reads the test result, never filtered by level. (OBS-CHAN-02)
    pub const USER: &str = "user";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[LIFECYCLE, OPERATIONAL, USER];
}

/// The path on which a record reached the driver. Set by the driver.
pub mod source {
    /// The plugin's record stream (LogService/Stream). (OBS-REC-18)
    pub const STREAM: &str = "stream";

    /// The deployed unary PluginHost/Log call; such records have no sequence. (OBS-REC-18)
    pub const RPC: &str = "rpc";

    /// OpenTelemetry log export to the driver's endpoint; reserved for a later version. (OBS-REC-18)
    pub const OTLP: &str = "otlp";

    /// The host log function of an in-process component. (OBS-REC-18)
    pub const WASM: &str = "wasm";

    /// A JSON record line on the plugin's standard error. (OBS-CHAN-32)
    pub const STDERR: &str = "stderr";

    /// A JSON record line on the plugin's standard output. (OBS-CHAN-32)
    pub const STDOUT: &str = "stdout";

    /// The driver's own records. (OBS-LIFE-02)
    pub const DRIVER: &str = "driver";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[STREAM, RPC, OTLP, WASM, STDERR, STDOUT, DRIVER];
}

/// What a driver or plugin has noticed about a record. An open list: unknown marks are kept.
pub mod mark {
    /// Something was cut to keep a limit; truncatedBytes counts the bytes. (OBS-LIM-11)
    pub const TRUNCATED: &str = "truncated";

    /// Bytes that are not valid text were replaced. (OBS-REC-24)
    pub const SANITISED: &str = "sanitised";

    /// The sender showed no token; only the port it used tells its instance. (OBS-SEC-11)
    pub const UNVERIFIED: &str = "unverified";

    /// The record arrived after its test had ended. (OBS-REC-25)
    pub const LATE: &str = "late";

    /// The record could not be decoded; its bytes are kept as an attribute. (OBS-REC-26)
    pub const MALFORMED: &str = "malformed";

    /// The identity the record claimed is not one the driver issued to its sender; the claim is in claimed. (OBS-SEC-17)
    pub const QUARANTINED: &str = "quarantined";

    /// The test run ID breaks the grammar; it is kept as data and not sent as metadata. (OBS-ID-11)
    pub const INVALID_TEST_RUN_ID: &str = "invalid_test_run_id";

    /// The request field and the metadata of the call named different test runs; the field won. (OBS-ID-35)
    pub const ID_CONFLICT: &str = "id_conflict";

    /// The level is not in the registry and no severity number was given. (OBS-LEVEL-03)
    pub const UNKNOWN_LEVEL: &str = "unknown_level";

    /// The channel is not in the registry; the record is shown as operational. (OBS-CHAN-06)
    pub const UNKNOWN_CHANNEL: &str = "unknown_channel";

    /// A value was removed because the user's redaction rules name it. (OBS-SEC-33)
    pub const REDACTED: &str = "redacted";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[
        TRUNCATED,
        SANITISED,
        UNVERIFIED,
        LATE,
        MALFORMED,
        QUARANTINED,
        INVALID_TEST_RUN_ID,
        ID_CONFLICT,
        UNKNOWN_LEVEL,
        UNKNOWN_CHANNEL,
        REDACTED,
    ];
}

/// Capability strings in hostCapabilities and pluginCapabilities. For people: the handshake on the stream decides.
pub mod capability {
    /// Offers, or speaks, LogService/Stream version 1. (OBS-NEG-18)
    pub const OBSERVABILITY_LOG_STREAM_V1: &str = "observability/log-stream/v1";

    /// Offers, or speaks, the deployed unary PluginHost/Log. (OBS-NEG-18)
    pub const OBSERVABILITY_LOG_V1: &str = "observability/log/v1";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[OBSERVABILITY_LOG_STREAM_V1, OBSERVABILITY_LOG_V1];
}

/// Environment variables between a driver and a plugin process.
pub mod environment {
    /// host:port of the driver's log service, plain-text HTTP/2 on loopback. Present means offered. (OBS-NEG-03)
    pub const PLUGOBS_ENDPOINT: &str = "PLUGOBS_ENDPOINT";

    /// The instance's token, 64 lower-case hexadecimal digits. Sent as the authorization metadata, scheme Bearer. (OBS-SEC-01)
    pub const PLUGOBS_TOKEN: &str = "PLUGOBS_TOKEN";

    /// The level the plugin starts with, until the welcome names one. The user's value wins over the driver's. (OBS-CHAN-15)
    pub const PLUGOBS_LEVEL: &str = "PLUGOBS_LEVEL";

    /// host:port of the deployed PluginHost service. (OBS-NEG-02)
    pub const PACT_PLUGIN_HOST: &str = "PACT_PLUGIN_HOST";

    /// The plugin instance ID. (OBS-ID-03)
    pub const PACT_PLUGIN_INSTANCE_ID: &str = "PACT_PLUGIN_INSTANCE_ID";

    /// The level of the plugin's own logging. The user's value wins over the driver's. (OBS-CHAN-16)
    pub const LOG_LEVEL: &str = "LOG_LEVEL";

    /// The filter of Rust plugins. The user's value wins over the driver's. (OBS-CHAN-16)
    pub const RUST_LOG: &str = "RUST_LOG";

    /// The folder that holds the plugins, a folder each. (OBS-NEG-30)
    pub const PACT_PLUGIN_DIR: &str = "PACT_PLUGIN_DIR";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[
        PLUGOBS_ENDPOINT,
        PLUGOBS_TOKEN,
        PLUGOBS_LEVEL,
        PACT_PLUGIN_HOST,
        PACT_PLUGIN_INSTANCE_ID,
        LOG_LEVEL,
        RUST_LOG,
        PACT_PLUGIN_DIR,
    ];
}

/// gRPC metadata keys, lower case.
pub mod metadata {
    /// The test run ID of the call. Left out where no test is active or the ID breaks the grammar. (OBS-GRPC-10)
    pub const PLUGIN_TEST_RUN_ID: &str = "plugin-test-run-id";

    /// The ID of this call. (OBS-GRPC-09)
    pub const PLUGIN_CALL_ID: &str = "plugin-call-id";

    /// The ID of the call in which this one is nested. (OBS-GRPC-09)
    pub const PLUGIN_PARENT_CALL_ID: &str = "plugin-parent-call-id";

    /// epoch:sequence, both decimal: the highest sequence emitted when the response was made. Initial or trailing metadata. (OBS-GRPC-36)
    pub const PLUGIN_LOG_SEQUENCE: &str = "plugin-log-sequence";

    /// W3C trace context. (OBS-GRPC-12)
    pub const TRACEPARENT: &str = "traceparent";

    /// W3C baggage; the member test.run.id holds the percent-encoded test run ID. (OBS-GRPC-11)
    pub const BAGGAGE: &str = "baggage";

    /// To the plugin: the serverKey of the handshake, verbatim. To the driver: Bearer and the token. (OBS-GRPC-03)
    pub const AUTHORIZATION: &str = "authorization";

    /// A deployed driver's ID of a chain of calls, kept as the attribute callChainId. (OBS-ID-27)
    pub const PACT_CALL_CHAIN_ID: &str = "pact-call-chain-id";

    /// A deployed driver's deadline of a call chain, Unix milliseconds. (OBS-NEG-31)
    pub const PACT_DEADLINE_MS: &str = "pact-deadline-ms";

    /// Every name, in the registry's order.
    pub const ALL: &[&str] = &[
        PLUGIN_TEST_RUN_ID,
        PLUGIN_CALL_ID,
        PLUGIN_PARENT_CALL_ID,
        PLUGIN_LOG_SEQUENCE,
        TRACEPARENT,
        BAGGAGE,
        AUTHORIZATION,
        PACT_CALL_CHAIN_ID,
        PACT_DEADLINE_MS,
    ];
}

/// Level names and their severity numbers, those of other systems included. The number decides.
pub mod level {
    /// A level name that the registry knows.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct LevelName {
        /// The name, upper case.
        pub name: &'static str,
        /// Its severity number, 1 to 24.
        pub severity: u8,
        /// The level it is shown as: one of TRACE, DEBUG, INFO, WARN, ERROR.
        pub shown_as: &'static str,
        /// Other spellings, upper case.
        pub aliases: &'static [&'static str],
    }

    /// Finest detail. (OBS-LEVEL-02)
    pub const TRACE: &str = "TRACE";

    /// The severity number of `TRACE`.
    pub const TRACE_SEVERITY: u8 = 1;

    /// Detail for the developer of the plugin. (OBS-LEVEL-02)
    pub const DEBUG: &str = "DEBUG";

    /// The severity number of `DEBUG`.
    pub const DEBUG_SEVERITY: u8 = 5;

    /// Normal events. (OBS-LEVEL-02)
    pub const INFO: &str = "INFO";

    /// The severity number of `INFO`.
    pub const INFO_SEVERITY: u8 = 9;

    /// Normal but significant (syslog); shown as INFO. (OBS-LEVEL-02)
    pub const NOTICE: &str = "NOTICE";

    /// The severity number of `NOTICE`.
    pub const NOTICE_SEVERITY: u8 = 10;

    /// Something that may be wrong. (OBS-LEVEL-02)
    pub const WARN: &str = "WARN";

    /// The severity number of `WARN`.
    pub const WARN_SEVERITY: u8 = 13;

    /// Something that failed. (OBS-LEVEL-02)
    pub const ERROR: &str = "ERROR";

    /// The severity number of `ERROR`.
    pub const ERROR_SEVERITY: u8 = 17;

    /// A failure beyond one operation; shown as ERROR. (OBS-LEVEL-02)
    pub const CRITICAL: &str = "CRITICAL";

    /// The severity number of `CRITICAL`.
    pub const CRITICAL_SEVERITY: u8 = 18;

    /// Action must be taken at once (syslog); shown as ERROR. (OBS-LEVEL-02)
    pub const ALERT: &str = "ALERT";

    /// The severity number of `ALERT`.
    pub const ALERT_SEVERITY: u8 = 19;

    /// The process cannot go on; shown as ERROR. (OBS-LEVEL-02)
    pub const FATAL: &str = "FATAL";

    /// The severity number of `FATAL`.
    pub const FATAL_SEVERITY: u8 = 21;

    /// The system is unusable (syslog); shown as ERROR. (OBS-LEVEL-02)
    pub const EMERGENCY: &str = "EMERGENCY";

    /// The severity number of `EMERGENCY`.
    pub const EMERGENCY_SEVERITY: u8 = 22;

    /// Every level name, by rising severity number.
    pub const ALL: &[LevelName] = &[
        LevelName {
            name: TRACE,
            severity: TRACE_SEVERITY,
            shown_as: TRACE,
            aliases: &["FINEST", "FINER", "VERBOSE", "SILLY"],
        },
        LevelName {
            name: DEBUG,
            severity: DEBUG_SEVERITY,
            shown_as: DEBUG,
            aliases: &["FINE", "CONFIG"],
        },
        LevelName {
            name: INFO,
            severity: INFO_SEVERITY,
            shown_as: INFO,
            aliases: &["INFORMATION", "INFORMATIONAL"],
        },
        LevelName {
            name: NOTICE,
            severity: NOTICE_SEVERITY,
            shown_as: INFO,
            aliases: &[],
        },
        LevelName {
            name: WARN,
            severity: WARN_SEVERITY,
            shown_as: WARN,
            aliases: &["WARNING"],
        },
        LevelName {
            name: ERROR,
            severity: ERROR_SEVERITY,
            shown_as: ERROR,
            aliases: &["ERR", "SEVERE"],
        },
        LevelName {
            name: CRITICAL,
            severity: CRITICAL_SEVERITY,
            shown_as: ERROR,
            aliases: &["CRIT", "DPANIC"],
        },
        LevelName {
            name: ALERT,
            severity: ALERT_SEVERITY,
            shown_as: ERROR,
            aliases: &[],
        },
        LevelName {
            name: FATAL,
            severity: FATAL_SEVERITY,
            shown_as: ERROR,
            aliases: &["PANIC"],
        },
        LevelName {
            name: EMERGENCY,
            severity: EMERGENCY_SEVERITY,
            shown_as: ERROR,
            aliases: &["EMERG"],
        },
    ];
}

/// Event names of lifecycle records. A closed list on the lifecycle channel.
pub mod event {
    /// The side that emits an event.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Side {
        /// The plugin, through its SDK.
        Plugin,
        /// The driver.
        Driver,
    }

    /// The type of a registered attribute.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AttributeType {
        /// Text.
        String,
        /// A 64-bit signed integer.
        Int,
        /// True or false.
        Bool,
    }

    /// A lifecycle event that the registry knows.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Event {
        /// The event's name.
        pub name: &'static str,
        /// The side that emits it.
        pub set_by: Side,
        /// Its registered attributes, by name.
        pub attributes: &'static [(&'static str, AttributeType)],
    }

    /// The SDK is set up, before the connection to the driver. (OBS-LIFE-06) Set by the plugin.
    pub const PLUGIN_STARTED: &str = "plugin.started";

    /// InitPlugin arrived. (OBS-LIFE-07) Set by the plugin.
    pub const PLUGIN_INIT_RECEIVED: &str = "plugin.init_received";

    /// The plugin returned its catalogue entries. (OBS-LIFE-07) Set by the plugin.
    pub const PLUGIN_CATALOGUE_REGISTERED: &str = "plugin.catalogue_registered";

    /// The plugin accepts calls. (OBS-LIFE-07) Set by the plugin.
    pub const PLUGIN_READY: &str = "plugin.ready";

    /// The plugin has begun to stop. (OBS-LIFE-08) Set by the plugin.
    pub const PLUGIN_STOPPING: &str = "plugin.stopping";

    /// The SDK's own transport failed or recovered; reported once per fault. (OBS-CHAN-22) Set by the plugin.
    pub const PLUGIN_TRANSPORT_FAULT: &str = "plugin.transport_fault";

    /// The process was started, or the component instantiated. (OBS-LIFE-10) Set by the driver.
    pub const INSTANCE_SPAWNED: &str = "instance.spawned";

    /// The handshake line arrived. (OBS-LIFE-11) Set by the driver.
    pub const INSTANCE_HANDSHAKE: &str = "instance.handshake";

    /// InitPlugin succeeded. (OBS-LIFE-12) Set by the driver.
    pub const INSTANCE_INITIALISED: &str = "instance.initialised";

    /// The instance's record stream was accepted. (OBS-LIFE-13) Set by the driver.
    pub const INSTANCE_STREAM_OPENED: &str = "instance.stream_opened";

    /// The instance's record stream ended. (OBS-LIFE-13) Set by the driver.
    pub const INSTANCE_STREAM_CLOSED: &str = "instance.stream_closed";

    /// The driver asked the instance to stop. (OBS-LIFE-14) Set by the driver.
    pub const INSTANCE_STOP_REQUESTED: &str = "instance.stop_requested";

    /// The process ended. (OBS-LIFE-16) Set by the driver.
    pub const INSTANCE_EXITED: &str = "instance.exited";

    /// The driver killed the process. (OBS-LIFE-15) Set by the driver.
    pub const INSTANCE_KILLED: &str = "instance.killed";

    /// A start, call or stop failed; the failure report has the details. (OBS-LIFE-18) Set by the driver.
    pub const INSTANCE_FAILED: &str = "instance.failed";

    /// The driver began a call to the plugin. (OBS-LIFE-19) Set by the driver.
    pub const CALL_BEGIN: &str = "call.begin";

    /// The call ended. (OBS-LIFE-19) Set by the driver.
    pub const CALL_END: &str = "call.end";

    /// Every record of the call is stored or counted, or the wait for them ended. (OBS-LIFE-25) Set by the driver.
    pub const CALL_LOGS_COMPLETE: &str = "call.logs_complete";

    /// A test run began. (OBS-LIFE-29) Set by the driver.
    pub const TEST_BEGIN: &str = "test.begin";

    /// A test run ended. (OBS-LIFE-29) Set by the driver.
    pub const TEST_END: &str = "test.end";

    /// Records that will never arrive, by the plugin's or the driver's own count: a range of sequences, or for records without sequence a count. (OBS-LIM-29) Set by the driver.
    pub const RECORDS_DROPPED: &str = "records.dropped";

    /// Raw output of the plugin was cut to keep a limit. (OBS-LIM-15) Set by the driver.
    pub const OUTPUT_TRUNCATED: &str = "output.truncated";

    /// A sink of the driver failed or fell behind. (OBS-LIFE-33) Set by the driver.
    pub const SINK_FAILED: &str = "sink.failed";

    /// Every event, in the registry's order.
    pub const ALL: &[Event] = &[
        Event {
            name: PLUGIN_STARTED,
            set_by: Side::Plugin,
            attributes: &[
                (super::attribute::PROCESS_PID, AttributeType::Int),
                (super::attribute::SDK_LANGUAGE, AttributeType::String),
                (super::attribute::SDK_NAME, AttributeType::String),
                (super::attribute::SDK_VERSION, AttributeType::String),
            ],
        },
        Event {
            name: PLUGIN_INIT_RECEIVED,
            set_by: Side::Plugin,
            attributes: &[
                (super::attribute::HOST_IMPLEMENTATION, AttributeType::String),
                (super::attribute::HOST_VERSION, AttributeType::String),
            ],
        },
        Event {
            name: PLUGIN_CATALOGUE_REGISTERED,
            set_by: Side::Plugin,
            attributes: &[(super::attribute::CATALOGUE_ENTRIES, AttributeType::Int)],
        },
        Event {
            name: PLUGIN_READY,
            set_by: Side::Plugin,
            attributes: &[],
        },
        Event {
            name: PLUGIN_STOPPING,
            set_by: Side::Plugin,
            attributes: &[(super::attribute::STOP_REASON, AttributeType::String)],
        },
        Event {
            name: PLUGIN_TRANSPORT_FAULT,
            set_by: Side::Plugin,
            attributes: &[(super::attribute::FAULT_DESCRIPTION, AttributeType::String)],
        },
        Event {
            name: INSTANCE_SPAWNED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::COMPONENT_CACHE, AttributeType::String),
                (
                    super::attribute::COMPONENT_CACHE_PROBLEM,
                    AttributeType::String,
                ),
                (super::attribute::PROCESS_EXECUTABLE, AttributeType::String),
                (super::attribute::PROCESS_PID, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_HANDSHAKE,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::HANDSHAKE_DURATION_NS, AttributeType::Int),
                (super::attribute::HANDSHAKE_PORT, AttributeType::Int),
                (super::attribute::HANDSHAKE_STRAY_LINES, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_INITIALISED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::CATALOGUE_ENTRIES, AttributeType::Int),
                (super::attribute::INIT_DURATION_NS, AttributeType::Int),
                (super::attribute::INTERFACE_VERSION, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_STREAM_OPENED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::SDK_LANGUAGE, AttributeType::String),
                (super::attribute::SDK_NAME, AttributeType::String),
                (super::attribute::SDK_VERSION, AttributeType::String),
                (super::attribute::STREAM_EPOCH, AttributeType::Int),
                (super::attribute::STREAM_VERSION, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_STREAM_CLOSED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::STREAM_CLEAN, AttributeType::Bool),
                (super::attribute::STREAM_EPOCH, AttributeType::Int),
                (super::attribute::STREAM_LAST_SEQUENCE, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_STOP_REQUESTED,
            set_by: Side::Driver,
            attributes: &[(super::attribute::STOP_DEADLINE_NS, AttributeType::Int)],
        },
        Event {
            name: INSTANCE_EXITED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::PROCESS_EXIT_CODE, AttributeType::Int),
                (super::attribute::PROCESS_SIGNAL, AttributeType::Int),
                (super::attribute::PROCESS_UPTIME_NS, AttributeType::Int),
            ],
        },
        Event {
            name: INSTANCE_KILLED,
            set_by: Side::Driver,
            attributes: &[(super::attribute::STOP_REASON, AttributeType::String)],
        },
        Event {
            name: INSTANCE_FAILED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::FAILURE_CODE, AttributeType::String),
                (super::attribute::FAILURE_STAGE, AttributeType::String),
            ],
        },
        Event {
            name: CALL_BEGIN,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::CALL_OPERATION, AttributeType::String),
                (super::attribute::CALL_PARENT_ID, AttributeType::String),
            ],
        },
        Event {
            name: CALL_END,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::CALL_DURATION_NS, AttributeType::Int),
                (super::attribute::CALL_ERROR, AttributeType::String),
                (super::attribute::CALL_LAST_SEQUENCE, AttributeType::Int),
                (super::attribute::CALL_OPERATION, AttributeType::String),
                (super::attribute::CALL_OUTCOME, AttributeType::String),
            ],
        },
        Event {
            name: CALL_LOGS_COMPLETE,
            set_by: Side::Driver,
            attributes: &[(super::attribute::CALL_COMPLETENESS, AttributeType::String)],
        },
        Event {
            name: TEST_BEGIN,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::TEST_CASE_NAME, AttributeType::String),
                (super::attribute::TEST_ID_SOURCE, AttributeType::String),
                (super::attribute::TEST_SESSION_ID, AttributeType::String),
                (super::attribute::TEST_SUITE_NAME, AttributeType::String),
            ],
        },
        Event {
            name: TEST_END,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::TEST_DURATION_NS, AttributeType::Int),
                (super::attribute::TEST_OUTCOME, AttributeType::String),
            ],
        },
        Event {
            name: RECORDS_DROPPED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::DROPPED_COUNT, AttributeType::Int),
                (super::attribute::DROPPED_DEBUG, AttributeType::Int),
                (super::attribute::DROPPED_ERROR, AttributeType::Int),
                (super::attribute::DROPPED_FIRST, AttributeType::Int),
                (super::attribute::DROPPED_INFO, AttributeType::Int),
                (super::attribute::DROPPED_LAST, AttributeType::Int),
                (super::attribute::DROPPED_REASON, AttributeType::String),
                (super::attribute::DROPPED_TRACE, AttributeType::Int),
                (super::attribute::DROPPED_WARN, AttributeType::Int),
            ],
        },
        Event {
            name: OUTPUT_TRUNCATED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::OUTPUT_BYTES, AttributeType::Int),
                (super::attribute::OUTPUT_STREAM, AttributeType::String),
            ],
        },
        Event {
            name: SINK_FAILED,
            set_by: Side::Driver,
            attributes: &[
                (super::attribute::SINK_ERROR, AttributeType::String),
                (super::attribute::SINK_LOST_RECORDS, AttributeType::Int),
                (super::attribute::SINK_NAME, AttributeType::String),
            ],
        },
    ];
}

/// Attribute keys of lifecycle events.
pub mod attribute {
    /// Attribute of `call.logs_complete`: string.
    pub const CALL_COMPLETENESS: &str = "call.completeness";

    /// Attribute of `call.end`: int.
    pub const CALL_DURATION_NS: &str = "call.duration_ns";

    /// Attribute of `call.end`: string.
    pub const CALL_ERROR: &str = "call.error";

    /// Attribute of `call.end`: int.
    pub const CALL_LAST_SEQUENCE: &str = "call.last_sequence";

    /// Attribute of `call.begin`, `call.end`: string.
    pub const CALL_OPERATION: &str = "call.operation";

    /// Attribute of `call.end`: string.
    pub const CALL_OUTCOME: &str = "call.outcome";

    /// Attribute of `call.begin`: string.
    pub const CALL_PARENT_ID: &str = "call.parent_id";

    /// Attribute of `plugin.catalogue_registered`, `instance.initialised`: int.
    pub const CATALOGUE_ENTRIES: &str = "catalogue.entries";

    /// Attribute of `instance.spawned`: string.
    pub const COMPONENT_CACHE: &str = "component.cache";

    /// Attribute of `instance.spawned`: string.
    pub const COMPONENT_CACHE_PROBLEM: &str = "component.cache_problem";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_COUNT: &str = "dropped.count";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_DEBUG: &str = "dropped.debug";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_ERROR: &str = "dropped.error";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_FIRST: &str = "dropped.first";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_INFO: &str = "dropped.info";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_LAST: &str = "dropped.last";

    /// Attribute of `records.dropped`: string.
    pub const DROPPED_REASON: &str = "dropped.reason";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_TRACE: &str = "dropped.trace";

    /// Attribute of `records.dropped`: int.
    pub const DROPPED_WARN: &str = "dropped.warn";

    /// Attribute of `instance.failed`: string.
    pub const FAILURE_CODE: &str = "failure.code";

    /// Attribute of `instance.failed`: string.
    pub const FAILURE_STAGE: &str = "failure.stage";

    /// Attribute of `plugin.transport_fault`: string.
    pub const FAULT_DESCRIPTION: &str = "fault.description";

    /// Attribute of `instance.handshake`: int.
    pub const HANDSHAKE_DURATION_NS: &str = "handshake.duration_ns";

    /// Attribute of `instance.handshake`: int.
    pub const HANDSHAKE_PORT: &str = "handshake.port";

    /// Attribute of `instance.handshake`: int.
    pub const HANDSHAKE_STRAY_LINES: &str = "handshake.stray_lines";

    /// Attribute of `plugin.init_received`: string.
    pub const HOST_IMPLEMENTATION: &str = "host.implementation";

    /// Attribute of `plugin.init_received`: string.
    pub const HOST_VERSION: &str = "host.version";

    /// Attribute of `instance.initialised`: int.
    pub const INIT_DURATION_NS: &str = "init.duration_ns";

    /// Attribute of `instance.initialised`: int.
    pub const INTERFACE_VERSION: &str = "interface.version";

    /// Attribute of `output.truncated`: int.
    pub const OUTPUT_BYTES: &str = "output.bytes";

    /// Attribute of `output.truncated`: string.
    pub const OUTPUT_STREAM: &str = "output.stream";

    /// Attribute of `instance.spawned`: string.
    pub const PROCESS_EXECUTABLE: &str = "process.executable";

    /// Attribute of `instance.exited`: int.
    pub const PROCESS_EXIT_CODE: &str = "process.exit_code";

    /// Attribute of `plugin.started`, `instance.spawned`: int.
    pub const PROCESS_PID: &str = "process.pid";

    /// Attribute of `instance.exited`: int.
    pub const PROCESS_SIGNAL: &str = "process.signal";

    /// Attribute of `instance.exited`: int.
    pub const PROCESS_UPTIME_NS: &str = "process.uptime_ns";

    /// Attribute of `plugin.started`, `instance.stream_opened`: string.
    pub const SDK_LANGUAGE: &str = "sdk.language";

    /// Attribute of `plugin.started`, `instance.stream_opened`: string.
    pub const SDK_NAME: &str = "sdk.name";

    /// Attribute of `plugin.started`, `instance.stream_opened`: string.
    pub const SDK_VERSION: &str = "sdk.version";

    /// Attribute of `sink.failed`: string.
    pub const SINK_ERROR: &str = "sink.error";

    /// Attribute of `sink.failed`: int.
    pub const SINK_LOST_RECORDS: &str = "sink.lost_records";

    /// Attribute of `sink.failed`: string.
    pub const SINK_NAME: &str = "sink.name";

    /// Attribute of `instance.stop_requested`: int.
    pub const STOP_DEADLINE_NS: &str = "stop.deadline_ns";

    /// Attribute of `plugin.stopping`, `instance.killed`: string.
    pub const STOP_REASON: &str = "stop.reason";

    /// Attribute of `instance.stream_closed`: bool.
    pub const STREAM_CLEAN: &str = "stream.clean";

    /// Attribute of `instance.stream_opened`, `instance.stream_closed`: int.
    pub const STREAM_EPOCH: &str = "stream.epoch";

    /// Attribute of `instance.stream_closed`: int.
    pub const STREAM_LAST_SEQUENCE: &str = "stream.last_sequence";

    /// Attribute of `instance.stream_opened`: int.
    pub const STREAM_VERSION: &str = "stream.version";

    /// Attribute of `test.begin`: string.
    pub const TEST_CASE_NAME: &str = "test.case.name";

    /// Attribute of `test.end`: int.
    pub const TEST_DURATION_NS: &str = "test.duration_ns";

    /// Attribute of `test.begin`: string.
    pub const TEST_ID_SOURCE: &str = "test.id_source";

    /// Attribute of `test.end`: string.
    pub const TEST_OUTCOME: &str = "test.outcome";

    /// Attribute of `test.begin`: string.
    pub const TEST_SESSION_ID: &str = "test.session_id";

    /// Attribute of `test.begin`: string.
    pub const TEST_SUITE_NAME: &str = "test.suite.name";
}

/// Limits with their defaults. Those of a record and of a batch are announced in the welcome.
pub mod limit {
    use std::time::Duration;

    /// A record's message. (OBS-LIM-09) In bytes.
    pub const MESSAGE_BYTES_DEFAULT: usize = 65_536;

    /// Attributes of a record. (OBS-LIM-09)
    pub const ATTRIBUTES_DEFAULT: usize = 64;

    /// An attribute's key. (OBS-LIM-09) In bytes.
    pub const ATTRIBUTE_KEY_BYTES_DEFAULT: usize = 128;

    /// An attribute's value. (OBS-LIM-09) In bytes.
    pub const ATTRIBUTE_VALUE_BYTES_DEFAULT: usize = 8_192;

    /// A whole encoded record; wins over the others. (OBS-LIM-09) In bytes.
    pub const RECORD_BYTES_DEFAULT: usize = 262_144;

    /// The encoded records of one batch. (OBS-LIM-02) In bytes.
    pub const BATCH_BYTES_DEFAULT: usize = 1_048_576;

    /// Encoded records in flight before an acknowledgement. (OBS-STR-29) In bytes.
    pub const CREDIT_BYTES_DEFAULT: usize = 4_194_304;

    /// A line of raw standard error or output. (OBS-LIM-13) In bytes.
    pub const OUTPUT_LINE_BYTES_DEFAULT: usize = 65_536;

    /// A JSON record line on standard error. (OBS-JSON-24) In bytes.
    pub const STDERR_RECORD_BYTES_DEFAULT: usize = 32_768;

    /// A test run ID. (OBS-ID-09) In bytes.
    pub const TEST_RUN_ID_BYTES_DEFAULT: usize = 256;

    /// A level, channel, event name or target. (OBS-LIM-09) In bytes.
    pub const NAME_BYTES_DEFAULT: usize = 256;

    /// Records waiting in the plugin, shedding begins below it. (OBS-LIM-20) In bytes.
    pub const PLUGIN_QUEUE_BYTES_DEFAULT: usize = 8_388_608;

    /// The part of the plugin's queue kept for WARN and above, lifecycle and user records. (OBS-LIM-21) In bytes.
    pub const PLUGIN_RESERVE_BYTES_DEFAULT: usize = 1_048_576;

    /// How long the driver waits for a call's records after its response. (OBS-LIFE-26)
    pub const LOGS_COMPLETE_WAIT_DEFAULT: Duration = Duration::from_millis(250);

    /// How long the driver waits for the handshake line of a process that lives. (OBS-FAIL-05)
    pub const HANDSHAKE_WAIT_DEFAULT: Duration = Duration::from_millis(60_000);

    /// How long the driver reads on from the output of a process that has ended. (OBS-CHAN-31)
    pub const OUTPUT_DRAIN_WAIT_DEFAULT: Duration = Duration::from_millis(500);

    /// How long an instance may take to stop before its process is terminated. (OBS-FAIL-28)
    pub const STOP_WAIT_DEFAULT: Duration = Duration::from_millis(5_000);

    /// How long a terminated process may take to end before it is killed. (OBS-FAIL-28)
    pub const TERMINATE_WAIT_DEFAULT: Duration = Duration::from_millis(2_000);

    /// Records of one instance waiting in the driver, all sinks together. (OBS-LIM-25) In bytes.
    pub const DRIVER_QUEUE_BYTES_DEFAULT: usize = 16_777_216;

    /// Records waiting for one sink. (OBS-LIM-26) In bytes.
    pub const SINK_QUEUE_BYTES_DEFAULT: usize = 8_388_608;

    /// Raw standard error, or output, of one instance kept in the run folder. (OBS-LIM-14) In bytes.
    pub const RAW_OUTPUT_BYTES_DEFAULT: usize = 67_108_864;

    /// One segment of the records of a run folder. (OBS-RUN-10) In bytes.
    pub const SEGMENT_BYTES_DEFAULT: usize = 134_217_728;

    /// All segments of the records of a run folder together. (OBS-RUN-11) In bytes.
    pub const RUN_RECORDS_BYTES_DEFAULT: usize = 1_073_741_824;

    /// The tail of raw standard error in a failure report. (OBS-FAIL-17) In bytes.
    pub const REPORT_OUTPUT_BYTES_DEFAULT: usize = 16_384;

    /// The last records of an instance, and of a test, in a failure report. (OBS-FAIL-18)
    pub const REPORT_RECORDS_DEFAULT: usize = 50;

    /// How long a plugin waits before it opens its lost record stream again; doubled after each attempt. (OBS-STR-23)
    pub const RECONNECT_FIRST_WAIT_DEFAULT: Duration = Duration::from_millis(100);

    /// The longest wait between two attempts to open the record stream. (OBS-STR-23)
    pub const RECONNECT_MOST_WAIT_DEFAULT: Duration = Duration::from_millis(5_000);

    /// How long a plugin tries to open its record stream before the driver counts as lost for good. (OBS-STR-24)
    pub const HOST_LOST_WAIT_DEFAULT: Duration = Duration::from_millis(30_000);

    /// The memory of a component's instance. (OBS-WASM-27) In bytes.
    pub const COMPONENT_MEMORY_BYTES_DEFAULT: usize = 268_435_456;

    /// How long one call of a component's export may run. (OBS-WASM-27)
    pub const COMPONENT_CALL_WAIT_DEFAULT: Duration = Duration::from_millis(30_000);

    /// The arguments of one call that a component makes to its host. (OBS-WASM-27) In bytes.
    pub const COMPONENT_HOST_CALL_BYTES_DEFAULT: usize = 1_048_576;

    /// Records that a component logs in one call of an export. (OBS-WASM-27)
    pub const COMPONENT_CALL_RECORDS_DEFAULT: usize = 100_000;

    /// Instances of components at one time. (OBS-WASM-27)
    pub const COMPONENT_INSTANCES_DEFAULT: usize = 4_096;
}

/// Why a decoder or validator refuses a form. Programs compare the code, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RejectionCode {
    /// The text is not JSON, or not one JSON object. (OBS-JSON-06)
    InvalidJson,
    /// The bytes are not a protobuf message of this type. (OBS-GRPC-24)
    MalformedProtobuf,
    /// A text field holds bytes that are not UTF-8. (OBS-GRPC-24)
    InvalidUtf8,
    /// The form's version number is not one this reader knows. (OBS-JSON-26)
    UnknownVersion,
    /// A required field is absent or empty. (OBS-REC-02)
    MissingField,
    /// A field has another type than the one defined. (OBS-JSON-07)
    WrongType,
    /// A number is outside its range. (OBS-REC-04)
    OutOfRange,
    /// The plugin instance ID is not a UUID in canonical lower-case text. (OBS-ID-04)
    InvalidInstanceId,
    /// The test run ID breaks its grammar. (OBS-ID-09)
    InvalidTestRunId,
    /// The call ID is not a UUID in canonical lower-case text. (OBS-ID-26)
    InvalidCallId,
    /// The time is not RFC 3339 UTC, or outside 1970 to 2554. (OBS-REC-08)
    InvalidTimestamp,
    /// The trace ID, span ID or flags break the W3C form. (OBS-REC-16)
    InvalidTraceContext,
    /// A bytes value is not padded standard base64. (OBS-JSON-14)
    InvalidBase64,
    /// An attribute key, or a JSON member, stands twice. (OBS-JSON-05)
    DuplicateKey,
    /// A lifecycle record's event name is not in the registry. (OBS-REC-12)
    UnknownEvent,
    /// A value is over its limit where cutting is not allowed. (OBS-JSON-28)
    TooLong,
    /// The handshake line lacks a port in 1 to 65535 or a serverKey, or has one of the wrong type. (OBS-CHAN-25)
    InvalidHandshake,
}

impl RejectionCode {
    /// Every code, in the registry's order.
    pub const ALL: &[Self] = &[
        Self::InvalidJson,
        Self::MalformedProtobuf,
        Self::InvalidUtf8,
        Self::UnknownVersion,
        Self::MissingField,
        Self::WrongType,
        Self::OutOfRange,
        Self::InvalidInstanceId,
        Self::InvalidTestRunId,
        Self::InvalidCallId,
        Self::InvalidTimestamp,
        Self::InvalidTraceContext,
        Self::InvalidBase64,
        Self::DuplicateKey,
        Self::UnknownEvent,
        Self::TooLong,
        Self::InvalidHandshake,
    ];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::MalformedProtobuf => "malformed_protobuf",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::UnknownVersion => "unknown_version",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::InvalidInstanceId => "invalid_instance_id",
            Self::InvalidTestRunId => "invalid_test_run_id",
            Self::InvalidCallId => "invalid_call_id",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::InvalidTraceContext => "invalid_trace_context",
            Self::InvalidBase64 => "invalid_base64",
            Self::DuplicateKey => "duplicate_key",
            Self::UnknownEvent => "unknown_event",
            Self::TooLong => "too_long",
            Self::InvalidHandshake => "invalid_handshake",
        }
    }

    /// What it means, a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidJson => "The text is not JSON, or not one JSON object.",
            Self::MalformedProtobuf => "The bytes are not a protobuf message of this type.",
            Self::InvalidUtf8 => "A text field holds bytes that are not UTF-8.",
            Self::UnknownVersion => "The form's version number is not one this reader knows.",
            Self::MissingField => "A required field is absent or empty.",
            Self::WrongType => "A field has another type than the one defined.",
            Self::OutOfRange => "A number is outside its range.",
            Self::InvalidInstanceId => {
                "The plugin instance ID is not a UUID in canonical lower-case text."
            }
            Self::InvalidTestRunId => "The test run ID breaks its grammar.",
            Self::InvalidCallId => "The call ID is not a UUID in canonical lower-case text.",
            Self::InvalidTimestamp => "The time is not RFC 3339 UTC, or outside 1970 to 2554.",
            Self::InvalidTraceContext => "The trace ID, span ID or flags break the W3C form.",
            Self::InvalidBase64 => "A bytes value is not padded standard base64.",
            Self::DuplicateKey => "An attribute key, or a JSON member, stands twice.",
            Self::UnknownEvent => "A lifecycle record's event name is not in the registry.",
            Self::TooLong => "A value is over its limit where cutting is not allowed.",
            Self::InvalidHandshake => {
                "The handshake line lacks a port in 1 to 65535 or a serverKey, or has one of the wrong type."
            }
        }
    }

    /// The stage at which it arises.
    #[must_use]
    pub const fn stage(self) -> &'static str {
        match self {
            Self::InvalidJson
            | Self::MalformedProtobuf
            | Self::InvalidUtf8
            | Self::UnknownVersion
            | Self::WrongType
            | Self::InvalidBase64
            | Self::DuplicateKey
            | Self::InvalidHandshake => "decode",
            Self::MissingField
            | Self::OutOfRange
            | Self::InvalidInstanceId
            | Self::InvalidTestRunId
            | Self::InvalidCallId
            | Self::InvalidTimestamp
            | Self::InvalidTraceContext
            | Self::UnknownEvent
            | Self::TooLong => "validate",
        }
    }

    /// The code of that name; `None` when the registry has none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a plugin failed. Programs compare the code, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FailureCode {
    /// No folder holds a plugin of that name and version. (OBS-FAIL-24)
    PluginNotFound,
    /// pact-plugin.json cannot be read or breaks its format. (OBS-FAIL-24)
    ManifestInvalid,
    /// No transport of this driver runs the manifest's executableType. (OBS-FAIL-24)
    UnsupportedExecutableType,
    /// The manifest's pluginInterfaceVersion is not 1 or 2. (OBS-FAIL-24)
    UnsupportedInterface,
    /// The operating system refused to start the program. (OBS-FAIL-25)
    CannotStart,
    /// The process ended before its handshake. (OBS-FAIL-04)
    ExitedEarly,
    /// No handshake line came in time. (OBS-FAIL-05)
    HandshakeTimeout,
    /// The port of the handshake does not answer. (OBS-FAIL-07)
    ConnectFailed,
    /// InitPlugin failed. (OBS-FAIL-08)
    InitRefused,
    /// The plugin needs host capabilities that this driver lacks. (OBS-FAIL-08)
    MissingCapability,
    /// The plugin answered a call with an error status. (OBS-FAIL-26)
    CallFailed,
    /// The plugin did not answer in time. (OBS-FAIL-10)
    CallTimeout,
    /// The process ended while it was in use. (OBS-FAIL-09)
    Crashed,
    /// The component trapped. (OBS-FAIL-09)
    Trapped,
    /// The connection broke while the process lived on. (OBS-FAIL-27)
    ConnectionLost,
    /// The plugin did not stop in time and was killed. (OBS-FAIL-11)
    ShutdownOverrun,
}

impl FailureCode {
    /// Every code, in the registry's order.
    pub const ALL: &[Self] = &[
        Self::PluginNotFound,
        Self::ManifestInvalid,
        Self::UnsupportedExecutableType,
        Self::UnsupportedInterface,
        Self::CannotStart,
        Self::ExitedEarly,
        Self::HandshakeTimeout,
        Self::ConnectFailed,
        Self::InitRefused,
        Self::MissingCapability,
        Self::CallFailed,
        Self::CallTimeout,
        Self::Crashed,
        Self::Trapped,
        Self::ConnectionLost,
        Self::ShutdownOverrun,
    ];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PluginNotFound => "plugin_not_found",
            Self::ManifestInvalid => "manifest_invalid",
            Self::UnsupportedExecutableType => "unsupported_executable_type",
            Self::UnsupportedInterface => "unsupported_interface",
            Self::CannotStart => "cannot_start",
            Self::ExitedEarly => "exited_early",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::InitRefused => "init_refused",
            Self::MissingCapability => "missing_capability",
            Self::CallFailed => "call_failed",
            Self::CallTimeout => "call_timeout",
            Self::Crashed => "crashed",
            Self::Trapped => "trapped",
            Self::ConnectionLost => "connection_lost",
            Self::ShutdownOverrun => "shutdown_overrun",
        }
    }

    /// What it means, a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::PluginNotFound => "No folder holds a plugin of that name and version.",
            Self::ManifestInvalid => "pact-plugin.json cannot be read or breaks its format.",
            Self::UnsupportedExecutableType => {
                "No transport of this driver runs the manifest's executableType."
            }
            Self::UnsupportedInterface => "The manifest's pluginInterfaceVersion is not 1 or 2.",
            Self::CannotStart => "The operating system refused to start the program.",
            Self::ExitedEarly => "The process ended before its handshake.",
            Self::HandshakeTimeout => "No handshake line came in time.",
            Self::ConnectFailed => "The port of the handshake does not answer.",
            Self::InitRefused => "InitPlugin failed.",
            Self::MissingCapability => "The plugin needs host capabilities that this driver lacks.",
            Self::CallFailed => "The plugin answered a call with an error status.",
            Self::CallTimeout => "The plugin did not answer in time.",
            Self::Crashed => "The process ended while it was in use.",
            Self::Trapped => "The component trapped.",
            Self::ConnectionLost => "The connection broke while the process lived on.",
            Self::ShutdownOverrun => "The plugin did not stop in time and was killed.",
        }
    }

    /// The stage at which it arises.
    #[must_use]
    pub const fn stage(self) -> &'static str {
        match self {
            Self::PluginNotFound
            | Self::ManifestInvalid
            | Self::UnsupportedExecutableType
            | Self::UnsupportedInterface => "find",
            Self::CannotStart => "spawn",
            Self::ExitedEarly | Self::HandshakeTimeout => "handshake",
            Self::ConnectFailed => "connect",
            Self::InitRefused | Self::MissingCapability => "init",
            Self::CallFailed
            | Self::CallTimeout
            | Self::Crashed
            | Self::Trapped
            | Self::ConnectionLost => "call",
            Self::ShutdownOverrun => "stop",
        }
    }

    /// What the user can do, a sentence.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::PluginNotFound => "Check PACT_PLUGIN_DIR and the installed versions.",
            Self::ManifestInvalid => "Mend the manifest; the report names the field.",
            Self::UnsupportedExecutableType => {
                "Add the transport, or install a plugin of a supported type."
            }
            Self::UnsupportedInterface => {
                "Install a version of the plugin for a supported interface."
            }
            Self::CannotStart => "Check that the entry point exists and is executable.",
            Self::ExitedEarly => "Read the exit code and the last lines of stderr in the report.",
            Self::HandshakeTimeout => {
                "Look at the captured stdout; raise the handshake timeout if the plugin is slow to start."
            }
            Self::ConnectFailed => {
                "Check that the plugin listens on loopback before it prints its handshake."
            }
            Self::InitRefused => "Read the plugin's own error in the report.",
            Self::MissingCapability => "Use a driver that offers them, or an older plugin.",
            Self::CallFailed => "Read the status and the records of the call.",
            Self::CallTimeout => {
                "Raise the call timeout, or see in the records where the plugin stood."
            }
            Self::Crashed => "Read the exit code or signal, the last records and the stderr tail.",
            Self::Trapped => {
                "Read the last records; the panic text is among them where the SDK logged it."
            }
            Self::ConnectionLost => "See the plugin's stderr for errors of its server.",
            Self::ShutdownOverrun => "Let the plugin end when it is told to stop.",
        }
    }

    /// The code of that name; `None` when the registry has none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
