// A kubeconfig of one or several files, merged as kubectl does, with the user fields that client-node drops. Only reads
// files; never validates them.

import { existsSync, readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { ConfigurationError, explainFileError } from '../configuration-error.ts';
import { type Headers, impersonationHeaders, locateFiles, type UserFields } from './kubeconfig-user.ts';

interface KubeconfigUsers {
  readonly users?: readonly { readonly name: string; readonly user?: UserFields }[];
}

type ConfigOptions = Parameters<KubeConfig['loadFromFile']>[1];

export class KubeconfigFile extends KubeConfig {
  readonly #users = new Map<string, UserFields>();

  override loadFromFile(file: string, options?: ConfigOptions): void {
    super.loadFromFile(file, options);
    const { users } = load(readFileSync(file, 'utf8')) as KubeconfigUsers;
    for (const { name, user } of users ?? []) this.#keep(name, locateFiles(user ?? {}, file));
  }

  /**
   * Merges files as client-go does: for each cluster, user and context, and for current-context, the first file that
   * sets it wins. Missing files are skipped unless all are missing.
   */
  loadFromFiles(files: readonly string[]): void {
    const existing = files.filter(file => existsSync(file));
    for (const file of existing.length > 0 ? existing : files.slice(0, 1)) {
      this.#add(readOne(file));
    }
  }

  /** The token in the current user's file, read now because it is rotated. */
  readTokenFile(): string | undefined {
    const tokenFile = this.currentFields?.['tokenFile'];
    return typeof tokenFile === 'string' ? readFileSync(tokenFile, 'utf8') : undefined;
  }

  get impersonationHeaders(): Headers {
    return impersonationHeaders(this.currentFields ?? {});
  }

  /** The current user's fields as in its file; undefined for a pod's ServiceAccount, and if there is no such user. */
  get currentFields(): UserFields | undefined {
    return this.#users.get(this.getContextObject(this.getCurrentContext())?.user ?? '');
  }

  #add(next: KubeconfigFile): void {
    this.loadFromOptions({
      clusters: firstOfEach([...this.clusters, ...next.clusters]),
      contexts: firstOfEach([...this.contexts, ...next.contexts]),
      users: firstOfEach([...this.users, ...next.users]),
      currentContext: this.currentContext || next.currentContext,
    });
    for (const [name, user] of next.#users) this.#keep(name, user);
  }

  /** client-node starts the plugin from its own copy, which keeps a relative command. */
  #keep(name: string, fields: UserFields): void {
    if (this.#users.has(name)) return;
    this.#users.set(name, fields);
    const user = this.getUser(name);
    if (user !== null && fields['exec']) Object.assign(user, { exec: fields['exec'] });
  }
}

function readOne(file: string): KubeconfigFile {
  const kubeconfig = new KubeconfigFile();
  try {
    kubeconfig.loadFromFile(file);
  } catch (error) {
    throw explainFileError(error, `kubeconfig ${file}`) ?? withoutContent(error, `kubeconfig ${file}`);
  }
  return kubeconfig;
}

function firstOfEach<T extends { readonly name: string }>(named: readonly T[]): T[] {
  return named.filter(({ name }, at) => named.findIndex(other => other.name === name) === at);
}

/** A YAML parser quotes the lines around a mistake, which may contain a token: only the position is kept. */
export function withoutContent(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name !== 'YAMLException') return new ConfigurationError(`${where}: ${error.message}`);
  const { mark } = error as { mark?: { readonly line: number; readonly column: number } };
  const place = mark === undefined ? '' : ` at line ${mark.line + 1}, column ${mark.column + 1}`;
  return new ConfigurationError(`${where}: not valid YAML${place}`);
}
