import { readFileSync } from 'node:fs';
import type { InteractionMatrix } from '../src/interaction-matrix.ts';

/** Files of one line per user, `user item item ...` (as of gowalla), as matrices of one user and item count. */
export function readUserLists(...paths: string[]): InteractionMatrix[] {
  const parts = paths.map((path) => {
    const lines = readFileSync(path, 'utf8').split('\n');
    const numbers = lines.map((line) => line.split(' ').filter(Boolean).map(Number));
    const users = numbers.flatMap(([user, ...items]) => items.map(() => user ?? 0));
    const items = numbers.flatMap((line) => line.slice(1));
    return { users, items };
  });
  const highest = (lists: number[][]) =>
    lists.reduce((most, list) => list.reduce((own, row) => Math.max(own, row), most), -1);
  const userCount = highest(parts.map(({ users }) => users)) + 1;
  const itemCount = highest(parts.map(({ items }) => items)) + 1;
  return parts.map(({ users, items }) => ({
    userCount,
    itemCount,
    userRows: Int32Array.from(users),
    itemRows: Int32Array.from(items),
    weights: new Float32Array(users.length).fill(1),
    timestamps: new Float64Array(users.length),
  }));
}
