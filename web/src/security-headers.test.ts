import { expect, it } from 'vitest';
import config from '../next.config.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';

type Headers = ReadonlyMap<string, string>;

/** The headers of every page, names in lower case. */
async function pageHeaders(): Promise<Headers> {
  const [rule, ...others] = (await config.headers?.()) ?? [];
  expect([rule?.source, others]).toEqual(['/:path*', []]);
  const entries = (rule?.headers ?? []).map(({ key, value }) => [key.toLowerCase(), value] as const);
  return new Map([...entries, ['content-security-policy', contentSecurityPolicy('abc', 'https://api.example.com')]]);
}

/** What each weakness costs of 100 points: what a scanner of public sites takes off for it, or more. */
const WEAKNESSES: {
  name: string;
  cost: number;
  isThere: (headers: Headers, csp: (directive: string) => string[]) => boolean;
}[] = [
  { name: 'no policy for content', cost: 50, isThere: (headers) => !headers.has('content-security-policy') },
  {
    name: 'scripts from anywhere',
    cost: 40,
    isThere: (_, csp) => {
      const sources = csp('script-src').length > 0 ? csp('script-src') : csp('default-src');
      return sources.length === 0 || sources.some((source) => /^(\*|https?:|data:|blob:)$/.test(source));
    },
  },
  {
    name: 'inline scripts without a nonce',
    cost: 40,
    isThere: (_, csp) => csp('script-src').includes("'unsafe-inline'"),
  },
  { name: 'eval', cost: 30, isThere: (_, csp) => csp('script-src').some((source) => source.includes('unsafe-eval')) },
  {
    name: 'no nonce',
    cost: 20,
    isThere: (_, csp) => !csp('script-src').some((source) => source.startsWith("'nonce-")),
  },
  ...(['default-src', 'connect-src', 'img-src', 'font-src', 'form-action'] as const).map((directive) => ({
    name: `${directive} is open`,
    cost: 20,
    isThere: (_: Headers, csp: (name: string) => string[]) =>
      csp(directive).length === 0 || csp(directive).some((source) => /^(\*|https?:|wss?:)$/.test(source)),
  })),
  ...(['object-src', 'base-uri', 'frame-ancestors'] as const).map((directive) => ({
    name: `${directive} is not 'none'`,
    cost: 20,
    isThere: (_: Headers, csp: (name: string) => string[]) => csp(directive).join() !== "'none'",
  })),
  {
    name: 'HTTPS is not kept for half a year',
    cost: 20,
    isThere: (headers) =>
      Number(/max-age=(\d+)/.exec(headers.get('strict-transport-security') ?? '')?.[1] ?? 0) < 15_768_000,
  },
  { name: 'types are sniffed', cost: 10, isThere: (headers) => headers.get('x-content-type-options') !== 'nosniff' },
  { name: 'old browsers frame it', cost: 10, isThere: (headers) => headers.get('x-frame-options') !== 'DENY' },
  {
    name: 'addresses are told to other sites',
    cost: 10,
    isThere: (headers) =>
      !/^(no-referrer|same-origin|strict-origin(-when-cross-origin)?)$/.test(headers.get('referrer-policy') ?? ''),
  },
  {
    name: 'openers reach in',
    cost: 10,
    isThere: (headers) => headers.get('cross-origin-opener-policy') !== 'same-origin',
  },
  {
    name: 'others embed its files',
    cost: 10,
    isThere: (headers) => headers.get('cross-origin-resource-policy') !== 'same-origin',
  },
  {
    name: 'devices are open',
    cost: 10,
    isThere: (headers) =>
      ['camera', 'microphone', 'geolocation'].some(
        (device) => headers.get('permissions-policy')?.includes(`${device}=()`) !== true,
      ),
  },
];

/** The points of a page, and what took the others. */
function grade(headers: Headers): { points: number; weaknesses: string[] } {
  const directives = new Map(
    (headers.get('content-security-policy') ?? '').split(';').map((text) => {
      const [name = '', ...sources] = text.trim().split(/\s+/);
      return [name, sources] as const;
    }),
  );
  const found = WEAKNESSES.filter(({ isThere }) => isThere(headers, (directive) => directives.get(directive) ?? []));
  const points = Math.max(0, 100 - found.reduce((sum, { cost }) => sum + cost, 0));
  return { points, weaknesses: found.map(({ name }) => name) };
}

it('gives every page headers and a policy without a weakness: 100 points', async () => {
  expect(grade(await pageHeaders())).toEqual({ points: 100, weaknesses: [] });
});

it('takes points for every header that is left out, so that the grade can fall', async () => {
  const headers = await pageHeaders();
  expect(headers.size).toBe(8);
  for (const name of headers.keys()) {
    const without = new Map([...headers].filter(([other]) => other !== name));
    expect(grade(without).points, name).toBeLessThan(100);
  }
});

it.each([
  ["script-src 'self'", "script-src 'self' 'unsafe-inline'", 'inline scripts without a nonce'],
  ["script-src 'self'", "script-src 'self' 'unsafe-eval'", 'eval'],
  ["script-src 'self'", 'script-src *', 'scripts from anywhere'],
  ["'nonce-abc'", '', 'no nonce'],
  ["connect-src 'self'", 'connect-src *', 'connect-src is open'],
  ["object-src 'none'", "object-src 'self'", "object-src is not 'none'"],
  ["base-uri 'none'", '', "base-uri is not 'none'"],
  ["frame-ancestors 'none'", '', "frame-ancestors is not 'none'"],
])('a policy with %s changed to "%s" has a weakness', async (part, change, weakness) => {
  const headers = new Map(await pageHeaders());
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain(part);
  headers.set('content-security-policy', policy.replace(part, change));
  expect(grade(headers).weaknesses).toContain(weakness);
});
