import { describe, expect, it } from 'vitest';
import { AppError } from './app-error.ts';
import { decodeGlobalId, encodeGlobalId, newId } from './ids.ts';

describe('global ids', () => {
  it('come back as the database id they were made from', () => {
    const id = newId('Item');
    expect(decodeGlobalId('Item', encodeGlobalId('Item', id))).toBe(id);
  });

  it('show their kind and hide the hyphens', () => {
    expect(encodeGlobalId('TrainingRun', newId('TrainingRun'))).toMatch(/^run_[0-9a-f]{32}$/);
  });

  it('are ordered by the time they were made', async () => {
    const first = newId('Item');
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(first < newId('Item')).toBe(true);
  });

  it.each(['', 'itm_', 'itm_xyz', 'usr_0199b4c2aaaabbbbccccddddeeeeffff', 'itm_0199B4C2AAAABBBBCCCCDDDDEEEEFFFF'])(
    'are refused with what was wanted and what came: "%s"',
    (text) => {
      expect(() => decodeGlobalId('Item', text)).toThrow(
        new AppError('BAD_USER_INPUT', `"${text}" is no Item id: wanted "itm_" and 32 hex digits.`),
      );
    },
  );
});
