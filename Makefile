# `make demo` and `make test` do all of their own set-up, on Debian and Ubuntu from the system
# libraries on, and only what is missing of it: both may be run again at any time.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# An interpreter of your choice: make PYTHON=/path/to/python3.13 test
export PYTHON ?=
CHOOSE_PYTHON := python=$${PYTHON:-$$(tools/choose_python.sh)}
VENV := .venv
TOX := $(VENV)/bin/python -m tox run

# make weights DATA=FOLDER: where tnbc/, snow_figures/, nuinsseg/ and dsb2018/ lie. WORK: where trainings go.
DATA ?= data
WORK ?= build/weights
EPOCHS_OF_A_FOLD ?= 36
EPOCHS ?= 50
CASES ?= 10000
SETTINGS ?=
KILLS ?= 50
RECIPE := --preset default --batch-size 2 --seed 0

.PHONY: help demo test test-anywhere test-slow compare fuzz soak load audit lint screenshots crossvalidate screen weights format system clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Install everything, segment a generated tile, open napari where there is a display.
	$(VENV)/bin/napari-snow-unet demo

test: $(VENV)/.tox-installed ## Run all tests and checks but the slow tests.
	$(TOX)

test-slow: $(VENV)/.tox-installed ## Run the tests that take minutes.
	$(TOX) -e test -- -m slow

test-anywhere: $(VENV)/.tox-installed ## Run the tests as other machines would: about two hours; goes on where it was (SETTINGS=...).
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/python tools/test_anywhere.py $(SETTINGS)

compare: $(VENV)/.tox-installed ## Compare byte for byte what 0.1, or COMMIT=..., writes with what the sources here write.
	$(VENV)/bin/python -m tox exec -e test -- python tools/compare_versions.py $(COMMIT)

fuzz: $(VENV)/.installed ## Give every reader 10,000 damaged files (CASES=...), in bounded time and memory.
	$(VENV)/bin/python tools/fuzz.py --cases $(CASES)

soak: $(VENV)/.tox-installed ## Kill training, prepare and segment 50 times each (KILLS=...) and go on.
	KILLS=$(KILLS) $(TOX) -e test -- -m slow -s -n 0 tests/faults/test_soak.py

load: $(VENV)/.tox-installed ## 20,000 tiles; 500 runs and 100 openings of every dock in one napari; steady memory.
	$(TOX) -e test -- -m slow -s -n 0 tests/faults/test_load.py tests/widgets/segment/test_dock_load.py

audit: $(VENV)/.tox-installed ## Look the installed dependencies up in the databases of known flaws.
	$(TOX) -e audit

lint: $(VENV)/.tox-installed ## Run the checks alone: style, types, import contracts, napari manifest.
	$(TOX) -e lint

screenshots: $(VENV)/.installed ## Make the pictures of the documentation, on a virtual screen.
	xvfb-run -a -s "-screen 0 1600x1000x24" $(VENV)/bin/python docs/make_screenshots.py

$(WORK)/tiles/manifest.csv: | $(VENV)/.installed
	$(VENV)/bin/python tools/assemble_training_tiles.py $(DATA) -o $(WORK)/tiles

crossvalidate: $(WORK)/tiles/manifest.csv ## Train four folds, patients left out, on the tiles in DATA; may be stopped and run again.
	if [ -e $(WORK)/folds ]; then $(VENV)/bin/napari-snow-unet train --resume $(WORK)/folds; else \
		$(VENV)/bin/napari-snow-unet train $(WORK)/tiles -o $(WORK)/folds --fold all \
			$(RECIPE) --epochs $(EPOCHS_OF_A_FOLD); fi
	cp $(WORK)/folds/folds.csv $(WORK)/folds/tiles.csv docs/accuracy/

screen: $(WORK)/tiles/manifest.csv ## Train and score variants of the recipe on the tiles in DATA; may be stopped and run again.
	$(VENV)/bin/python tools/screen_recipes.py $(WORK)/tiles --work $(WORK)/screen

weights: $(WORK)/tiles/manifest.csv ## Train the bundled network on the tiles in DATA; may be stopped and run again.
	if [ -e $(WORK)/run ]; then $(VENV)/bin/napari-snow-unet train --resume $(WORK)/run; else \
		$(VENV)/bin/napari-snow-unet train $(WORK)/tiles -o $(WORK)/run $(RECIPE) --epochs $(EPOCHS); fi
	$(VENV)/bin/python tools/pack_weights.py $(WORK)/run -o src/napari_snow_unet/weights/he-breast-nuclei

format: $(VENV)/.tox-installed ## Mend what ruff can mend.
	$(TOX) -e format

system: # System libraries, where something is missing.
	@$(CHOOSE_PYTHON); tools/install_system_libraries.sh "$$python"

$(VENV)/bin/python: | system
	@$(CHOOSE_PYTHON); echo "Making $(VENV) with $$python"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.tox-installed: | system $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet "tox>=4.60"
	@touch $@

$(VENV)/.installed: pyproject.toml setup.cfg | system $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --editable ".[all]"
	@touch $@

clean: ## Remove what the other targets have made, environments included.
	rm -rf $(VENV) .tox build dist src/*.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
