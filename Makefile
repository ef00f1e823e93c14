# GNU make. Every recipe runs through ./set-up, which finds or installs the tools the command needs.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build roms pong resume-demo web test check

target := $(or $(CARGO_TARGET_DIR),target)
prism := $(target)/release/prism

# FEATURES names what is built beside the processor's backend, also nothing (FEATURES=). Without it the machine decides.
features := $(if $(FEATURES),--features $(FEATURES))
tools := ./set-up $(if $(filter undefined,$(origin FEATURES)),--gpu)
# The fast preset is made for Pong alone: another game is trained as the book trains Pong.
preset := $(if $(GAME),pong,pong-fast)
options := $(if $(GAME),--game $(GAME)) $(if $(FRAMES),--frames $(FRAMES)) $(if $(SEED),--seed $(SEED)) \
           $(if $(DEVICE),--device $(DEVICE)) $(ARGS)

help: ## this list
	@echo 'prism: value-based deep reinforcement learning on Atari'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  Options of make pong, all optional:'
	@echo '    FRAMES=200000   end after so many emulator frames    SEED=1    seed of the run'
	@echo '    GAME=breakout   another game                         DEVICE=cuda:0'
	@echo '    ARGS="..."      anything else that prism train takes (prism train --help)'
	@echo
	@echo '  Option of make build, make pong and make test:'
	@echo '    FEATURES=wgpu   GPU backends in the build (cuda, wgpu, vulkan, metal, with commas between them; prism devices'
	@echo '                    lists what they find). Without it: cuda where NVIDIA'"'"'s driver is, else none'

setup: ## find or install Rust, cmake, a C++ compiler and Python
	@./set-up

build: setup ## build the optimised program; the first time takes minutes
	@echo 'build: cargo build --release $(features) (the first build compiles Burn and the Arcade Learning Environment)'
	@$(tools) cargo build --release $(features)

roms: build ## fetch the game ROMs through pip, once
ifdef ALE_ROMS_DIR
	@echo 'roms: those in ALE_ROMS_DIR=$(ALE_ROMS_DIR)'
else
	@echo 'roms: prism roms install'
	@./set-up $(prism) roms install
endif

pong: roms ## train an agent on Pong until it is solved; Ctrl-C ends it and keeps everything
	@echo 'pong: prism train $(preset) $(strip $(options))'
	@./set-up $(prism) train $(preset) $(options)

resume-demo: roms ## see a run that is killed three times become the one that never was
	@./set-up benches/resume-demo.sh $(prism)

# The game as WebAssembly, with vector instructions and without, in target folders of their own; and the page around it.
wasm := cargo build --profile web -p lanterns-web --target wasm32-unknown-unknown
compiled := wasm32-unknown-unknown/web/lanterns_web.wasm

web: setup ## build the page of the game Lanterns, with its agent
	@echo 'web: $(wasm)'
	@./set-up --wasm $(wasm) --target-dir $(target)/web/plain
	@RUSTFLAGS='-C target-feature=+simd128' ./set-up --wasm $(wasm) --target-dir $(target)/web/simd
	@mkdir -p $(target)/web/lanterns
	@cp games/lanterns/web/page/* games/lanterns/lanterns.safetensors $(target)/web/lanterns/
	@cp $(target)/web/plain/$(compiled) $(target)/web/lanterns/lanterns.wasm
	@cp $(target)/web/simd/$(compiled) $(target)/web/lanterns/lanterns-simd.wasm
	@echo 'web: the page is in $(target)/web/lanterns. Serve it with'
	@echo '    python3 -m http.server -d $(target)/web/lanterns 8000'
	@echo 'and open http://localhost:8000'

test: roms ## build and run the tests of the program, on the dependencies that make build compiles
	@echo 'test: cargo test --release $(features)'
	@$(tools) cargo test --release --no-fail-fast $(features)

fuzz: roms ## feed damaged files to every parser, SECONDS=60 to each
	@echo 'fuzz: cargo test --release $(features) --test prism fuzz::, $(or $(SECONDS),60) s for each parser'
	@PRISM_FUZZ_SECONDS=$(or $(SECONDS),60) $(tools) cargo test --release $(features) --test prism fuzz::

host = $(shell rustc -vV | sed -n 's/^host: //p')

# Miri interprets the kernels without vector instructions, the sanitizer watches those of this processor. Tree Borrows and
# the leaks are rayon's.
miri: setup ## look for undefined behaviour with Miri and the address sanitizer; takes Rust nightly and minutes
	rustup component add --toolchain nightly miri rust-src
	MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks' \
		cargo +nightly miri test -p prism-kernels --test convolution
	RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=0 cargo +nightly test --target $(host) \
		-p prism-kernels -p prism-frames -p prism-agent --lib --tests

check: roms ## format, scripts, links, lints, other sets of features, the web page, documentation, supply chain, devices
	@./set-up --graphics --browser --wasm --deny ./check
