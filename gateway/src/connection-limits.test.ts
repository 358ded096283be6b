import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { expect, test } from 'vitest';
import type { Caller } from './caller.ts';
import { createConnectionLimits } from './connection-limits.ts';

function callerOf(viewer: Viewer, address = '1'): Caller {
  return { credential: { viewer, publishedOnly: false, validForMs: () => null, recheck: async () => {} }, address };
}
const keyOf = (tenantId = newId('Tenant')) =>
  callerOf({ kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes: [] });

test('a tenant has so many connections, whichever its keys, and takes none of another', () => {
  const limits = createConnectionLimits({ perTenant: 2 });
  const tenantId = newId('Tenant');
  expect(limits.take(keyOf(tenantId))).toBeDefined();
  expect(limits.take(keyOf(tenantId))).toBeDefined();
  expect(limits.take(keyOf(tenantId))).toBeUndefined();
  expect(limits.take(keyOf())).toBeDefined();
});

test('a connection that closed makes room, once however often it is told', () => {
  const limits = createConnectionLimits({ perTenant: 1 });
  const caller = keyOf();
  const giveBack = limits.take(caller);
  giveBack?.();
  giveBack?.();
  expect(limits.take(caller)).toBeDefined();
  expect(limits.take(caller)).toBeUndefined();
});

test('who has no credential is counted by address', () => {
  const limits = createConnectionLimits({ perAnonymousAddress: 1 });
  const anonymous = { kind: 'anonymous', scopes: [] } as const;
  expect(limits.take(callerOf(anonymous))).toBeDefined();
  expect(limits.take(callerOf(anonymous))).toBeUndefined();
  expect(limits.take(callerOf(anonymous, '2'))).toBeDefined();
});
