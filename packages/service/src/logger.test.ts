import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function log(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger('catalog', 'info', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

test('a line is JSON with the name of its process', () => {
  expect(JSON.parse(log((logger) => logger.info('ready')))).toMatchObject({ name: 'catalog', msg: 'ready' });
});

test('an error is logged with its cause', () => {
  const err = new Error('no rows', { cause: new Error('connection lost') });
  expect(log((logger) => logger.error({ err }))).toContain('connection lost');
});

test('credentials in headers are left out', () => {
  const headers = { authorization: 'Bearer abc', 'x-api-key': 'ks_abc', 'x-kindred-token': 'abc', accept: '*/*' };
  const line = log((logger) => logger.info({ headers, req: { headers } }));
  expect(line).not.toContain('abc');
  expect(line).toContain('accept');
});

test('what is below the level is not written', () => {
  expect(log((logger) => logger.debug('detail'))).toBe('');
});
