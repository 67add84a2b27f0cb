"""How tests get their browsers, on a pretended machine: nothing is installed, every call is written down."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools import browser, firefox

UPDATE = ["apt-get", "-qq", "update"]
INSTALL = ["apt-get", "-qq", "install", "-y", "--no-install-recommends"]
INSTALL += ["chromium", "fonts-dejavu-core", "libatomic1"]
FETCH = [sys.executable, "-m", "playwright", "install", "chromium"]
OWN = "/cache/chrome"


class Machine:
    """A machine with some programs. ``brings`` says which browser a command, by its last word but one, installs."""

    def __init__(self, programs=(), starts=(), brings=None, user=0, driver=True):
        self.programs, self.starts, self.brings, self.user = set(programs), set(starts), brings or {}, user
        self.calls, self.driver = [], driver

    def which(self, name):
        return f"/bin/{name}" if name in self.programs else None

    def run(self, command, **_):
        command = list(command)
        if command[:2] == [sys.executable, "-c"]:
            return SimpleNamespace(returncode=0 if self.driver else 127, stdout=f"{OWN}\n" * self.driver)
        if command[-1] == "--version":
            if command[0] not in self.starts:
                raise FileNotFoundError(command[0])
            return SimpleNamespace(returncode=0)
        if command == ["sudo", "-n", "true"]:
            return SimpleNamespace(returncode=0 if "sudo" in self.programs else 1)
        self.calls.append([part for part in command if part not in ("env", "DEBIAN_FRONTEND=noninteractive")])
        key = (
            "apt"
            if "install" in command and "apt-get" in command
            else "playwright"
            if "playwright" in command
            else None
        )
        self.driver |= key == "apt"
        if key in self.brings:
            self.starts.add(self.brings[key])
            self.programs.add(self.brings[key].removeprefix("/bin/"))
            return SimpleNamespace(returncode=0)
        return SimpleNamespace(returncode=1)


@pytest.fixture
def on(monkeypatch):
    def get(of=browser, **settings):
        machine = Machine(**settings)
        monkeypatch.setattr(shutil, "which", machine.which)
        monkeypatch.setattr(subprocess, "run", machine.run)
        monkeypatch.setattr(os, "geteuid", lambda: machine.user)
        try:
            return of.get(), machine.calls
        except RuntimeError as error:
            return str(error), machine.calls

    return get


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_an_installed_browser_is_taken(on, name):
    assert on(programs=[name, "apt-get"], starts=[f"/bin/{name}"]) == (f"/bin/{name}", [])


def test_playwrights_own_is_taken_where_it_was_fetched_before(on):
    assert on(programs=["apt-get"], starts=[OWN]) == (OWN, [])


def test_root_installs_debians_package(on):
    path, calls = on(programs=["apt-get"], brings={"apt": "/bin/chromium"})
    assert (path, calls) == ("/bin/chromium", [UPDATE, INSTALL])


def test_a_user_with_sudo_that_asks_nothing_does_so_too(on):
    path, calls = on(programs=["apt-get", "sudo"], brings={"apt": "/bin/chromium"}, user=1000)
    assert (path, calls) == ("/bin/chromium", [["sudo", "-n", *UPDATE], ["sudo", "-n", *INSTALL]])


def test_a_browser_that_playwright_cannot_drive_is_none_before_its_library_is_there(on):
    machine = {"programs": ["chromium", "apt-get"], "starts": ["/bin/chromium"], "driver": False}
    assert on(**machine) == ("/bin/chromium", [UPDATE, INSTALL])


@pytest.mark.parametrize(
    ("machine", "calls"),
    [
        ({"programs": ["apt-get"]}, [UPDATE, INSTALL]),
        ({"programs": ["apt-get"], "user": 1000}, []),
        ({"programs": []}, []),
        ({"programs": ["chromium-browser"], "user": 1000}, []),
    ],
    ids=["apt fails", "no sudo", "no apt", "installed and does not start"],
)
def test_a_way_that_fails_leads_to_playwrights_own(on, machine, calls):
    assert on(**machine, brings={"playwright": OWN}) == (OWN, [*calls, FETCH])


def test_when_every_way_fails_one_line_says_what_to_do(on):
    error, calls = on(programs=["apt-get"])
    assert calls == [UPDATE, INSTALL, FETCH]
    assert error == browser.NONE and "\n" not in error and "install chromium" in error


@pytest.mark.parametrize("name", ["firefox", "firefox-esr"])
def test_an_installed_firefox_is_taken_if_it_starts(on, name):
    assert on(firefox, programs=[name], starts=[f"/bin/{name}"]) == (f"/bin/{name}", [])


@pytest.mark.parametrize("programs", [["apt-get"], ["apt-get", "firefox"]], ids=["none", "one that does not start"])
def test_debians_firefox_is_installed_or_one_line_says_what_to_do(on, programs):
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "firefox-esr"]
    assert on(firefox, programs=programs, brings={"apt": "/bin/firefox-esr"}) == ("/bin/firefox-esr", [UPDATE, install])
    error, calls = on(firefox, programs=programs)
    assert calls == [UPDATE, install] and error == firefox.NONE and "install firefox-esr or firefox" in error
    assert on(firefox, programs=programs, user=1000) == (firefox.NONE, [])
