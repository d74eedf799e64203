// Mutates fields of valid webhook CAs and signs them again, as anyone with the key could. Every CA that the webhook
// accepts must be accepted by Go's parser, which the API server uses. FUZZ_CASES and FUZZ_SEED change the number and
// choice of cases.

import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { it } from 'node:test';
import { err, ok } from '@countersign/common/result.ts';
import {
  encodeBitString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { EXTENSION, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import { readCaCertificate } from '@countersign/webhook/managed-certificate/ca-certificate.ts';
import { buildCertificate, createHolder } from '../../support/certificate-builder.ts';
import { report } from '../../support/faults/figures.ts';
import { CONTENTS } from '../../support/fuzz/contents.ts';
import { mutate } from '../../support/fuzz/der-tree.ts';
import { compareWithGo, type Reading } from '../../support/fuzz/go-parser.ts';
import { caseCount, fuzzSeed, Random } from '../../support/fuzz/random.ts';

const HOLDER = createHolder('webhook');
const ALGORITHM = sequence(encodeOid(SIGNATURE.ecdsaSha256));
const KEY_USAGE = { oid: EXTENSION.keyUsage, critical: true, value: encodeNamedBits(1 << 5) };
const SUBJECT_KEY = {
  oid: EXTENSION.subjectKeyIdentifier,
  critical: false,
  value: tlv(TAG.octetString, Buffer.alloc(20, 1)),
};
const AUTHORITY_KEY = {
  oid: EXTENSION.authorityKeyIdentifier,
  critical: false,
  value: sequence(tlv(0x80, Buffer.alloc(20, 1))),
};

/** The TBS of a valid CA. */
function toBeSigned(): Buffer {
  const pem = buildCertificate(HOLDER, HOLDER, { extensions: [KEY_USAGE, SUBJECT_KEY, AUTHORITY_KEY] });
  const blocks = parsePem(pem);
  const whole = readWhole(blocks.ok ? (blocks.value[0]?.der ?? Buffer.alloc(0)) : Buffer.alloc(0));
  const [tbs] = whole.ok ? unwrap(readChildren(whole.value)) : [];
  return tbs?.bytes ?? assert.fail('no certificate');
}

function unwrap<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string },
): T {
  return result.ok ? result.value : assert.fail(result.error);
}

function signAgain(tbs: Buffer): Buffer {
  return sequence(tbs, ALGORITHM, encodeBitString(sign('sha256', tbs, HOLDER.privateKey)));
}

function read(der: Buffer): Reading {
  const certificate = readCaCertificate(formatPem('CERTIFICATE', der));
  return certificate.ok ? ok('used') : err(certificate.error);
}

it('every CA that the webhook accepts is accepted by Go', async t => {
  const random = new Random(fuzzSeed());
  const tbs = toBeSigned();
  const ders = Array.from({ length: caseCount(6_000) }, () => signAgain(mutate(tbs, random, CONTENTS)));
  const readings = ders.map(read);
  const cases = ders.map(der => ({ label: 'CERTIFICATE', der }));
  const { bothRefuse, refusedHere, refusedByGo } = await compareWithGo(cases, readings);
  const used = readings.filter(reading => reading.ok).length;
  const figure = `${ders.length} certificates: ${used} accepted by both, ${bothRefuse} by neither, ${refusedHere.length} only by Go`;
  assert.deepEqual(refusedByGo.slice(0, 5), [], `${refusedByGo.length} are accepted here but rejected by Go`);
  report(t, 'fuzzedWebhookCas', figure, used > ders.length / 100 && bothRefuse > ders.length / 10);
});
