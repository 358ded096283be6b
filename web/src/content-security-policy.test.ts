import { expect, it } from 'vitest';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { readEnv } from './env.ts';

it('lets pages talk to this server and the gateway over HTTP and sockets, and to nobody else', () => {
  const policy = contentSecurityPolicy('abc', 'https://api.example.com');
  expect(policy).toContain(`connect-src 'self' https://api.example.com wss://api.example.com;`);
});

it('runs no script without the nonce', () => {
  const policy = contentSecurityPolicy('abc', 'http://localhost:4001');
  const scripts = policy.split('; ').find((directive) => directive.startsWith('script-src'));
  expect(scripts).toBe(`script-src 'self' 'nonce-abc' 'strict-dynamic'`);
});

it('names every wrong variable at once', () => {
  const wrong = { NODE_ENV: 'test', PORT: 'many', PUBLIC_API_URL: 'ftp://files' } as const;
  expect(() => readEnv(wrong)).toThrow(/PORT[\s\S]*PUBLIC_API_URL/);
});

it('keeps the origin of the gateway only', () => {
  expect(readEnv({ NODE_ENV: 'test', PUBLIC_API_URL: 'https://api.example.com/graphql' }).apiOrigin).toBe(
    'https://api.example.com',
  );
});

it('asks the gateway where browsers find it, unless told of another way', () => {
  const env = { NODE_ENV: 'test', PUBLIC_API_URL: 'https://api.example.com' } as const;
  expect(readEnv(env).apiUrl).toBe('https://api.example.com');
  expect(readEnv({ ...env, API_URL: 'http://gateway:4001' }).apiUrl).toBe('http://gateway:4001');
});
