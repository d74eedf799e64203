// cert-manager's VaultIssuer (cert-manager.io/v1): its fields, and which specs Countersign signs for. Pure; reads no
// Secrets.

export interface SecretKeyRef {
  readonly name?: string;
  readonly key?: string;
}

export interface VaultAppRole {
  /** Relative to `/v1/auth`. */
  readonly path?: string;
  readonly roleId?: string;
  readonly secretRef?: SecretKeyRef;
}

export interface VaultClientCertificate {
  /** Absolute, `/v1` included. */
  readonly mountPath?: string;
  /** Undefined: the client certificate of the connection. */
  readonly secretName?: string;
  /** The role at the mount. */
  readonly name?: string;
}

export interface VaultKubernetes {
  /** Absolute, `/v1` included. */
  readonly mountPath?: string;
  readonly role?: string;
  readonly secretRef?: SecretKeyRef;
  readonly serviceAccountRef?: { readonly name?: string; readonly audiences?: readonly string[] };
}

export interface VaultAuth {
  readonly tokenSecretRef?: SecretKeyRef;
  readonly appRole?: VaultAppRole;
  readonly clientCertificate?: VaultClientCertificate;
  readonly kubernetes?: VaultKubernetes;
  readonly aws?: object;
}

export interface VaultIssuerSpec {
  readonly server?: string;
  readonly path?: string;
  readonly namespace?: string;
  readonly serverName?: string;
  /** PEM, in base64. */
  readonly caBundle?: string;
  readonly caBundleSecretRef?: SecretKeyRef;
  readonly clientCertSecretRef?: SecretKeyRef;
  readonly clientKeySecretRef?: SecretKeyRef;
  readonly auth?: VaultAuth;
}

const REF = { name: 'text', key: 'text' } as const;

/** The fields that are used; of AWS, only its presence. */
const FIELDS = {
  server: 'text',
  path: 'text',
  namespace: 'text',
  serverName: 'text',
  caBundle: 'text',
  caBundleSecretRef: REF,
  clientCertSecretRef: REF,
  clientKeySecretRef: REF,
  auth: {
    tokenSecretRef: REF,
    appRole: { path: 'text', roleId: 'text', secretRef: REF },
    clientCertificate: { mountPath: 'text', secretName: 'text', name: 'text' },
    kubernetes: {
      mountPath: 'text',
      role: 'text',
      secretRef: REF,
      serviceAccountRef: { name: 'text', audiences: 'texts' },
    },
    aws: {},
  },
} as const;

const AUTH_METHODS = ['tokenSecretRef', 'appRole', 'clientCertificate', 'kubernetes', 'aws'] as const;

/** Keeps only the fields that are used, with values of their type: the CRD need not have a schema for them. */
export function pruneVault(spec: VaultIssuerSpec): VaultIssuerSpec {
  return prune(spec, FIELDS) ?? {};
}

/** The auth methods that the spec has. */
export function vaultMethods({ auth }: VaultIssuerSpec): readonly (typeof AUTH_METHODS)[number][] {
  return AUTH_METHODS.filter(method => auth?.[method] !== undefined);
}

/** Whether Countersign itself can log in to this Vault: AWS auth is left to cert-manager. */
export function isNativeVault(spec: VaultIssuerSpec): boolean {
  const methods = vaultMethods(spec);
  return methods.length !== 1 || methods[0] !== 'aws';
}

type Shape = 'text' | 'texts' | { readonly [name: string]: Shape };

function prune(value: unknown, shape: Shape): unknown {
  if (shape === 'text') return typeof value === 'string' ? value : undefined;
  if (shape === 'texts') return Array.isArray(value) ? value.filter(each => typeof each === 'string') : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const kept = Object.entries(shape).map(([name, inner]) => [name, prune(Reflect.get(value, name), inner)]);
  return Object.fromEntries(kept.filter(([, part]) => part !== undefined));
}
