import { AppError } from './app-error.ts';
import type { ModelVersionId, TenantId } from './ids.ts';

/** A file of a version: its key in the object store, and the sha256 (hex) of its bytes. */
export interface VersionFile {
  key: string;
  sha256: string;
}

/** What makes a version whole. It is written last: a version without it does not exist, one that contradicts it is refused. */
export interface VersionManifest {
  format: typeof FORMAT;
  tenantId: TenantId;
  versionId: ModelVersionId;
  artefact: VersionFile;
  /** The index over the artefact's item vectors; null where exact search over them is the index. */
  index: VersionFile | null;
}

const FORMAT = 'kindred-version-1';

/** The object store folder of a version's files. */
export function versionFolder(tenantId: TenantId, versionId: ModelVersionId): string {
  return `tenants/${tenantId}/versions/${versionId}`;
}

/** The key of a version's manifest, which is what `model_versions.artefact_key` holds. */
export function versionManifestKey(tenantId: TenantId, versionId: ModelVersionId): string {
  return `${versionFolder(tenantId, versionId)}/manifest.json`;
}

export function encodeVersionManifest(manifest: Omit<VersionManifest, 'format'>): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`);
}

/**
 * The manifest of exactly this version.
 * @throws AppError UNAVAILABLE when the bytes are no manifest, or that of another version or tenant.
 */
export function decodeVersionManifest(
  bytes: Uint8Array,
  expected: { tenantId: TenantId; versionId: ModelVersionId },
): VersionManifest {
  const manifest = parse(bytes);
  const { tenantId, versionId } = expected;
  const folder = `${versionFolder(tenantId, versionId)}/`;
  const files = [manifest?.artefact, manifest?.index].filter((file) => file != null);
  const isWhole =
    manifest?.format === FORMAT &&
    manifest.tenantId === tenantId &&
    manifest.versionId === versionId &&
    files.length > 0 &&
    files.every((file) => file.key.startsWith(folder));
  if (!isWhole) {
    throw new AppError('UNAVAILABLE', `The manifest of model version ${versionId} is not one of that version.`);
  }
  return manifest;
}

function parse(bytes: Uint8Array): VersionManifest | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as VersionManifest | null;
  } catch (cause) {
    throw new AppError('UNAVAILABLE', 'A version manifest is no JSON.', { cause });
  }
}
