import { describe, expect, it } from 'vitest';
import { checkPageSize, decodeCursor, encodeCursor } from './cursor.ts';

describe('cursors', () => {
  it.each(['0199b4c2-aaaa-7bbb-8ccc-ddddeeeeffff', '1700000000000:é', 'a'])(
    'come back as the position "%s"',
    (position) => {
      expect(decodeCursor(encodeCursor(position))).toBe(position);
    },
  );

  it.each(['', '!!!', 'YQ==', 'Y'])('are refused when they are not ours: "%s"', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(`"${cursor}" is not a cursor`);
  });
});

describe('page sizes', () => {
  it.each([1, 20, 100])('of %d are accepted', (first) => {
    expect(checkPageSize(first)).toBe(first);
  });

  it.each([0, -1, 101, 1.5, Number.NaN])('of %d are refused with the range', (first) => {
    expect(() => checkPageSize(first)).toThrow(`first must be 1-100, got ${first}.`);
  });
});
