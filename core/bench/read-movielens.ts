import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InteractionMatrix } from '../src/interaction-matrix.ts';

/** Every rating of `<folder>/ml-latest-small/ratings.csv` as one positive interaction, rows in order of appearance. */
export function readMovieLens(dataFolder: string): InteractionMatrix {
  const [, ...lines] = readFileSync(join(dataFolder, 'ml-latest-small', 'ratings.csv'), 'utf8')
    .trim()
    .split('\n');
  const ratings = lines.map((line) => line.split(',').map(Number));
  const numberRows = (column: number) => {
    const rowById = new Map<number | undefined, number>();
    const rows = Int32Array.from(ratings, (rating) => {
      const row = rowById.get(rating[column]) ?? rowById.size;
      rowById.set(rating[column], row);
      return row;
    });
    return { rows, count: rowById.size };
  };
  const [users, items] = [numberRows(0), numberRows(1)];
  return {
    userCount: users.count,
    itemCount: items.count,
    userRows: users.rows,
    itemRows: items.rows,
    weights: new Float32Array(ratings.length).fill(1),
    timestamps: Float64Array.from(ratings, ([, , , seconds = 0]) => seconds * 1000),
  };
}
