"""JupyterLab on a free port, without this machine's settings, and a folder of notebooks that it does not trust."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.book import ROOT
from tools.environments import folder_of

# A long notebook's cells are all there from the start, so that all can be looked at.
WHOLE = {"@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"}}
QUIET = {"@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"}}


@contextlib.contextmanager
def served(notebooks: Path, home: Path):
    """A function that gives the address of a notebook in the folder; its kernel is the Python that runs this."""
    for name, values in (WHOLE | QUIET).items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    kernel = home / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own = {"JUPYTER_PATH": str(home), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "PYTHONPATH": str(ROOT)}
    token, port = secrets.token_hex(), _free_port()
    command = [folder_of("jupyterlab") / "bin" / "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}"]
    with open(home / "log", "w+") as log:
        with subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | folders | own) as server:
            try:
                _wait_for(f"http://localhost:{port}/api?token={token}", server, log)
                yield lambda name: f"http://localhost:{port}/lab/tree/{name}?reset&token={token}"
            finally:
                server.terminate()


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as free:
        return free.getsockname()[1]


def _wait_for(address: str, server: subprocess.Popen, log) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError):
            return urllib.request.urlopen(address).close()
        time.sleep(0.2)
    log.seek(0)
    raise AssertionError(f"JupyterLab did not start: {log.read()[-2000:]}")
