// A kubeconfig of one file or several, merged as kubectl does, with the fields of its user that client-node drops. Reads files
// only; which of them, and what is wrong with them, others say.

import { existsSync, readFileSync } from 'node:fs';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { type Headers, impersonationHeaders, locateFiles, type UserFields } from './kubeconfig-user.ts';

type ConfigOptions = Parameters<KubeConfig['loadFromFile']>[1];

export class KubeconfigFile extends KubeConfig {
  readonly #users = new Map<string, UserFields>();

  override loadFromFile(file: string, options?: ConfigOptions): void {
    super.loadFromFile(file, options);
    const { users } = loadYaml<{ users?: readonly { name: string; user?: UserFields }[] }>(readFileSync(file, 'utf8'));
    for (const { name, user } of users ?? []) this.#keep(name, locateFiles(user ?? {}, file));
  }

  /**
   * Merges files as client-go does: of each cluster, user and context the first file that names it has the say, and so it has of
   * current-context. A file that does not exist is left out, unless none does.
   */
  loadFromFiles(files: readonly string[]): void {
    const existing = files.filter(file => existsSync(file));
    for (const file of existing.length > 0 ? existing : files.slice(0, 1)) {
      this.#add(readOne(file));
    }
  }

  /** The token in the file that the current user names, read now: it is rotated. */
  readTokenFile(): string | undefined {
    const tokenFile = this.currentFields?.['tokenFile'];
    return typeof tokenFile === 'string' ? readFileSync(tokenFile, 'utf8') : undefined;
  }

  get impersonationHeaders(): Headers {
    return impersonationHeaders(this.currentFields ?? {});
  }

  /** Of the current user, as they stand in its file; undefined for a pod's ServiceAccount, and where no such user exists. */
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

  /** client-node starts the plugin from its own reading, which leaves a relative command as it is. */
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
    throw withoutContent(error, `kubeconfig ${file}`);
  }
  return kubeconfig;
}

function firstOfEach<T extends { readonly name: string }>(named: readonly T[]): T[] {
  return named.filter(({ name }, at) => named.findIndex(other => other.name === name) === at);
}

/** A YAML parser quotes the lines around a mistake, which may hold a token, wherever it can: only the place is passed on. */
export function withoutContent(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name !== 'YAMLException') return new Error(`${where}: ${error.message}`);
  const { mark } = error as { mark?: { readonly line: number; readonly column: number } };
  const place = mark === undefined ? '' : ` at line ${mark.line + 1}, column ${mark.column + 1}`;
  return new Error(`${where}: not valid YAML${place}`);
}
