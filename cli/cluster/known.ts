// A fact about the cluster that the user may not be allowed to read.

import { ApiError } from './api-error.ts';

export type Known<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

/** Only a refusal by RBAC makes a fact unknown; every other error is thrown. */
export async function unlessForbidden<T>(answer: Promise<T>, what: string): Promise<Known<T>> {
  try {
    return { known: true, value: await answer };
  } catch (error) {
    if (error instanceof ApiError && error.isForbidden) return { known: false, why: `you may not ${what}` };
    throw error;
  }
}
