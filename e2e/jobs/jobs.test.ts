import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Servers, startServers } from '../isolation/servers.ts';
import { type MoreProcesses, startMoreProcesses } from '../privacy/processes.ts';
import { connectApi, dataOf } from '../support/api-client.ts';
import { launchBrowser, openPage, saveScreenshot } from '../support/browser.ts';

/** The dashboard is built first where it has changed: on a busy machine that takes minutes. */
const BUILD_TIMEOUT_MS = 900_000;
/** Work that takes a second by itself, on a machine that runs everything at once. */
const TIMEOUT_MS = 180_000;
const PASSWORD = 'correct horse battery';
const SESSION = 'session { accessToken } userErrors { message }';
const SIGN_UP = `mutation ($input: SignUpInput!) { signUp(input: $input) { ${SESSION} } }`;
const INVITE = 'mutation { inviteMember(input: { role: VIEWER }) { token } }';
const JOIN = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { ${SESSION} } }`;
/** Trials go through all of their epochs, which takes seconds: a page that opens late still sees one run. */
const CREATE_MODEL = `mutation { createModel(input: { name: "Home", hyperparameters: { dimension: 16, epochs: 200, patience: 200 } }) { model { id } } }`;

const ITEMS = Array.from({ length: 40 }, (_, item) => `item-${item}`);

/** 40 items, and two rows that are none. */
const ITEM_FILE = ['externalId,title', ...ITEMS.map((id) => `${id},${id}`), 'no-title,', ',no id'].join('\n');

/** A checkerboard of two tastes. */
const INTERACTION_FILE = Array.from({ length: 30 }, (_, user) =>
  ITEMS.filter((_item, item) => item % 2 === user % 2 && item !== user).map((itemExternalId) =>
    JSON.stringify({ userExternalId: `user-${user}`, itemExternalId, type: 'VIEW' }),
  ),
)
  .flat()
  .join('\n');

const uniqueEmail = () => `jobs-${randomBytes(6).toString('hex')}@example.com`;
const textOf = async (page: Page, testId: string): Promise<string> =>
  (await page.getByTestId(testId).first().textContent()) ?? '';
/** The page of the work that was just begun says that it is done. */
const succeeded = async (page: Page, place: 'imports' | 'tunings' | 'batches'): Promise<void> => {
  await page.waitForURL(`**/${place}/*`);
  await page.getByTestId('job-status').getByText('Succeeded').waitFor();
};

describe('long work in the dashboard', () => {
  let servers: Servers;
  let workers: MoreProcesses;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let modelUrl: string;
  let ask: <T>(query: string, variables?: Record<string, unknown>) => Promise<T>;

  const signIn = async (into: Page, email: string): Promise<void> => {
    into.setDefaultTimeout(TIMEOUT_MS);
    await into.goto(`${servers.webUrl}/sign-in`);
    await into.getByTestId('sign-in-email').fill(email);
    await into.getByTestId('sign-in-password').fill(PASSWORD);
    await into.getByTestId('sign-in-submit').click();
    await into.getByTestId('account-menu').waitFor();
  };

  const importFile = async (name: string, text: string): Promise<void> => {
    await page.goto(`${servers.webUrl}/imports`);
    const file = { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
    await page.getByTestId('upload').locator('input[type=file]').setInputFiles(file);
    await page.getByTestId('import-submit').click();
    await succeeded(page, 'imports');
  };

  beforeAll(async () => {
    [servers, browser] = await Promise.all([startServers({ withWeb: true }), launchBrowser()]);
    workers = await startMoreProcesses(servers);
    const email = uniqueEmail();
    const apiUrl = `${servers.gatewayUrl}/graphql`;
    const input = { tenantName: 'Acme', displayName: 'Ann Owner', email, password: PASSWORD };
    const { signUp } = dataOf(
      await connectApi(apiUrl).ask<{ signUp: { session: { accessToken: string } } }>({
        query: SIGN_UP,
        variables: { input },
      }),
    );
    const client = connectApi(apiUrl, signUp.session.accessToken);
    ask = async (query, variables = {}) => dataOf(await client.ask({ query, variables }));
    const { createModel } = await ask<{ createModel: { model: { id: string } } }>(CREATE_MODEL);
    modelUrl = `${servers.webUrl}/models/${createModel.model.id}`;
    ({ page, problems } = await openPage(browser));
    await signIn(page, email);
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    await workers?.[Symbol.asyncDispose]();
    await servers?.[Symbol.asyncDispose]();
  });

  it('imports a file, and gives each wrong row with its line and its reason, also as a file', async () => {
    await importFile('items.csv', ITEM_FILE);
    expect(await page.getByTestId('row-error').locator('td:first-child').allTextContents()).toEqual(['42', '43']);
    await saveScreenshot(page, 'import');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('download').click()]);
    const report = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    expect(report.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([42, 43]);
    await importFile('clicks.jsonl', INTERACTION_FILE);
    await page.goto(`${servers.webUrl}/imports`);
    await page.getByTestId('job-row').nth(1).waitFor();
    await saveScreenshot(page, 'imports');
  });

  it('tunes a model before the eyes of who asked, and takes the best settings', async () => {
    await page.goto(modelUrl);
    await page.getByTestId('tune-model').click();
    await page.getByTestId('tune-trialCount').fill('4');
    await page.getByTestId('tune-epochs').fill('200');
    await page.getByTestId('tune-parallelCount').fill('1');
    await page.getByTestId('tune-submit').click();
    await page.locator('[data-testid="trial-row"][data-status="RUNNING"]').waitFor();
    await saveScreenshot(page, 'tuning-live');
    await succeeded(page, 'tunings');
    expect(await page.getByTestId('trial-row').count()).toBe(4);
    expect(await textOf(page, 'best-trial')).toMatch(/^Best: trial \d/);
    const apply = page.getByTestId('apply-tuning');
    if ((await apply.count()) > 0) {
      await apply.click();
      await page.getByText('The model took them').waitFor();
    }
    await saveScreenshot(page, 'tuning');
  });

  it('says of a training what it computes with, and why it is no GPU', async () => {
    await page.goto(modelUrl);
    await page.getByTestId('train-button').click();
    await page.getByTestId('run-status').getByText('Succeeded').waitFor();
    const device = page.locator('[data-testid="run-device"][data-fell-back="true"]');
    await device.waitFor();
    expect(await device.textContent()).toContain('Asked for a GPU where one is there, computes with the CPU.');
    await device.scrollIntoViewIfNeeded();
    await saveScreenshot(page, 'run-device');
  });

  it('recommends to all users at once, into a file to download', async () => {
    await page.goto(modelUrl);
    await page.getByTestId('start-batch').click();
    await page.getByTestId('batch-count').fill('5');
    await page.getByTestId('batch-submit').click();
    await succeeded(page, 'batches');
    await saveScreenshot(page, 'batch');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('download').click()]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(30);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ userExternalId: expect.any(String), items: expect.any(Array) });
    await page.goto(modelUrl);
    await page.getByTestId('batches').scrollIntoViewIfNeeded();
    await saveScreenshot(page, 'model-jobs');
  });

  it('lets somebody who only reads look on, and says why there is nothing to press', async () => {
    const { inviteMember } = await ask<{ inviteMember: { token: string } }>(INVITE);
    const email = uniqueEmail();
    const newAccount = { email, password: PASSWORD, displayName: 'Vi Viewer' };
    const apiUrl = `${servers.gatewayUrl}/graphql`;
    const input = { token: inviteMember.token, newAccount };
    dataOf(await connectApi(apiUrl).ask({ query: JOIN, variables: { input } }));
    const { page: theirs, problems: theirProblems } = await openPage(browser);
    await signIn(theirs, email);
    await theirs.goto(modelUrl);
    await theirs.getByTestId('read-only').nth(1).waitFor();
    expect(await theirs.getByTestId('tune-model').count()).toBe(0);
    expect(await theirs.getByTestId('start-batch').count()).toBe(0);
    await theirs.goto(`${servers.webUrl}/imports`);
    expect(await textOf(theirs, 'read-only')).toBe('Your role, Viewer, may look on but not import a file.');
    await saveScreenshot(theirs, 'imports-viewer');
    expect(theirProblems).toEqual([]);
    await theirs.context().close();
  });

  it('runs without a script that the policy refuses, or another error', () => {
    expect(problems).toEqual([]);
  });
});
