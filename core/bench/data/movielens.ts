import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InteractionMatrix, ItemLists } from '../../src/interaction-matrix.ts';
import { splitPerUser, type SplitStrategy } from '../../src/split.ts';
import { createRowMap, type DataSet, dataFolder, decadeOf, featureLists, matrixOfRows } from './data-set.ts';

interface Ratings {
  readonly matrix: InteractionMatrix;
  readonly itemIds: readonly string[];
}

function readLines(...path: string[]): string[] {
  return readFileSync(join(dataFolder, ...path), 'latin1')
    .trim()
    .split(/\r?\n/);
}

/** Every line a positive; columns user, item and (where there is one) time in seconds. */
function readRatings(lines: readonly string[], separator: string, timeColumn: number | null): Ratings {
  const [users, items] = [createRowMap(), createRowMap()];
  const rows = lines.map((line): [number, number, number] => {
    const parts = line.split(separator);
    const time = timeColumn === null ? 0 : Number(parts[timeColumn]) * 1000;
    return [users.rowOf(parts[0] ?? ''), items.rowOf(parts[1] ?? ''), time];
  });
  const matrix = matrixOfRows({ userCount: users.ids.size, itemCount: items.ids.size }, rows);
  return { matrix, itemIds: [...items.ids.keys()] };
}

function featuresById(itemIds: readonly string[], byId: ReadonlyMap<string, readonly string[]>): ItemLists {
  return featureLists(itemIds.map((id) => byId.get(id) ?? []));
}

interface SplitData {
  readonly name: string;
  readonly ratings: Ratings;
  readonly itemFeatures: ItemLists;
  readonly seed: number;
  readonly strategy?: SplitStrategy;
}

function splitData({ name, ratings, itemFeatures, seed, strategy = 'random' }: SplitData): DataSet {
  const { train, test } = splitPerUser(ratings.matrix, { strategy, validationShare: 0, testShare: 0.25, seed });
  const protocol = `every rating a positive, ${strategy} 75/25 per user, seed ${seed}`;
  return { name, protocol, cutoff: 10, train, test, itemFeatures };
}

/** MovieLens 100k. */
export function readMovieLens100k(seed: number): DataSet {
  const ratings = readRatings(readLines('ml-100k', 'ml-100k.inter').slice(1), '\t', 3);
  const features = new Map(
    readLines('ml-100k', 'ml-100k.item')
      .slice(1)
      .map((line) => {
        const [id = '', , year = '', genres = ''] = line.split('\t');
        return [id, [...genres.split(' '), ...decadeOf(year)]];
      }),
  );
  return splitData({ name: 'ml-100k', ratings, itemFeatures: featuresById(ratings.itemIds, features), seed });
}

function movieFeatures(): Map<string, string[]> {
  return new Map(
    readLines('ml-1m', 'movies.dat').map((line) => {
      const [id = '', title = '', genres = ''] = line.split('::');
      return [id, [...genres.split('|'), ...decadeOf(title.slice(-6))]];
    }),
  );
}

/** MovieLens 1M. */
export function readMovieLens1m(seed: number): DataSet {
  const ratings = readRatings(readLines('ml-1m', 'interactions.tsv'), '\t', null);
  return splitData({ name: 'ml-1m', ratings, itemFeatures: featuresById(ratings.itemIds, movieFeatures()), seed });
}

/** MovieLens 1M split at one point in time. Test users without training items are measured too: nothing is left out. */
export function readMovieLens1mTemporal(): DataSet {
  const idByItem = readLines('ml-1m-temporal', 'item_list.tsv')
    .slice(1)
    .map((line) => line.split('\t'));
  const itemIds: string[] = [];
  for (const [id = '', row = ''] of idByItem) itemIds[Number(row)] = id;
  const userCount = readLines('ml-1m-temporal', 'user_list.tsv').length - 1;
  const read = (name: string) =>
    matrixOfRows(
      { userCount, itemCount: itemIds.length },
      readLines('ml-1m-temporal', name)
        .slice(1)
        .map((line): [number, number] => {
          const [user, item] = line.split('\t');
          return [Number(user), Number(item)];
        }),
    );
  return {
    name: 'ml-1m-temporal',
    protocol: 'one global point in time, all test users',
    cutoff: 10,
    train: read('train.tsv'),
    test: read('test.tsv'),
    itemFeatures: featuresById(itemIds, movieFeatures()),
  };
}

/** MovieLens latest-small. */
export function readMovieLensLatestSmall(seed: number): DataSet {
  const ratings = readRatings(readLines('ml-latest-small', 'ratings.csv').slice(1), ',', 3);
  const features = new Map(
    readLines('ml-latest-small', 'movies.csv')
      .slice(1)
      .map((line) => {
        const id = line.slice(0, line.indexOf(','));
        const genres = line.slice(line.lastIndexOf(',') + 1);
        return [id, [...genres.split('|'), ...decadeOf(line.slice(0, line.lastIndexOf(',')).slice(-8))]];
      }),
  );
  return splitData({ name: 'ml-latest-small', ratings, itemFeatures: featuresById(ratings.itemIds, features), seed });
}
