#!/usr/bin/env bash
# The same policy in prism-agent, onnxruntime, tract and a browser: equal answers to real observations of Pong, then times in
# turns. Needs chromium, python3 with venv, and npm, which fetches onnxruntime-web; all of it goes into a folder below target/.
#
#   benches/peers/policies.sh [TURNS]
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
cargo build --quiet --release --manifest-path benches/peers/tract/Cargo.toml --target-dir "$target/peers/tract"
make -s web >/dev/null
cp "$target"/web/lanterns/*.wasm "$own/web/"

[ -d "$own/python" ] || python3 -m venv "$own/python"
"$own/python/bin/pip" install --quiet numpy onnxruntime
if [ ! -e "$own/web/ort.wasm.min.mjs" ]; then
    (cd "$own" && npm pack --silent onnxruntime-web >/dev/null && tar xzf onnxruntime-web-*.tgz)
    cp "$own"/package/dist/ort.wasm.min.mjs "$own"/package/dist/ort-wasm-simd-threaded.{mjs,wasm} "$own/web/"
fi

# Nature's network with distributions of 51 atoms would weigh more; this is plain DQN's, with weights as they are drawn.
if [ ! -e "$own/run" ]; then
    "$target/release/prism" train pong --set training.agent_steps=300 --out "$own/run" >/dev/null 2>&1
fi
"$target/release/prism" export "$own/run" --out "$own/policy.safetensors" --onnx "$own/policy.onnx"
"$target/release/examples/observations" pong 10000 "$own/observations.raw"
for instructions in widest avx2 plain; do
    "$target/release/examples/answers" "$own/policy.safetensors" "$own/observations.raw" "$own/answers.$instructions" \
        "$instructions"
done
cc -O2 -I crates/agent-c/include crates/agent-c/tests/plays.c "$target/release/libprism_agent_c.a" -lm -lpthread -ldl \
    -o "$own/plays"
"$own/plays" "$own/policy.safetensors" "$own/observations.raw" "$own/answers.c"
exec "$own/python/bin/python" benches/peers/policies.py --policy "$own/policy.safetensors" --onnx "$own/policy.onnx" \
    --observations "$own/observations.raw" --answers "$own" --speed "$target/release/examples/speed" \
    --tract "$target/peers/tract/release/tract-answers" --web "$own/web" --turns "${1:-3}"
