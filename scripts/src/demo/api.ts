import { StopReason } from '../report-error.ts';

const TIMEOUT_MS = 60_000;

export interface Api {
  /** The gateway's GraphQL endpoint. */
  httpUrl: string;
  signal: AbortSignal;
}

interface Operation {
  document: string;
  variables?: Record<string, unknown>;
  /** A session's access token or an API key. */
  credential?: string | undefined;
}

/**
 * Runs one operation on the public API.
 * @throws StopReason with the first error's message and code when it is not served.
 */
export async function request<T>(api: Api, { document, variables, credential }: Operation): Promise<T> {
  const name = /(?:query|mutation)\s+(\w+)/.exec(document)?.[1] ?? 'the operation';
  const response = await fetch(api.httpUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({ query: document, variables: variables ?? {}, operationName: name }),
    signal: AbortSignal.any([api.signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const body = (await response.json()) as {
    data?: T | null;
    errors?: { message: string; extensions?: { code?: string } }[];
  };
  const [error] = body.errors ?? [];
  if (error)
    throw new StopReason(`${name} was refused: ${error.message} (${error.extensions?.code ?? response.status})`);
  if (!body.data) throw new StopReason(`${name} had no answer: HTTP ${response.status}`);
  return body.data;
}

export interface UserError {
  code: string;
  message: string;
  path: string[];
}

/**
 * Nothing, when a mutation's payload holds no reason against it.
 * @throws StopReason with the first reason.
 */
export function refuseUserErrors(name: string, errors: readonly UserError[]): void {
  const [first] = errors;
  if (first) throw new StopReason(`${name} was refused: ${first.message} (${first.code} at ${first.path.join('.')})`);
}
