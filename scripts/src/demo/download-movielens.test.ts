import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { readArchive } from './download-movielens.ts';

const FILES = {
  'ml-latest-small/movies.csv': strToU8('movieId,title,genres\n1,Toy Story (1995),Comedy\n'),
  'ml-latest-small/ratings.csv': strToU8('userId,movieId,rating,timestamp\n7,1,4.5,1260759144\n'),
  'ml-latest-small/README.txt': strToU8('terms'),
};

test('the films and ratings are read from a MovieLens archive', () => {
  const dataset = readArchive(zipSync(FILES));
  expect([dataset.source, dataset.items.length, dataset.ratings.length]).toEqual(['MovieLens ml-latest-small', 1, 1]);
  expect(dataset.licence).toContain('not for commercial use');
});

test('an archive without ratings is refused', () => {
  const { 'ml-latest-small/ratings.csv': _ratings, ...rest } = FILES;
  expect(() => readArchive(zipSync(rest))).toThrow('The MovieLens archive holds no ratings.csv.');
});
