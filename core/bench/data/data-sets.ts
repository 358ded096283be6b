import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { type DataSet, dataFolder } from './data-set.ts';
import { readGowalla, readGowallaEnd } from './gowalla.ts';
import { readMovieLens100k, readMovieLens1m, readMovieLens1mTemporal, readMovieLensLatestSmall } from './movielens.ts';

/** Every data set by its name, which is that of its folder or begins with it; the seed draws a split where none is given. */
const READERS: Record<string, (seed: number) => DataSet> = {
  'ml-100k': readMovieLens100k,
  'ml-latest-small': readMovieLensLatestSmall,
  'ml-1m': readMovieLens1m,
  'ml-1m-temporal': readMovieLens1mTemporal,
  'gowalla-valid': () => readGowalla({ validation: true }),
  gowalla: () => readGowalla(),
  'gowalla-first': () => readGowallaEnd('first'),
  'gowalla-last': () => readGowallaEnd('last'),
};

/** Other validation parts of data in another's folder. */
const FOLDERS: Record<string, string> = { 'gowalla-first': 'gowalla-valid', 'gowalla-last': 'gowalla-valid' };

/** All but gowalla, whose test part is read only where somebody names it, and further parts of the same data. */
export const USUAL_DATA_SETS = Object.keys(READERS).filter((name) => name !== 'gowalla' && !FOLDERS[name]);

/**
 * The names in `wanted`, `a,b`, whose folders are here; of the others says so.
 * @throws RangeError for a name that is none.
 */
export function findDataSets(wanted: string): string[] {
  return wanted.split(',').filter((name) => {
    if (!READERS[name]) throw new RangeError(`Wanted data of ${Object.keys(READERS).join(', ')}, got ${name}.`);
    const isHere = existsSync(join(dataFolder, FOLDERS[name] ?? name));
    if (!isHere) console.log(`${name}: not in ${dataFolder}, passed over.`);
    return isHere;
  });
}

/** @throws RangeError for a name that is none. */
export function readDataSet(name: string, seed: number): DataSet {
  const read = READERS[name];
  if (!read) throw new RangeError(`Wanted data of ${Object.keys(READERS).join(', ')}, got ${name}.`);
  return read(seed);
}

/** A value in a file of its own for child processes, who then hold typed arrays alone and no text that they came from. */
export function writeForChildren(value: object): { readonly path: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const path = join(folder, 'data');
  writeFileSync(path, serialize(value));
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What `writeForChildren` wrote. */
export function readAsChild(path: string): unknown {
  return deserialize(readFileSync(path));
}
