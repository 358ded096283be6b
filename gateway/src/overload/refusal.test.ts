import { expect, test, vi } from 'vitest';
import { createRefusalBytes } from './refusal.ts';

const PAGE = 'https://app.example.test';

test('there are refusals for each page and for all others, and new ones each second, which say when they are given', () => {
  vi.useFakeTimers({ now: Date.parse('2026-11-27T10:00:00.900Z'), toFake: ['Date'] });
  const takeNew = createRefusalBytes([PAGE]);
  const read = () => Object.fromEntries([...takeNew()].map(([origin, answers]) => [origin, answers.map(String)]));
  const first = read();
  expect(Object.keys(first)).toEqual(['', PAGE]);
  for (const answer of Object.values(first).flat()) expect(answer).toContain('date: Fri, 27 Nov 2026 10:00:00 GMT\r\n');
  expect(first['']?.map((answer) => /retry-after: (\d)/.exec(answer)?.[1])).toEqual(['1', '2', '3']);
  expect(first[PAGE]?.[0]).toContain(`access-control-allow-origin: ${PAGE}\r\n`);
  expect(first['']?.[0]).not.toContain('access-control');
  expect(read()).toEqual({});
  vi.advanceTimersByTime(100);
  expect(read()['']?.[0]).toContain('10:00:01 GMT\r\n');
  vi.useRealTimers();
});
