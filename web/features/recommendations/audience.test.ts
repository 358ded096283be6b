import { expect, it } from 'vitest';
import { audienceFromQuery, queryOfAudience, recommendInput, withSessionItem } from './audience.ts';

it('reads back the audience that it wrote into the address', () => {
  for (const audience of [
    { kind: 'user', externalId: 'a/b & c' },
    { kind: 'session', items: ['1', 'x y', '3'] },
    { kind: 'session', items: [] },
  ] as const) {
    expect(audienceFromQuery(new URLSearchParams(queryOfAudience(audience)))).toEqual(audience);
  }
  expect(audienceFromQuery(new URLSearchParams())).toBeNull();
});

it('asks for a visitor nothing is known of while the session is empty', () => {
  expect(recommendInput({ kind: 'session', items: [] }, true)).toEqual({ explain: true });
  expect(recommendInput({ kind: 'session', items: ['7'] }, false)).toEqual({
    user: { sessionItems: ['7'] },
    explain: false,
  });
});

it('moves an item that is clicked again to the end of the session', () => {
  expect(withSessionItem(['1', '2', '3'], '1')).toEqual(['2', '3', '1']);
});

it('keeps the newest 200 items of a session', () => {
  const items = Array.from({ length: 200 }, (_, at) => `${at}`);
  const next = withSessionItem(items, 'new');
  expect(next).toHaveLength(200);
  expect(next.at(-1)).toBe('new');
  expect(next[0]).toBe('1');
});
