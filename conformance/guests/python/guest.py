"""A component that does what its calls tell it: `configure_interaction` names a
command as its content type, and gives its arguments. The commands are those of
`conformance/fixtures/scripted-guest`."""

import contextvars
import json
import logging
import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import plugin as wit
from wit_world.imports import logging as host
from wit_world.imports import types

import observability
from observability import TRACE, user_message

log = logging.getLogger("guest")

# Work of a call that is over.
KEPT = []


@observability.observed
class Plugin(exports.Plugin):
    def init(self, request: wit.InitRequest) -> wit.Initialised:
        return wit.Initialised([], observability.CAPABILITIES)

    def update_catalogue(self, entries: list[wit.CatalogueEntry]) -> None:
        pass

    def configure_interaction(self, command: str, definition: str) -> wit.Configured:
        answer = COMMANDS.get(command, unknown)(command, **json.loads(definition))
        body = wit.Body("application/json", json.dumps(answer or {}).encode(),
                        wit.ContentHint.DEFAULT)
        made = wit.ConfiguredInteraction(body, [], [], "", [], [], None, "", False, "")
        return wit.Configured([made], None)


def say(_):
    log.log(TRACE, "a trace")
    log.debug("a debug message")
    log.info("an event", extra={"row": 3, "label": "x", "ratio": 0.5, "ok": True})
    logging.getLogger("guest.other").warning("by another logger")
    try:
        int("x")
    except ValueError:
        log.exception("it failed")
    user_message("for the user")


def context(_):
    call = observability.current().context
    return {
        "testRunId": call.test_run_id, "callId": call.call_id, "testContext": call.test_context,
        "timeUnixNano": call.time_unix_nano, "randomSeed": str(call.random_seed),
    }


def print_both(_):
    print("on standard output")
    print("on standard error", file=sys.stderr)


def keep(_):
    KEPT.append(contextvars.copy_context())


def speak(_):
    KEPT.pop().run(log.info, "of the call before")
    log.info("of this call")


def burst(_, count):
    for n in range(count):
        log.info("burst %d", n)


def log_without_end(_):
    while True:
        log.info("and again")


def loop(_):
    log.info("before the loop")
    while True:
        pass


def allocate(_):
    log.info("before the memory")
    everything = []
    while True:
        everything.append(b"1" * (1 << 20))


def big(_, bytes):
    log.info("x" * bytes)


def raw_big(_, bytes):
    log.info("before the big one")
    raw("", None, "x" * bytes)


def forge_instance(_, id):
    raw(id, None, "as another instance")


def forge_test(_, own, test):
    raw(own, test, "as another test")


def panic(_, text):
    raise RuntimeError(text)


def error(_, text):
    raise Err(text)


def unknown(command, **_):
    raise Err(f"no command {command!r}")


def raw(instance, test, message):
    """Without the SDK."""
    entry = types.LogRecord(None, None, "INFO", None, None, None, "raw", message, [], None, None,
                            [], 0, [("later", types.Value_Int(7))])
    host.log(instance, test, entry)


COMMANDS = {
    "say": say, "context": context, "print": print_both, "keep": keep, "speak": speak, "burst": burst, "log-without-end": log_without_end, "loop": loop,
    "allocate": allocate, "big": big, "raw-big": raw_big, "forge-instance": forge_instance,
    "forge-test": forge_test, "panic": panic, "error": error,
}
