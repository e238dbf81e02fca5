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
[reply-sha1]
serial = tsserial
crypto_device = builtin
signer_digest = sha1
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[reply-name-sha1]
serial = tsserial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha1
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
keep() { # file, name
	base64 -w0 "$1" >"$out/$2.txt"
	echo >>"$out/$2.txt"
}
token() { # name, file, to, section, options…
	local name=$1 to=$3 section=${4:-reply}
	openssl ts -query -data "$2" -sha256 ${certs--cert} -out q.tsq 2>/dev/null
	openssl ts -reply -config ts.cnf -section "$section" -queryfile q.tsq -signer "$name.pem" -inkey "$name.key" "${@:5}" -token_out -out "$to.der" 2>/dev/null
	keep "$to.der" "$to"
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
token ec sample.checkpoint bad-digest-sha1 reply-sha1
token ec sample.checkpoint bad-name-sha1 reply-name-sha1
certs= token ec sample.checkpoint bad-without-certificate
for n in 1 2 3 4 5 6 7 8; do
	root "more$n"
	cat "more$n.pem" >>more.pem
done
token ec sample.checkpoint bad-many-certificates reply -chain more.pem
# A certificate that is not for timestamping signs the content of the good token; one
# that is signs it as of another version.
sign() { # name, content, to
	openssl cms -sign -binary -nodetach -cades -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 -in "$2" -signer "$1.pem" -inkey "$1.key" -outform DER -out "$3.der"
	keep "$3.der" "$3"
}
openssl cms -verify -noverify -in good.der -inform DER -out tstinfo -binary 2>/dev/null
sign plain tstinfo bad-purpose
{ head -c 2 tstinfo; printf '\x02\x01\x02'; tail -c +6 tstinfo; } >version2
sign ec version2 bad-version
cp example.pem "$out/root.pem"
