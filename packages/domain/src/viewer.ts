import type { AccountId, ApiKeyId, TenantId } from './ids.ts';

/** A membership role of an account in a tenant, strongest first. */
export type MemberRole = 'OWNER' | 'ADMIN' | 'MEMBER' | 'VIEWER';

/** What an account is in a tenant: a member, or a platform operator who looks in. */
export type Role = MemberRole | 'OPERATOR';

/** What a credential may do. Roles and API-key kinds map to scopes in `scopesOfRole` and `scopesOfApiKeyKind`. */
export type Scope =
  | 'tenant:read'
  | 'tenant:manage'
  | 'documents:publish'
  | 'catalog:read'
  | 'catalog:write'
  | 'interactions:write'
  | 'models:read'
  | 'models:train'
  | 'privacy:manage'
  | 'recommendations:read';

export type ApiKeyKind = 'PUBLISHABLE' | 'SECRET';

/** Who asks, as the gateway established it. Subgraphs take tenant and scopes from here and from nowhere else. */
export type Viewer =
  | { kind: 'account'; accountId: AccountId; tenantId: TenantId; role: Role; scopes: readonly Scope[] }
  | { kind: 'apiKey'; apiKeyId: ApiKeyId; tenantId: TenantId; scopes: readonly Scope[] }
  | { kind: 'anonymous'; scopes: readonly Scope[] }
  // The gateway itself, before it knows who asks: no tenant, no scopes; it may look up an API key and nothing else.
  | { kind: 'system'; scopes: readonly Scope[] };

const READ: readonly Scope[] = ['tenant:read', 'catalog:read', 'models:read', 'recommendations:read'];
const WRITE: readonly Scope[] = [...READ, 'catalog:write', 'interactions:write', 'models:train'];

const SCOPES_OF_ROLE: Record<Role, readonly Scope[]> = {
  OWNER: [...WRITE, 'privacy:manage', 'tenant:manage', 'documents:publish'],
  ADMIN: [...WRITE, 'privacy:manage', 'tenant:manage', 'documents:publish'],
  MEMBER: WRITE,
  VIEWER: READ,
  OPERATOR: READ,
};

const SCOPES_OF_API_KEY_KIND: Record<ApiKeyKind, readonly Scope[]> = {
  PUBLISHABLE: ['recommendations:read', 'interactions:write', 'catalog:read'],
  SECRET: [...WRITE, 'privacy:manage', 'documents:publish'],
};

/** What an account of this role may do in its tenant. */
export function scopesOfRole(role: Role): readonly Scope[] {
  return SCOPES_OF_ROLE[role];
}

/** What an API key of this kind may do: a publishable key lives in browsers, so it recommends and records only. */
export function scopesOfApiKeyKind(kind: ApiKeyKind): readonly Scope[] {
  return SCOPES_OF_API_KEY_KIND[kind];
}
