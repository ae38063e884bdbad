#!/bin/sh
# Builds both programs so that they need nothing of the system they run on, not even its C library: for an image of nothing
# else, or a system that is old. They compute on the processor alone, because drivers of GPUs are loaded as they run.
#
#   deploy/static.sh FOLDER     puts submitter and farm-worker into FOLDER
set -eu

[ $# -eq 1 ] || { printf 'static.sh: say where to: static.sh FOLDER\n' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# With the target named, what runs while it is built (macros, build scripts) is built as ever.
RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+crt-static" "${CARGO:-cargo}" build --release --locked -p submitter --target "$target"
for program in submitter farm-worker; do
    install -m 755 "${CARGO_TARGET_DIR:-target}/$target/release/$program" "$folder/$program"
done
