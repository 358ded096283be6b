import { expect, it } from 'vitest';
import { rankChanges } from './rank-changes.ts';

it('says which items are new and how far the others moved', () => {
  const changes = rankChanges(['a', 'b', 'c'], ['c', 'b', 'x']);
  expect([...changes]).toEqual([
    ['c', { kind: 'moved', by: 2 }],
    ['b', null],
    ['x', { kind: 'new' }],
  ]);
});

it('calls nothing new in the first answer', () => {
  expect([...rankChanges(null, ['a']).values()]).toEqual([null]);
});
