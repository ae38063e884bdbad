#!/bin/sh
# Makes both programs so that they need nothing of a machine but Linux: no C library, no loader, no file. They load no drivers
# of adapters either, and compute on the processor. Needs the C library to link to: libc6-dev has it on Debian.
#
#   deploy/static.sh FOLDER    builds the programs, then puts them into FOLDER
set -eu
umask 022

die() { printf 'static.sh: %s\n' "$*" >&2; exit 1; }
[ $# -eq 1 ] || { printf 'static.sh: say where to: static.sh FOLDER\n' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
target=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
case $target in
    *-linux-*) ;;
    *) die "static programs are for Linux, and this is $target" ;;
esac
library=$("${CC:-cc}" -print-file-name=libc.a) && [ -f "$library" ] || die "libc.a is missing: apt-get install gcc libc6-dev"
# With the target named the flag is for the programs alone: what the compiler itself loads cannot be static.
# Random numbers come of the system's call then, which is otherwise looked for in a shared C library, and then in /dev.
RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"" \
    "${CARGO:-cargo}" build --release --locked --target "$target" -p submitter -p farm-worker
for program in submitter farm-worker; do
    install -m 755 "${CARGO_TARGET_DIR:-target}/$target/release/$program" "$folder/"
done
