"""Diagnostics of a plugin that is a component: the standard library's logging,
and a context variable that says which call, and so which test, it is for.

Chapter `binding-wasm` of the specification says what is to be here.
"""

import abc
import contextvars
import functools
import linecache
import logging
import re
import traceback
from dataclasses import dataclass

from componentize_py_types import Err
from wit_world.exports.plugin import CallContext
from wit_world.imports import logging as host
from wit_world.imports import types

CAPABILITIES = ["observability/log-stream/v1", "observability/log/v1"]
SDK_NAME, SDK_VERSION = "plugobs-guest-python", "0.1.0"

TRACE = 5
# Each level of `logging` with its severity number, the least first.
SEVERITIES = [(TRACE, 1), (logging.DEBUG, 5), (logging.INFO, 9), (logging.WARNING, 13),
              (logging.ERROR, 17), (logging.CRITICAL, 21)]
# Registry `limits`, in bytes of UTF-8: what would be too much for one call of the
# host. The host keeps the other limits.
MESSAGE_BYTES, ATTRIBUTE_VALUE_BYTES = 65_536, 8_192

logging.addLevelName(TRACE, "TRACE")


class _NoClock:
    """A component has no clock, and `logging` asks for the time of each record;
    the host takes the time of the call instead (OBS-WASM-15)."""

    time = staticmethod(lambda: 0.0)
    time_ns = staticmethod(lambda: 0)


# Nor has it files in which the lines of a stack could be looked up,
linecache.checkcache = lambda *_: None
linecache.updatecache = lambda *_: []
# nor a process, threads or tasks to name.
logging.time = _NoClock
logging.logProcesses = logging.logThreads = False
logging.logMultiprocessing = logging.logAsyncioTasks = False

# One component is one plugin instance (OBS-WASM-04).
_instance_id = ""


@dataclass(frozen=True)
class Call:
    """Whom some work is done for."""

    context: CallContext
    trace: types.TraceContext | None


def current() -> Call | None:
    """The call to which the work belongs that asks."""
    return _call.get()


_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("call", default=None)


class HostHandler(logging.Handler):
    """Hands each log record to the host, as part of the call that it belongs to."""

    _ordinary = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def emit(self, record: logging.LogRecord) -> None:
        _, error, _ = record.exc_info or (None, None, None)
        own = [(key, value) for key, value in vars(record).items() if key not in self._ordinary]
        send(
            record.getMessage(),
            level=record.levelname,
            severity=max(number for level, number in SEVERITIES
                         if level <= max(record.levelno, TRACE)),
            target=record.name,
            attributes=own,
            error=error,
        )


def user_message(text: str) -> None:
    """Says something to the person who reads the test result; no level filters it."""
    send(text, channel="user")


def lifecycle(event: str, text: str, **attributes) -> None:
    """An event of the plugin's life; `_` in a name stands for `.`."""
    named = [(key.replace("_", "."), value) for key, value in attributes.items()]
    send(text, channel="lifecycle", event=event, target="plugobs.plugin", attributes=named)


def send(text, *, level="INFO", severity=9, channel="operational", event=None, target="",
         attributes=(), error=None):
    """One record. The host has it when this returns (OBS-WASM-26)."""
    call = _call.get()
    cut = _Cut()
    message = cut(text, MESSAGE_BYTES)
    if not message and event is None:
        event = "message"
    if call and call.context.call_chain_id:
        attributes = [("callChainId", call.context.call_chain_id), *attributes]
    listed = [(key, _value(value, cut)) for key, value in attributes]
    exception = error and _exception(error, cut)
    marks = ["truncated"] if cut.gone else []
    if call and not _is_test_run_id(call.context.test_run_id):
        marks.append("invalid_test_run_id")
    entry = types.LogRecord(
        call_id=call and call.context.call_id,
        timestamp_unix_nano=None,
        level=level,
        severity_number=severity,
        channel=channel,
        event_name=event,
        target=target,
        message=message,
        attributes=listed,
        exception=exception,
        trace_context=call and call.trace,
        marks=marks,
        truncated_bytes=cut.gone,
        extra=[],
    )
    host.log(_instance_id, call and call.context.test_run_id, entry)


def observed(plugin: type) -> type:
    """Makes the exports of a plugin's class carry the identities of their calls.
    One that the class does not have is an error to its caller."""
    for name in ("update_catalogue", "configure_interaction", "compare_contents",
                 "generate_contents", "match_field", "generate_field"):
        setattr(plugin, name, _served(vars(plugin).get(name) or _unserved(name)))
    plugin.init = _initialised(plugin.init)
    return abc.update_abstractmethods(plugin)


def _unserved(name):
    def refuse(self, *_):
        raise Err(f"this plugin does not serve {name}")

    return refuse


def _served(method):
    @functools.wraps(method)
    def serve(self, context, *args):
        # Each call in a context of its own: what outlives the call keeps it.
        return contextvars.Context().run(_serve, method, self, context, args)

    return serve


def _serve(method, plugin, context, args):
    _call.set(Call(context, _trace(context.trace_parent)))
    _take_level()
    try:
        return method(plugin, *args)
    except Err:
        raise
    except BaseException as error:
        # A trap has no text: it is told before it becomes one (OBS-WASM-33).
        send(f"panicked: {error}", level="ERROR", severity=17, target="plugobs.plugin",
             error=error)
        raise


def _initialised(init):
    def with_lifecycle(self, request):
        lifecycle("plugin.init_received",
                  f"InitPlugin from {request.implementation} {request.version}",
                  host_implementation=request.implementation, host_version=request.version)
        done = init(self, request)
        entries = len(done.catalogue)
        lifecycle("plugin.catalogue_registered", f"{entries} catalogue entries",
                  catalogue_entries=entries)
        lifecycle("plugin.ready", "ready")
        return done

    served = _served(with_lifecycle)

    @functools.wraps(init)
    def begin(self, context, request):
        global _instance_id
        _instance_id = request.plugin_instance_id
        logging.getLogger().handlers[:] = [HostHandler()]
        lifecycle("plugin.started", "diagnostics are set up",
                  sdk_name=SDK_NAME, sdk_version=SDK_VERSION, sdk_language="python")
        return served(self, context, request)

    return begin


def _take_level() -> None:
    # Asked once a call (OBS-WASM-10).
    wanted = (level for level, number in SEVERITIES if host.enabled(number))
    logging.getLogger().setLevel(next(wanted, logging.CRITICAL + 1))


def _is_test_run_id(text: str | None) -> bool:
    """Whether it is none or keeps the grammar; it goes along in any case (OBS-ID-11)."""
    return not text or re.fullmatch(r"[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,256}", text) is not None


class _Cut:
    """Cuts texts to their limits and counts the bytes that go (OBS-LIM-11)."""

    def __init__(self):
        self.gone = 0

    def __call__(self, text: str, limit: int) -> str:
        data = text.encode("utf-8", "replace")
        kept = data[:limit].decode("utf-8", "ignore")
        self.gone += len(data) - len(kept.encode())
        return kept


def _value(value, cut):
    match value:
        case bool():
            return types.Value_Boolean(value)
        case int() if -(2**63) <= value < 2**63:
            return types.Value_Int(value)
        case float():
            return types.Value_Double(value)
        case bytes():
            return types.Value_Bytes(value[:ATTRIBUTE_VALUE_BYTES])
        case _:
            return types.Value_Text(cut(str(value), ATTRIBUTE_VALUE_BYTES))


def _exception(error, cut) -> types.Exception:
    """With its causes, as Python tells them (OBS-REC-29)."""
    stack = cut("".join(traceback.format_exception(error)), MESSAGE_BYTES)
    text = cut(str(error), MESSAGE_BYTES)
    return types.Exception(type(error).__qualname__, text or None, stack)


def _trace(parent: str | None) -> types.TraceContext | None:
    try:
        _, trace, span, flags = (parent or "").split("-")[:4]
        ids = bytes.fromhex(trace), bytes.fromhex(span)
        return types.TraceContext(*ids, bytes.fromhex(flags)[0])
    except (ValueError, IndexError):
        return None
