// The completion scripts for shells. All of them ask the hidden command `__complete`. Pure.

export const SHELLS = ['bash', 'zsh', 'kubectl'] as const;

export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of kubectl-countersign for bash.
_kubectl_countersign() {
  local IFS=$'\\n'
  COMPREPLY=( $(compgen -W "$(kubectl-countersign __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | grep -v '^:' | cut -f1)" -- "\${COMP_WORDS[COMP_CWORD]}") )
}
complete -o default -F _kubectl_countersign kubectl-countersign
`,
  zsh: `#compdef kubectl-countersign
_kubectl_countersign() {
  local -a found
  found=(\${(f)"$(kubectl-countersign __complete "\${(@)words[2,CURRENT]}" 2>/dev/null | grep -v '^:' | tr '\\t' ':')"})
  _describe 'kubectl countersign' found
}
compdef _kubectl_countersign kubectl-countersign
`,
  // kubectl 1.26 and newer run this program to complete \`kubectl countersign\`.
  kubectl: `#!/bin/sh
exec kubectl-countersign __complete "$@"
`,
};

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
