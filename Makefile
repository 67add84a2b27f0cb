# Two commands for everyone: `make book`, `make test`. The rest is for authors. CONTRIBUTING.md says when to use what.
# PYTHON=python3.12 chooses the Python that .venv is made with.

.PHONY: help book test has-git has-chromium notebooks serve url picture lighthouse format clean

help:
	@echo "make book        install into .venv and build the site: _build/html/index.html"
	@echo "make test        everything that can fail: library, chapters, strict build, pages, Colab"
	@echo "make notebooks   execute the chapters whose text changed, or all if dslib changed"
	@echo "make serve       show the built site at http://localhost:8000"
	@echo "make url URL=https://github.com/OWNER/REPO    set the repository's address everywhere"
	@echo "make picture     draw overview, social card and the picture of the explorer again"
	@echo "make lighthouse  scores of two built pages, with Lighthouse from npm"
	@echo "make format      tidy the Python files"
	@echo "make clean       remove what was built, and the environments"

book: .venv/installed
	.venv/bin/jupyter-book build .

test: has-git has-chromium .venv-colab/installed .venv-frameworks/installed
	.venv/bin/python tools/test.py

has-git:
	@command -v git >/dev/null || { echo "git is needed for the Colab test: apt-get install git" >&2; exit 1; }

has-chromium: .venv/installed
	@.venv/bin/python tests/browser.py

# The other frameworks take gigabytes: they are installed only if the chapter that needs them has to be executed again.
notebooks: .venv/installed
	@.venv/bin/python tools/notebooks.py --check across_frameworks > /dev/null || $(MAKE) .venv-frameworks/installed
	.venv/bin/python tools/notebooks.py

serve: book
	.venv/bin/python -m http.server --bind localhost --directory _build/html 8000

url: .venv/installed
	.venv/bin/python tools/url.py "$(URL)"
	.venv/bin/python tools/notebooks.py

picture: .venv/installed
	.venv/bin/python tools/picture.py

lighthouse: .venv/installed
	.venv/bin/python tools/lighthouse.py

format: .venv/installed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:
	rm -rf _build .venv .venv-colab .venv-frameworks .pytest_cache .ruff_cache .hypothesis dslib.egg-info

.venv/installed: requirements.txt pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv/bin/python ] || "$$python" -m venv .venv; }
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $@

# What Colab has and the book needs, at our versions, and no dslib: the Colab test runs the notebooks here, and the test
# of the fused kernel its interpreter.
.venv-colab/installed: requirements.txt requirements-triton.txt
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-colab/bin/python ] || "$$python" -m venv .venv-colab; }
	grep -E '^(torch|numpy|matplotlib|pillow|sympy|scikit-learn|ipykernel|ipython)==' requirements.txt > .venv-colab/requirements.txt
	.venv-colab/bin/python -m pip install --quiet --requirement .venv-colab/requirements.txt --requirement requirements-triton.txt
	@touch $@

# Everything in .venv and the other frameworks: chapters/across_frameworks is executed and compared here.
.venv-frameworks/installed: requirements-frameworks.txt requirements.txt pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && { [ -x .venv-frameworks/bin/python ] || "$$python" -m venv .venv-frameworks; }
	.venv-frameworks/bin/python -m pip install --progress-bar on --requirement requirements-frameworks.txt
	@touch $@
