// Writes docs/cli.md from the help of the kubectl plugin. Adds how to install it; everything else is what
// --help prints.

import { writeFile } from 'node:fs/promises';
import type { Command } from '@countersign/cli/arguments/command.ts';
import { formatHelp } from '@countersign/cli/arguments/help.ts';
import { COMMANDS } from '@countersign/cli/commands.ts';
import { EXIT_CODES } from '@countersign/cli/exit-code.ts';

/** The content of docs/cli.md. */
export function renderCli(): string {
  return `<!-- Made by tools/docs/generate-cli.ts from the help of the commands. Do not edit. -->

# kubectl countersign

A kubectl plugin that requests, explains and approves certificates, with the permissions of your kubeconfig.

    kubectl countersign explain my-csr

| Command | What it does |
|---|---|
${COMMANDS.map(commandRow).join('\n')}

## Install

\`make cli\` writes \`dist/kubectl-countersign.mjs\`, which needs Node.js 24.11 or newer:

    make cli
    install -m 755 dist/kubectl-countersign.mjs ~/.local/bin/kubectl-countersign

\`make cli ARGS=--executable\` also writes \`dist/kubectl-countersign\`, which includes Node (150 MB). Completion for every shell that
completes kubectl:

    kubectl countersign completion kubectl > ~/.local/bin/kubectl_complete-countersign
    chmod +x ~/.local/bin/kubectl_complete-countersign

The kubeconfig is read as kubectl reads it, with these exceptions, which are rejected by name: \`insecure-skip-tls-verify\`, \`proxy-url\`,
basic authentication, and exec plugins with \`provideClusterInfo: true\`.

## Output

Results go to standard output; questions, progress and errors go to standard error. Colours and progress are shown on a terminal only, and
no colours if \`NO_COLOR\` is set. Text that a requester chose is shortened, and characters that a terminal would interpret are escaped:
\`\\x1b\` for ESC. An error says what happened to what, and what to do.

| Exit code | Meaning |
|---|---|
${EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}
| 130 | interrupted by Ctrl-C |

## Permissions

| For | Permission |
|---|---|
| \`explain\`, \`pending\`, \`wait\` | \`get\`, \`list\` and \`watch\` on \`certificatesigningrequests\` |
| issuers, events, and the permission of others in \`explain\` | \`get\` on \`issuers\` and \`clusterissuers\`, \`list\` on events in \`default\`, \`create\` on \`subjectaccessreviews\`; without one, \`explain\` says what it cannot check |
| \`request\`, \`explain -f\` | \`create\` on \`certificatesigningrequests\`, and the permission to use the issuer |
| \`approve\`, \`deny\` | [the right to approve](clients.md#the-right-to-approve) |
| \`status\`, \`ca\` | \`list\` on what they show; the expiry of a CA needs \`get\` on its Secret |

${COMMANDS.map(renderCommand).join('\n')}`;
}

function commandRow({ name, summary }: Command): string {
  return `| [\`${name}\`](#${name}) | ${summary} |`;
}

function renderCommand(command: Command): string {
  return `## ${command.name}\n\n\`\`\`text\n${formatHelp(command)}\`\`\`\n`;
}

if (import.meta.main) await writeFile(new URL('../../docs/cli.md', import.meta.url), renderCli());
