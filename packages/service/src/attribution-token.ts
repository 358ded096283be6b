import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import type { CanaryArm } from '@kindred/domain/canary';
import type { ItemId, ModelVersionId, TenantId } from '@kindred/domain/ids';

/** What an answer was: enough to credit it with what its items lead to, without a look-up. */
export interface Attribution {
  tenantId: TenantId;
  /** The answer, as a UUID. */
  recommendationId: string;
  scenario: string;
  /** The version that ranked; null where none did. */
  versionId: ModelVersionId | null;
  /** The trial that the answer was part of, by the version on trial; null for none. */
  trial: { id: ModelVersionId; arm: CanaryArm } | null;
  /** Epoch milliseconds. */
  issuedAt: number;
}

/** An answer whose token was signed here. */
export interface VerifiedAttribution extends Attribution {
  /** Whether the item was in the answer; wrongly true for at most one of 100,000 others. */
  hasItem: (itemId: ItemId) => boolean;
}

interface Claims extends Attribution {
  /** See `tagsOf`. */
  tags: string;
}

const FORM = 'at1';
const PURPOSE = 'kindred attribution token 1';
/** Of an item's id, whose last eight bytes are random: 100 items hold a foreign one by chance once in 160,000. */
const TAG_BYTES = 3;

/** Signs what an answer was, with a key of its own that follows from the servers' secret. */
export function signAttribution(secret: string, attribution: Attribution, itemIds: readonly ItemId[]): string {
  const claims: Claims = { ...attribution, tags: tagsOf(itemIds).toString('base64url') };
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${FORM}.${payload}.${sign(secret, payload).toString('base64url')}`;
}

/**
 * The answer that a token was signed for.
 * @throws AppError BAD_USER_INPUT when the token was not signed here, was changed, or is another tenant's.
 */
export function verifyAttribution(
  secret: string,
  { tenantId, token }: { tenantId: TenantId; token: string },
): VerifiedAttribution {
  const [form, payload, signature, ...rest] = token.split('.');
  if (form !== FORM || payload === undefined || signature === undefined || rest.length > 0) {
    throw refuse();
  }
  const wanted = sign(secret, payload);
  const got = Buffer.from(signature, 'base64url');
  if (got.length !== wanted.length || !timingSafeEqual(got, wanted)) {
    throw refuse();
  }
  // What carries our signature was written by signAttribution.
  const { tags, ...attribution } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
  if (attribution.tenantId !== tenantId) {
    throw refuse();
  }
  const known = Buffer.from(tags, 'base64url');
  return { ...attribution, hasItem: (itemId) => hasTag(known, tagsOf([itemId])) };
}

function tagsOf(itemIds: readonly ItemId[]): Buffer {
  return Buffer.from(itemIds.map((itemId) => itemId.slice(-2 * TAG_BYTES)).join(''), 'hex');
}

function hasTag(tags: Buffer, tag: Buffer): boolean {
  for (let start = 0; start < tags.length; start += TAG_BYTES) {
    if (tags.compare(tag, 0, TAG_BYTES, start, start + TAG_BYTES) === 0) {
      return true;
    }
  }
  return false;
}

// A process has one secret.
let known: { secret: string; key: KeyObject } | undefined;

function sign(secret: string, payload: string): Buffer {
  if (known?.secret !== secret) {
    known = { secret, key: createSecretKey(createHmac('sha256', secret).update(PURPOSE).digest()) };
  }
  return createHmac('sha256', known.key).update(payload).digest().subarray(0, 16);
}

function refuse(): AppError {
  return new AppError('BAD_USER_INPUT', 'must be the attributionToken of an answer of this tenant, unchanged');
}
