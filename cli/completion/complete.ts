// The hidden command that shells ask for completions. Never fails: without an answer of the cluster it offers nothing.

import type { Command } from '../arguments/command.ts';
import { parseArguments } from '../arguments/parse.ts';
import type { Api } from '../cluster/api.ts';
import { withApi } from '../cluster/choice.ts';
import { listCsrs } from '../cluster/csrs.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Io } from '../terminal/io.ts';
import { type Candidate, findWanted, formatCandidates, type Wanted } from './candidates.ts';

export async function complete(words: readonly string[], commands: readonly Command[], io: Io): Promise<ExitCode> {
  const wanted = findWanted(words, commands);
  const candidates = await findCandidates(wanted, words, io).catch(() => []);
  io.out(formatCandidates(candidates, words.at(-1) ?? '', wanted.kind === 'file'));
  return EXIT.ok;
}

async function findCandidates(wanted: Wanted, words: readonly string[], io: Io): Promise<readonly Candidate[]> {
  if (wanted.kind === 'words') return wanted.candidates;
  if (wanted.kind === 'file') return [];
  const given = parseArguments(wanted.command.flags, words.slice(1, -1), wanted.command.name);
  return withApi(given, io, async api => (wanted.kind === 'csr' ? csrNames(api) : issuerNames(api)));
}

async function csrNames(api: Api): Promise<readonly Candidate[]> {
  return (await listCsrs(api)).map(({ metadata }) => [metadata.name, '']);
}

async function issuerNames(api: Api): Promise<readonly Candidate[]> {
  const path = `/apis/cert-manager.io/v1/namespaces/${encodeURIComponent(api.namespace)}/issuers`;
  const { body } = await api.send<{ items?: readonly { metadata: { name: string } }[] }>({ method: 'GET', path });
  return (body.items ?? []).map(({ metadata }) => [metadata.name, '']);
}
