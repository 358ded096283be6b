import type { Readiness } from '@kindred/service/health';
import { startHealthServer } from '@kindred/service/health';
import { createLogger, type Logger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { ScheduleClient } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { TaskQueue } from '../contract.ts';
import { TASK_QUEUES } from '../contract.ts';
import { env } from '../env.ts';
import { registerSearchAttributes } from '../register-search-attributes.ts';
import { scheduleRetention } from '../schedule-retention.ts';

/** What a worker runs, and what it holds until it is drained. */
export interface WorkerParts {
  options: Omit<WorkerOptions, 'connection' | 'namespace' | 'taskQueue'>;
  readiness: Readiness;
  /** A queue beside, on which the worker answers whatever it is busy with. */
  presence?: { taskQueue: string; activities: object };
  close: () => Promise<void>;
}

/** The life of the process that serves one task queue: it works, and tells its health, until it is told to stop. */
export async function runWorker(queue: TaskQueue, openParts: (logger: Logger) => Promise<WorkerParts>): Promise<void> {
  const logger = createLogger(`worker-${queue}`, env.logLevel);
  await runMain({ logger, start: async () => start(queue, logger, await openParts(logger)) });
}

async function start(queue: TaskQueue, logger: Logger, parts: WorkerParts): Promise<{ drain(): Promise<void> }> {
  // The process's own signal handling decides when the worker stops.
  Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: env.temporal.address });
  if (queue === 'workflows') {
    await registerSearchAttributes(connection, env.temporal.namespace);
    await scheduleRetention(new ScheduleClient({ connection, namespace: env.temporal.namespace }));
  }
  const common = { connection, namespace: env.temporal.namespace };
  const presence = parts.presence && (await Worker.create({ ...common, ...parts.presence }));
  const worker = await Worker.create({
    ...common,
    taskQueue: TASK_QUEUES[queue],
    // A cancellation comes with the answer to a heartbeat: without this the SDK would hold heartbeats back for 8 s.
    maxHeartbeatThrottleInterval: '2 seconds',
    ...parts.options,
  });
  const running = Promise.all([worker.run(), presence?.run()]);
  const health = await startHealthServer({
    host: env.host,
    port: env.port,
    name: `worker-${queue}`,
    logger,
    readiness: {
      ...parts.readiness,
      worker: async () => {
        if (worker.getState() !== 'RUNNING') {
          throw new Error(`Wanted a RUNNING worker, it is ${worker.getState()}.`);
        }
      },
      temporal: async () => void (await connection.workflowService.getSystemInfo({})),
    },
  });
  logger.info({ queue: TASK_QUEUES[queue], url: health.url }, 'Working');
  return {
    async drain() {
      if (worker.getState() === 'RUNNING') {
        worker.shutdown();
        presence?.shutdown();
      }
      await running;
      await parts.close();
      await connection.close();
      await health.drain();
    },
  };
}

type TemporalLogger = NonNullable<Parameters<typeof Runtime.install>[0]['logger']>;

/** The SDK's lines in the process's own log. */
function temporalLogger(logger: Logger): TemporalLogger {
  return {
    log: (level, message, meta) => write(level, message, meta),
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };

  function write(
    level: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR',
    message: string,
    meta: object | undefined,
  ): void {
    const { error, ...rest } = { error: undefined, ...meta };
    logger[level.toLowerCase() as Lowercase<typeof level>](
      error === undefined ? rest : { ...rest, err: error },
      message,
    );
  }
}
