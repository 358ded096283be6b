import type { DemoDataset } from './dataset.ts';
import { downloadMovieLens } from './download-movielens.ts';
import { readMovieLens } from './read-movielens.ts';
import { simulateViewers } from './simulate-viewers.ts';

/**
 * The demo data: from `dataDir` where one is given, else the MovieLens small set from its site, else simulated viewers.
 * @throws StopReason when `dataDir` does not hold what it should.
 */
export async function chooseDataset(options: {
  dataDir: string | null;
  downloadsDir: string;
  signal: AbortSignal;
  say: (line: string) => void;
}): Promise<DemoDataset> {
  const { dataDir, downloadsDir, signal, say } = options;
  if (dataDir !== null) return readMovieLens(dataDir);
  const downloaded = await downloadMovieLens(downloadsDir, { signal, say });
  if (downloaded !== null) return downloaded;
  say('Simulated viewers stand in: give real data with --data DIR.');
  return simulateViewers();
}
