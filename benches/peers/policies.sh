#!/usr/bin/env bash
# The same policy in prism-agent, onnxruntime, tract and a browser: equal answers to real observations of Pong, then times in
# turns, and sizes. Needs chromium, python3 with venv, and npm, which fetches onnxruntime-web; all of it goes into a folder
# below target/.
#
#   benches/peers/policies.sh [TURNS] [RUN]
#
# RUN is a run of Pong. Without it the network is Nature's, with weights after a few hundred steps: times do not depend on them.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
own=$target/peers/policies
mkdir -p "$own/web"
export CARGO_TARGET_DIR=$target
cargo build --quiet --release
cargo build --quiet --release -p prism-agent --example speed --example answers
cargo build --quiet --release -p prism-agent-c
cargo build --quiet --release -p prism-environment --example observations
cargo build --quiet --release -p prism-model --example values
cargo build --quiet --release --manifest-path benches/peers/tract/Cargo.toml --target-dir "$target/peers/tract"
make -s web >/dev/null
cp "$target"/web/lanterns/*.wasm "$own/web/"

[ -d "$own/python" ] || python3 -m venv "$own/python"
"$own/python/bin/pip" install --quiet numpy onnxruntime
if [ ! -e "$own/web/ort.wasm.min.mjs" ]; then
    (cd "$own" && npm pack --silent onnxruntime-web >/dev/null && tar xzf onnxruntime-web-*.tgz)
    cp "$own"/package/dist/ort.wasm.min.mjs "$own"/package/dist/ort-wasm-simd-threaded.{mjs,wasm} "$own/web/"
fi

run=${2:-$own/run}
if [ ! -e "$run" ]; then
    "$target/release/prism" train pong --set training.agent_steps=300 --out "$run" >/dev/null 2>&1
fi
"$target/release/prism" export "$run" --out "$own/policy.safetensors" --onnx "$own/policy.onnx"
"$target/release/examples/observations" pong 10000 "$own/observations.raw"
"$target/release/examples/values" "$own/policy.safetensors" "$own/observations.raw" "$own/answers.training"
for instructions in widest avx2 plain; do
    "$target/release/examples/answers" "$own/policy.safetensors" "$own/observations.raw" "$own/answers.$instructions" \
        "$instructions"
done
cc -O2 -I crates/agent-c/include crates/agent-c/tests/plays.c "$target/release/libprism_agent_c.a" -lm -lpthread -ldl \
    -o "$own/plays"
"$own/plays" "$own/policy.safetensors" "$own/observations.raw" "$own/answers.c"
"$own/python/bin/python" benches/peers/policies.py --policy "$own/policy.safetensors" --onnx "$own/policy.onnx" \
    --observations "$own/observations.raw" --answers "$own" --speed "$target/release/examples/speed" \
    --tract "$target/peers/tract/release/tract-answers" --web "$own/web" --turns "${1:-3}"

# Sizes without symbols, as they would be shipped, and as a web server would send them.
size() {
    cp "$2" "$own/measured"
    strip "$own/measured" 2>/dev/null || true
    printf '%-44s%10.2f MB%10.2f MB with gzip\n' "$1" "$(($(wc -c <"$own/measured") / 10))e-5" \
        "$(($(gzip -9 -c "$own/measured" | wc -c) / 10))e-5"
}
crates() { printf '%-44s%6d crates\n' "$1" "$(cargo tree -e normal --prefix none "${@:2}" | sed 's/ (\*)//' | sort -u | wc -l)"; }
echo
size 'prism, WebAssembly SIMD, game included' "$own/web/lanterns-simd.wasm"
size 'prism, WebAssembly, game included' "$own/web/lanterns.wasm"
size 'onnxruntime-web, WebAssembly' "$own/web/ort-wasm-simd-threaded.wasm"
size 'prism-agent-c, dynamic library' "$target/release/libprism_agent_c.so"
size 'prism-agent-c, program with static library' "$own/plays"
size 'onnxruntime, dynamic library' "$(find "$own/python" -name 'libonnxruntime.so*' | head -n 1)"
size 'tract, program' "$target/peers/tract/release/tract-answers"
crates prism-agent -p prism-agent
crates tract --manifest-path benches/peers/tract/Cargo.toml
