import { hash } from 'node:crypto';
import { stripIgnoredCharacters } from 'graphql';
import type { Credential } from './auth.ts';
import { HttpError } from './http-error.ts';
import { LruCache } from '@kindred/service/lru-cache';
import type { OperationRequest } from './operation-request.ts';
import type { TenantDocuments } from './tenant-documents.ts';

/** The documents that were published before any client asked for them, by the sha256 of their text in hex. */
export type Manifest = ReadonlyMap<string, string>;

type Named = Pick<OperationRequest, 'query' | 'documentId' | 'extensions'>;

export interface Documents {
  /**
   * The text of the document that a request names: in full, by `documentId: "sha256:…"`, or by the hash of an automatic
   * persisted query. A credential for browsers runs published documents only: the product's, and its tenant's own.
   * @throws HttpError when it may not be run, or is not known
   */
  resolve(request: Named, credential: Credential): string | Promise<string>;
}

const HASH = /^[0-9a-f]{64}$/;
const AUTOMATIC = { capacity: 2_000, maxWeight: 4 * 1024 * 1024 };
// The largest document of the web app has 3,000; longer ones are not looked at.
const MAX_PUBLISHED_CHARS = 32_768;
const CONTENTS = { capacity: 2_000, maxWeight: 4 * 1024 * 1024 };

export function createDocuments(manifest: Manifest, tenants: TenantDocuments): Documents {
  const automatic = new LruCache<string>(AUTOMATIC);
  // Published documents are recognised by what they say, however they are laid out.
  const published = new Set([...manifest.values()].map(digestOfContent).filter((digest) => digest !== ''));
  const contents = new LruCache<string>(CONTENTS);
  const contentOf = (query: string): string => {
    const known = contents.get(query);
    if (known !== undefined || query.length > MAX_PUBLISHED_CHARS) return known ?? '';
    const digest = digestOfContent(query);
    contents.set(query, digest, query.length);
    return digest;
  };
  const ofTenant = async ({ viewer }: Credential, digest: string, orElse: () => string): Promise<string> =>
    (digest === '' ? null : await tenants.find(viewer, digest)) ?? orElse();
  return {
    resolve: (request, credential) => {
      const { publishedOnly, viewer } = credential;
      const wanted = hashOf(request);
      if (wanted === undefined) {
        const query = request.query ?? fail(400, 'BAD_REQUEST', 'Wanted a `query`, or the `documentId` of one.');
        if (!publishedOnly || published.has(contentOf(query))) return query;
        return ofTenant(credential, contentOf(query), refuse);
      }
      const known = manifest.get(wanted);
      if (known !== undefined) return known;
      if (publishedOnly) return ofTenant(credential, wanted, refuse);
      const fromAutomatic = () =>
        resolveAutomatic({ automatic, mayRemember: viewer.kind !== 'anonymous' }, request, wanted);
      const isNamedAlone = request.documentId !== undefined && request.query === undefined;
      return isNamedAlone ? ofTenant(credential, wanted, fromAutomatic) : fromAutomatic();
    },
  };
}

/** Automatic persisted queries: a document is sent with its hash once, and by its hash alone from then on. */
function resolveAutomatic(
  { automatic, mayRemember }: { automatic: LruCache<string>; mayRemember: boolean },
  { query }: Named,
  wanted: string,
): string {
  if (query !== undefined && query !== '') {
    if (hash('sha256', query) !== wanted) fail(400, 'BAD_REQUEST', 'The hash is not the sha256 of the `query`.');
    // Whoever has no credential must not push out what others use.
    if (mayRemember) automatic.set(wanted, query, query.length);
    return query;
  }
  // Clients know by this message that they are to send the text (Apollo's protocol).
  return automatic.get(wanted) ?? fail(200, 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
}

function hashOf({ documentId, extensions }: Named): string | undefined {
  if (documentId !== undefined) {
    const found = documentId.replace(/^sha256:/, '');
    return HASH.test(found) ? found : fail(400, 'BAD_REQUEST', `documentId: wanted "sha256:" and 64 hex digits.`);
  }
  const { persistedQuery } = extensions;
  if (typeof persistedQuery !== 'object' || persistedQuery === null) return undefined;
  const { version, sha256Hash } = persistedQuery as { version?: unknown; sha256Hash?: unknown };
  if (version !== 1 || typeof sha256Hash !== 'string' || !HASH.test(sha256Hash)) {
    return fail(400, 'BAD_REQUEST', 'extensions.persistedQuery: wanted { version: 1, sha256Hash } with 64 hex digits.');
  }
  return sha256Hash;
}

function digestOfContent(query: string): string {
  try {
    return hash('sha256', stripIgnoredCharacters(query));
  } catch {
    // What is no GraphQL is no published document.
    return '';
  }
}

function refuse(): never {
  const message = 'A publishable key runs published documents only; this is none. Use a secret key on a server.';
  return fail(403, 'FORBIDDEN', message);
}

// oxlint-disable-next-line max-params -- an error's parts
function fail(status: number, code: string, message: string): never {
  throw new HttpError(status, code, message);
}
