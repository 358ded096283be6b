import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import type { ObjectStore } from '@kindred/service/object-store';
import type { TargetRules } from '@kindred/service/post-publicly';
import type { AccessTokens } from './access-tokens.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Passwords } from './passwords.ts';
import type { PrivacyWorkflows } from './privacy-workflows.ts';
import type { SignInThrottle } from './sign-in-throttle.ts';
import type { PriceList } from './usage-cost.ts';

/** A viewer with a tenant: an account or an API key. */
export type TenantViewer = Extract<Viewer, { tenantId: unknown }>;

/** What the process shares over all requests. */
export interface TenantServices {
  db: Db;
  accessTokens: AccessTokens;
  passwords: Passwords;
  signInThrottle: SignInThrottle;
  apiKeyPepper: string;
  /** Where webhooks may lead. */
  targetRules: TargetRules;
  prices: PriceList;
  privacy: PrivacyWorkflows;
  objects: ObjectStore;
}

/** What every resolver of one request shares. */
export interface TenantContext extends TenantServices {
  viewer: Viewer;
  /** Where the client's connection came from; null for the gateway's own questions. */
  clientAddress: string | null;
  loaders: Loaders;
}

export function createContext(
  services: TenantServices,
  request: { viewer: Viewer; clientAddress: string | null },
): TenantContext {
  return { ...services, ...request, loaders: createLoaders(services.db) };
}
