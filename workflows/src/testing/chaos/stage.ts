import { setTimeout } from 'node:timers/promises';
import type { RandomState } from '@kindred/core/random';
import type { Viewer } from '@kindred/domain/viewer';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createSubgraphClient, INTERNAL_TOKEN_SECRET, type SubgraphClient } from '@kindred/testing/subgraph-client';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { WorkflowFailedError } from '@temporalio/client';
import type { TrainModelInput } from '../../contract.ts';
import { spawnServer } from '../spawn-server.ts';
import { openTrainingWorld, queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../training-world.ts';
import type { Control } from './control.ts';
import { type Follower, startFollower } from './follower.ts';
import { installLedger } from './ledger.ts';
import { type Prober, startProber } from './prober.ts';
import { Workers } from './workers.ts';

/** Enough epochs to be disturbed in, of some seconds together; one CPU's work is the same on every machine. */
const SETTINGS = { ...SMALL, loss: 'bpr' as const, dimension: 64, batchSize: 16, epochs: 80, patience: 80 };

const LOOK_EVERY_MS = 15;
/** Longer than any run takes that is disturbed. */
export const PATIENCE_MS = 180_000;

/** A training under way, whoever asks for its tenant's recommendations, and who follows it. */
export interface Scene extends AsyncDisposable {
  input: TrainModelInput;
  handle: Awaited<ReturnType<typeof startRun>>;
  prober: Prober;
  follower: Follower;
}

/** The platform's processes as operators run them, and the tenants whose trainings are disturbed. */
export interface Stage extends AsyncDisposable {
  world: TrainingWorld;
  control: Control;
  workers: Workers;
  /** A file system that holds the object store and can be filled; null where there is none. */
  disk: string | null;
  log: (message: string) => void;
  /** A tenant of its own with the same data and settings each time, so that equal trainings have equal figures. */
  begin(random: RandomState, prepare?: (viewer: Viewer) => Promise<void>): Promise<Scene>;
}

export async function openStage(options: Pick<Stage, 'control' | 'disk' | 'log'>): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await openTrainingWorld({ parent: options.disk ?? undefined }));
  await installLedger(world.database.ownerUrl);
  const workers = opening.use(new Workers(world, options.log));
  const [recommendation, model] = await Promise.all([
    spawnSubgraph(world, 'recommendation'),
    spawnSubgraph(world, 'model'),
    workers.raise(),
  ]);
  opening.use(recommendation);
  opening.use(model);
  const open = opening.move();
  return {
    ...options,
    world,
    workers,
    begin: (random, prepare) =>
      begin({ world, random, prepare, recommendation: recommendation.client, model: model.client }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

interface Beginning {
  world: TrainingWorld;
  random: RandomState;
  prepare: ((viewer: Viewer) => Promise<void>) | undefined;
  recommendation: SubgraphClient;
  model: SubgraphClient;
}

async function begin({ world, random, prepare, recommendation, model }: Beginning): Promise<Scene> {
  const { tenantId, viewer } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 60, itemCount: 120 });
  await prepare?.(viewer);
  const input = await queueRun(world, tenantId, SETTINGS);
  const prober = await startProber(recommendation, viewer);
  const follower = startFollower(model, viewer, { input, random });
  const handle = await startRun(world, input);
  return {
    input,
    handle,
    prober,
    follower,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([prober[Symbol.asyncDispose](), follower[Symbol.asyncDispose]()]);
    },
  };
}

async function spawnSubgraph({ addresses, namespace }: TrainingWorld, name: 'model' | 'recommendation') {
  const file = new URL(`../../../../subgraphs/${name}/src/main.ts`, import.meta.url);
  const server = await spawnServer(file, {
    DATABASE_URL: addresses.databaseUrl,
    REDIS_URL: addresses.redisUrl,
    OBJECT_STORE_URL: addresses.objectStoreUrl,
    CACHE_DIR: '/nonexistent',
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    INTERNAL_TOKEN_SECRET,
  });
  return { ...server, client: createSubgraphClient({ name, url: server.url }) };
}

/** Waits until `holds`, looking every few milliseconds; what cannot be looked at does not hold yet. */
export async function until({ log }: Pick<Stage, 'log'>, what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let cause: unknown;
  const look = () =>
    holds().catch((error: unknown) => {
      cause = error;
      return false;
    });
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`Wanted ${what} within ${PATIENCE_MS / 1000} s.`, { cause });
    await setTimeout(LOOK_EVERY_MS);
  }
  log(what);
}

export async function untilEpoch(stage: Stage, { input }: Scene, epoch: number): Promise<void> {
  await until(stage, `epoch ${epoch} is told`, async () => {
    const { events } = await readRun(stage.world, input);
    return events.some(({ body }) => body.kind === 'EPOCH_FINISHED' && body.epoch >= epoch);
  });
}

/** Waits until Temporal knows of an attempt at a step that failed so. */
export async function untilFailure(stage: Stage, { handle }: Scene, message: RegExp): Promise<void> {
  await until(stage, `a step has failed by ${message.source}`, async () => {
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).some(({ lastFailure }) => message.test(JSON.stringify(lastFailure)));
  });
}

/** Waits for the run's end, however it ends and whatever is away meanwhile. */
export async function untilEnded(stage: Stage, { handle }: Scene): Promise<void> {
  await until(stage, 'the run has ended', () =>
    handle.result().then(
      () => true,
      (error: unknown) => {
        if (error instanceof WorkflowFailedError) return true;
        throw error;
      },
    ),
  );
}
