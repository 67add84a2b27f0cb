# Two commands for everyone: `make book`, `make test`. The rest is for authors. CONTRIBUTING.md says when to use what.
# PYTHON=python3.12 chooses the Python that the environments are made with.

.PHONY: help book page check chapter test test-with has-git has-chromium notebooks serve url colab picture format clean

help:
	@echo "make book        install into .venv and build the site: _build/html/index.html"
	@echo "make page PAGE=ghostnet         after an edit of a chapter: execute it if its code changed, build its page"
	@echo "make check       after an edit of code: format, lint, quick tests of the library, which notebooks are stale"
	@echo "make chapter SLUG=my_chapter    every file that a new chapter needs"
	@echo "make test        everything that can fail: library, chapters, strict build, pages, Colab"
	@echo "make test-with PYTHON=python3.13 TORCH=2.15.0    library and chapters with another Python and another torch"
	@echo "make notebooks   execute the chapters whose code changed, or what it reaches; carry prose into the others"
	@echo "make serve       show the built site at http://localhost:8000"
	@echo "make url         set the repository's address everywhere: git's origin, or URL=https://github.com/OWNER/REPO"
	@echo "make colab       push the notebooks to origin's branch colab, which the site's buttons open (the workflow does it)"
	@echo "make picture     draw overview, social card and the picture of the explorer again"
	@echo "make format      tidy the Python files"
	@echo "make clean       remove what was built, and the environments"

book: .venv/installed
	@.venv/bin/python -m tools.book

page: .venv/installed
	@.venv/bin/python -m tools.book "$(PAGE)"

check: .venv/installed
	@.venv/bin/python -m tools.check

chapter: .venv/installed
	@.venv/bin/python -m tools.chapter "$(SLUG)"

test: has-git has-chromium .venv-colab/installed .venv-oldest/installed .venv-frameworks/installed
	.venv/bin/python -m tools.test

# TORCH=newest takes what pip finds; without TORCH it is the pinned one. The rest is pinned as in .venv, but for sympy, of
# which each torch wants its own. The environment is made again if the Python or the torch is another one than last time.
test-with:
	@[ "$$(cat .venv-with/made-with 2>/dev/null)" = "$(PYTHON) $(TORCH)" ] || rm -rf .venv-with
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-with/bin/python ] || "$$python" -m venv .venv-with; }
	@echo "$(PYTHON) $(TORCH)" > .venv-with/made-with
	grep -vE '^(torch|sympy)==' requirements.txt > .venv-with/requirements.txt
	.venv-with/bin/python -m pip install --quiet --requirement .venv-with/requirements.txt "$(torch)"
	.venv-with/bin/python -m tools.test --core

torch = $(if $(filter newest,$(TORCH)),torch,$(if $(TORCH),torch==$(TORCH),$(shell grep '^torch==' requirements.txt)))

has-git:
	@command -v git >/dev/null || { echo "git is needed for the Colab test: apt-get install git" >&2; exit 1; }

has-chromium: .venv/installed
	@.venv/bin/python -m tests.support.browser

# The other frameworks take gigabytes: they are installed only if a chapter that needs them has to be executed again.
notebooks: .venv/installed
	@names=$$(.venv/bin/python -m tools.notebooks --environments) && \
	for name in $$names; do $(MAKE) .venv-$$name/installed || exit 1; done
	@.venv/bin/python -m tools.notebooks

serve: book
	.venv/bin/python -m http.server --bind localhost --directory _build/html 8000

url:  # needs no environment: seconds on a fresh clone
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" -m tools.url "$(URL)"

colab:
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" -m tools.colab

picture: .venv/installed
	.venv/bin/python -m tools.picture

format: .venv/installed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:
	rm -rf _build .venv .venv-colab .venv-oldest .venv-frameworks .venv-with .pytest_cache .ruff_cache .hypothesis dslib.egg-info

.venv/installed: requirements.txt pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv/bin/python ] || "$$python" -m venv .venv; }
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $@

# What Colab has and the chapters use, and no dslib: the Colab test runs the notebooks here, and the test of the fused
# kernel its interpreter.
.venv-colab/installed: requirements-colab.txt
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-colab/bin/python ] || "$$python" -m venv .venv-colab; }
	.venv-colab/bin/python -m pip install --quiet --requirement requirements-colab.txt
	@touch $@

# The oldest packages that dslib admits, and at our versions what runs notebooks and tests with them. No dslib either.
.venv-oldest/installed: pyproject.toml requirements.txt tools/floors.py
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-oldest/bin/python ] || "$$python" -m venv .venv-oldest; }
	.venv-oldest/bin/python -m tools.floors > .venv-oldest/requirements.txt
	grep -E '^(pillow|scikit-learn|ipykernel|ipython|nbformat|nbclient|beautifulsoup4|pytest|pytest-xdist|hypothesis)==' requirements.txt >> .venv-oldest/requirements.txt
	.venv-oldest/bin/python -m pip install --quiet --requirement .venv-oldest/requirements.txt pyyaml
	@touch $@

# Everything in .venv and the other frameworks: chapters/across_frameworks is executed and compared here.
.venv-frameworks/installed: requirements-frameworks.txt requirements.txt pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-frameworks/bin/python ] || "$$python" -m venv .venv-frameworks; }
	.venv-frameworks/bin/python -m pip install --progress-bar on --requirement requirements-frameworks.txt
	@touch $@
