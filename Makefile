# One environment for everything; nothing is installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# LOCKED=1 installs the very files that requirements/ci.txt lists.
LOCKED ?=
DATA ?= johns
OUT ?= runs/$(DATA)

.PHONY: help run test lab env lint step notebooks pytest clean
help:
	@echo "make run    the whole job on the default photographs (DATA=folder for your own)"
	@echo "make test   everything that CI runs"
	@echo "make lab    the course in JupyterLab"

env: $(READY)
$(READY): settings.ini setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 run"; exit 1; }
	@echo "making the environment in $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@set -e; pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	if [ -n "$(LOCKED)" ]; then \
		$$pip --require-hashes --requirement requirements/ci.txt; $$pip --no-deps --no-build-isolation --editable .; \
	else $$pip --editable ".[dev]"; fi
	@touch $@

run: $(READY)
	@$(BIN)/celebml run "$(DATA)" --out "$(OUT)"

# The whole project is served, so that chapters can open the pages of app/; root, as in a container, needs to say so.
lab: $(READY)
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/nbs/00_first_hour.ipynb \
		$(if $(filter 0,$(shell id -u)),--allow-root)

test: lint step pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The package and the notebooks are one text.
step: $(READY)
	@before=$$(cat nbs/*.ipynb celebml/*.py | sha256sum); $(BIN)/nbdev_export; $(BIN)/nbdev_clean; \
	[ "$$before" = "$$(cat nbs/*.ipynb celebml/*.py | sha256sum)" ] || \
	{ echo "notebooks and package were out of step; now they are in step: look at the difference and commit it"; exit 1; }

# Every chapter and every test in one queue. Three processes for two processors: browsers and servers are waited for.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --durations 12

pytest: $(READY)
	$(PYTEST)

# The chapters alone.
notebooks: $(READY)
	$(PYTEST) tests/test_chapters.py

clean:
	rm -rf $(VENV) runs build dist docs/_build docs/api nbs/exercises .pytest_cache .ruff_cache .hypothesis *.egg-info

# The course site
.PHONY: docs exercises
MATHJAX := docs/_build/mathjax

docs: $(READY) $(MATHJAX)/tex-mml-chtml.js
	$(BIN)/python docs/contents.py --check
	$(BIN)/python docs/exercises.py --out docs/_build/extra/exercises
	$(BIN)/sphinx-build -W --keep-going -q -c docs . docs/_build/html
	@echo "open docs/_build/html/index.html"

# Notebooks with the solutions taken out, to be filled in.
exercises: $(READY)
	$(BIN)/python docs/exercises.py

# What stands on the wall, and what only teachers have.
.PHONY: slides solutions
SLIDES := docs/_build/slides

slides: $(READY) $(MATHJAX)/tex-mml-chtml.js $(SLIDES)/reveal.js/dist/reveal.js
	@cp -r $(MATHJAX) $(SLIDES)/
	$(BIN)/python docs/slides.py --out $(SLIDES)

$(SLIDES)/reveal.js/dist/reveal.js:
	@mkdir -p $(SLIDES)
	cd $(SLIDES) && npm pack --silent reveal.js@4.6.1 && tar -xzf reveal.js-4.6.1.tgz && rm reveal.js-4.6.1.tgz
	rm -rf $(SLIDES)/reveal.js && mv $(SLIDES)/package $(SLIDES)/reveal.js

solutions: $(READY)
	$(BIN)/python docs/solutions.py

# Formulas are drawn by a MathJax of our own: readers fetch nothing from elsewhere.
$(MATHJAX)/tex-mml-chtml.js:
	@command -v npm >/dev/null || { echo "npm is needed once, to bring MathJax for the site"; exit 1; }
	@rm -rf docs/_build/npm && mkdir -p docs/_build/npm $(MATHJAX)/output/chtml/fonts $(MATHJAX)/input
	cd docs/_build/npm && npm pack --silent mathjax@3.2.2 && tar -xzf mathjax-3.2.2.tgz
	cp -r docs/_build/npm/package/es5/output/chtml/fonts/woff-v2 $(MATHJAX)/output/chtml/fonts/
	cp -r docs/_build/npm/package/es5/input/tex $(MATHJAX)/input/
	cp docs/_build/npm/package/es5/tex-mml-chtml.js $@

# The site: BUNDLE is a folder, or a zip as the dashboard exports it.
.PHONY: serve serve-nginx browser browser-test abuse-test openapi
PORT ?= 8000
BUNDLE ?= $(OUT)/bundle
TRAINED := $(if $(filter $(OUT)/bundle,$(BUNDLE)),$(OUT)/bundle/manifest.json)

# Trains on DATA first where there is no bundle yet.
$(OUT)/bundle/manifest.json:
	@$(MAKE) --no-print-directory run DATA="$(DATA)" OUT="$(OUT)"

serve: $(READY) $(TRAINED)
	@echo "the site is at http://127.0.0.1:$(PORT)/  (Ctrl-C ends it)"
	@$(BIN)/celebml serve "$(BUNDLE)" --port $(PORT)

serve-nginx: $(READY) $(TRAINED)
	@deploy/nginx/serve.sh $(PORT) "$(BUNDLE)" $(BIN)/python

# What the browser tests need of the system; a fresh Debian or Ubuntu gets it here.
browser:
	@sh tests/browser/install.sh

browser-test: $(READY) browser
	$(BIN)/python -m pytest tests/browser tests/site

# The long form of the tests against bad requests and dying workers: a few minutes.
abuse-test: $(READY)
	CELEBML_ABUSE=5000 $(BIN)/python -m pytest tests/site/test_site_abuse.py tests/site/test_site_load.py
	CELEBML_ABUSE=2000 $(BIN)/python -m pytest tests/test_fuzz.py tests/test_forged_bundles.py

# What is made from the site's code; a test fails when it is out of date.
openapi: $(READY)
	$(BIN)/python -m tools.write_site

# The dashboard
.PHONY: dashboard
DASHBOARD ?= runs/dashboard

# PORT=8866 unless given; DASHBOARD is the folder in which photographs and the model are kept; RECIPE teaches with another one.
dashboard: PORT := $(if $(filter command line environment,$(origin PORT)),$(PORT),8866)
dashboard: $(READY)
	@$(BIN)/celebml dashboard --port $(PORT) --folder "$(DASHBOARD)" $(if $(RECIPE),--recipe "$(RECIPE)")

# Benchmarks
.PHONY: bench bench-check scale

# Ours against the classic way, in turn, on the same photographs: about fifteen minutes on two quiet cores.
bench: $(READY)
	$(BIN)/python benchmarks/speed.py --out benchmarks/speed.json

# Fails when a ratio is worse than its bound in benchmarks/bounds.json; run by hand, on a machine with nothing else to do.
bench-check: $(READY)
	$(BIN)/python benchmarks/speed.py --rounds 3 --check

# Cost against the number of photographs, to 50,000.
scale: $(READY)
	$(BIN)/python benchmarks/scale.py --out benchmarks/scale.json

# Releases
.PHONY: lock dist sbom
RELEASE := build/release

$(RELEASE)/.ready: requirements/release.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

# Versions and hashes of everything that servers, CI and releases install, out of settings.ini.
lock: $(RELEASE)/.ready
	$(RELEASE)/bin/python -m tools.lock

# The source archive and the wheel of what is committed: the same bytes each time.
dist: $(RELEASE)/.ready
	$(RELEASE)/bin/python -m tools.release --out dist

# The parts of what a server runs, as CycloneDX.
sbom: $(RELEASE)/.ready
	@mkdir -p dist
	$(RELEASE)/bin/cyclonedx-py requirements requirements/deploy.txt --output-reproducible --of JSON -o dist/sbom.cdx.json
