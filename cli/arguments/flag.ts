// The flags of a command as data: the parser, the help, the completion and docs/cli.md read the same table.

export interface Flag {
  readonly help: string;
  /** A switch has no value. */
  readonly value?: string;
  readonly short?: string;
  /** May be given more than once. */
  readonly isList?: boolean;
  /** The only values. */
  readonly values?: readonly string[];
}

/** By name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** `-n` of a command to which the namespace matters. */
export function namespaceFlag(help: string) {
  return { namespace: { value: 'NAME', short: 'n', help } } as const;
}

/** Flags of every command that reads the cluster; the same as in kubectl. */
export const CLUSTER_FLAGS = {
  kubeconfig: { value: 'PATH', help: 'Kubeconfig file. Defaults to $KUBECONFIG, or ~/.kube/config.' },
  context: { value: 'NAME', help: 'Context of the kubeconfig. Defaults to the current context.' },
  namespace: { value: 'NAME', short: 'n', help: 'Has no effect: CSRs have no namespace.' },
  as: { value: 'USER', help: 'User to impersonate.' },
  'as-group': { value: 'GROUP', isList: true, help: 'Group to impersonate; may be repeated. Requires --as.' },
} as const satisfies Flags;

export const OUTPUT_FLAG = {
  output: {
    value: 'FORMAT',
    short: 'o',
    values: ['json', 'yaml'],
    help: 'Output format: json or yaml. Defaults to text.',
  },
} as const satisfies Flags;

export const HELP_FLAG = { help: { short: 'h', help: 'Show this help.' } } as const satisfies Flags;
