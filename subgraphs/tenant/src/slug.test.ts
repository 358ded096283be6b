import { expect, test } from 'vitest';
import { distinctSlug, slugOf } from './slug.ts';

test.each([
  ['Acme', 'acme'],
  ['  Crème & Co. ', 'creme-co'],
  ['映画', 'tenant'],
  ['--', 'tenant'],
  [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
])('the slug of %j is %j', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test('a distinct slug is another one each time', () => {
  expect(distinctSlug('acme')).toMatch(/^acme-[0-9a-f]{8}$/);
  expect(distinctSlug('acme')).not.toBe(distinctSlug('acme'));
});
