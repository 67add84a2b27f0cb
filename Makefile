# Two commands for everyone: `make book`, `make test`. The rest is for authors. CONTRIBUTING.md says when to use what.
# PYTHON=python3.12 chooses the Python that the environments are made with.

.PHONY: help book page check chapter test prove notebooks serve url colab picture format clean

help:
	@echo "make book        install into .venv and build the site: _build/html/index.html"
	@echo "make page PAGE=ghostnet         after an edit of a chapter: execute it if its code changed, build its page"
	@echo "make check       after an edit of code: format, lint, quick tests of the library, which notebooks are stale"
	@echo "make chapter SLUG=my_chapter    every file that a new chapter needs"
	@echo "make test        all that you could break, in .venv: library, course, notebooks, strict build, pages"
	@echo "make prove       what versions could break, in other environments: Colab's, the oldest, other frameworks, Firefox"
	@echo "make prove PART=colab                                     one part; python -m tools.prove lists them"
	@echo "make prove PART=with PYTHON=python3.13 TORCH=2.15.0       with another Python and another torch, or TORCH=newest"
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

test: .venv/installed
	.venv/bin/python -m tools.test

# The part `with` needs no .venv and runs in PYTHON, which then makes .venv-with.
prove: $(if $(filter with,$(PART)),,.venv/installed)
	@python=$(if $(filter with,$(PART)),$(find_python),.venv/bin/python) && "$$python" -m tools.prove $(PART) $(TORCH)

# The other frameworks take gigabytes: they are installed only if a chapter that needs them has to be executed again.
notebooks: .venv/installed
	@names=$$(.venv/bin/python -m tools.notebooks --environments) && \
	for name in $$names; do $(MAKE) .venv-$$name/installed || exit 1; done
	@.venv/bin/python -m tools.notebooks

serve: book
	.venv/bin/python -m http.server --bind localhost --directory _build/html 8000

url:  # needs no environment: seconds on a fresh clone
	@python=$(find_python) && "$$python" -m tools.url "$(URL)"

colab:
	@python=$(find_python) && "$$python" -m tools.colab

picture: .venv/installed
	.venv/bin/python -m tools.picture

format: .venv/installed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:
	rm -rf _build .venv .venv-* .pytest_cache .ruff_cache .hypothesis dslib.egg-info

# What each environment holds, and whether it has to be made again, is told in tools/environments.py. An existing .venv keeps
# its Python unless PYTHON names another one.
find_python = $$(PYTHON="$(PYTHON)" sh tools/find_python.sh)

.venv/installed: FORCE
	@python=$(if $(PYTHON),$(find_python),$$([ -x .venv/bin/python ] && echo .venv/bin/python || sh tools/find_python.sh)) && \
	"$$python" -m tools.environments book

.venv-%/installed: .venv/installed FORCE
	@.venv/bin/python -m tools.environments $*

FORCE:
