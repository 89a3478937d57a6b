# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Both install what is missing and say what; scripts/setup.sh tells how.

.PHONY: help demo test lab-test screens fuzz bench captures readme docs notebooks install uninstall setup clean

PREFIX ?= /usr/local

help:
	@echo 'make demo      build for release and show the main job on the recorded captures'
	@echo 'make test      run every test, the laboratory included, and say what was skipped'
	@echo 'make fuzz      run every fuzz target for a minute (SECONDS=60)'
	@echo 'make bench     measure speed beside tcpdump and others, write docs/speed.md (QUICK=1, ONLY=summary)'
	@echo 'make captures  record all scenarios again with real Kea servers (root)'
	@echo 'make lab-test  record one scenario into target/ and check dorascope on it (root)'
	@echo 'make screens   play a takeover under the live view and write docs/live (root)'
	@echo 'make readme    rewrite the program output that README.md shows'
	@echo 'make docs      rewrite the pages of docs/ and contrib/ that the program and its tests compute'
	@echo 'make notebooks run the notebooks again and write what they say'
	@echo 'make install   build for release and install program, manual pages and completions (PREFIX=/usr/local, DESTDIR=, FEATURES=sql)'
	@echo 'make uninstall remove what make install installed'
	@echo 'make setup     only install what is missing'
	@echo 'make clean     remove target/, the laboratory included, and the data of the notebooks'

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

lab-test:
	@scripts/setup.sh build lab
	cargo build --locked
	@scripts/lab_test.sh target/debug/dorascope

screens:
	@scripts/setup.sh build test lab
	cargo build --locked
	@scripts/live_lab_test.sh target/debug/dorascope docs/live

fuzz:
	@scripts/fuzz.sh $(or $(SECONDS),60)

bench:
	@QUICK=$(QUICK) ONLY=$(ONLY) scripts/bench.sh

captures:
	@scripts/setup.sh lab
	captures/lab/record.py

readme:
	@scripts/setup.sh build lab
	cargo build --locked
	@scripts/readme.py target/debug/dorascope

docs:
	@scripts/setup.sh build
	UPDATE_DOCS=1 cargo test --locked --test integration -- charts::the_gallery contrib::every_metric docs:: score::

notebooks:
	@scripts/setup.sh build test
	cargo build --locked
	@scripts/notebooks.sh target/debug/dorascope

# Compiled as the caller, also where `sudo make install` then only copies.
install:
	@scripts/setup.sh build
	cargo build --release --locked $(if $(FEATURES),--features $(FEATURES))
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh install

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh uninstall

setup:
	@scripts/setup.sh build test lab

# The Kea chroot holds no mounts; `make captures` makes it again.
clean:
	rm -rf target notebooks/data
