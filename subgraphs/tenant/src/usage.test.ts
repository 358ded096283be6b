import { randomUUID } from 'node:crypto';
import { setOperator } from '@kindred/db/operators';
import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import { pretendUse } from '@kindred/testing/pretend-use';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestSubgraph, signUpTenant, SYSTEM, type TestSubgraph } from './test-subgraph.ts';
import { costOf, DEFAULT_PRICES, shareOfMonth } from './usage-cost.ts';

const RECORD = 'mutation ($input: RecordUsageInput!) { recordUsage(input: $input) { entryCount userErrors { code } } }';
const USAGE = `query ($month: String) { usage(month: $month) {
  month requests points recommendations interactions trainings trainingCpuSeconds storedItems storedInteractions
  cost { amount currency } costPerThousand { amount currency } unitPrices { millionPoints { amount currency } }
  days { day requests points recommendations interactions trainings } } }`;
const ALLOWANCE = `query ($tenantId: ID!, $month: String!) {
  tenantAllowance(tenantId: $tenantId, month: $month) { plan requests points } }`;
const CHANGE = `mutation ($input: ChangePlanInput!) {
  changePlan(input: $input) { plan { name itemCount } userErrors { code path } } }`;
const TENANT =
  '{ tenant { plan { name pointsPerMonth } auditEvents(first: 1) { edges { node { action actorKind details } } } } }';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

type Tenant = Awaited<ReturnType<typeof signUpTenant>>;
const idOf = ({ tenantId }: Tenant) => encodeGlobalId('Tenant', tenantId);
const entryOf = (tenant: Tenant, fields: object = {}) => ({
  tenantId: idOf(tenant),
  day: '2026-10-05',
  operation: 'QUERY',
  credential: 'session',
  requests: 10,
  points: 2_000_000,
  recommendations: 5,
  ...fields,
});
const record = (batchId: string, entries: object[]) => subgraph.read(SYSTEM, RECORD, { input: { batchId, entries } });

test('a batch of several tenants is added once to the ledger of each, and nobody sees another’s', async () => {
  const [ours, theirs] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const batchId = randomUUID();
  const entries = [entryOf(ours), entryOf(ours, { day: '2026-10-06', requests: 1 }), entryOf(theirs, { requests: 7 })];
  for (let time = 0; time < 2; time++) await record(batchId, entries);
  const { usage } = await subgraph.read<{ usage: object }>(ours.viewer, USAGE, { month: '2026-10' });
  expect(usage).toMatchObject({
    month: '2026-10',
    requests: 11,
    points: 4_000_000,
    recommendations: 10,
    // Four million points at 0.02, over ten answers.
    cost: { amount: 0.08, currency: 'EUR' },
    costPerThousand: { amount: 8, currency: 'EUR' },
    unitPrices: { millionPoints: { amount: 0.02, currency: 'EUR' } },
    days: [
      { day: '2026-10-05', requests: 10 },
      { day: '2026-10-06', requests: 1 },
    ],
  });
  const others = await subgraph.read<{ usage: object }>(theirs.viewer, USAGE, { month: '2026-10' });
  expect(others.usage).toMatchObject({ requests: 7, days: [{ requests: 7 }] });
  const variables = { tenantId: idOf(theirs), month: '2026-10' };
  expect(await subgraph.read(SYSTEM, ALLOWANCE, variables)).toEqual({
    tenantAllowance: { plan: 'SCALE', requests: 7, points: 2_000_000 },
  });
});

test('entries of a tenant that is not there keep nobody else’s out', async () => {
  const ours = await signUpTenant(subgraph);
  const gone = entryOf(ours, { tenantId: encodeGlobalId('Tenant', newId('Tenant')) });
  await record(randomUUID(), [gone, entryOf(ours)]);
  expect(await subgraph.read(ours.viewer, USAGE, { month: '2026-10' })).toMatchObject({ usage: { requests: 10 } });
});

test('a month without an answer costs nothing for a thousand, and what is no month is refused', async () => {
  const { viewer } = await signUpTenant(subgraph);
  expect(await subgraph.read(viewer, USAGE, { month: '2026-01' })).toMatchObject({
    usage: { requests: 0, costPerThousand: null, days: [] },
  });
  const { errors } = await subgraph.ask(viewer, USAGE, { month: '2026-13' });
  expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
});

test('only the gateway records usage and asks for allowances', async () => {
  const { viewer, ...tenant } = await signUpTenant(subgraph);
  const input = { batchId: randomUUID(), entries: [entryOf({ viewer, ...tenant })] };
  const answers = [
    await subgraph.ask(viewer, RECORD, { input }),
    await subgraph.ask(viewer, ALLOWANCE, { tenantId: idOf({ viewer, ...tenant }), month: '2026-10' }),
  ];
  for (const { errors } of answers) expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  expect(await subgraph.read(viewer, USAGE, { month: '2026-10' })).toMatchObject({ usage: { requests: 0 } });
});

test('an operator changes a plan, and the tenant’s log tells why; nobody else can', async () => {
  const [tenant, operator] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const input = { tenantId: idOf(tenant), plan: 'FREE', reason: 'asked for by the tenant' };
  const refused = await subgraph.ask(tenant.viewer, CHANGE, { input });
  expect(refused.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  await setOperator(subgraph.ownerUrl, operator.email, true);
  expect(await subgraph.read(operator.viewer, CHANGE, { input: { ...input, reason: 'short' } })).toMatchObject({
    changePlan: { plan: null, userErrors: [{ code: 'INVALID', path: ['reason'] }] },
  });
  expect(await subgraph.read(operator.viewer, CHANGE, { input })).toEqual({
    changePlan: { plan: { name: 'FREE', itemCount: 10_000 }, userErrors: [] },
  });
  const read = await subgraph.read<{ tenant: { auditEvents: { edges: { node: { details: string } }[] } } }>(
    tenant.viewer,
    TENANT,
  );
  expect(read).toMatchObject({
    tenant: {
      plan: { name: 'FREE', pointsPerMonth: PLANS.FREE.pointsPerMonth },
      auditEvents: { edges: [{ node: { action: 'changePlan', actorKind: 'OPERATOR' } }] },
    },
  });
  expect(JSON.parse(read.tenant.auditEvents.edges[0]?.node.details ?? '')).toEqual({
    from: 'SCALE',
    to: 'FREE',
    reason: input.reason,
  });
  expect(await subgraph.read(operator.viewer, TENANT)).toMatchObject({ tenant: { plan: { name: 'SCALE' } } });
});

test('what is stored and trained counts', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  await pretendUse(subgraph, tenantId, { items: 3, interactions: 40, trainings: 2 });
  expect(await subgraph.read(viewer, USAGE)).toMatchObject({
    usage: { storedItems: 3, storedInteractions: 40, trainings: 2 },
  });
});

test('a cost is the sum of its parts, and storage counts for the part of the month that is over', () => {
  const prices = { ...DEFAULT_PRICES, millionPoints: 1, trainingCpuHour: 2, millionItemsForAMonth: 10 };
  const use = { points: 3e6, trainingCpuSeconds: 1800, storedItems: 2e6, storedInteractions: 0 };
  expect(costOf(use, prices, 0.5)).toBeCloseTo(3 + 1 + 10, 10);
  expect(shareOfMonth('2026-11', new Date('2026-11-16T00:00:00Z'))).toBe(0.5);
  expect(shareOfMonth('2026-10', new Date('2026-11-16T00:00:00Z'))).toBe(1);
  expect(shareOfMonth('2026-12', new Date('2026-11-16T00:00:00Z'))).toBe(0);
});
