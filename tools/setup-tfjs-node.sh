#!/usr/bin/env bash
# Give @tensorflow/tfjs-node-gpu (or tfjs-node) a libtensorflow without the download its own install script wants.
#
#   npm install --no-save --save-dev --ignore-scripts @tensorflow/tfjs-node-gpu@4.22.0
#   npm run setup:tfjs-node              # or: npm run setup:tfjs-node -- CACHE_DIR
#
# libtensorflow and its C headers come out of the Python wheel `tensorflow-cpu` (nothing is installed into Python), the
# package's N-API binding is compiled against them and both are put where the package looks. CACHE_DIR (default
# .cache/tfjs-node) keeps them, 0.4 GB; a second run takes seconds. For CUDA set TENSORFLOW_WHEEL=tensorflow.
#
#   TENSORFLOW_WHEEL    tensorflow-cpu     the wheel to take
#   TENSORFLOW_VERSION  2.13.1             2.12 or later: earlier wheels have no libtensorflow_cc.so.2
#   TENSORFLOW_PYTHON   3.11               the Python the wheel is for; not which Python runs here
#
# Needs Linux on x86-64, python3 with pip, g++. Exit status: 0 done, 2 cannot be done here, 1 something failed.
set -euo pipefail

wheel_name=${TENSORFLOW_WHEEL:-tensorflow-cpu}
wheel_version=${TENSORFLOW_VERSION:-2.13.1}
wheel_python=${TENSORFLOW_PYTHON:-3.11}
# digests of wheels that were seen to work; any other is taken as pip verifies it
declare -A known_wheels=(
  [tensorflow-cpu-2.13.1-3.11]=87be6e61314b2c0fa062f71e26e41d6a17e162ffe4da72c820fe8f1fc94d97fe
)

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${1:-$repo/.cache/tfjs-node}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
library=$cache/$wheel_name-$wheel_version

cannot() { echo "setup-tfjs-node: $1" >&2; exit 2; }

# The packages present in node_modules, by name.
installed_packages() {
  local name
  for name in tfjs-node-gpu tfjs-node; do
    if [ -f "$repo/node_modules/@tensorflow/$name/binding/tfjs_backend.cc" ]; then echo "$name"; fi
  done
}

# Downloads the wheel into $1/wheel and checks it.
download_wheel() {
  python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
    --implementation cp --python-version "$wheel_python" \
    --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_27_x86_64 \
    --dest "$1/wheel" "$wheel_name==$wheel_version"
  local digest=${known_wheels[$wheel_name-$wheel_version-$wheel_python]:-}
  if [ -n "$digest" ]; then echo "$digest  $(echo "$1"/wheel/*.whl)" | sha256sum --check --quiet; fi
}

# Takes the two shared libraries and the C headers out of the wheel: $1/wheel/*.whl -> $1/tree/{lib,include}.
unpack_wheel() {
  python3 - "$1"/wheel/*.whl "$1/tree" <<'PYTHON'
import shutil, sys, zipfile
from pathlib import Path, PurePosixPath

LIBRARIES = {"libtensorflow_cc.so.2", "libtensorflow_framework.so.2"}


def destination(name):
    """Where a file of the wheel goes, or None when it is not needed."""
    path = PurePosixPath(name)
    if path.parts[:1] != ("tensorflow",):
        return None
    if path.parent == PurePosixPath("tensorflow") and path.name in LIBRARIES:
        return Path("lib", path.name)
    if path.parts[1:2] == ("include",) and path.suffix == ".h":
        of_c_api = "c" in path.parts[2:-1]
        of_strings = path.name.startswith("ctstring") and path.parent.name == "platform"
        if of_c_api or of_strings:
            return Path(*path.parts[1:])
    return None


archive, tree = sys.argv[1], Path(sys.argv[2])
seen = set()
with zipfile.ZipFile(archive) as wheel:
    for name in wheel.namelist():
        relative = destination(name)
        if relative is None:
            continue
        target = tree / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(name) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        seen.add(relative.name)
missing = LIBRARIES - seen
if missing:
    sys.exit(f"setup-tfjs-node: the wheel has no {' and no '.join(sorted(missing))}; take version 2.12 or later")
PYTHON
}

# Fills $library once; an interrupted run leaves nothing half done behind.
fetch_library() {
  if [ -d "$library/lib" ]; then return; fi
  local scratch
  scratch=$(mktemp -d "$cache/unpacking.XXXXXX")
  trap "rm -rf '$scratch'" EXIT
  download_wheel "$scratch"
  unpack_wheel "$scratch"
  if command -v strip >/dev/null; then strip --strip-unneeded "$scratch"/tree/lib/*; fi # a quarter of their size is symbols
  mv "$scratch/tree" "$library"
  rm -rf "$scratch"
  trap - EXIT
}

# Prints the folder that has node_api.h: this Node's own headers, the system's, or those of the npm package.
node_headers() {
  local folder packaged=$cache/headers/node_modules/node-api-headers/include
  for folder in "$(node -p 'path.resolve(process.execPath, "../../include/node")')" /usr/local/include/node /usr/include/node "$packaged"; do
    if [ -f "$folder/node_api.h" ]; then echo "$folder"; return; fi
  done
  mkdir -p "$cache/headers"
  npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$cache/headers" node-api-headers@1 >&2
  echo "$packaged"
}

# Compiles package $1's binding, once per source and library; prints where it is.
compile_binding() {
  local sources=$repo/node_modules/@tensorflow/$1/binding digest built
  digest=$(cat "$sources"/*.cc "$sources"/*.h | sha256sum | cut -c1-16)
  built=$library/binding-$digest.node
  if [ ! -f "$built" ]; then
    g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I"$(node_headers)" -I"$library/include" \
      "$sources/tfjs_backend.cc" "$sources/tfjs_binding.cc" -o "$built.part" \
      -L"$library/lib" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
      -Wl,-rpath,'$ORIGIN/../../deps/lib' >&2
    mv "$built.part" "$built"
  fi
  echo "$built"
}

# Puts libraries and binding of package $1 in place; leaves a package alone that brought its own libtensorflow.
place() {
  local package=$repo/node_modules/@tensorflow/$1 binding=$2 own
  own=$(find "$package/deps" -type f -name 'libtensorflow*' -print -quit 2>/dev/null || true)
  if [ -n "$own" ]; then echo "$1 has its own libtensorflow; left as it is"; return; fi
  rm -rf "$package/deps"
  mkdir -p "$package/deps/lib" "$package/lib/napi-v8"
  ln -s "$library/include" "$package/deps/include"
  ln -s "$library"/lib/*.so.2 "$package/deps/lib/"
  cp "$binding" "$package/lib/napi-v8/tfjs_binding.node"
}

# Loads package $1 as a program would and multiplies two matrices with it.
prove() {
  (cd "$repo" && TF_CPP_MIN_LOG_LEVEL=2 node - "@tensorflow/$1" <<'JS'
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined; // gone since Node 23, tfjs-node 4.22 calls it
const name = process.argv[2];
const tf = require(require.resolve(name, { paths: [process.cwd()] }));
const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync());
if (tf.getBackend() !== 'tensorflow' || product[0] !== 11) throw new Error(`${name} loads but computes ${product} on ${tf.getBackend()}`);
const backend = tf.backend();
const device = backend.isUsingGpuDevice ? 'GPU' : 'CPU';
console.log(`${name} ${tf.version['tfjs-node']} works: libtensorflow ${backend.binding.TF_Version} on the ${device}, Node ${process.version}`);
JS
  )
}

main() {
  [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || cannot 'works on Linux x86-64 only'
  local tool packages name binding
  for tool in python3 g++ node; do command -v "$tool" >/dev/null || cannot "$tool is missing: install it first"; done
  python3 -m pip --version >/dev/null 2>&1 || cannot 'pip is missing: install python3-pip first'
  packages=$(installed_packages)
  [ -n "$packages" ] || cannot 'no @tensorflow/tfjs-node-gpu in node_modules: npm install --no-save --save-dev --ignore-scripts @tensorflow/tfjs-node-gpu@4.22.0'
  fetch_library
  for name in $packages; do
    binding=$(compile_binding "$name")
    place "$name" "$binding"
    prove "$name"
  done
}

main
