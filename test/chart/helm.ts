// Renders the chart with a real helm, and reads what comes out. The one place that knows where helm and the chart are; it
// never talks to a cluster.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { findTools } from '../support/control-plane/find-tools.ts';

export const CHART = fileURLToPath(new URL('../../charts/countersign/', import.meta.url));
export const RELEASE = 'countersign';
export const NAMESPACE = 'countersign-system';

/** It need not be a real CA: the chart copies what looks like one. */
export const CA_BUNDLE = Buffer.from('-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n').toString(
  'base64',
);
/** The least that an installation must give: nothing. One object, so that it is rendered once. */
export const LEAST_VALUES: Values = {};
/** For a webhook that is given its certificate. */
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

/** Runs helm with the values on its standard input (`--values -`). Never throws for a non-zero exit. */
export async function runHelm(args: readonly string[], values: Values): Promise<HelmResult> {
  const helm = await findHelm();
  return new Promise(resolve => {
    const child = execFile(helm, [...args, '--values', '-'], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(JSON.stringify(values));
  });
}

/** What `helm test` makes and takes away again. */
export function isTestHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['helm.sh/hook'] === 'test';
}

export function runTemplate(values: Values): Promise<HelmResult> {
  return runHelm(['template', RELEASE, CHART, '--namespace', NAMESPACE], values);
}

/** Not remembered: each call runs helm again. */
export async function renderText(values: Values): Promise<string> {
  const { code, stdout, stderr } = await runTemplate(values);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return stdout;
}

/** Every object of a rendered chart. Throws where YAML is broken, duplicate keys included. */
export function parseObjects(text: string): readonly KubeObject[] {
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  const errors = documents.flatMap(document => document.errors);
  if (errors.length > 0) throw new AggregateError(errors, errors.join('\n'));
  return documents.map(document => document.toJS() as KubeObject | null).filter(object => object !== null);
}

/** Renders each set of values once, since helm takes a tenth of a second each time. */
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
