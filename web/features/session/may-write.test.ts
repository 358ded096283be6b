import { expect, it } from 'vitest';
import { mayWrite } from './may-write.ts';

it('offers what changes things to those whom the API lets, and to nobody who only reads', () => {
  expect((['OWNER', 'ADMIN', 'MEMBER'] as const).map(mayWrite)).toEqual([true, true, true]);
  expect((['VIEWER', 'OPERATOR', null] as const).map(mayWrite)).toEqual([false, false, false]);
});
