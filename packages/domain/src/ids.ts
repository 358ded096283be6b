import { v7 } from 'uuid';
import { AppError } from './app-error.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<'TenantId'>;
export type AccountId = Branded<'AccountId'>;
export type SessionId = Branded<'SessionId'>;
export type InvitationId = Branded<'InvitationId'>;
export type WebhookId = Branded<'WebhookId'>;
export type WebhookEventId = Branded<'WebhookEventId'>;
export type WebhookDeliveryId = Branded<'WebhookDeliveryId'>;
export type ApiKeyId = Branded<'ApiKeyId'>;
export type ItemId = Branded<'ItemId'>;
export type UserId = Branded<'UserId'>;
export type ModelId = Branded<'ModelId'>;
export type TrainingRunId = Branded<'TrainingRunId'>;
export type ModelVersionId = Branded<'ModelVersionId'>;
export type ErasureId = Branded<'ErasureId'>;
export type UserExportId = Branded<'UserExportId'>;
export type UploadId = Branded<'UploadId'>;
export type ImportId = Branded<'ImportId'>;
export type TuningId = Branded<'TuningId'>;
export type BatchRecommendationId = Branded<'BatchRecommendationId'>;

interface IdByKind {
  Tenant: TenantId;
  Account: AccountId;
  Session: SessionId;
  Invitation: InvitationId;
  Webhook: WebhookId;
  WebhookEvent: WebhookEventId;
  WebhookDelivery: WebhookDeliveryId;
  ApiKey: ApiKeyId;
  Item: ItemId;
  User: UserId;
  Model: ModelId;
  TrainingRun: TrainingRunId;
  ModelVersion: ModelVersionId;
  Erasure: ErasureId;
  UserExport: UserExportId;
  Upload: UploadId;
  Import: ImportId;
  Tuning: TuningId;
  BatchRecommendation: BatchRecommendationId;
}

/** The GraphQL type names that have a global id. */
export type IdKind = keyof IdByKind;

const PREFIX_BY_KIND: Record<IdKind, string> = {
  Tenant: 'ten',
  Account: 'acc',
  Session: 'ses',
  Invitation: 'inv',
  Webhook: 'whk',
  WebhookEvent: 'evt',
  WebhookDelivery: 'dlv',
  ApiKey: 'key',
  Item: 'itm',
  User: 'usr',
  Model: 'mdl',
  TrainingRun: 'run',
  ModelVersion: 'ver',
  Erasure: 'era',
  UserExport: 'exp',
  Upload: 'upl',
  Import: 'imp',
  Tuning: 'tun',
  BatchRecommendation: 'bat',
};

/** A new time-ordered id (UUID version 7, RFC 9562) in database form. */
export function newId<K extends IdKind>(_kind: K): IdByKind[K] {
  return v7() as IdByKind[K];
}

/** The opaque global id of API.md: a kind prefix and the 32 hex digits of the UUID, as in `itm_0199…`. */
export function encodeGlobalId<K extends IdKind>(kind: K, id: IdByKind[K]): string {
  // Where its five groups stand is known: a page has twenty ids.
  return `${PREFIX_BY_KIND[kind]}_${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(14, 18)}${id.slice(19, 23)}${id.slice(24)}`;
}

/**
 * The database id behind a global id.
 * @throws AppError BAD_USER_INPUT when `globalId` is not an id of this kind.
 */
export function decodeGlobalId<K extends IdKind>(kind: K, globalId: string): IdByKind[K] {
  const prefix = PREFIX_BY_KIND[kind];
  const hex = globalId.startsWith(`${prefix}_`) ? globalId.slice(prefix.length + 1) : '';
  if (!/^[0-9a-f]{32}$/.test(hex)) {
    throw new AppError('BAD_USER_INPUT', `"${globalId}" is no ${kind} id: wanted "${prefix}_" and 32 hex digits.`);
  }
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return id as IdByKind[K];
}
