import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import type { AccessTokens } from './access-tokens.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Passwords } from './passwords.ts';

/** A viewer with a tenant: an account or an API key. */
export type TenantViewer = Extract<Viewer, { tenantId: unknown }>;

/** What the process shares over all requests. */
export interface TenantServices {
  db: Db;
  accessTokens: AccessTokens;
  passwords: Passwords;
  apiKeyPepper: string;
}

/** What every resolver of one request shares. */
export interface TenantContext extends TenantServices {
  viewer: Viewer;
  loaders: Loaders;
}

export function createContext(services: TenantServices, viewer: Viewer): TenantContext {
  return { ...services, viewer, loaders: createLoaders(services.db) };
}
