import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InteractionMatrix } from '../../src/interaction-matrix.ts';
import { type DataSet, dataFolder, matrixOfRows } from './data-set.ts';

/** The split of the LightGCN paper (He et al. 2020); with `validation` a tenth of train is held out and test is not read. */
export function readGowalla({ validation = false } = {}): DataSet {
  const folder = join(dataFolder, validation ? 'gowalla-valid' : 'gowalla');
  const counts = { userCount: 29_858, itemCount: 40_981 };
  const read = (name: string): InteractionMatrix => {
    const rows: [number, number][] = [];
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      const [user, ...items] = line.trim().split(' ');
      if (user === undefined || user === '') continue;
      for (const item of items) rows.push([Number(user), Number(item)]);
    }
    return matrixOfRows(counts, rows);
  };
  return {
    name: validation ? 'gowalla-valid' : 'gowalla',
    protocol: validation ? 'a tenth of the paper train split held out' : 'split of the LightGCN paper',
    cutoff: 20,
    train: read('train.txt'),
    test: read(validation ? 'valid.txt' : 'test.txt'),
    itemFeatures: null,
  };
}
