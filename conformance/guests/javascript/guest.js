// A component that does what its calls tell it: `configureInteraction` names a
// command as its content type, and gives its arguments. The commands are those
// of `conformance/fixtures/scripted-guest`.

import { log } from "plugobs:observability/logging@0.1.0";
import { CAPABILITIES, exportsOf } from "./observability.js";

// Work of a call that is over.
let kept;

const COMMANDS = {
  say(call) {
    const out = call.logger("guest");
    out.trace("a trace");
    out.debug("a debug message");
    out.info("an event", { row: 3, label: "x", ratio: 0.5, ok: true });
    call.logger("guest.other").warn("by another logger");
    try {
      JSON.parse("x");
    } catch (error) {
      out.error("it failed", {}, error);
    }
    call.userMessage("for the user");
  },
  context({ context }) {
    const { testRunId, callId, testContext, timeUnixNano, randomSeed } = context;
    return { testRunId, callId, testContext, timeUnixNano: Number(timeUnixNano), randomSeed: String(randomSeed) };
  },
  keep(call) {
    kept = () => call.logger("guest").info("of the call before");
  },
  speak(call) {
    kept();
    call.logger("guest").info("of this call");
  },
  burst(call, { count }) {
    const out = call.logger("guest");
    for (let n = 0; n < count; n += 1) out.info(`burst ${n}`);
  },
  "log-without-end"(call) {
    const out = call.logger("guest");
    for (;;) out.info("and again");
  },
  loop(call) {
    call.logger("guest").info("before the loop");
    for (;;);
  },
  allocate(call) {
    call.logger("guest").info("before the memory");
    const everything = [];
    for (;;) everything.push(new Uint8Array(1 << 20).fill(1));
  },
  big: (call, { bytes }) => call.logger("guest").info("x".repeat(bytes)),
  "raw-big"(call, { bytes }) {
    call.logger("guest").info("before the big one");
    raw("", undefined, "x".repeat(bytes));
  },
  "forge-instance": (_, { id }) => raw(id, undefined, "as another instance"),
  "forge-test": (_, { own, test }) => raw(own, test, "as another test"),
  panic(_, { text }) {
    throw new RangeError(text);
  },
  error(_, { text }) {
    throw text;
  },
};

/** Without the SDK. */
function raw(instance, test, message) {
  const nothing = { target: "raw", message, attributes: [], marks: [], truncatedBytes: 0n };
  log(instance, test, { ...nothing, level: "INFO", extra: [["later", { tag: "int", val: 7n }]] });
}

export const plugin = exportsOf({
  init: () => ({ catalogue: [], capabilities: CAPABILITIES }),

  configureInteraction(call, command, definition) {
    if (!COMMANDS[command]) throw `no command ${command}`;
    const answer = COMMANDS[command](call, JSON.parse(definition)) ?? {};
    const contents = {
      contentType: "application/json",
      content: new TextEncoder().encode(JSON.stringify(answer)),
      hint: "default",
    };
    const nothing = { rules: [], generators: [], messageMetadata: "", metadataRules: [], metadataGenerators: [] };
    const made = { contents, ...nothing, markup: "", markupIsHtml: false, partName: "" };
    return { interactions: [made] };
  },
});
