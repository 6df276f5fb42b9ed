#!/usr/bin/env bash
# A certificate authority of one's own and a server certificate signed by it: certificates.sh DIR NAME_OR_ADDRESS…
# Leaves DIR/ca.crt (for clients), server.crt and server.key; does nothing while those are good for another week.
# For trying out: a public service takes its certificate from a public authority.
set -euo pipefail
dir=$1
shift
names=
for name in "$@"; do
  case $name in
    *:* | *[0-9].[0-9]*) names+=",IP:$name" ;;
    *) names+=",DNS:$name" ;;
  esac
done
if [[ -f $dir/server.crt ]] && openssl x509 -in "$dir/server.crt" -noout -checkend 604800 >/dev/null; then exit 0; fi
umask 077
mkdir -p "$dir"
cd "$dir"
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${curve[@]}" -days 365 -subj '/CN=WakeMQ trial CA' -addext 'basicConstraints=critical,CA:TRUE' \
  -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout ca.key -out ca.crt
openssl req "${curve[@]}" -subj "/CN=$1" -keyout server.key -out server.csr
printf '%s\n' basicConstraints=CA:FALSE extendedKeyUsage=serverAuth "subjectAltName=${names#,}" >server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile server.ext -out server.crt
rm -f server.csr server.ext
chmod 755 .
chmod 644 ca.crt server.crt
