#!/bin/sh
# Generates the PKCS#10 requests of the vectors with openssl 3: requests/<name>.pem. The keys are discarded.
# Run manually; the results are committed.
set -eu
cd "$(dirname "$0")/requests"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$keys/p256"
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$keys/p384"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/rsa2048"
openssl genpkey -quiet -algorithm ED25519 -out "$keys/ed25519"

# request NAME KEY SUBJECT [EXTENSION...]
request() {
  name=$1 key=$2 subject=$3
  shift 3
  for extension; do set -- "$@" -addext "$extension"; shift; done
  openssl req -new -batch -config /dev/null -key "$keys/$key" -subj "$subject" "$@" -out "$name.pem"
}

request p256 p256 /CN=example
request p384 p384 /CN=example
request rsa2048 rsa2048 /CN=example
request ed25519 ed25519 /CN=example
request no-subject p256 / subjectAltName=DNS:example.com
request names p256 '/O=Example/CN=example' \
  'subjectAltName=DNS:example.com,IP:192.0.2.1,IP:2001:db8::1,email:jane@example.com,URI:spiffe://example.com/x,otherName:1.2.3.4;UTF8:other'

request ca p256 /CN=example basicConstraints=critical,CA:TRUE,pathlen:1
request not-ca p256 /CN=example basicConstraints=CA:FALSE
request not-ca-explicit p256 /CN=example 2.5.29.19=DER:30:03:01:01:00
request bad-basic-constraints p256 /CN=example 2.5.29.19=DER:30:03:01:01:01
request bad-name-constraints p256 /CN=example 'nameConstraints=critical,permitted;URI:192.0.2.1'
request other-name-constraints p256 /CN=example 'nameConstraints=critical,permitted;DNS:example.com,permitted;RID:1.2.3'

request serving p256 /CN=example keyUsage=critical,digitalSignature,keyEncipherment extendedKeyUsage=serverAuth
request serving-client p256 /CN=example keyUsage=digitalSignature,keyEncipherment extendedKeyUsage=serverAuth,clientAuth
request only-key-usage p256 /CN=example keyUsage=digitalSignature
request all-key-usages p256 /CN=example \
  keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement,keyCertSign,cRLSign,encipherOnly,decipherOnly
request only-ext-key-usage p256 /CN=example extendedKeyUsage=clientAuth
request unknown-ext-key-usage p256 /CN=example keyUsage=digitalSignature extendedKeyUsage=1.2.3.4.5,clientAuth
request microsoft-code-signing p256 /CN=example keyUsage=digitalSignature extendedKeyUsage=msCodeCom
request bad-key-usage p256 /CN=example 2.5.29.15=DER:04:01:80
request bad-ext-key-usage p256 /CN=example 2.5.29.37=DER:30:02:05:00

# Changes the last bytes of the signature, in DER so that the PEM stays valid.
openssl req -in p256.pem -outform DER -out "$keys/der"
size=$(($(wc -c < "$keys/der") - 4))
{ head -c "$size" "$keys/der"; printf '\001\002\003\004'; } | base64 -w 64 |
  { echo '-----BEGIN CERTIFICATE REQUEST-----'; cat; echo '-----END CERTIFICATE REQUEST-----'; } > bad-signature.pem
printf 'not a request\n' > not-pem.pem
{ cat p256.pem; cat p384.pem; } > two-requests.pem
