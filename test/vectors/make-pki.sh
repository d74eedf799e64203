#!/bin/sh
# Generates the keys, CA certificates and requests of pki/ with openssl 3. The keys are for tests only.
# Run manually; the results are committed. make-requests.sh is separate because its keys are discarded.
set -eu
cd "$(dirname "$0")/pki"
rm -rf keys certificates requests
mkdir keys certificates requests

key() { openssl genpkey -quiet -algorithm "$2" ${3:+-pkeyopt "$3"} -out "keys/$1.pem"; }

for bits in 1024 2048 3072 4096 8192; do key "rsa$bits" RSA "rsa_keygen_bits:$bits"; done
for bits in 224 256 384 521; do key "p$bits" EC "ec_paramgen_curve:P-$bits"; done
key p256-root EC ec_paramgen_curve:P-256
key secp256k1 EC ec_paramgen_curve:secp256k1
key ed25519 ED25519
key ed448 ED448
key rsa-pss RSA-PSS rsa_keygen_bits:2048
openssl rsa -in keys/rsa2048.pem -traditional -out keys/rsa2048-pkcs1.pem 2>/dev/null
openssl ec -in keys/p384.pem -out keys/p384-sec1.pem 2>/dev/null
{ openssl ecparam -name secp384r1; cat keys/p384-sec1.pem; } > keys/p384-with-parameters.pem
openssl ec -in keys/p256.pem -conv_form compressed -out keys/p256-compressed.pem 2>/dev/null
openssl pkcs8 -topk8 -in keys/p256.pem -passout pass:secret -out keys/encrypted.pem

# root NAME KEY SUBJECT EXTENSION...: a self-signed certificate
root() {
  name=$1 key=$2 subject=$3
  shift 3
  for extension; do set -- "$@" -addext "$extension"; shift; done
  openssl req -x509 -new -batch -config /dev/null -days 36500 -key "keys/$key.pem" -subj "$subject" "$@" -out "certificates/$name.pem"
}

# signed NAME KEY SUBJECT ISSUER ISSUER_KEY EXTENSION...
signed() {
  name=$1 key=$2 subject=$3 issuer=$4 issuer_key=$5
  shift 5
  for extension; do echo "$extension"; done > extensions
  openssl req -new -batch -config /dev/null -key "keys/$key.pem" -subj "$subject" |
    openssl x509 -req -days 36500 -CA "certificates/$issuer.pem" -CAkey "keys/$issuer_key.pem" -extfile extensions \
      -out "certificates/$name.pem" 2>/dev/null
  rm extensions
}

ca='basicConstraints=critical,CA:TRUE'
sign='keyUsage=critical,keyCertSign,cRLSign'
ski='subjectKeyIdentifier=hash'
root root p256-root '/O=Example/CN=root' "$ca" "$sign" "$ski"
root root-renewed p256-root '/O=Example/CN=root' "$ca" "$sign" "$ski" nsComment=renewed
root root-without-ski p256-root '/O=Example/CN=root without ski' "$ca" subjectKeyIdentifier=none
root not-ca p256-root '/O=Example/CN=not a CA' basicConstraints=critical,CA:FALSE
root without-cert-sign p256-root '/O=Example/CN=may not sign' "$ca" keyUsage=critical,cRLSign
root same-name-other-key p384 '/O=Example/CN=root' "$ca" "$sign" "$ski"
root ed25519-root ed25519 '/CN=ed25519 root' "$ca" "$sign" "$ski"
signed intermediate1 rsa2048 '/O=Example/CN=intermediate 1' root p256-root "$ca" "$sign" "$ski"
signed intermediate2 p384 '/O=Example/CN=intermediate 2' intermediate1 rsa2048 "$ca" "$sign" "$ski"

# request NAME KEY SUBJECT [OPTION...]
request() {
  name=$1 key=$2 subject=$3
  shift 3
  openssl req -new -batch -config /dev/null -key "keys/$key.pem" -subj "$subject" "$@" -out "requests/$name.pem"
}

request p521 p521 /CN=example
request rsa-sha1 rsa2048 /CN=example -sha1
request rsa-md5 rsa2048 /CN=example -md5
for salt in 20 32; do
  request "rsa-pss-salt$salt" rsa2048 /CN=example -sha256 -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt"
done
request rsa-pss-key rsa-pss /CN=example
request rsa1024 rsa1024 /CN=example
key rsa1023 RSA rsa_keygen_bits:1023
request rsa1023 rsa1023 /CN=example
for exponent in 3 2147483659; do
  openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt "rsa_keygen_pubexp:$exponent" -out "keys/rsa-$exponent.pem"
done
request rsa-exponent-3 rsa-3 /CN=example
request rsa-exponent-32-bits rsa-2147483659 /CN=example
rm keys/rsa1023.pem keys/rsa-3.pem keys/rsa-2147483659.pem

hex() { basenc --base16 -d; }
digest_sha256=3031300D060960864801650304020105000420

# element TAG: one DER element of standard input, which must have at least 256 octets
element() {
  cat > "content$1"
  { printf '%s82%04X' "$1" "$(wc -c < "content$1")" | hex; cat "content$1"; }
  rm "content$1"
}

# assembled NAME ALGORITHM: a request from the files info and signature, which openssl would not write; ALGORITHM in hexadecimal
assembled() {
  { cat info; echo "$2" | hex; { printf '\000'; cat signature; } | element 03; } | element 30 |
    openssl req -inform DER -out "requests/$1.pem"
  rm info signature
}

openssl asn1parse -in requests/rsa-pss-salt32.pem -strparse 4 -noout -out info
openssl dgst -sha256 -sign keys/rsa2048.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -out signature info
sha256=300D06096086480165030402010500
assembled rsa-pss-trailer "304606092A864886F70D01010A3039A00F${sha256}A11C301A06092A864886F70D010108${sha256}A203020120A303020101"

openssl asn1parse -in requests/rsa-sha1.pem -strparse 4 -noout -out info
openssl dgst -sha1 -sign keys/rsa2048.pem -out signature info
assembled rsa-sha1-oiw 300906052B0E03021D0500

# With the exponent 1 a signature is just the padded digest of what is signed (RFC 8017 section 9.2).
modulus=$(openssl rsa -in keys/rsa2048.pem -noout -modulus | cut -d= -f2)
openssl asn1parse -noout -out info -genconf /dev/stdin <<CONFIG
asn1 = SEQUENCE:info
[info]
version = INTEGER:0
subject = SEQUENCE:nothing
spki = SEQUENCE:spki
attributes = IMPLICIT:0,SEQUENCE:nothing
[nothing]
[spki]
algorithm = SEQUENCE:rsa
key = BITWRAP,SEQUENCE:key
[rsa]
oid = OID:rsaEncryption
parameters = NULL
[key]
n = INTEGER:0x$modulus
e = INTEGER:1
CONFIG
{ echo "0001$(printf 'FF%.0s' $(seq 202))00$digest_sha256" | hex; openssl dgst -sha256 -binary info; } > signature
assembled rsa-exponent-1 300D06092A864886F70D01010B0500
request secp256k1 secp256k1 /CN=example
request ed448 ed448 /CN=example
request name-constraints p256 /CN=example -addext \
  'nameConstraints=critical,permitted;email:example.com,permitted;DNS:example.com,permitted;IP:192.0.2.7/255.255.255.0,permitted;URI:.example.com,excluded;DNS:secret.example.com'
openssl ec -in keys/p256.pem -param_enc explicit -out keys/explicit.pem 2>/dev/null
request compressed-point p256-compressed /CN=example
request explicit-curve explicit /CN=example
rm keys/explicit.pem
