import type { Viewer } from '@kindred/domain/viewer';
import { newTraceId } from '@kindred/service/trace';
import { z } from 'zod';
import { Deadline } from './context.ts';
import { LookupCache } from './lookup-cache.ts';
import type { SubgraphClient } from './subgraph-client.ts';

/** The documents that tenants published themselves (`publishDocuments`). */
export interface TenantDocuments {
  /** The viewer's tenant's document of this sha256, of its text or its content; null where it has none. */
  find(viewer: Viewer, digest: string): Promise<string | null>;
}

/** What was published is known everywhere within this time. */
const TTL_MS = 10_000;
// Of at most 32 kB each.
const CAPACITY = 1_000;
const LOOK_UP = 'query PublishedDocument($digest: String!) { publishedDocument(digest: $digest) }';
const LOOKED_UP = z.object({ data: z.object({ publishedDocument: z.string().nullable() }) });

export function createTenantDocuments(client: Pick<SubgraphClient, 'request'>): TenantDocuments {
  const cache = new LookupCache<string | null>({ ttlMs: TTL_MS, capacity: CAPACITY });
  return {
    find: async (viewer, digest) => {
      if (!('tenantId' in viewer)) return null;
      return await cache.get(`${viewer.tenantId} ${digest}`, () => lookUp(client, viewer, digest));
    },
  };
}

async function lookUp(client: Pick<SubgraphClient, 'request'>, viewer: Viewer, digest: string): Promise<string | null> {
  // A look-up may be shared by many requests: none of them ends it.
  using deadline = new Deadline();
  const { signal, deadlineAt } = deadline;
  const context = { viewer, traceId: newTraceId(), signal, deadlineAt };
  const answer = await client.request('tenant', { query: LOOK_UP, variables: { digest } }, context);
  const parsed = LOOKED_UP.safeParse(answer);
  if (!parsed.success)
    throw new Error(`The tenant subgraph did not look up a document: ${JSON.stringify(answer.errors)}`);
  return parsed.data.data.publishedDocument;
}
