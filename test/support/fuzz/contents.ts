// Replacement values for fields of certificates and keys: edge cases of numbers, times, names and texts that some
// parser has got wrong.

const NUMBERS = `
  00 01 ff 7f 80 0000 0001 00ff ff7f ff80 0102 0780 0701 0006 0000000000 010100 0101ff 010101 020100 0201ff
  7fffffffffffffff 00ffffffffffffffff 008000000000000000 ffffffffffffffffff 800000000000000000
  2a 2a8001 2a03 551d20 551d2000 2a8fffffff7f 2a88808080808000 8fffffff7f 9080808000 2a83
  0500 0400 3000 3100 a000 a100 8600 060129 30020500 a0023000 0c0161 060355040330 0603551d0e 30030601ff
  d800 fffe fdd0 00410000 eda080
  030500a0000000 030400a00000 0303070080 0500a0000000 300830060603551d110400 06092a864886f70d01090e3000`;

const TIMES = `
  260101000000Z 2601010000Z 260101000000+0100 260101000000+0000 260229000000Z 261301000000Z 260101240000Z 260101000060Z
  20260101000000Z 20260101000000.5Z 202601010000Z 20260230000000Z 00000101000000Z 99991231235960Z 20260101000000+0130`;

const NAMES = `
  *.example a..b .a a. . -a a_b x@ @x a@b@c "a"@b "a@b a\\@b@c a.@b 1.2.3.4 ::1 fe80::1%eth0 ::ffff:1.2.3.4 01.2.3.4 1.2.3 é`;

const URIS = `
  http:// http:///x ://x http://a/%zz http://%41/ http://a:b/ http://a:99999/ http://a: http://a:/ http://:80/ http://@/
  http://[::1 http://[::g]/ http://[1.2.3.4]/ http://[fe80::1%25en0]/ http://[fe80::1%en0]/ http://[::1]x/ http://[]/
  http://[v1.x]/ http://a:1:2/ //host a:b 1a:b rel/path rel:/ : ?q #% http://u:p@@h/ http://u%zz@h/ http://a@b:c/
  http://h./ http://.h/ http://h..i/ http://h"/ http://h<>/ http://h{}/ http://h\\/ http://h|/ http://h^/ http://h\`/
  http://h\x7f/ http://h\x00/ mailto:a@b http:opaque%zz http:% http://a'b/ http://a(b)/ http://a;b/ http://a,b=c+d/
  http://a~b/ http://*/ http://a&b$c!d/ http://a]b/ http://a[b/ HTTP://A/ h2+x.y-z://a -a:b`;

const words = (text: string) => text.trim().split(/\s+/);

export const CONTENTS: readonly Buffer[] = [
  ...words(NUMBERS).map(hex => Buffer.from(hex, 'hex')),
  ...[...words(TIMES), ...words(NAMES), ...words(URIS)].map(text => Buffer.from(text, 'latin1')),
  ...['', 'a b', 'http://a b/', 'file:///a b', 'A'.repeat(64), 'a'.repeat(254)].map(text => Buffer.from(text)),
];
