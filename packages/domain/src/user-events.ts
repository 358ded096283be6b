import type { ErasureId, TenantId, UserId } from './ids.ts';

/** The Redis channel on which every serving replica is told to forget users, or asked what it holds of one. */
export const ERASURE_TOPIC = 'serving:erasures';

/** What replicas are told; each answers on `erasureReplyTopic(requestId)`. */
export interface ErasureWord {
  requestId: string;
  tenantId: TenantId;
  userId: UserId | null;
  /** The tenant's own id, where it is still known. */
  userExternalId: string | null;
  /** Whether to forget first, or only to look. */
  forget: boolean;
}

/** What a replica has forgotten of the user, and what it still holds: vectors of versions, histories, rankings. */
export interface ErasureReply {
  replica: string;
  forgottenCount: number;
  heldCount: number;
}

/** Where replicas answer a word. */
export function erasureReplyTopic(requestId: string): string {
  return `serving:erased:${requestId}`;
}

export function readErasureWord(message: string): ErasureWord {
  return JSON.parse(message) as ErasureWord;
}

export function readErasureReply(message: string): ErasureReply {
  return JSON.parse(message) as ErasureReply;
}

/** Where in the platform something of a user can be. */
export type ErasureStore =
  | 'POSTGRES'
  | 'REDIS'
  | 'MODEL_VERSION'
  | 'INDEX'
  | 'SERVING_MEMORY'
  | 'RUN_FILES'
  | 'EXPORT_FILES'
  | 'JOB_FILES'
  | 'UPLOAD_FILES';

/** What a store was found to hold of an erased user now. */
export interface ErasureCheck {
  store: ErasureStore;
  /** The table, the version, the replica or the file. */
  scope: string;
  heldCount: number;
}

/** Whose erasure it is. */
export interface ErasureRef {
  tenantId: TenantId;
  erasureId: ErasureId;
}

/** The object store folder of a copy of a user's data. */
export function userExportFolder(tenantId: TenantId, exportId: string): string {
  return `tenants/${tenantId}/exports/${exportId}`;
}
