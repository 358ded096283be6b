import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectApi, dataOf } from '../support/api-client.ts';
import { launchBrowser, openPage, saveScreenshot } from '../support/browser.ts';
import { freePortBlock, isFree } from '../support/free-ports.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { openOtherTenant } from './other-tenant.ts';
import { collectEvents, findNewestRun, TRAINING_PROGRESS } from './training-events.ts';

const PORT_COUNT = 14;
const TRAINING_TIMEOUT_MS = 240_000;
/** A page that was just opened asks for much: on a busy machine it takes seconds. */
const PATIENT = { timeout: 20_000 };

/** The newest run's id and its last event's sequence in the demo tenant. */
async function newestRun(platform: Platform) {
  return findNewestRun(connectApi(platform.apiUrl, platform.demo.secretKey));
}

const LONG = { loss: 'BPR', dimension: 128, layers: 2, epochs: 60, patience: 60 };

/** A model that trains for long enough to be watched and disturbed, on any machine. */
async function createLongModel(platform: Platform): Promise<string> {
  const { createModel } = dataOf(
    await connectApi(platform.apiUrl, platform.demo.secretKey).ask<{ createModel: { model: { id: string } } }>({
      query: `mutation CreateModel($input: CreateModelInput!) { createModel(input: $input) { model { id } } }`,
      variables: { input: { name: 'Wide', hyperparameters: LONG } },
    }),
  );
  return createModel.model.id;
}

async function signIn(page: Page, platform: Platform): Promise<void> {
  await page.goto(`${platform.webUrl}/sign-in`);
  await page.getByTestId('sign-in-email').fill(platform.demo.email);
  await page.getByTestId('sign-in-password').fill(platform.demo.password);
  await page.getByTestId('sign-in-submit').click();
  await page.getByTestId('catalog-figures').waitFor();
}

async function livePoints(page: Page): Promise<number> {
  return Number.parseInt((await page.getByTestId('live-point-count').textContent()) ?? '', 10);
}

describe('a platform started by npm start', () => {
  let stateDir: string;
  let port: number;
  let platform: Platform;
  let browser: Browser;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'kindred-e2e-'));
    await chmod(stateDir, 0o755);
    port = await freePortBlock(PORT_COUNT);
    [platform, browser] = await Promise.all([startPlatform({ stateDir, port }), launchBrowser()]);
  });

  afterAll(async () => {
    await browser?.close();
    await platform?.interrupt();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('prints addresses, a key and a first recommendation, and beats popularity on held-out data', () => {
    const output = platform.output();
    expect(output).toContain(`http://localhost:${port}`);
    expect(output).toContain(platform.demo.publishableKey);
    expect(output).toContain('MovieLens ml-latest-small');
    expect(output).toMatch(/exact search, recall@20 1\.000/);
    expect(output.match(/^\s+\d+\. .+\(\d{4}\)$/gm)).toHaveLength(10);
    const [, lightGcn, popularity, spectral] =
      /NDCG@10 on held-out data: LightGCN ([\d.]+), popularity ([\d.]+), spectral ([\d.]+)/.exec(output) ?? [];
    expect(Number(popularity)).toBeGreaterThan(0);
    expect(Number(spectral)).toBeGreaterThan(0);
    expect(Number(lightGcn)).toBeGreaterThan(Number(popularity));
    const instant = output.search(/Version 1, the instant first model, answers/);
    expect(instant).toBeGreaterThan(0);
    expect(instant).toBeLessThan(output.search(/epoch +1\//));
  });

  it('draws a training live in the browser, and finishes it although its worker is killed in the middle', async () => {
    const { page, problems } = await openPage(browser);
    await signIn(page, platform);
    await saveScreenshot(page, 'overview');
    await page.goto(`${platform.webUrl}/models/${await createLongModel(platform)}`);
    await page.getByTestId('train-button').first().click();
    await page.waitForURL(/\/runs\/run_/);

    const seen = new Set<number>();
    await expect
      .poll(async () => seen.add(await livePoints(page)).size, { timeout: TRAINING_TIMEOUT_MS, interval: 200 })
      .toBeGreaterThan(5);
    const before = await livePoints(page);
    await page.getByTestId('ndcg-chart-baseline').first().waitFor({ state: 'attached' });
    await saveScreenshot(page, 'training-live');

    const worker = platform.pids().get('worker-train-cpu');
    if (worker === undefined) throw new Error(`No training worker among ${[...platform.pids().keys()].join(', ')}`);
    process.kill(worker, 'SIGKILL');

    expect((await newestRun(platform)).status).toBe('RUNNING');

    await page.getByTestId('run-result').waitFor({ timeout: TRAINING_TIMEOUT_MS });
    expect(await page.getByTestId('run-compute').textContent()).toMatch(/(Native code|TypeScript|GPU).*\w/);
    await expect.poll(() => page.getByTestId('run-status').textContent()).toMatch(/succeeded/i);
    expect(await livePoints(page)).toBeGreaterThan(before);
    expect(platform.pids().get('worker-train-cpu')).not.toBe(worker);
    await saveScreenshot(page, 'training-finished');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('has told every epoch of that training once, in order and without a gap', async () => {
    const client = connectApi(platform.apiUrl, platform.demo.secretKey);
    const run = await newestRun(platform);
    expect(run.status).toBe('SUCCEEDED');
    const events = await collectEvents(client, { transport: 'overSocket', runId: run.id, afterSequence: 0 });
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    const epochs = events.flatMap((event) => (event.epoch ? [event.epoch.epoch] : []));
    expect(epochs).toEqual(epochs.map((_, index) => index + 1));
    expect(events.at(-1)?.kind).toBe('FINISHED');
  });

  it.each(['overSocket', 'overSse'] as const)(
    'resumes a training %s after a sequence, each event with fields of other subgraphs',
    async (transport) => {
      const client = connectApi(platform.apiUrl, platform.demo.secretKey);
      const run = await newestRun(platform);
      const options = { transport, runId: run.id, afterSequence: run.lastSequence - 3 };
      const events = await collectEvents(client, options);
      expect(events.map((event) => event.sequence)).toEqual([-2, -1, 0].map((offset) => run.lastSequence + offset));
      for (const event of events) {
        expect(event.run.model.tenant.name).toMatch(/\w/);
        expect(event.run.model.tenant.catalog.itemCount).toBeGreaterThan(9_000);
      }
    },
  );

  it('recommends in the browser: ten titles for a user, and other ones at once after clicks in a session', async () => {
    const { page, problems } = await openPage(browser);
    await signIn(page, platform);
    await page.goto(`${platform.webUrl}/recommendations`);
    const cards = page.getByTestId('recommendation-card');
    const titles = page.getByTestId('recommendation-choose');
    await expect.poll(() => cards.count(), PATIENT).toBe(10);
    expect(new Set(await titles.allTextContents()).size).toBe(10);
    await saveScreenshot(page, 'recommendations');

    await page.getByTestId('audience-kind').getByText('Session').click();
    const status = page.getByTestId('recommendation-status');
    await expect.poll(() => status.textContent(), PATIENT).toMatch(/cold start/i);
    const popular = await titles.allTextContents();
    await page.getByTestId('item-search').fill('Toy Story 2');
    await page.getByTestId('item-option').first().click();
    await expect.poll(() => status.textContent(), PATIENT).toMatch(/personalized/i);
    await expect.poll(() => titles.allTextContents(), PATIENT).not.toEqual(popular);
    await expect.poll(() => cards.count(), PATIENT).toBe(10);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('recommends to a publishable key, titles from the catalog, reasons on request', async () => {
    const client = connectApi(platform.apiUrl, platform.demo.publishableKey);
    const { recommend } = dataOf(
      await client.ask<{
        recommend: {
          status: string;
          modelVersion: { id: string };
          edges: {
            rank: number;
            node: { title: string };
            reasons: { contribution: number; item: { title: string } }[];
          }[];
        };
      }>({
        query: `query Recommend($input: RecommendInput!) {
          recommend(input: $input, first: 10) {
            status modelVersion { id }
            edges { rank node { title } reasons { contribution item { title } } }
          }
        }`,
        variables: { input: { user: { externalId: '1' }, explain: true } },
      }),
    );
    expect(recommend.status).toBe('PERSONALIZED');
    expect(recommend.edges.map((edge) => edge.rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(recommend.edges.every((edge) => edge.node.title.length > 0 && edge.reasons.length > 0)).toBe(true);
  });

  it('keeps two tenants apart: neither reads the items, runs or events of the other', async () => {
    const demo = connectApi(platform.apiUrl, platform.demo.secretKey);
    const run = await newestRun(platform);
    const other = await openOtherTenant(platform.apiUrl);

    const items = await other.client.ask<{ items: { edges: { node: { title: string } }[] }; item: null }>({
      query: '{ items(first: 100) { edges { node { title } } } item(externalId: "1") { title } }',
    });
    expect(dataOf(items)).toEqual({ items: { edges: [{ node: { title: other.itemTitle } }] }, item: null });
    const theirs = await demo.ask<{ items: { edges: object[] } }>({
      query: 'query Search($search: String!) { items(first: 5, search: $search) { edges { node { title } } } }',
      variables: { search: other.itemTitle },
    });
    expect(dataOf(theirs).items.edges).toEqual([]);

    const runs = await other.client.ask<{ trainingRun: null; trainingRuns: { edges: [] } }>({
      query:
        'query Runs($id: ID!) { trainingRun(id: $id) { status } trainingRuns(first: 5) { edges { node { id } } } }',
      variables: { id: run.id },
    });
    expect(runs.data).toEqual({ trainingRun: null, trainingRuns: { edges: [] } });

    for (const transport of ['overSocket', 'overSse'] as const) {
      const operation = { query: TRAINING_PROGRESS, variables: { runId: run.id, afterSequence: 0 } };
      const codes = [];
      for await (const answer of other.client[transport](operation)) {
        expect(answer.data ?? null).toBeNull();
        codes.push(...(answer.errors ?? []).map((error) => error.extensions?.code));
      }
      expect(codes).toEqual(['NOT_FOUND']);
    }
  });

  it('refuses a request without a credential and with a revoked or invented key', async () => {
    for (const credential of [undefined, 'kp_00000000000000000000000000invent', 'nonsense']) {
      const answer = await connectApi(platform.apiUrl, credential).ask({
        query: '{ items(first: 1) { edges { cursor } } }',
      });
      expect(answer.data ?? null).toBeNull();
      expect(answer.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    }
  });

  it('leaves no process and no open port after Ctrl-C, and is back with everything in under 15 s', async () => {
    const pids = [...platform.pids().values()];
    const recommendation = /For user [^]*$/.exec(platform.output())?.[0];
    expect(await platform.interrupt()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    for (let offset = 0; offset < PORT_COUNT; offset += 1) expect(await isFree(port + offset)).toBe(true);

    platform = await startPlatform({ stateDir, port });
    expect(platform.readyMs).toBeLessThan(15_000);
    expect(platform.output()).not.toMatch(/epoch \d/);
    expect(platform.output()).toContain(platform.demo.publishableKey);
    expect(recommendation).toBeDefined();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
