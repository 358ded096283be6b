import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { StopReason } from '../report-error.ts';
import type { DemoDataset } from './dataset.ts';
import { parseMovieLens } from './read-movielens.ts';

const ADDRESS = 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip';
/** As TensorFlow Datasets lists it (url_checksums/movielens.txt, 978,202 bytes). */
const SHA256 = '696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436';
const TIMEOUT_MS = 10_000;

/**
 * The MovieLens small set: the copy kept in `dir`, else a download.
 * @returns null when it cannot be had within 10 s or is not the file that it should be; `say` tells why.
 */
export async function downloadMovieLens(
  dir: string,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<DemoDataset | null> {
  const path = join(dir, 'ml-latest-small.zip');
  const kept = await readFile(path).catch(() => null);
  if (kept !== null && isRight(kept)) return readArchive(kept);
  say('Fetching MovieLens ml-latest-small …');
  const archive = await fetchArchive(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    say(`MovieLens cannot be reached (${error instanceof Error ? error.message : String(error)}).`);
    return null;
  });
  if (archive === null) return null;
  if (!isRight(archive)) {
    say(`${ADDRESS} is not the file of checksum ${SHA256}: left aside.`);
    return null;
  }
  await mkdir(dir, { recursive: true });
  await writeFile(`${path}.new`, archive);
  await rename(`${path}.new`, path);
  return readArchive(archive);
}

async function fetchArchive(signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(ADDRESS, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return response.bytes();
}

function isRight(archive: Uint8Array): boolean {
  return createHash('sha256').update(archive).digest('hex') === SHA256;
}

/**
 * The data set in a MovieLens archive.
 * @throws StopReason when a file is missing in it.
 */
export function readArchive(archive: Uint8Array): DemoDataset {
  const files = unzipSync(archive, { filter: ({ name }) => /\/(movies|ratings)\.csv$/.test(name) });
  const [movies, ratings] = ['movies.csv', 'ratings.csv'].map((name) => {
    const entry = Object.entries(files).find(([path]) => path.endsWith(`/${name}`));
    if (entry === undefined) throw new StopReason(`The MovieLens archive holds no ${name}.`);
    return strFromU8(entry[1]);
  });
  return parseMovieLens({ movies: movies ?? '', ratings: ratings ?? '', name: 'ml-latest-small' });
}
