"""Installs the reference plugin as a user of pact-python does: in a plugin folder.

PLUGOBS names the built program `plugobs`, which is the plugin under the argument `csv-plugin`.
"""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def plugins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    plugin = folder / "plugobs-csv-0.1.0"
    plugin.mkdir()
    manifest = {
        "manifestVersion": 1,
        "pluginInterfaceVersion": 2,
        "name": "plugobs-csv",
        "version": "0.1.0",
        "executableType": "exec",
        "entryPoint": str(Path(os.environ["PLUGOBS"]).resolve(strict=True)),
        "args": ["csv-plugin"],
    }
    (plugin / "pact-plugin.json").write_text(json.dumps(manifest))
    os.environ["PACT_PLUGIN_DIR"] = str(folder)
    os.environ["PACT_OUTPUT_DIR"] = str(folder)
    os.environ["pact_do_not_track"] = "true"
    return folder
