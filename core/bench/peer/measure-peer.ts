import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { evaluateRankingAt } from '../../src/evaluate.ts';
import { type HeldOutPart, heldOutPart, type TrainingData } from '../training/training-data.ts';
import type { Unavailable } from '../training/unavailable.ts';

/** What a Python program takes for the same data, all processors at its disposal. */
export interface PeerResult {
  readonly versions: string;
  /** Best LightGCN step at `PAPER_SETTINGS`, in numpy and scipy.sparse. */
  readonly stepMs: number;
  /** Of fitting implicit's ALS with 64 factors. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of that ALS; null where no quality was asked for. */
  readonly recallAt20: number | null;
  readonly ndcgAt20: number | null;
}

/** The step that the peer computes: that of the LightGCN paper. */
export const PAPER_SETTINGS = {
  loss: 'bpr',
  dimension: 64,
  layers: 3,
  batchSize: 2048,
  learningRate: 1e-3,
  regularization: 1e-4,
} as const;

/** What is installed, once, into a folder of the user's cache. */
const REQUIREMENTS = ['implicit==0.7.3', 'scipy==1.17.1', 'numpy==2.4.6'];
const DIMENSION = 64;

const execute = promisify(execFile);

/** Measures the peer, which it installs where it is not there yet; where that fails, says why. */
export async function measurePeer(
  data: TrainingData,
  { seed, quality }: { readonly seed: number; readonly quality: HeldOutPart | null },
): Promise<PeerResult | Unavailable> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-peer-'));
  try {
    const { train } = data;
    const pairs = join(folder, 'pairs');
    writeFileSync(pairs, Buffer.concat([bytesOf(train.userRows), bytesOf(train.itemRows)]));
    const script = join(import.meta.dirname, 'peer.py');
    const counts = [String(train.userCount), String(train.itemCount)];
    const { stdout } = await execute(await installPeer(), [script, pairs, ...counts, folder, String(seed)]);
    const result = JSON.parse(stdout) as Omit<PeerResult, 'recallAt20' | 'ndcgAt20'>;
    if (!quality) return { ...result, recallAt20: null, ndcgAt20: null };
    const ranker = {
      userVectors: readFloats(join(folder, 'users')),
      itemVectors: readFloats(join(folder, 'items')),
      dimension: DIMENSION,
    };
    const masked = quality === 'test' ? data.validation : undefined;
    const { recall, ndcg } = evaluateRankingAt(ranker, train, heldOutPart(data, quality), { cutoff: 20, masked });
    return { ...result, recallAt20: recall, ndcgAt20: ndcg };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { unavailable: error.message.trim() };
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Python of an environment that has the requirements. @throws what a missing python3 or a failed pip leaves. */
async function installPeer(): Promise<string> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kindred', 'bench-peer');
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'requirements.txt');
  const wanted = REQUIREMENTS.join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  await execute('python3', ['-m', 'venv', folder]);
  await execute(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...REQUIREMENTS]);
  writeFileSync(stamp, wanted);
  return python;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array) => Buffer.from(buffer, byteOffset, byteLength);

function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
