import { newId } from '@kindred/domain/ids';
import { timeSkippingServer } from '@kindred/testing/infrastructure';
import { activityInfo } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import {
  RETRAIN_ON_SCHEDULE,
  retrainWorkflowId,
  TASK_QUEUES,
  TRAIN_MODEL,
  trainingStart,
  WEBHOOK_WAITS_MS,
} from '../contract.ts';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';
import { WORKFLOWS_PATH } from '../workflows-path.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const server = timeSkippingServer();
const isThere = 'address' in server;

type Activities = Partial<DataActivities & ComputeActivities>;

// Only here are activities played: what is tested is when they are asked, over hours.
describe.skipIf(!isThere)(`on a clock that jumps${isThere ? '' : ` (${server.missing})`}`, () => {
  let connection: Connection;
  let native: NativeConnection;
  let client: Client;
  let workflowBundle: WorkflowBundleWithSourceMap;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const address = isThere ? server.address : '';
    connection = await Connection.connect({ address });
    native = await NativeConnection.connect({ address });
    client = new Client({ connection });
    workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('ERROR') });
    // A server that cannot say which it knows.
    const searchAttributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 2]));
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
  });

  afterAll(async () => {
    await connection.close();
    await native.close();
  });

  /** Runs `work` beside workers whose activities are `played`. */
  async function playing<T>(played: Activities, work: () => Promise<T>): Promise<T> {
    const common = { connection: native };
    const workers = await Promise.all([
      Worker.create({ ...common, taskQueue: TASK_QUEUES.workflows, workflowBundle }),
      Worker.create({ ...common, taskQueue: TASK_QUEUES.data, activities: played }),
    ]);
    const running = workers.map((worker) => worker.run());
    try {
      return await work();
    } finally {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    }
  }

  function deliver(): Promise<unknown> {
    return client.workflow.execute('deliverWebhook', {
      workflowId: newId('WebhookEvent'),
      taskQueue: TASK_QUEUES.workflows,
      args: [{ tenantId: newId('Tenant'), webhookId: newId('Webhook'), eventId: 'event', waitsMs: WEBHOOK_WAITS_MS }],
    });
  }

  /** How long after the one before it each was. */
  const between = (times: readonly number[]) => times.slice(1).map((time, at) => time - (times[at] ?? 0));

  test('a target that never takes an event is asked eight times over more than a day, and then given up', async () => {
    const asked: number[] = [];
    const outcome = await playing(
      {
        attemptDelivery: async () => {
          asked.push(activityInfo().scheduledTimestampMs);
          return { state: 'REFUSED', retryAfterMs: null };
        },
        giveUpDelivery: async () => ({ disabled: true }),
      },
      deliver,
    );
    expect(outcome).toEqual({ state: 'DISABLED', attempts: 8 });
    const waits = between(asked);
    expect(waits).toHaveLength(WEBHOOK_WAITS_MS.length);
    for (const [at, wait] of waits.entries()) {
      const least = WEBHOOK_WAITS_MS[at] ?? 0;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThan(1.2 * least + 2 * SECOND);
    }
    expect((asked.at(-1) ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(24 * HOUR);
  });

  test('a target that wants to be asked in an hour is asked then', async () => {
    const asked: number[] = [];
    const outcome = await playing(
      {
        attemptDelivery: async ({ attempt }) => {
          asked.push(activityInfo().scheduledTimestampMs);
          return attempt === 2 ? { state: 'TAKEN' } : { state: 'REFUSED', retryAfterMs: HOUR };
        },
      },
      deliver,
    );
    expect(outcome).toEqual({ state: 'TAKEN', attempts: 2 });
    const [wait = 0] = between(asked);
    expect(Math.abs(wait - HOUR)).toBeLessThan(2 * SECOND);
  });

  test('while our own database is away an attempt is tried less and less often, once a minute at the least, and none is counted', async () => {
    const tried: number[] = [];
    const outcome = await playing(
      {
        attemptDelivery: async () => {
          tried.push(activityInfo().currentAttemptScheduledTimestampMs);
          if (tried.length <= 60) throw new Error('The database is away.');
          return { state: 'TAKEN' };
        },
      },
      deliver,
    );
    expect(outcome).toEqual({ state: 'TAKEN', attempts: 1 });
    const waits = between(tried);
    expect(Math.max(...waits)).toBeLessThan(MINUTE + 2 * SECOND);
    expect((tried.at(-1) ?? 0) - (tried[0] ?? 0)).toBeGreaterThan(50 * MINUTE);
  });

  test('a training without a place asks less and less often, every 30 s in the end, for as long as it takes', async () => {
    const asked: number[] = [];
    const input = { tenantId: newId('Tenant'), modelId: newId('Model'), runId: newId('TrainingRun') };
    await playing(
      {
        admitRun: async () => {
          asked.push(activityInfo().scheduledTimestampMs);
          if (asked.length <= 150) return { admitted: false, position: 1 };
          throw ApplicationFailure.nonRetryable('Seen enough.');
        },
        finishRun: async () => undefined,
      },
      async () => {
        const started = client.workflow.execute(TRAIN_MODEL, {
          taskQueue: TASK_QUEUES.workflows,
          ...trainingStart(input),
        });
        await expect(started).rejects.toThrow();
      },
    );
    const waits = between(asked);
    expect(waits[0]).toBeLessThan(3 * SECOND);
    expect(waits.slice(-100).every((wait) => wait >= 30 * SECOND && wait < 33 * SECOND)).toBe(true);
  });

  test('a schedule that finds the model busy asks for 100 s, then says so in its run', async () => {
    const [model, runId] = [{ tenantId: newId('Tenant'), modelId: newId('Model') }, newId('TrainingRun')];
    const finished: unknown[] = [];
    const outcome = await playing(
      {
        queueScheduledRun: async () => ({ runId }),
        finishRun: async (input) => void finished.push(input),
        admitRun: async () => ({ admitted: false, position: 1 }),
      },
      async () => {
        const busy = await client.workflow.start(TRAIN_MODEL, {
          taskQueue: TASK_QUEUES.workflows,
          ...trainingStart({ ...model, runId: newId('TrainingRun') }),
        });
        const scheduled = await client.workflow.execute(RETRAIN_ON_SCHEDULE, {
          taskQueue: TASK_QUEUES.workflows,
          workflowId: retrainWorkflowId(model.tenantId, model.modelId),
          args: [model],
        });
        await busy.terminate();
        return scheduled;
      },
    );
    expect(outcome).toEqual({ runId });
    expect(finished).toEqual([
      expect.objectContaining({ runId, status: 'FAILED', message: 'The training before it did not close.' }),
    ]);
  });
});
