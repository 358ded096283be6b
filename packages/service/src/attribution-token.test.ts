import type { ItemId, ModelVersionId, TenantId } from '@kindred/domain/ids';
import { expect, test } from 'vitest';
import { type Attribution, signAttribution, verifyAttribution } from './attribution-token.ts';

const SECRET = 'the secret of the servers under test';
const tenantId = '01990000-0000-7000-8000-00000000000a' as TenantId;
const items = ['01990000-0000-7000-8000-0000000000a1', '01990000-0000-7000-8000-0000000000b2'] as ItemId[];
const absent = '01990000-0000-7000-8000-0000000000c3' as ItemId;
const versionId = '01990000-0000-7000-8000-0000000000ff' as ModelVersionId;
const ATTRIBUTION: Attribution = {
  tenantId,
  recommendationId: '01990000-0000-7000-8000-0000000000ee',
  scenario: 'default',
  versionId,
  trial: { id: versionId, arm: 'CANARY' },
  issuedAt: 1_764_000_000_000,
};

const token = signAttribution(SECRET, ATTRIBUTION, items);
const verify = (text: string, tenant = tenantId) => verifyAttribution(SECRET, { tenantId: tenant, token: text });
const REFUSED = 'must be the attributionToken of an answer of this tenant, unchanged';

test('a token tells what the answer was and which items it held', () => {
  const { hasItem, ...attribution } = verify(token);
  expect(attribution).toEqual(ATTRIBUTION);
  expect([...items, absent].map(hasItem)).toEqual([true, true, false]);
});

test('a token in which anything was changed is refused', () => {
  const [form, payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Attribution;
  const other = Buffer.from(JSON.stringify({ ...claims, trial: { id: versionId, arm: 'CONTROL' } })).toString(
    'base64url',
  );
  const forgeries = [
    `${form}.${other}.${signature}`,
    `${form}.${payload}.`,
    `${form}.${payload}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
    `at2.${payload}.${signature}`,
    `${token}.more`,
    'no token',
    '',
  ];
  for (const forgery of forgeries) expect(() => verify(forgery), forgery).toThrow(REFUSED);
});

test('a token of another tenant, and one signed with another secret, is refused', () => {
  expect(() => verify(token, '01990000-0000-7000-8000-00000000000b' as TenantId)).toThrow(REFUSED);
  expect(() => verify(signAttribution('another secret of other servers', ATTRIBUTION, items))).toThrow(REFUSED);
});
