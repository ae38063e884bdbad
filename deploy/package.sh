#!/bin/sh
# Makes a Debian package of both programs, with manual pages, completions for bash, zsh and fish, the documentation, the
# worker's service and its user. Needs what Debian makes packages with: dpkg-dev and binutils.
#
#   deploy/package.sh FOLDER            builds the programs, then puts mandelfarm_VERSION_ARCHITECTURE.deb into FOLDER
#   deploy/package.sh --built FOLDER    takes the programs that `cargo build --release` made
set -eu
umask 022

die() { printf 'package.sh: %s\n' "$*" >&2; exit 1; }
built=
[ "${1-}" != --built ] || { built=yes; shift; }
[ $# -eq 1 ] || { printf 'package.sh: say where to: package.sh [--built] FOLDER\n' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
for tool in dpkg-deb dpkg-shlibdeps strip; do
    command -v $tool >/dev/null || die "$tool is missing: apt-get install dpkg-dev binutils"
done
[ -n "$built" ] || "${CARGO:-cargo}" build --release --locked
release=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)
submitter=$release/submitter
[ -x "$submitter" ] && [ -x "$release/farm-worker" ] || die "$release has not both programs: leave out --built"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root
share=$root/usr/share
doc=$share/doc/mandelfarm
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$share/man/man1" "$share/bash-completion/completions" \
    "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d" "$root/usr/lib/sysusers.d" \
    "$root/lib/systemd/system" "$root/etc/mandelfarm" "$doc"
version=$("$submitter" --version | cut -d' ' -f2)-1
architecture=$(dpkg --print-architecture)
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

for program in submitter farm-worker; do
    strip --strip-unneeded -o "$root/usr/bin/$program" "$release/$program"
    chmod 755 "$root/usr/bin/$program"
    "$submitter" completions bash $program >"$share/bash-completion/completions/$program"
    "$submitter" completions zsh $program >"$share/zsh/vendor-completions/_$program"
    "$submitter" completions fish $program >"$share/fish/vendor_completions.d/$program.fish"
done
"$submitter" manual "$share/man/man1"
# The service as for the system's own programs.
sed 's|/usr/local/|/usr/|g' deploy/farm-worker.service >"$root/lib/systemd/system/farm-worker.service"
cp deploy/deb/mandelfarm.sysusers "$root/usr/lib/sysusers.d/mandelfarm.conf"
cp deploy/worker.env "$root/etc/mandelfarm/"
cp docs/*.md CHANGELOG.md "$doc/"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
    printf 'Upstream-Name: Mandelfarm\n\nFiles: *\n%s\nLicense: Expat or Apache-2.0\n\n' \
        "$(sed -n 's/^Copyright (c)/Copyright:/p' LICENSE-MIT)"
    printf 'License: Expat or Apache-2.0\n Either of the two, at your option.\n'
    printf ' The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0. Expat:\n .\n'
    sed -n '/^Permission/,$ { s/^$/./; s/^/ /; p }' LICENSE-MIT
} >"$doc/copyright"
{
    printf 'mandelfarm (%s) unstable; urgency=medium\n\n' "$version"
    printf '  * changelog.gz, beside this file, has what changed.\n\n'
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' deploy/deb/control)" "$(LC_ALL=C date -R -u -d "@$date")"
} >"$doc/changelog.Debian"
mv "$doc/CHANGELOG.md" "$doc/changelog"
gzip -9n "$doc/changelog.Debian" "$doc/changelog" "$share"/man/man1/*.1

# What the programs are linked to, by Debian's own record of who has it.
mkdir "$stage/debian"
printf 'Source: mandelfarm\n\nPackage: mandelfarm\nArchitecture: any\n' >"$stage/debian/control"
libraries=$(cd "$stage" && dpkg-shlibdeps -O "$root"/usr/bin/* 2>"$stage/said") || die "$(cat "$stage/said")"
{
    cat deploy/deb/control
    printf 'Version: %s\nArchitecture: %s\nInstalled-Size: %s\n' "$version" "$architecture" "$(du -sk "$root" | cut -f1)"
    printf 'Depends: %s, systemd | systemd-standalone-sysusers\n' "${libraries#shlibs:Depends=}"
} >"$root/DEBIAN/control"
for script in postinst prerm postrm; do
    install -m 755 deploy/deb/$script "$root/DEBIAN/$script"
done
printf '/etc/mandelfarm/worker.env\n' >"$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$stage/md5sums"
mv "$stage/md5sums" "$root/DEBIAN/md5sums"
# The same bytes from the same commit.
find "$root" -newermt "@$date" -exec touch -h -d "@$date" {} +
SOURCE_DATE_EPOCH=$date dpkg-deb -z3 --root-owner-group --build "$root" "$folder/mandelfarm_${version}_$architecture.deb" >/dev/null
