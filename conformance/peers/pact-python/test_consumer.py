"""Consumer tests with the deployed Python client, whose plugin is the reference plugin."""

import json
import logging
import time
import urllib.request

import pytest
from pact import Pact
from pact.plugins import get_logs

PEOPLE = {
    "csvHeaders": True,
    "column:Name": "matching(type,'Ann')",
    "column:Age": "matching(integer,31)",
}


def a_pact():
    pact = Pact("consumer", "provider").with_specification("V4")
    return pact.using_plugin("plugobs-csv", "0.1.0")


def with_people(interaction, part):
    return interaction.with_plugin_contents(json.dumps(PEOPLE), "text/csv", part)


@pytest.fixture
def plugin_records(caplog):
    """Waits for records of the plugin, and gives all of them; they come when they come."""
    caplog.set_level(logging.DEBUG, logger="pact.plugins")

    def wait(text, count=1):
        until = time.monotonic() + 20
        while True:
            records = [r for r in caplog.records if r.name == "pact.plugins"]
            if sum(text in r.getMessage() for r in records) >= count:
                return records
            assert time.monotonic() < until, f"no record with {text!r} in {records}"
            time.sleep(0.02)

    return wait


@pytest.mark.parametrize("once", ["first", "again"])
def test_a_response(once, plugins, request, plugin_records):
    pact = a_pact()
    interaction = pact.upon_receiving(f"a request for people, {once}", "HTTP")
    interaction = interaction.with_request("GET", "/people.csv").will_respond_with(200)
    with_people(interaction, "Response")
    with pact.serve() as server:
        body = urllib.request.urlopen(f"{server.url}/people.csv").read().decode()
    assert sorted(body.splitlines()[0].split(",")) == ["Age", "Name"]
    assert sorted(body.splitlines()[1].split(",")) == ["31", "Ann"]

    records = plugin_records("configured a CSV interaction")
    configured = [r for r in records if "configured a CSV interaction" in r.getMessage()]
    # The client sends the test's ID with this call, in the request alone.
    assert [r.test_run_id for r in configured] == [request.node.nodeid]
    assert [r.levelname for r in configured] == ["INFO"]
    assert [r.plugin_target for r in configured] == ["plugobs_csv::configure"]
    # Every record is of the instance for whose standard error the client has a file.
    [instance] = {r.plugin_instance_id for r in records}
    stderr = plugins / "logs" / f"pact-plugin-plugobs-csv-{instance}.log"
    # Nothing is said twice: what comes over the log call is not on standard error.
    assert stderr.read_text() == ""
    assert {entry.source for entry in get_logs(instance)} == {"LogRpc"}


def test_a_request_that_does_not_match(plugin_records):
    pact = a_pact()
    interaction = pact.upon_receiving("people to keep", "HTTP")
    interaction = interaction.with_request("POST", "/people.csv")
    interaction = interaction.with_header("Content-Type", "text/csv")
    with_people(interaction, "Request").will_respond_with(201)
    with pact.serve(raises=False) as server:
        for age in ("41", "old"):
            request = urllib.request.Request(
                f"{server.url}/people.csv",
                data=f"Name,Age\nBert,{age}\n".encode(),
                headers={"Content-Type": "text/csv"},
            )
            try:
                status = urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                status = error.code
            assert (status == 201) == (age == "41"), (age, status)
        assert "old" in repr(server.mismatches)

    records = plugin_records("row:1, column:Age")
    # What is for the person who reads the result has a target of its own.
    told = [r.getMessage() for r in records if r.plugin_target == "plugobs.user"]
    assert len(told) == 1 and "old" in told[0], told


def test_a_definition_that_the_plugin_refuses(request, plugin_records):
    pact = a_pact()
    interaction = pact.upon_receiving("nonsense", "HTTP")
    interaction = interaction.with_request("GET", "/people.csv").will_respond_with(200)
    definition = json.dumps({"csvHeaders": True, "column:Name": "matching(nonsense,'Ann')"})
    with pytest.raises(RuntimeError) as refused:
        interaction.with_plugin_contents(definition, "text/csv", "Response")
    assert refused.value.args

    records = plugin_records("nonsense")
    refusals = [r for r in records if "nonsense" in r.getMessage()]
    assert {r.test_run_id for r in refusals} == {request.node.nodeid}
    assert "ERROR" in {r.levelname for r in refusals}
