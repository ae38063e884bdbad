#!/bin/sh
# Makes what a farm's parties prove themselves with: an authority and the server's certificate, passwords, the key that
# signs jobs, and Redis' access list. Needs openssl and `submitter`.
#
#   deploy/secrets.sh FOLDER NAME...    NAME: how machines call the one with Redis; names, or addresses
#
# What FOLDER has already is kept, so a later call with more names makes the certificate anew (under the same authority)
# when server.pem is removed first, and nothing else. SUBMITTER names another program than the one on the PATH.
set -eu
umask 077

die() { printf 'secrets.sh: %s\n' "$*" >&2; exit 1; }
[ $# -ge 2 ] || { printf 'secrets.sh: say where, and for which names: secrets.sh FOLDER NAME...\n' >&2; exit 2; }
submitter=${SUBMITTER:-submitter}
command -v openssl >/dev/null || die "openssl is missing"
command -v "$submitter" >/dev/null || die "'$submitter' is missing: put it on the PATH, or name it in SUBMITTER"
case $submitter in /*) ;; */*) submitter=$PWD/$submitter ;; esac

folder=$1
shift
names=
for name in "$@"; do
    case $name in
        '' | *[!A-Za-z0-9.:-]*) die "'$name' is neither a host name nor an address" ;;
        *:* | *[!0-9.]*) kind=DNS; case $name in *:*) kind=IP ;; esac ;;
        *) kind=IP ;;
    esac
    names="$names${names:+,}$kind:$name"
done
mkdir -p "$folder"
cd "$folder"

# Each file is written beside its place and renamed when whole: an interrupted call leaves no half of a key.
made() { mv "$1.new" "$1"; printf 'secrets.sh: made %s\n' "$1" >&2; }
quietly() { "$@" 2>openssl.log || { cat openssl.log >&2; exit 1; }; rm -f openssl.log; }

for secret in worker.pw submitter.pw admin.pw farm.key; do
    [ -e $secret ] || { openssl rand -hex 32 >$secret.new; made $secret; }
done

if [ ! -e ca.pem ]; then
    [ ! -e ca.key ] || die "ca.key is there and ca.pem is not: remove it, or bring back its certificate"
    quietly openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=Mandelfarm authority" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key.new -out ca.pem.new
    made ca.key
    made ca.pem
fi

if [ ! -e server.pem ]; then
    quietly openssl req -newkey rsa:3072 -nodes -subj "/CN=$1" -keyout server.key.new -out server.csr
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >server.ext
    quietly openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 15)" -days 825 \
        -extfile server.ext -out server.pem.new
    rm -f server.csr server.ext
    made server.key
    made server.pem
fi

# Who has not logged in may PING, so that the server's health can be checked without a password, and nothing else.
if [ ! -e users.acl ]; then
    {
        printf 'user default reset on nopass +ping\n'
        printf 'user admin reset on #%s ~* &* +@all\n' "$(tr -d '\n' <admin.pw | openssl dgst -sha256 -r | cut -d' ' -f1)"
        "$submitter" redis-acl --aclfile --worker-password-file worker.pw --submitter-password-file submitter.pw
    } >users.acl.new
    made users.acl
fi
