import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataSet, dataFolder, matrixOfRows } from './data-set.ts';

const COUNTS = { userCount: 29_858, itemCount: 40_981 };

type Rows = (readonly [user: number, item: number])[];

/** The split of the LightGCN paper (He et al. 2020); with `validation` a tenth of train is held out and test is not read. */
export function readGowalla({ validation = false } = {}): DataSet {
  const name = validation ? 'gowalla-valid' : 'gowalla';
  const train = readLists(name, 'train.txt').flatMap(rowsOf);
  const test = readLists(name, validation ? 'valid.txt' : 'test.txt').flatMap(rowsOf);
  const protocol = validation ? 'a tenth of the paper train split held out' : 'split of the LightGCN paper';
  return { name, protocol, ...matricesOf({ train, test }) };
}

/** Of a user's list in gowalla-valid's train part, the share that `readGowallaEnd` holds out. */
const END_SHARE = 0.15;

/**
 * The train split of the paper with the first or the last of each user's items held out, in the order in which the published
 * file lists them: one user's visits, a trip's places side by side. Test is not read. The paper's test part, unlike a random
 * one, rewards what the last ones reward (docs/adr/0006).
 */
export function readGowallaEnd(end: 'first' | 'last'): DataSet {
  const [train, held]: [Rows, Rows] = [readLists('gowalla-valid', 'valid.txt').flatMap(rowsOf), []];
  for (const [user, items] of readLists('gowalla-valid', 'train.txt')) {
    const count = Math.round(items.length * END_SHARE);
    const [from, to] = end === 'first' ? [0, count] : [items.length - count, items.length];
    items.forEach((item, at) => {
      (at >= from && at < to ? held : train).push([user, item]);
    });
  }
  const protocol = `the ${end} 15 % of each user's list in the paper's train split held out`;
  return { name: `gowalla-${end}`, protocol, ...matricesOf({ train, test: held }) };
}

function matricesOf({ train, test }: { train: Rows; test: Rows }) {
  const [trainMatrix, testMatrix] = [matrixOfRows(COUNTS, train), matrixOfRows(COUNTS, test)];
  return { cutoff: 20, train: trainMatrix, test: testMatrix, itemFeatures: null } as const;
}

function rowsOf([user, items]: readonly [number, readonly number[]]): Rows {
  return items.map((item) => [user, item]);
}

/** Each user's items in the order of the file, which may name a user without any. */
function readLists(folder: string, file: string): (readonly [user: number, items: number[]])[] {
  const lines = readFileSync(join(dataFolder, folder, file), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [user, ...items] = line.trim().split(' ');
    return user === undefined || user === '' ? [] : [[Number(user), items.map(Number)] as const];
  });
}
