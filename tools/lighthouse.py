"""Lighthouse's scores of built pages, served with gzip as GitHub Pages does: `python tools/lighthouse.py [PAGE ...]`.

It needs the site (`make book`), Chromium, and Lighthouse, which is not a part of the book's environment: either on the
PATH, or Node, whose npx fetches the version below. On a busy machine the scores are too low: the best of three runs is
printed. CHROME_PATH names another Chromium.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
RUNS = 3
LIGHTHOUSE = "lighthouse@12.8.2"
PAGES = ("chapters/standard_convolution.html", "chapters/cost_analysis.html")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
ZIPPED = {".html", ".css", ".js", ".svg", ".json"}
FORMS = {"desktop": ["--preset=desktop"], "mobile": []}
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"


@lru_cache
def zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


class Gzipped(SimpleHTTPRequestHandler):
    """Files below a folder, text compressed, kept by the browser for ten minutes: GitHub Pages' way."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in ZIPPED or not path.is_file():
            return super().do_GET()
        body = zipped(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def measured(address: str, form: str) -> dict:
    """Lighthouse's whole report of one visit."""
    program = ["lighthouse"] if shutil.which("lighthouse") else ["npx", "--yes", LIGHTHOUSE]
    environment = {"CHROME_PATH": shutil.which("chromium") or shutil.which("google-chrome") or ""} | os.environ
    command = [*program, address, "--quiet", "--output=json", f"--chrome-flags={CHROME_FLAGS}", *FORMS[form]]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def row(report: dict) -> list[str]:
    """The four scores, the metrics behind the first, and the audits that are not at their best."""
    scores = [f"{100 * report['categories'][name]['score']:.0f}" for name in CATEGORIES]
    metrics = [report["audits"][name]["displayValue"].replace("\xa0", " ").replace(",", "") for name in METRICS]
    failed = [name for name, audit in report["audits"].items() if audit["score"] is not None and audit["score"] < 0.9]
    return [*scores, *metrics, " ".join(failed)]


def main(pages: list[str]) -> None:
    server = ThreadingHTTPServer(("localhost", 0), partial(Gzipped, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(", ".join(("page", "form", *CATEGORIES, *METRICS, "audits below 90")))
    for page in pages or PAGES:
        for form in FORMS:
            reports = [measured(f"http://localhost:{server.server_port}/{page}", form) for _ in range(RUNS)]
            best = max(reports, key=lambda report: report["categories"]["performance"]["score"])
            print(", ".join((page, form, *row(best))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
