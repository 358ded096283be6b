import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { connectRedis } from '@kindred/service/redis';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { expect, onTestFinished, test } from 'vitest';
import { createSignInThrottle } from './sign-in-throttle.ts';
import { ANONYMOUS, createTestSubgraph, signUpTenant } from './test-subgraph.ts';

function connectThrottle() {
  const redis = connectRedis(testInfrastructure().redisUrl);
  onTestFinished(() => redis.disconnect());
  return { redis, throttle: createSignInThrottle(redis) };
}

const newEmail = () => `${randomUUID()}@example.com`;
const limited = expect.objectContaining({
  code: 'RATE_LIMITED',
  message: expect.stringMatching(/try again in 15 min/),
});

async function outcomes(attempts: Promise<void>[]): Promise<{ admitted: number; refused: unknown[] }> {
  const settled = await Promise.allSettled(attempts);
  const refused = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  return { admitted: settled.length - refused.length, refused };
}

test('of 100 parallel guesses at one account, from as many addresses, 20 are checked', async () => {
  const { throttle } = connectThrottle();
  const email = newEmail();
  const attempts = Array.from({ length: 100 }, () => throttle.countAttempt({ email, clientAddress: randomUUID() }));
  const { admitted, refused } = await outcomes(attempts);
  expect(admitted).toBe(20);
  for (const error of refused) expect(error).toEqual(limited);
});

test('of 150 parallel guesses from one address, at as many accounts, 100 are checked', async () => {
  const { throttle } = connectThrottle();
  const clientAddress = randomUUID();
  const attempts = Array.from({ length: 150 }, () => throttle.countAttempt({ email: newEmail(), clientAddress }));
  expect((await outcomes(attempts)).admitted).toBe(100);
});

test('who signs in at last is forgiven; other accounts and addresses are not held up', async () => {
  const { throttle } = connectThrottle();
  const attempt = { email: newEmail(), clientAddress: randomUUID() };
  for (let count = 0; count < 20; count++) await throttle.countAttempt(attempt);
  await throttle.forgive(attempt);
  await throttle.countAttempt(attempt);
  await throttle.countAttempt({ email: newEmail(), clientAddress: randomUUID() });
});

test('the count ends after 15 minutes, and holds no address in the clear', async () => {
  const { redis, throttle } = connectThrottle();
  const before = new Set(await redis.keys('kindred:sign-in:*'));
  const attempt = { email: newEmail(), clientAddress: randomUUID() };
  await throttle.countAttempt(attempt);
  await throttle.countAttempt(attempt);
  const keys = (await redis.keys('kindred:sign-in:*')).filter((key) => !before.has(key));
  expect(keys.length).toBeGreaterThanOrEqual(2);
  for (const key of keys) {
    const leftMs = await redis.pttl(key);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(15 * 60 * 1000);
    expect(key).not.toContain(attempt.email);
    expect(key).not.toContain(attempt.clientAddress);
  }
});

/** An address at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const SIGN_IN = 'mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }';

test('without Redis nobody signs in, not even with the right password', async () => {
  await using subgraph = await createTestSubgraph({ redisUrl: `redis://127.0.0.1:${await closedPort()}` });
  const { email, password } = await signUpTenant(subgraph);
  const { data, errors } = await subgraph.ask(ANONYMOUS, SIGN_IN, { input: { email, password } });
  expect(data).toBeNull();
  expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
});

test('past the limit even the right password is refused, and an account that is not there reads the same', async () => {
  await using subgraph = await createTestSubgraph();
  const { email, password } = await signUpTenant(subgraph);
  for (const address of [email, newEmail()]) {
    for (let count = 0; count < 20; count++) {
      await subgraph.ask(ANONYMOUS, SIGN_IN, { input: { email: address, password: 'a wrong password' } });
    }
    const { errors } = await subgraph.ask(ANONYMOUS, SIGN_IN, { input: { email: address, password } });
    expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  }
});
