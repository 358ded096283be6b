import { expect, it } from 'vitest';
import { splitTitle } from './title.ts';

it('splits the year off and puts a trailing article in front', () => {
  expect(splitTitle('Matrix, The (1999)')).toEqual({ name: 'The Matrix', year: '1999' });
  expect(splitTitle('Toy Story (1995)')).toEqual({ name: 'Toy Story', year: '1995' });
});

it('leaves a title without a year as it is', () => {
  expect(splitTitle('Babylon 5')).toEqual({ name: 'Babylon 5', year: null });
  expect(splitTitle('(1999)')).toEqual({ name: '(1999)', year: '1999' });
});
