import { createHash } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import {
  findPublishedDocument,
  MAX_PUBLISHED_DOCUMENTS,
  publishDocuments as insertDocuments,
} from '@kindred/db/published-documents';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import { stripIgnoredCharacters } from 'graphql';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import type { PublishDocumentsInput, PublishDocumentsPayload, UserError } from './generated/resolvers.ts';
import { once } from './once.ts';
import { userError } from './user-error.ts';

const MAX_PER_CALL = 20;
const MAX_CHARS = 32_768;
const DIGEST = /^[0-9a-f]{64}$/;

/** Publishes documents for the viewer's tenant. That they fit the schema and the limits is for the gateway to say, which has both. */
export async function publishDocuments(
  context: TenantContext,
  input: PublishDocumentsInput,
): Promise<PublishDocumentsPayload> {
  const { documents } = input;
  const contents = documents.map(contentOf);
  const userErrors = check(documents, contents);
  if (userErrors.length > 0) return { documentIds: null, userErrors };
  const published = documents.map((body, index) => ({ body, content: contents[index] ?? '' }));
  const documentIds = documents.map((body) => `sha256:${createHash('sha256').update(body).digest('hex')}`);
  const publish = async (tx: TenantTx): Promise<PublishDocumentsPayload> => {
    const count = await insertDocuments(tx, published);
    if (count === null) {
      const message = `A tenant can have at most ${MAX_PUBLISHED_DOCUMENTS} published documents.`;
      return { documentIds: null, userErrors: [userError('CONFLICT', message, ['documents'])] };
    }
    const details = { documentIds };
    await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'publishDocuments', details });
    return { documentIds, userErrors: [] };
  };
  return withTenant(context.db, requireTenant(context.viewer), (tx) =>
    once(tx, { operation: 'publishDocuments', input }, () => publish(tx)),
  );
}

/** The viewer's tenant's document of this digest. */
export async function findPublished({ db, viewer }: TenantContext, digest: string): Promise<string | null> {
  if (!DIGEST.test(digest)) return null;
  return await withTenant(db, requireTenant(viewer), (tx) => findPublishedDocument(tx, digest));
}

function check(documents: readonly string[], contents: readonly (string | undefined)[]): UserError[] {
  if (documents.length < 1 || documents.length > MAX_PER_CALL) {
    const message = `documents must be a list of 1-${MAX_PER_CALL}, got ${documents.length}.`;
    return [userError('INVALID', message, ['documents'])];
  }
  return documents.flatMap((body, index) => {
    const path = ['documents', String(index)];
    if (body.length < 1 || body.length > MAX_CHARS) {
      return [userError('INVALID', `A document must be 1-${MAX_CHARS} characters, got ${body.length}.`, path)];
    }
    return contents[index] === undefined ? [userError('INVALID', 'Wanted a GraphQL document.', path)] : [];
  });
}

/** What a document says, however it is laid out; undefined for what is no GraphQL. */
function contentOf(body: string): string | undefined {
  try {
    return stripIgnoredCharacters(body);
  } catch {
    return undefined;
  }
}
