"""Firefox without a window, driven over WebDriver BiDi: every command is a message with an id, every event one without.

Playwright drives only a Firefox of its own. This drives the reader's.
"""

import base64
import contextlib
import json
import re
import subprocess
from itertools import count

from websockets.sync.client import connect

KEYS = {"Tab": "\ue004", "Enter": "\ue007", "ArrowDown": "\ue015", "ArrowRight": "\ue014", "Backspace": "\ue003"}


@contextlib.contextmanager
def started(path, profile, settings):
    """A :class:`Firefox` with an empty folder as its profile, and the settings, those of about:config."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            with connect(_address(process), max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.kill()


def _address(process):
    """Where Firefox listens, as it says once it has started."""
    said = []
    for line in process.stderr:
        if found := re.search(r"BiDi listening on (ws:\S+)", line):
            return f"{found[1]}/session"
        said.append(line)
    raise AssertionError(f"Firefox ended before it could be driven: {''.join(said)}")


class Firefox:
    """One tab, and what its pages complain about."""

    def __init__(self, socket):
        self.socket, self.numbers, self.complaints, self.size = socket, count(1), [], None
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])
        # a window of its own: in the first one the address bar keeps the focus, and no field ever loses it
        self.tab = self.send("browsingContext.create", type="window")["context"]

    def send(self, method, **params):
        """The result of a command; AssertionError with Firefox's words if it fails."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv(timeout=60))).get("id") != number:
            entry = answer.get("params", {})
            if entry.get("level") in ("warn", "error"):
                self.complaints.append(entry["text"])
        assert answer["type"] == "success", answer["message"]
        return answer["result"]

    def open(self, address, width=1000, height=900):
        """Go there and wait until all is loaded."""
        if self.size != (width, height):  # asked for what it has, Firefox may wait for a change for ever
            self.send("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})
            self.size = width, height
        self.send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def evaluate(self, code):
        """What an expression gives in the page, a promise's value included, as JSON carries it."""
        expression = f"(async () => JSON.stringify(await ({code})) ?? null)()"
        told = self.send("script.evaluate", expression=expression, target={"context": self.tab}, awaitPromise=True)
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"].get("value", "null"))

    def press(self, *keys):
        """Letters, or names of keys, one after the other."""
        values = [KEYS.get(key, key) for key in keys]
        actions = [{"type": kind, "value": value} for value in values for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.send("input.performActions", context=self.tab, actions=[source])

    def screenshot(self):
        """The whole page as the bytes of a PNG."""
        shot = self.send("browsingContext.captureScreenshot", context=self.tab, origin="document")
        return base64.b64decode(shot["data"])
