#!/bin/bash
# Generates requests/odd-*.pem: what appliances and Windows send, and malformed requests that no tool would write.
# Writes their DER, which openssl 3 signs. The key is discarded. Run manually; the results are committed.
set -euo pipefail
cd "$(dirname "$0")/requests"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key"

hex() { od -An -v -tx1 | tr -d ' \n'; }
binary() { printf '%b' "$(sed 's/../\\x&/g')"; }

# tlv TAG CONTENT...: one element, all in hex
tlv() {
  local tag=$1 content
  shift
  content=$(printf '%s' "$@")
  local length=$((${#content} / 2))
  if [ "$length" -lt 128 ]; then printf '%s%02x%s' "$tag" "$length" "$content"
  elif [ "$length" -lt 256 ]; then printf '%s81%02x%s' "$tag" "$length" "$content"
  else printf '%s82%04x%s' "$tag" "$length" "$content"; fi
}

text() { printf '%s' "$1" | hex; }

extension_request=06092a864886f70d01090e
challenge_password=06092a864886f70d010907
subject=$(tlv 30 "$(tlv 31 "$(tlv 30 0603550403 "$(tlv 0c "$(text odd.example.com)")")")")
spki=$(openssl pkey -in "$work/key" -pubout -outform DER | hex)

# extension OID VALUE, in hex
extension() { tlv 30 "$(tlv 06 "$1")" "$(tlv 04 "$2")"; }
# asking EXTENSION...: the attribute with these extensions
asking() { tlv 30 "$extension_request" "$(tlv 31 "$(tlv 30 "$@")")"; }

# request NAME VERSION ATTRIBUTE...
request() {
  local name=$1 version=$2 info signature
  shift 2
  info=$(tlv 30 "$(tlv 02 "$version")" "$subject" "$spki" "$(tlv a0 "$@")")
  signature=$(printf '%s' "$info" | binary | openssl dgst -sha256 -sign "$work/key" | hex)
  { echo '-----BEGIN CERTIFICATE REQUEST-----'
    tlv 30 "$info" 300a06082a8648ce3d040302 "$(tlv 03 00 "$signature")" | binary | base64 -w 64
    echo '-----END CERTIFICATE REQUEST-----'; } > "odd-$name.pem"
}

san=$(extension 551d11 "$(tlv 30 "$(tlv 82 "$(text odd.example.com)")")")
usages=$(extension 551d25 300a06082b06010505070301)

request empty-extension-set 00 "$(tlv 30 "$extension_request" 3100)"
request attribute-without-set 00 "$(tlv 30 "$challenge_password" "$(tlv 0c "$(text secret)")")" "$(asking "$san")"
request attribute-without-type 00 "$(tlv 0c "$(text note)")" "$(asking "$san")"
request key-usage-24-bits 00 "$(asking "$(extension 551d0f 030400a00000)" "$usages")"
request key-usage-32-bits 00 "$(asking "$(extension 551d0f 030500a0000000)" "$usages")"
long=$(printf 'a%.0s' {1..64})
name=$(printf '%s.' "$long" "$long" "$long")$(printf 'b%.0s' {1..59})
constraints=$(tlv 30 "$(tlv a0 "$(tlv 30 "$(tlv 82 "$(text "$long.example")")")" "$(tlv 30 "$(tlv 82 "$(text "$name")")")")")
request long-name-constraints 00 "$(asking "$(extension 551d1e "$constraints")")"
request version-1 01 "$(asking "$san")"

request extensions-without-set 00 "$(tlv 30 "$extension_request" "$(tlv 30 "$san")")"
request extensions-with-trailer 00 "$(tlv 30 "$extension_request" "$(tlv 31 "$(tlv 30 "$san")")" 0500)"
request two-lists 00 "$(tlv 30 "$extension_request" "$(tlv 31 "$(tlv 30 "$san")" "$(tlv 30 "$usages")")")"
request two-extension-requests 00 "$(asking "$san")" "$(asking "$usages")"
request extension-with-trailer 00 "$(asking "$(tlv 30 0603551d11 "$(tlv 04 "$(tlv 30 "$(tlv 82 "$(text a.example)")")")" 0500)")"
request path-length-padded 00 "$(asking "$(extension 551d13 30080101ff0203000001)")"
request path-length-huge 00 "$(asking "$(extension 551d13 300e0101ff0209010203040506070809)")"
request unknown-name 00 "$(asking "$(extension 551d11 "$(tlv 30 "$(tlv 82 "$(text odd.example.com)")" "$(tlv 0c "$(text text)")")")")"
request version-empty "" "$(asking "$san")"
