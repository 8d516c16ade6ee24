# Names only: each recipe is one `cargo xtask` line. Options: `make bench ARGS='--quick'`.
ARGS ?=

.PHONY: help doctor toolbox build image push bench report test clean

help:
	@cargo xtask --help

doctor:
	cargo xtask doctor $(ARGS)

toolbox:
	cargo xtask toolbox $(ARGS)

build:
	cargo xtask build $(ARGS)

image:
	cargo xtask image $(ARGS)

push:
	cargo xtask push $(ARGS)

bench:
	cargo xtask bench $(ARGS)

report:
	cargo xtask report $(ARGS)

test:
	cargo xtask test $(ARGS)

clean:
	cargo xtask clean $(ARGS)
