# One environment for everything; nothing is installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= johns
OUT ?= runs/$(DATA)

.PHONY: help run test lab env lint notebooks pytest clean
help:
	@echo "make run    the whole job on the default photographs (DATA=folder for your own)"
	@echo "make test   everything that CI runs"
	@echo "make lab    the course in JupyterLab"

env: $(READY)
$(READY): settings.ini setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 run"; exit 1; }
	@echo "making the environment in $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

run: $(READY)
	@$(BIN)/celebml run "$(DATA)" --out "$(OUT)"

lab: $(READY)
	$(BIN)/jupyter lab nbs/00_tour.ipynb

test: lint notebooks pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The package and the notebooks are one text; a notebook that cannot run is not a lesson.
notebooks: $(READY)
	@before=$$(cat nbs/*.ipynb celebml/*.py | sha256sum); $(BIN)/nbdev_export; $(BIN)/nbdev_clean; \
	[ "$$before" = "$$(cat nbs/*.ipynb celebml/*.py | sha256sum)" ] || \
	{ echo "notebooks and package were out of step; now they are in step: look at the difference and commit it"; exit 1; }
	OMP_NUM_THREADS=1 timeout 900 $(BIN)/nbdev_test --n_workers 2 --do_print

pytest: $(READY)
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) runs build dist docs/_build docs/api nbs/exercises .pytest_cache .ruff_cache .hypothesis *.egg-info

# The course site
.PHONY: docs exercises
MATHJAX := docs/_build/mathjax

docs: $(READY) $(MATHJAX)/tex-mml-chtml.js
	$(BIN)/python docs/exercises.py --out docs/_build/extra/exercises
	$(BIN)/sphinx-build -W --keep-going -q -c docs . docs/_build/html
	@echo "open docs/_build/html/index.html"

# Notebooks with the solutions taken out, to be filled in.
exercises: $(READY)
	$(BIN)/python docs/exercises.py

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
	@CELEBML_BUNDLE="$(BUNDLE)" CELEBML_BIND=127.0.0.1:$(PORT) $(BIN)/python -m gunicorn --config app/site/gunicorn.conf.py

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

# What is made from the site's code; a test fails when it is out of date.
openapi: $(READY)
	$(BIN)/python -m app.site.write

# The dashboard
.PHONY: dashboard
DASHBOARD ?= runs/dashboard

# PORT=8866 unless given; DASHBOARD is the folder in which photographs and the model are kept.
dashboard: PORT := $(if $(filter command line environment,$(origin PORT)),$(PORT),8866)
dashboard: $(READY)
	@echo "the dashboard is at http://127.0.0.1:$(PORT)/  (Ctrl-C ends it)"
	@cd app/dashboard && CELEBML_DASHBOARD="$(abspath $(DASHBOARD))" JUPYTER_PATH="$(CURDIR)/app/dashboard/share" \
		$(abspath $(BIN))/python -m voila dashboard.ipynb --no-browser --port $(PORT)

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
