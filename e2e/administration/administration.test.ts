import { randomBytes } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Servers, startServers } from '../isolation/servers.ts';
import { type ApiClient, connectApi, dataOf } from '../support/api-client.ts';
import { launchBrowser, openPage, saveScreenshot } from '../support/browser.ts';

/** The dashboard is built first where it has changed: on a busy machine that takes minutes. */
const BUILD_TIMEOUT_MS = 900_000;
const PASSWORD = 'correct horse battery';
const SIGN_UP = `mutation ($input: SignUpInput!) { signUp(input: $input) { session { accessToken } userErrors { message } } }`;

const textOf = async (page: Page, testId: string): Promise<string> =>
  (await page.getByTestId(testId).first().textContent()) ?? '';

describe('the dashboard of an owner', () => {
  let servers: Servers;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let signUp: (tenantName: string) => Promise<{ email: string; api: ApiClient }>;
  let ours: ApiClient;

  beforeAll(async () => {
    [servers, browser] = await Promise.all([startServers({ withWeb: true }), launchBrowser()]);
    signUp = async (tenantName) => {
      const email = `owner-${randomBytes(6).toString('hex')}@example.com`;
      const variables = { input: { tenantName, displayName: 'Ann Owner', email, password: PASSWORD } };
      const apiUrl = `${servers.gatewayUrl}/graphql`;
      const { signUp: signedUp } = dataOf(
        await connectApi(apiUrl).ask<{ signUp: { session: { accessToken: string } } }>({ query: SIGN_UP, variables }),
      );
      return { email, api: connectApi(apiUrl, signedUp.session.accessToken) };
    };
    const { email, api } = await signUp('Acme');
    ours = api;
    ({ page, problems } = await openPage(browser));
    page.setDefaultTimeout(60_000);
    await page.goto(`${servers.webUrl}/sign-in`);
    await page.getByTestId('sign-in-email').fill(email);
    await page.getByTestId('sign-in-password').fill(PASSWORD);
    await page.getByTestId('sign-in-submit').click();
    await page.getByTestId('account-menu').waitFor();
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    await servers?.[Symbol.asyncDispose]();
  });

  it('creates a webhook with a secret that is shown once, tests it, and sends a delivery again', async () => {
    await page.goto(`${servers.webUrl}/webhooks`);
    await page.getByTestId('create-webhook').first().click();
    await page.getByTestId('webhook-url').fill('https://10.0.0.1/');
    await page.getByTestId('webhook-submit').click();
    expect(await textOf(page, 'webhook-problem')).toContain('10.0.0.1 is no public address');
    await page.getByTestId('webhook-url').fill('https://hook.invalid/kindred');
    await page.getByTestId('webhook-submit').click();
    expect(await textOf(page, 'webhook-secret')).toMatch(/^whsec_/);
    await page.getByTestId('webhook-secret-done').click();
    await page.getByTestId('webhook-row').getByRole('link').click();
    await page.getByTestId('test-webhook').click();
    await page.getByTestId('delivery-row').waitFor();
    await page.getByTestId('redeliver').click();
    await page.getByTestId('delivery-row').nth(1).waitFor();
    const messages = await page.getByTestId('delivery-row').getByText(/^evt_/).allTextContents();
    expect(messages).toHaveLength(2);
    expect(new Set(messages).size).toBe(1);
    await saveScreenshot(page, 'webhook-deliveries');
    await page.getByTestId('rotate-webhook').click();
    expect(await textOf(page, 'webhook-secret')).toMatch(/^whsec_/);
    await page.getByTestId('webhook-secret-done').click();
    await page.goto(`${servers.webUrl}/webhooks`);
    await page.getByTestId('webhook-row').waitFor();
    await saveScreenshot(page, 'webhooks');
  });

  it('invites somebody by a link, changes their role, and removes them', async () => {
    await page.goto(`${servers.webUrl}/members`);
    await page.getByTestId('invite-member').click();
    await page.getByTestId('invite-submit').click();
    const link = await textOf(page, 'invitation-link');
    await saveScreenshot(page, 'invitation');
    await page.getByTestId('invitation-done').click();

    const { page: theirs, problems: theirProblems } = await openPage(browser);
    theirs.setDefaultTimeout(60_000);
    await theirs.goto(link);
    const email = `bo-${randomBytes(6).toString('hex')}@example.com`;
    await theirs.getByTestId('join-name').fill('Bo Member');
    await theirs.getByTestId('join-email').fill(email);
    await theirs.getByTestId('join-password').fill(PASSWORD);
    await saveScreenshot(theirs, 'join');
    await theirs.getByTestId('join-submit').click();
    await theirs.getByTestId('account-menu').waitFor();
    expect(theirProblems).toEqual([]);
    await theirs.context().close();

    await page.reload();
    const row = page.locator(`[data-testid="member-row"][data-email="${email}"]`);
    await row.getByTestId('member-role').selectOption('VIEWER');
    await page.getByText('Bo Member is Viewer now.').waitFor();
    await saveScreenshot(page, 'members');
    await row.getByTestId('remove-member').click();
    await page.getByTestId('remove-member-confirm').click();
    await row.waitFor({ state: 'detached' });
    expect(await page.getByTestId('member-row').count()).toBe(1);
  });

  it('shows what was done, and that the log of it is whole', async () => {
    await page.goto(`${servers.webUrl}/audit-log`);
    await page.getByTestId('audit-chain-state').waitFor();
    expect(await textOf(page, 'audit-chain-state')).toBe('Whole');
    const actions = await page.getByTestId('audit-row').evaluateAll((rows) => rows.map((row) => row.dataset.action));
    expect(actions).toEqual([
      'removeMember',
      'changeMemberRole',
      'acceptInvitation',
      'inviteMember',
      'rotateWebhookSecret',
      'createWebhook',
      'openSession',
      'openSession',
    ]);
    await saveScreenshot(page, 'audit-log');
  });

  it('sets how long data are kept, of the audit log a year at least, for its own tenant alone', async () => {
    const { api: theirs } = await signUp('Initech');
    const kept = async (api: ApiClient) => {
      const query = '{ tenant { retention { interactionDays versionDays auditDays } } }';
      return dataOf(await api.ask<{ tenant: { retention: object } }>({ query })).tenant.retention;
    };
    await page.goto(`${servers.webUrl}/retention`);
    const days = page.getByTestId('retention-auditDays');
    await days.fill('100');
    await days.blur();
    expect(await days.inputValue()).toBe('365');
    await days.fill('400');
    await page.getByTestId('retention-interactionDays').fill('90');
    await page.getByTestId('retention-save').click();
    await page.getByText('The periods are kept.').waitFor();
    await saveScreenshot(page, 'retention');
    await page.reload();
    await days.waitFor();
    expect(await days.inputValue()).toBe('400');
    expect(await kept(ours)).toEqual({ interactionDays: 90, versionDays: null, auditDays: 400 });
    expect(await kept(theirs)).toEqual({ interactionDays: null, versionDays: null, auditDays: null });
  });

  it('finds a published document, shows its text and withdraws it, after which keys are refused it', async () => {
    const { api: theirs } = await signUp('Umbrella');
    const shelf = 'query ShelfPage {\n  viewer {\n    scopes\n  }\n}';
    const askWithKeyOf = async (api: ApiClient) => {
      const documents = [shelf, 'query CartPage { viewer { scopes } }', '{ viewer { scopes } }'];
      const { createApiKey } = dataOf(
        await api.ask<{ createApiKey: { secret: string } }>({
          query: `mutation ($documents: [String!]!) {
            publishDocuments(input: { documents: $documents }) { userErrors { message } }
            createApiKey(input: { name: "Shop", kind: PUBLISHABLE }) { secret } }`,
          variables: { documents },
        }),
      );
      const keyed = connectApi(`${servers.gatewayUrl}/graphql`, createApiKey.secret);
      return async () => (await keyed.ask<{ viewer: object }>({ query: shelf })).errors?.[0]?.extensions?.code ?? 'OK';
    };
    const [askOurs, askTheirs] = [await askWithKeyOf(ours), await askWithKeyOf(theirs)];
    expect(await Promise.all([askOurs(), askTheirs()])).toEqual(['OK', 'OK']);

    await page.goto(`${servers.webUrl}/api-keys`);
    await page.getByTestId('document-row').nth(2).waitFor();
    const row = page.locator('[data-testid="document-row"][data-name="ShelfPage"]');
    await row.getByText('Text', { exact: true }).click();
    expect(await row.getByRole('group').textContent()).toContain(shelf);
    await saveScreenshot(page, 'published-documents');
    await page.getByTestId('document-search').fill('Shelf');
    await page.getByTestId('document-row').nth(1).waitFor({ state: 'detached' });
    await row.getByTestId('withdraw-document').click();
    await page.getByTestId('withdraw-document-confirm').click();
    await row.waitFor({ state: 'detached' });
    await page.getByTestId('document-search').fill('');
    await page.getByTestId('document-row').nth(1).waitFor();
    await expect.poll(askOurs, { timeout: 30_000, interval: 500 }).toBe('FORBIDDEN');
    expect(await askTheirs()).toBe('OK');
  });

  it('runs an example in the API explorer as whoever is signed in', async () => {
    await page.goto(`${servers.webUrl}/graphql`);
    const explorer = page.getByTestId('explorer');
    await explorer.getByRole('tab', { name: 'Usage' }).click();
    await explorer.getByRole('button', { name: /^Execute query/ }).click();
    await explorer.locator('.graphiql-response').getByText('"points"').waitFor();
    await saveScreenshot(page, 'api-explorer');
  });

  it('keeps its session over a reload by a cookie that no script reads, and none after signing out', async () => {
    const readable = () => page.evaluate<string>('`${document.cookie} ${JSON.stringify(localStorage)}`');
    const sessionCookie = async () =>
      (await page.context().cookies()).find(({ name }) => name === '__Host-kindred-session');
    const before = await sessionCookie();
    expect(before).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    expect(await readable()).not.toMatch(/kr_|eyJ|accessToken|refreshToken/);
    await page.goto(`${servers.webUrl}/audit-log`);
    await page.getByTestId('audit-row').first().waitFor();
    const after = await sessionCookie();
    expect(after?.value).toMatch(/^kr_/);
    expect(after?.value).not.toBe(before?.value);
    await page.getByTestId('account-menu').click();
    await page.getByTestId('sign-out').click();
    await page.getByTestId('sign-in-email').waitFor();
    await expect.poll(sessionCookie).toBeUndefined();
    await page.goto(`${servers.webUrl}/audit-log`);
    await page.getByTestId('sign-in-email').waitFor();
    expect(await readable()).not.toContain('kindred.session');
  });

  it('runs without a script that the policy refuses, or another error', () => {
    // The first address of the webhook was refused as data, with status 200.
    expect(problems).toEqual([]);
  });
});
