// A kubeconfig with the fields of a user that client-node drops without a word: tokenFile is kept, what cannot be honoured is
// refused by its name. Never repeats a value, which may be a secret.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';

type ConfigOptions = Parameters<KubeConfig['loadFromFile']>[1];
type UserFields = Readonly<Record<string, unknown>>;

/** client-go's AuthInfo (k8s.io/client-go/tools/clientcmd/api/v1), as far as nothing here honours it, and what to do instead. */
const REFUSED = new Map([
  ['as-groups', 'remove it, and give the user itself the rights it needs'],
  ['as-uid', 'remove it, and give the user itself the rights it needs'],
  ['as-user-extra', 'remove it, and give the user itself the rights it needs'],
  ['username', 'Kubernetes has no basic authentication; use a token or a client certificate'],
  ['password', 'Kubernetes has no basic authentication; use a token or a client certificate'],
]);

const CREDENTIALS = [
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'exec',
  'auth-provider',
] as const;

export class KubeconfigFile extends KubeConfig {
  readonly #users = new Map<string, UserFields>();

  override loadFromFile(file: string, options?: ConfigOptions): void {
    super.loadFromFile(file, options);
    const { users } = loadYaml<{ users?: readonly { name: string; user?: UserFields }[] }>(readFileSync(file, 'utf8'));
    for (const { name, user = {} } of users ?? []) this.#users.set(name, locate(user, dirname(file)));
  }

  /** The token in the file that the current user names, read now: it is rotated. */
  readTokenFile(): string | undefined {
    const tokenFile = this.#currentFields()?.['tokenFile'];
    return typeof tokenFile === 'string' ? readFileSync(tokenFile, 'utf8') : undefined;
  }

  /** Throws when the current user has no credentials, or has what cannot be honoured. */
  checkUser(where: string): void {
    const isThere = this.getCurrentUser() !== null;
    // Of a pod's service account, and of a second file in KUBECONFIG, client-node's reading has to do.
    const fields = this.#currentFields() ?? (isThere ? undefined : {});
    if (fields === undefined) return;
    for (const [name, advice] of REFUSED) {
      if (isSet(fields[name])) throw new Error(`${where}: ${name} is not supported; ${advice}`);
    }
    if (CREDENTIALS.some(name => isSet(fields[name]))) return;
    throw new Error(
      `${where}: the user of the current context has no credentials; set a token, tokenFile, client certificate or exec`,
    );
  }

  #currentFields(): UserFields | undefined {
    return this.#users.get(this.getContextObject(this.getCurrentContext())?.user ?? '');
  }
}

/** As client-go: what is relative is relative to the kubeconfig. */
function locate(user: UserFields, directory: string): UserFields {
  const { tokenFile } = user;
  return typeof tokenFile === 'string' && tokenFile !== ''
    ? { ...user, tokenFile: resolve(directory, tokenFile) }
    : user;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
