import { createServer } from 'node:http';
import { AppError } from '@kindred/domain/app-error';
import express, { type Express } from 'express';
import { listen, type RunningServer } from './http-server.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** Named checks of what a process needs; each resolves when its dependency answers. */
export type Readiness = Record<string, () => Promise<void>>;

const CHECK_TIMEOUT_MS = 2_000;

export interface HealthOptions {
  readiness: Readiness;
  metrics: Metrics;
  logger: Logger;
  /** Whether the process is about to stop: it is then no longer ready, but alive. */
  isDraining: () => boolean;
}

/** Adds GET /health/live, /health/ready (503 with the failing dependencies' names and reasons) and /metrics. */
export function addHealthRoutes(app: Express, { readiness, metrics, logger, isDraining }: HealthOptions): void {
  app.get('/health/live', (_req, res) => {
    res.json({ status: 'live' });
  });
  app.get('/health/ready', async (_req, res) => {
    const checks = await Promise.all(
      Object.entries(readiness).map(async ([name, check]) => [name, await runCheck(check)] as const),
    );
    const failures = checks.filter(([, error]) => error !== undefined);
    for (const [dependency, err] of failures) logger.warn({ dependency, err }, 'A dependency does not answer');
    const reasons = failures.map(([name, error]) => [name, reasonOf(error)]);
    if (isDraining()) reasons.push(['process', 'draining']);
    const ready = reasons.length === 0;
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'unready', reasons: Object.fromEntries(reasons) });
  });
  app.get('/metrics', async (_req, res) => {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** The health server of a process that serves nothing else, such as a worker. */
export async function startHealthServer(options: {
  host: string;
  port: number;
  readiness: Readiness;
  name: string;
  logger: Logger;
}): Promise<RunningServer> {
  const app = express().disable('x-powered-by');
  let draining = false;
  addHealthRoutes(app, { ...options, metrics: createMetrics(options.name), isDraining: () => draining });
  const server = await listen(createServer(app), options);
  return {
    ...server,
    drain: async () => {
      draining = true;
      await server.drain();
    },
  };
}

async function runCheck(check: () => Promise<void>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new AppError('TIMEOUT', `no answer within ${CHECK_TIMEOUT_MS} ms`)),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    await Promise.race([check(), timeout]);
    return undefined;
  } catch (error) {
    return error ?? new Error('the check threw nothing');
  } finally {
    clearTimeout(timer);
  }
}

// A system error's message holds the address of the dependency: only its code is shown.
function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'failed';
}
