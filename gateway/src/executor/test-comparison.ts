import { setImmediate as nextTick } from 'node:timers/promises';
import type { ServiceMap } from '@apollo/gateway';
import { AppError } from '@kindred/domain/app-error';
import { newId } from '@kindred/domain/ids';
import { type ExecutionResult, GraphQLError, parse, validate } from 'graphql';
import type { OperationContext } from '../context.ts';
import { createPlanOperation } from '../planning/plan-operation.ts';
import { buildSupergraph } from '../supergraph.ts';
import { createExecutor, type PlannedOperation } from './executor.ts';
import { createStockExecutor } from './stock-executor.ts';
import { randomOperation, type TestOperation } from './test-operations.ts';
import { hash, Random } from '@kindred/testing/random';
import { mergeParts, type PartCounts } from './test-parts.ts';
import { createStubSubgraph, type Weather } from './test-subgraphs.ts';

/** What goes wrong between the gateway and the stub subgraphs while one operation runs. */
export interface Storm extends Weather {
  /** Parts of a thousand of the distinct fetches that get no answer. */
  outages: number;
  /** Parts of a thousand of the response names that a subgraph that breaks its contract answers with null. */
  holes: number;
  /** Parts of a thousand of the distinct fetches with which the client goes away. */
  aborts: number;
}

export const CALM = { errors: 0, nulls: 0, outages: 0, holes: 0, aborts: 0 };
const STORMS: readonly Omit<Storm, 'seed'>[] = [
  CALM,
  { ...CALM, nulls: 150 },
  { ...CALM, errors: 60, nulls: 60 },
  { ...CALM, errors: 30, outages: 200 },
  { ...CALM, errors: 30, aborts: 300 },
  { ...CALM, holes: 60 },
];

/** More ticks than an executor takes from an answer to the fetches that follow it. */
const QUIET_TICKS = 4;

/**
 * Fetches that are under way at the same time are answered at the same time: when the client goes away with one of
 * them, it leaves all, in whichever order and tick an executor sent them.
 */
function createWaves(): () => Promise<void> {
  let waiting: (() => void)[] = [];
  let quiet = 0;
  const release = async () => {
    while (quiet < QUIET_TICKS) {
      quiet += 1;
      await nextTick();
    }
    const wave = waiting;
    waiting = [];
    for (const answer of wave) answer();
  };
  return () =>
    new Promise((resolve) => {
      quiet = 0;
      if (waiting.push(resolve) === 1) void release();
    });
}

export function createWorld(supergraphSdl: string, contracts: Record<string, string>) {
  const subgraphs = new Map(Object.entries(contracts).map(([name, sdl]) => [name, createStubSubgraph(name, sdl)]));
  let [storm, abort, fetches]: [Storm, AbortController, number] = [{ ...CALM, seed: 0 }, new AbortController(), 0];
  const together = createWaves();
  const answer = async (name: string, body: string): Promise<string> => {
    const request = JSON.parse(body) as { query: string; variables: Record<string, unknown> };
    const fate = (what: string) => hash(`${storm.seed} ${what} ${name} ${request.query}`) % 1000;
    fetches += 1;
    if (fate('abort') < storm.aborts) abort.abort();
    const result = await subgraphs.get(name)?.(request, storm);
    await together();
    if (abort.signal.aborted || fate('outage') < storm.outages) throw new AppError('UNAVAILABLE', 'Gone.');
    // Not by position: an entity stands elsewhere once duplicates are left out.
    const holed = (key: string) => !/^\d*$/.test(key) && hash(`${storm.seed} ${key}`) % 1000 < storm.holes;
    return JSON.stringify(result, (key, value: unknown) => (!SAFE.has(key) && holed(key) ? null : value));
  };
  const dataSources: ServiceMap = Object.fromEntries(
    [...subgraphs.keys()].map((name) => [
      name,
      {
        process: async ({ request: { query, operationName, variables } }) =>
          JSON.parse(await answer(name, JSON.stringify({ query, operationName, variables }))) as object,
      },
    ]),
  );
  const supergraph = buildSupergraph(supergraphSdl);
  const send = async ({ name, body }: { name: string; body: string }) => ({
    statusCode: 200,
    text: await answer(name, body),
  });
  const executor = createExecutor({ supergraph, client: { send }, dataSources });
  const planOperation = createPlanOperation(supergraph);
  const stock = createStockExecutor(supergraph, executor.schema);
  const run = async (wanted: Storm, work: (context: OperationContext) => Promise<ExecutionResult>) => {
    storm = wanted;
    abort = new AbortController();
    fetches = 0;
    const viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: newId('Tenant'), scopes: [] } as const;
    const outcome = await work({
      viewer,
      traceId: '0'.repeat(32),
      signal: new AbortController().signal,
      deadlineAt: Infinity,
    }).catch((error: unknown) => ({ thrown: error instanceof Error }));
    return { ...comparable(outcome), fetches };
  };
  return {
    executor,
    prepare: ({ query }: TestOperation) => {
      const document = parse(query);
      return executor.prepare(document, undefined, planOperation(document, undefined));
    },
    ours: (planned: PlannedOperation, { variables }: TestOperation, wanted: Storm) =>
      run(wanted, async (context) => (await executor.execute(planned, { variables, context })).result),
    /** In parts, put together as a client does. */
    inParts: (planned: PlannedOperation, { variables }: TestOperation, wanted: Storm) =>
      run(wanted, async (context) => await mergeParts(await executor.executeInParts(planned, { variables, context }))),
    stock: (planned: PlannedOperation, { variables }: TestOperation, wanted: Storm) =>
      run(wanted, (context) => stock({ ...planned, variables, context, services: dataSources })),
  };
}

// The parts of an answer that are not of the contract.
const SAFE = new Set(['data', 'errors', '_entities', 'path', 'message', 'locations', 'extensions', 'code']);

function comparable(outcome: ExecutionResult | { thrown: boolean }): Compared {
  if ('thrown' in outcome) return { thrown: outcome.thrown };
  const codeOf = (error: unknown) =>
    error instanceof AppError ? error.code : error instanceof GraphQLError ? error.extensions.code : error;
  const errors = outcome.errors?.map(
    (error) => `${JSON.stringify(error.path)} ${String(codeOf(error))} ${error.message}`,
  );
  const problems = outcome.extensions?.valueCompletion;
  const counts = outcome.extensions?.counts as PartCounts | undefined;
  return {
    data: JSON.stringify(outcome.data),
    errors: errors?.toSorted(),
    // Of several violations below a field that is asked for twice, the stock executor reports the one that it meets first,
    // which depends on the order in which it merges the fields.
    hasProblems: problems !== undefined,
    ...(counts && { counts }),
  };
}

export interface Compared {
  thrown?: boolean;
  data?: string;
  errors?: string[] | undefined;
  hasProblems?: boolean;
  /** Of an answer in parts. */
  counts?: PartCounts;
}

export type World = ReturnType<typeof createWorld>;

export function randomOperations(world: World, { count, seed }: { count: number; seed: number }): TestOperation[] {
  const found: TestOperation[] = [];
  for (let attempt = 0; found.length < count; attempt++) {
    const operation = randomOperation(world.executor.schema, new Random(seed + attempt));
    if (validate(world.executor.schema, parse(operation.query)).length === 0) found.push(operation);
  }
  return found;
}

export async function compareAll(world: World, corpus: readonly TestOperation[]) {
  const differences: { wanted: Compared; got: Compared; seed: number; operation: TestOperation }[] = [];
  const counts = { fetches: 0, stockFetches: 0, withErrors: 0, fallbacks: 0 };
  for (const [seed, operation] of corpus.entries()) {
    const planned = world.prepare(operation);
    if (planned.compiled === undefined) counts.fallbacks += 1;
    const storm = { ...CALM, ...STORMS[seed % STORMS.length], seed };
    const { fetches: stockFetches, ...wanted } = await world.stock(planned, operation, storm);
    const { fetches, ...got } = await world.ours(planned, operation, storm);
    counts.fetches += fetches;
    counts.stockFetches += stockFetches;
    if (wanted.errors !== undefined) counts.withErrors += 1;
    if (JSON.stringify(got) !== JSON.stringify(wanted)) differences.push({ seed, operation, wanted, got });
  }
  return { differences, counts };
}

/** An outcome but for where its errors stand. */
export function withoutPositions({ data, errors }: { data?: string; errors?: string[] | undefined }): string {
  return JSON.stringify([
    data,
    errors?.map((error) => error.replaceAll(/^\S+/g, (path) => path.replaceAll(/\d+/g, '#'))).toSorted(),
  ]);
}
