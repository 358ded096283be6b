import { createHash } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import {
  findPublishedDocument,
  MAX_PUBLISHED_DOCUMENTS,
  type NewPublishedDocument,
  publishDocuments as insertDocuments,
} from '@kindred/db/published-documents';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import { Kind, parse, stripIgnoredCharacters } from 'graphql';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import { documentIdOf } from './document-id.ts';
import type { PublishDocumentsInput, PublishDocumentsPayload, UserError } from './generated/resolvers.ts';
import { once } from './once.ts';
import { userError } from './user-error.ts';

const MAX_PER_CALL = 20;
const MAX_CHARS = 32_768;
// As many as the gateway lets a document have.
const MAX_TOKENS = 4_000;
const DIGEST = /^[0-9a-f]{64}$/;

/** Publishes documents for the viewer's tenant. That they fit the schema and the limits is for the gateway to say, which has both. */
export async function publishDocuments(
  context: TenantContext,
  input: PublishDocumentsInput,
): Promise<PublishDocumentsPayload> {
  const { documents } = input;
  const read = documents.map(readDocument);
  const userErrors = check(documents, read);
  if (userErrors.length > 0) return { documentIds: null, userErrors };
  const documentIds = documents.map((body) => documentIdOf(createHash('sha256').update(body).digest('hex')));
  const publish = async (tx: TenantTx): Promise<PublishDocumentsPayload> => {
    const actor = actorOf(context.viewer);
    const published = read.filter((document) => document !== undefined);
    const count = await insertDocuments(tx, published, actor);
    if (count === null) {
      const message = `A tenant can have at most ${MAX_PUBLISHED_DOCUMENTS} published documents.`;
      return { documentIds: null, userErrors: [userError('CONFLICT', message, ['documents'])] };
    }
    const details = { documentIds };
    await appendAuditEvent(tx, { actor, action: 'publishDocuments', details });
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

function check(documents: readonly string[], read: readonly (NewPublishedDocument | undefined)[]): UserError[] {
  if (documents.length < 1 || documents.length > MAX_PER_CALL) {
    const message = `documents must be a list of 1-${MAX_PER_CALL}, got ${documents.length}.`;
    return [userError('INVALID', message, ['documents'])];
  }
  return documents.flatMap((body, index) => {
    const path = ['documents', String(index)];
    if (body.length < 1 || body.length > MAX_CHARS) {
      return [userError('INVALID', `A document must be 1-${MAX_CHARS} characters, got ${body.length}.`, path)];
    }
    return read[index] === undefined ? [userError('INVALID', 'Wanted a GraphQL document.', path)] : [];
  });
}

/** A document with what it says, however it is laid out, and its name; undefined for what is no GraphQL. */
function readDocument(body: string): NewPublishedDocument | undefined {
  try {
    const { definitions } = parse(body, { maxTokens: MAX_TOKENS, noLocation: true });
    const operation = definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    return { body, content: stripIgnoredCharacters(body), name: operation?.name?.value ?? null };
  } catch {
    return undefined;
  }
}
