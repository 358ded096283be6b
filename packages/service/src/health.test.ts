import { AppError } from '@kindred/domain/app-error';
import { expect, test } from 'vitest';
import { startHealthServer } from './health.ts';
import { createLogger } from './logger.ts';

async function startTestServer(readiness: Record<string, () => Promise<void>>) {
  const options = { host: '127.0.0.1', port: 0, name: 'worker', logger: createLogger('test', 'silent'), readiness };
  const server = await startHealthServer(options);
  return { url: server.url, [Symbol.asyncDispose]: () => server.drain() };
}

test('a process is ready when everything it needs answers', async () => {
  await using server = await startTestServer({ temporal: async () => {} });
  const response = await fetch(`${server.url}/health/ready`);
  expect([response.status, await response.json()]).toEqual([200, { status: 'ready', reasons: {} }]);
});

test('an unready process names what fails, with the reason but without addresses, and is still alive', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  await using server = await startTestServer({
    database: () => Promise.reject(refused),
    redis: () => Promise.reject(new Error('10.0.0.8 went away')),
    temporal: () => Promise.reject(new AppError('UNAVAILABLE', 'no worker polls')),
    disk: async () => {},
  });
  const response = await fetch(`${server.url}/health/ready`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    status: 'unready',
    reasons: { database: 'ECONNREFUSED', redis: 'failed', temporal: 'no worker polls' },
  });
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
});

test('a check that never answers counts as failed', async () => {
  await using server = await startTestServer({ database: () => new Promise(() => {}) });
  const response = await fetch(`${server.url}/health/ready`);
  expect(await response.json()).toMatchObject({ reasons: { database: 'no answer within 2000 ms' } });
});

test('a worker shows its metrics', async () => {
  await using server = await startTestServer({});
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
    'nodejs_eventloop_lag_seconds{service="worker"}',
  );
});
