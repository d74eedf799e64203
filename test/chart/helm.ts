// Renders the chart with helm and parses the output. The only module that locates helm and the chart; it never contacts
// a cluster.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { findTools } from '../support/control-plane/find-tools.ts';

export const CHART = fileURLToPath(new URL('../../charts/countersign/', import.meta.url));
export const RELEASE = 'countersign';
export const NAMESPACE = 'countersign-system';

/** Not a real CA certificate: the chart does not parse it. */
export const CA_BUNDLE = Buffer.from('-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n').toString(
  'base64',
);
/** The minimal values of an installation: none. A constant, so that they are rendered once. */
export const LEAST_VALUES: Values = {};
/** For a webhook with a provided certificate. */
export const GIVEN_CERTIFICATE = { mode: 'secret', caBundle: CA_BUNDLE };

export type Values = Readonly<Record<string, unknown>>;

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function findHelm(): Promise<string> {
  return process.env['HELM'] ?? (await findTools(['helm'])).helm;
}

/** Runs helm with the values on standard input (`--values -`). Does not throw on a non-zero exit code. */
export async function runHelm(args: readonly string[], values: Values): Promise<HelmResult> {
  const helm = await findHelm();
  return new Promise(resolve => {
    const child = execFile(helm, [...args, '--values', '-'], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(JSON.stringify(values));
  });
}

/** Whether `helm test` creates and deletes the object. */
export function isTestHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['helm.sh/hook'] === 'test';
}

export function runTemplate(values: Values): Promise<HelmResult> {
  return runHelm(['template', RELEASE, CHART, '--namespace', NAMESPACE], values);
}

/** Not cached: each call runs helm. */
export async function renderText(values: Values): Promise<string> {
  const { code, stdout, stderr } = await runTemplate(values);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return stdout;
}

/** All objects of a rendered chart. Throws on invalid YAML, including duplicate keys. */
export function parseObjects(text: string): readonly KubeObject[] {
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  const errors = documents.flatMap(document => document.errors);
  if (errors.length > 0) throw new AggregateError(errors, errors.join('\n'));
  return documents.map(document => document.toJS() as KubeObject | null).filter(object => object !== null);
}

/** Renders each set of values once, because helm takes a tenth of a second per run. */
export function createRenderer(): (values: Values) => Promise<readonly KubeObject[]> {
  const rendered = new Map<Values, Promise<readonly KubeObject[]>>();
  return values => {
    const known = rendered.get(values) ?? renderText(values).then(parseObjects);
    rendered.set(values, known);
    return known;
  };
}

export function findObject(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.filter(object => object.kind === kind && object.metadata.name === name);
  const [object] = found;
  if (object === undefined || found.length > 1) throw new Error(`${found.length} ${kind} objects are named ${name}`);
  return object;
}
