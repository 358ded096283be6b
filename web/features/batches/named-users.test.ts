import { expect, it } from 'vitest';
import { namedUsers } from './named-users.ts';

it('takes an id from each line, once', () => {
  expect(namedUsers(' ann \r\nbo,b\n\nann\n')).toEqual(['ann', 'bo,b']);
});

it('means all users where none is named', () => {
  expect(namedUsers(' \n')).toBeNull();
});
