import { describe, expect, it } from 'vitest';
import { scopesOfApiKeyKind, scopesOfRole } from './viewer.ts';

describe('scopes', () => {
  it('let a publishable key neither write the catalogue nor train nor manage', () => {
    expect(scopesOfApiKeyKind('PUBLISHABLE')).toEqual(['recommendations:read', 'interactions:write', 'catalog:read']);
  });

  it('keep managing the tenant to owners and admins', () => {
    const managers = (['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const).filter((role) =>
      scopesOfRole(role).includes('tenant:manage'),
    );
    expect(managers).toEqual(['OWNER', 'ADMIN']);
    expect(scopesOfApiKeyKind('SECRET')).not.toContain('tenant:manage');
  });

  it('let a viewer only read', () => {
    expect(scopesOfRole('VIEWER').filter((scope) => !scope.endsWith(':read'))).toEqual([]);
  });
});
