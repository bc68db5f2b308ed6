// Diagnostics of a plugin that is a component. Chapter `binding-wasm` of the
// specification says what is to be here.
//
// JavaScript has no context that follows work over `await` in this engine, which
// has no `AsyncLocalStorage`. What it has is the closure: each call gets a `Call`
// as its first argument, and whatever holds it speaks for that call, however
// late it does.

import { enabled, log } from "plugobs:observability/logging@0.1.0";

export const CAPABILITIES = ["observability/log-stream/v1", "observability/log/v1"];
const SDK = { "sdk.name": "plugobs-guest-javascript", "sdk.version": "0.1.0", "sdk.language": "javascript" };

const SEVERITIES = { trace: 1, debug: 5, info: 9, warn: 13, error: 17 };
// Registry `limits`, in bytes of UTF-8: what would be too much for one call of
// the host. The host keeps the other limits.
const MESSAGE_BYTES = 65_536;
const ATTRIBUTE_VALUE_BYTES = 8_192;

// One component is one plugin instance (OBS-WASM-04).
let instanceId = "";

/** Outside of calls. */
const NO_CALL = { callId: undefined, testRunId: undefined, traceParent: undefined };

/** One call of the host: what it is made for, and where its work speaks. */
export class Call {
  #threshold;

  constructor(context) {
    this.context = context;
    // Asked once a call (OBS-WASM-10).
    this.#threshold = Object.values(SEVERITIES).find((number) => enabled(number)) ?? 25;
  }

  /** A logger of this name: `trace` to `error`, each with a text, attributes and an error. */
  logger(target) {
    const write = (level) => (message, attributes = {}, error = undefined) => {
      const severity = SEVERITIES[level];
      if (severity < this.#threshold) return;
      send(this.context, { level: level.toUpperCase(), severity, target, message, attributes, error });
    };
    return Object.fromEntries(Object.keys(SEVERITIES).map((level) => [level, write(level)]));
  }

  /** Says something to the person who reads the test result; no level filters it. */
  userMessage(message) {
    send(this.context, { channel: "user", message });
  }
}

/**
 * The exports of a component, of a plugin whose functions take a `Call` first.
 * One that it does not have is an error to its caller.
 */
export function exportsOf(plugin) {
  const names = ["configureInteraction", "compareContents", "generateContents", "matchField", "generateField"];
  const exports = {
    init(context, request) {
      instanceId = request.pluginInstanceId;
      lifecycle(NO_CALL, "plugin.started", "diagnostics are set up", SDK);
      return serve(context, (call) => {
        const { implementation, version } = request;
        lifecycle(context, "plugin.init_received", `InitPlugin from ${implementation} ${version}`, {
          "host.implementation": implementation,
          "host.version": version,
        });
        const done = plugin.init(call, request);
        const entries = done.catalogue.length;
        lifecycle(context, "plugin.catalogue_registered", `${entries} catalogue entries`, {
          "catalogue.entries": entries,
        });
        lifecycle(context, "plugin.ready", "ready");
        return done;
      });
    },
    updateCatalogue: (context, entries) =>
      serve(context, (call) => plugin.updateCatalogue?.(call, entries)),
  };
  for (const name of names) {
    exports[name] = (context, ...args) =>
      serve(context, (call) => {
        if (!plugin[name]) throw `this plugin does not serve ${name}`;
        return plugin[name](call, ...args);
      });
  }
  return exports;
}

/** What is thrown and no `Error` is the call's answer; an `Error` is a trap. */
function serve(context, work) {
  try {
    return work(new Call(context));
  } catch (error) {
    if (error instanceof Error) {
      // A trap has no text: it is told before it becomes one (OBS-WASM-33).
      const message = `panicked: ${error.message}`;
      send(context, { level: "ERROR", severity: 17, target: "plugobs.plugin", message, error });
    }
    throw error;
  }
}

function lifecycle(context, eventName, message, attributes = {}) {
  send(context, { channel: "lifecycle", target: "plugobs.plugin", eventName, message, attributes });
}

/** One record. The host has it when this returns (OBS-WASM-26). */
function send(context, record) {
  const { level = "INFO", severity = 9, channel = "operational", target = "", attributes = {} } = record;
  let gone = 0;
  const cut = (text, limit) => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length <= limit) return text;
    let end = limit;
    // Not within a character.
    while ((bytes[end] & 0xc0) === 0x80) end -= 1;
    gone += bytes.length - end;
    return new TextDecoder().decode(bytes.subarray(0, end));
  };
  const message = cut(record.message, MESSAGE_BYTES);
  const chain = context.callChainId ? { callChainId: context.callChainId } : {};
  const listed = Object.entries({ ...chain, ...attributes });
  const named = listed.map(([key, value]) => [key, valueOf(value, cut)]);
  const exception = record.error && exceptionOf(record.error, cut);
  const marks = gone > 0 ? ["truncated"] : [];
  // It goes along in any case (OBS-ID-11).
  if (context.testRunId && !/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,256}$/.test(context.testRunId)) marks.push("invalid_test_run_id");
  log(instanceId, context.testRunId, {
    callId: context.callId,
    level,
    severityNumber: severity,
    channel,
    eventName: record.eventName ?? (message ? undefined : "message"),
    target,
    message,
    attributes: named,
    exception,
    traceContext: traceOf(context.traceParent),
    marks,
    truncatedBytes: BigInt(gone),
    extra: [],
  });
}

function valueOf(value, cut) {
  if (typeof value === "boolean") return { tag: "boolean", val: value };
  if (typeof value === "bigint") return { tag: "int", val: value };
  if (Number.isSafeInteger(value)) return { tag: "int", val: BigInt(value) };
  if (typeof value === "number") return { tag: "double", val: value };
  return { tag: "text", val: cut(String(value), ATTRIBUTE_VALUE_BYTES) };
}

function exceptionOf(error, cut) {
  const text = (value) => (value ? cut(String(value), MESSAGE_BYTES) : undefined);
  // The causes after the error's own stack (OBS-REC-29).
  let stack = error.stack ?? "";
  let { cause } = error;
  while (cause instanceof Error) {
    stack += `\nCaused by: ${cause}\n${cause.stack ?? ""}`;
    cause = cause.cause;
  }
  return { kind: error.name, message: text(error.message), stackTrace: text(stack) };
}

function traceOf(parent) {
  const found = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(parent ?? "");
  if (!found) return undefined;
  const [trace, span, flags] = found.slice(1).map((hex) => Uint8Array.from(hex.match(/../g), (b) => parseInt(b, 16)));
  return { traceId: trace, spanId: span, traceFlags: flags[0] };
}
