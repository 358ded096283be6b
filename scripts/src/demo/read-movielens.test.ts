import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { parseMovieLens, readMovieLens } from './read-movielens.ts';

const MOVIES = 'movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n2,"Heat, The",(no genres listed)\n';
const RATINGS = 'userId,movieId,rating,timestamp\n7,1,4.5,1260759144\n7,2,3,1260759179\n';

function parse(movies: string, ratings: string) {
  return parseMovieLens({ movies, ratings, name: 'films' });
}

describe('MovieLens data', () => {
  test('is read with titles, genres, years and times', () => {
    const dataset = parse(MOVIES, RATINGS);
    expect(dataset).toMatchObject({ source: 'MovieLens films', simulated: false });
    expect(dataset.items).toEqual([
      { externalId: '1', title: 'Toy Story (1995)', categories: ['Adventure', 'Children'], properties: { year: 1995 } },
      { externalId: '2', title: 'Heat, The', categories: [], properties: {} },
    ]);
    expect(dataset.ratings[0]).toEqual({
      userExternalId: '7',
      itemExternalId: '1',
      value: 4.5,
      occurredAt: 1260759144000,
    });
  });

  test('is found in the folder itself or in its ml-latest-small', async () => {
    await using dir = await temporaryDir();
    await writeFile(join(dir.path, 'movies.csv'), MOVIES);
    await expect(readMovieLens(dir.path)).rejects.toThrow(
      `${dir.path} holds no movies.csv and ratings.csv, and no ml-latest-small with them: check --data or KINDRED_DATA_DIR.`,
    );
    await writeFile(join(dir.path, 'ratings.csv'), RATINGS);
    expect((await readMovieLens(dir.path)).items).toHaveLength(2);
  });

  test.each([
    ['1,Up', 'movies.csv line 4: wanted 3 columns, got 2'],
    ['x,Up,Drama', 'movies.csv line 4: movieId must be a number, got "x"'],
    ['3,,Drama', 'movies.csv line 4: the title is empty'],
    ['1,Up,Drama', 'movies.csv line 4: movieId 1 is there twice'],
  ])('refuses the film %s with its line and reason', (row, reason) => {
    expect(() => parse(`${MOVIES}${row}\n`, RATINGS)).toThrow(`The data in films is broken: ${reason}.`);
  });

  test.each([
    ['7,1,4.5', 'wanted 4 columns, got 3'],
    [',1,4.5,1', 'userId must be a number, got ""'],
    ['7,9,4.5,1', 'movieId "9" is not in movies.csv'],
    ['7,1,five,1', 'rating must be from 0.5 to 5, got "five"'],
    ['7,1,,1', 'rating must be from 0.5 to 5, got ""'],
    ['7,1,6,1', 'rating must be from 0.5 to 5, got "6"'],
    ['7,1,5,yesterday', 'timestamp must be seconds since 1970, got "yesterday"'],
  ])('refuses the rating %s with its line and reason', (row, reason) => {
    expect(() => parse(MOVIES, `${RATINGS}${row}\n`)).toThrow(
      `The data in films is broken: ratings.csv line 4: ${reason}.`,
    );
  });

  test('names the first broken rows and counts the rest', () => {
    expect(() => parse(MOVIES, RATINGS + '7,9,4,1\n'.repeat(9))).toThrow(
      /line 4: .*; ratings\.csv line 8: .*; and 4 more\.$/,
    );
  });

  test('refuses a file with other columns, without rows or that is not CSV', () => {
    expect(() => parse('id,name\n', RATINGS)).toThrow(
      'movies.csv must begin with "movieId,title,genres", got "id,name".',
    );
    expect(() => parse('', RATINGS)).toThrow('movies.csv must begin with "movieId,title,genres", got "nothing".');
    expect(() => parse(MOVIES, RATINGS.split('\n', 1)[0] ?? '')).toThrow('ratings.csv holds no rating');
    expect(() => parse('movieId,title,genres\n1,"Toy\n', RATINGS)).toThrow('movies.csv is not CSV');
  });
});

const DATA_DIR = process.env.KINDRED_DATA_DIR ?? '';
const HAS_DATA = existsSync(join(DATA_DIR, 'ml-latest-small'));

test.skipIf(!HAS_DATA)('ml-latest-small is read whole (skipped where KINDRED_DATA_DIR does not hold it)', async () => {
  const dataset = await readMovieLens(DATA_DIR);
  expect([dataset.items.length, dataset.ratings.length]).toEqual([9125, 100_004]);
});
