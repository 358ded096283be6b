import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { parseEnv, SECRET, SERVER_ENV } from './env.ts';

const schema = z
  .object({ ...SERVER_ENV, TOKEN_SECRET: SECRET })
  .transform((env) => ({ server: { port: env.PORT }, env }));
const good = { PORT: '4001', TOKEN_SECRET: 'x'.repeat(32) };

function parse(source: Record<string, string | undefined>) {
  const printed: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  try {
    return { env: parseEnv(schema, source), printed: printed.join('') };
  } catch (error) {
    return { exit: String(error), printed: printed.join('') };
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('a whole environment is parsed, with defaults, and frozen to its depth', () => {
  const { env } = parse({ ...good, HOST: '' });
  expect(env).toMatchObject({ server: { port: 4001 }, env: { HOST: '127.0.0.1', LOG_LEVEL: 'info' } });
  expect(Object.isFrozen(env?.server)).toBe(true);
});

test('every problem is printed at once, and the process exits with 1', () => {
  const { exit, printed } = parse({ PORT: 'none', TOKEN_SECRET: 'short', LOG_LEVEL: 'loud' });
  expect(exit).toBe('Error: exit 1');
  expect(printed).toMatch(/PORT: .*\n.*LOG_LEVEL: .*\n.*TOKEN_SECRET: /);
});

test('a problem does not print the value of a secret', () => {
  expect(parse({ PORT: '1', TOKEN_SECRET: 'hunter2' }).printed).not.toContain('hunter2');
});

test.for([
  ['plain', `development-${'x'.repeat(32)}`],
  ['in base64', Buffer.from(`{"kid":"development","d":"${'x'.repeat(32)}"}`).toString('base64')],
] as const)('a development secret, %s, keeps a production process from starting', ([, secret]) => {
  expect(parse({ ...good, TOKEN_SECRET: secret }).env).toBeDefined();
  const { exit, printed } = parse({ ...good, TOKEN_SECRET: secret, NODE_ENV: 'production' });
  expect(exit).toBe('Error: exit 1');
  expect(printed).toContain('TOKEN_SECRET: a development secret must not be used in production');
});
