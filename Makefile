# SPDX-License-Identifier: Apache-2.0
# The commands people type. Meson and Ninja do the work; see CONTRIBUTING.md.
BUILD ?= build
export FERRY_BUILD := $(abspath $(BUILD))
PROGRAMS := ferryd ferry-agentd ferry

.PHONY: all deb test-deb site bench-install fuzz fuzz-live deps build demo demo-down test test-unit test-asan test-tsan test-lab test-world world-slice test-mutants test-zoo test-checks test-twin test-faults lint bench-overhead bench-convergence bench-convergence-sim bench-calibration bench-drain bench-scale bench-hostile install clean

all: build

deps:
	tools/deps

$(BUILD)/build.ninja:
	meson setup $(BUILD)

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

install: build
	meson install -C $(BUILD) --no-rebuild

# Debian packages in build/deb (the versions of this machine's Debian).
deb:
	tools/deb

# Twice, and the bytes compared; then lintian, and the packages in a root of their own. Minutes.
test-deb:
	tools/deb
	CCACHE_DISABLE=1 tools/deb build/deb-again
	for f in build/deb/*.deb; do cmp $$f build/deb-again/$$(basename $$f) || exit 1; done
	cd tests/live && FERRY_DEBS=$(abspath build/deb) python3 -m unittest -v test_packages test_booted

# All documents as one static site in build/site, links checked.
site: build
	tools/site

# From the packages to a moved VM on two machines that boot with systemd: commands and seconds.
bench-install: deps
	[ -e build/deb/build.log ] || tools/deb
	bench/install --debs build/deb

demo: deps build
	lab/demo

demo-down:
	lab/ferry-lab down

test: deps build
	tests/run

test-unit: build
	tests/run --unit

test-asan:
	tests/run --asan

test-tsan:
	tests/run --tsan

test-lab: build
	tests/run --lab

# Simulated worlds, production's code on a virtual clock. On demand, in slices that go on where the
# last one ended: make world-slice WORLD_SLICE_SECONDS=600 (see docs/reliability.md).
test-world: build
	tests/run --world

WORLD_SLICE_SECONDS ?= 600
world-slice: build
	$(BUILD)/sim/world/ferry-world --resume $(BUILD)/world-slices.json --seconds $(WORLD_SLICE_SECONDS) --keep-going

# Would the tests notice? See tests/mutants/run; words in MUTANTS choose some.
test-mutants:
	tests/mutants/run $(MUTANTS)

# Each fault in each phase on real hosts: what has no result yet, then docs/faults.md; words in CELLS
# choose cells, FAULTS_SECONDS ends a slice, FAULTS_LANES cells are played at once.
FAULTS_SECONDS ?= 600
FAULTS_LANES ?= 3
test-faults: build
	tests/faults/run --seconds $(FAULTS_SECONDS) --lanes $(FAULTS_LANES) $(CELLS)
	tests/faults/document

# Of two copies that libvirt may leave running, all tests (make test takes some of them).
test-twin: build
	cd tests/lab && FERRY_LONG=1 python3 -m unittest -v test_twin

# Every definition of tests/zoo on real hosts; ZOO="disk-* nvram" takes some.
ZOO ?= all
test-zoo: build
	cd tests/lab && FERRY_ZOO="$(ZOO)" python3 -m unittest -v test_zoo

# What check says against what libvirt does; CHECKS="iso-lacking secret" takes some.
CHECKS ?= all
test-checks: build
	cd tests/lab && FERRY_CHECKS="$(CHECKS)" python3 -m unittest -v test_checks

lint:
	tests/run --lint

bench-overhead: deps build
	bench/overhead

bench-convergence: deps build
	bench/convergence
	bench/performance-document

bench-convergence-sim: build
	bench/convergence-sim
	bench/performance-document

bench-drain: deps build
	bench/drain

bench-scale: deps build
	bench/scale --link 40000 -o bench/results/scale.json
	bench/performance-document

bench-hostile: deps build
	bench/hostile -o bench/results/hostile.json
	bench/performance-document

bench-calibration: deps build
	bench/calibration
	bench/performance-document

clean:
	rm -rf $(BUILD)

# Each fuzz target under libFuzzer for FUZZ_SECONDS; finds go into build-fuzz/found.
FUZZ_SECONDS ?= 30
fuzz:
	fuzz/run --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Random requests of every role against a live ferryd: most of the time under ASan and UBSan, then a
# quarter of it plain, where memory is looked at.
FUZZ_LIVE_SECONDS ?= 600
FUZZ_LIVE_OPTIONS ?=
fuzz-live: build
	[ -e build-live/build.ninja ] || meson setup build-live -Db_sanitize=address,undefined -Db_lundef=false
	ninja -C build-live src/ferryd/ferryd
	fuzz/live/fuzz.py --build build-live --sanitized --seconds $(FUZZ_LIVE_SECONDS) $(FUZZ_LIVE_OPTIONS)
	fuzz/live/fuzz.py --build $(BUILD) --seconds $$(($(FUZZ_LIVE_SECONDS) / 4)) $(FUZZ_LIVE_OPTIONS)
