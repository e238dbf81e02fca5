#!/usr/bin/env bash
# Makes the timestamp vectors again, with OpenSSL: tokens over sample.checkpoint, of
# authorities whose certificates have expired by the time anyone reads this.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp sample.checkpoint "$tmp"
cd "$tmp"

day() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
cat >ts.cnf <<'C'
[ca]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[plain]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
[reply]
serial = tsserial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
C
echo 01 >tsserial
: >index
root() { # name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 10000 -subj "/CN=$1 root" -config <(printf '[req]\ndistinguished_name=d\n[d]\n'; cat ts.cnf) -extensions root 2>/dev/null
}
leaf() { # name, root, extensions, start, end, key options…
	local name=$1 ca=$2 ext=$3 from=$4 to=$5
	shift 5
	openssl req -new -newkey "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" 2>/dev/null
	openssl ca -batch -config ts.cnf -name ca -cert "$ca.pem" -keyfile "$ca.key" -in "$name.csr" -out "$name.pem" -notext -extensions "$ext" -startdate "$(day "$from")" -enddate "$(day "$to")" 2>/dev/null
}
token() { # name, file
	openssl ts -query -data "$2" -sha256 -cert -out q.tsq 2>/dev/null
	openssl ts -reply -config ts.cnf -section reply -queryfile q.tsq -signer "$1.pem" -inkey "$1.key" -token_out -out "$3.der" 2>/dev/null
	base64 -w0 "$3.der" >"$out/$3.txt"
	echo >>"$out/$3.txt"
}
ec="ec -pkeyopt ec_paramgen_curve:P-256"
root example
root foreign
leaf ec example tsa -1hour +2minutes $ec
leaf rsa example tsa -1hour +2minutes rsa:2048
leaf late example tsa -2hours -1hour $ec
leaf plain example plain -1hour +2minutes $ec
leaf other foreign tsa -1hour +2minutes $ec
echo "other bytes" >others
token ec sample.checkpoint good
token rsa sample.checkpoint good-rsa
token ec others bad-imprint
token late sample.checkpoint bad-certificate-expired-before
token other sample.checkpoint bad-root
# A certificate that is not for timestamping signs the content of the good token.
openssl cms -verify -noverify -in good.der -inform DER -out tstinfo -binary 2>/dev/null
openssl cms -sign -binary -nodetach -cades -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 -in tstinfo -signer plain.pem -inkey plain.key -outform DER -out plain.der
base64 -w0 plain.der >"$out/bad-purpose.txt"
echo >>"$out/bad-purpose.txt"
cp example.pem "$out/root.pem"
