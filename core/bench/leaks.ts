// Fits one model again and again in this fresh process and prints how much memory each fit leaves behind:
//   node --expose-gc --max-semi-space-size=1 core/bench/leaks.ts '{"kind":"lightgcn","fits":1000}'
// (A young generation of fixed size: V8 else sets memory aside while it measures.) `keptBytes` are kept on purpose for each fit, to see what a leak looks like.
import { existsSync, readFileSync } from 'node:fs';
import { createCheckerboard } from '../golden/checkerboard.ts';
import { bpr } from '../src/models/bpr.ts';
import { createContentFactory } from '../src/models/content-tower.ts';
import { ease } from '../src/models/ease.ts';
import { graphFilter } from '../src/models/graph-filter.ts';
import { ials } from '../src/models/ials.ts';
import { lightGcn } from '../src/models/lightgcn-recommender.ts';
import { spectral } from '../src/models/spectral.ts';

const SIZE = 12;
const { train } = createCheckerboard(SIZE);
const size = { userCount: SIZE, itemCount: SIZE, interactionCount: train.userRows.length };
const offsets = Int32Array.from({ length: SIZE + 1 }, (_, item) => item);
const content = createContentFactory({ lists: { offsets, items: new Int32Array(SIZE) }, featureCount: 1 });
const short = { epochs: 1, dimension: 8 };

const fits: Record<string, () => Promise<{ scoreUsers(rows: Int32Array): Promise<Float32Array> }>> = {
  lightgcn: () => lightGcn.fit(train, { ...lightGcn.defaultConfig(size), ...short }, { validation: train }),
  spectral: () => spectral.fit(train, spectral.defaultConfig(size)),
  'graph-filter': () => graphFilter.fit(train, graphFilter.defaultConfig(size)),
  ease: () => ease.fit(train, ease.defaultConfig(size)),
  ials: () => ials.fit(train, { ...ials.defaultConfig(size), ...short }),
  bpr: () => bpr.fit(train, { ...bpr.defaultConfig(size), ...short }),
  content: () => content.fit(train, content.defaultConfig(size)),
};

const wish = { kind: 'lightgcn', fits: 1000, keptBytes: 0, ...(JSON.parse(process.argv[2] ?? '{}') as object) };
const fit = fits[wish.kind];
if (!fit) throw new RangeError(`Wanted one of ${Object.keys(fits).join(', ')}, got ${wish.kind}.`);
const kept: Uint8Array[] = [];

async function repeat(times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    const model = await fit?.();
    await model?.scoreUsers(Int32Array.of(0, 1));
    if (wish.keptBytes > 0) kept.push(new Uint8Array(wish.keptBytes).fill(1));
  }
}

/** Resident bytes that no file backs, where the system tells them: pages of files come and go on their own. */
function residentBytes(): number {
  const anonymous =
    existsSync('/proc/self/status') && /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return anonymous ? Number(anonymous[1]) * 1024 : process.memoryUsage.rss();
}

/** `residentBytes` after all garbage is gone. */
async function settledBytes(): Promise<number> {
  // Finalisers run after the collection that finds their objects dead, and free what the next one collects.
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return residentBytes();
}

// Caches, compiled code and the allocator's free lists settle first.
await repeat(Math.ceil(wish.fits / 2));
const before = await settledBytes();
await repeat(wish.fits);
const bytesPerFit = ((await settledBytes()) - before) / wish.fits;
console.log(JSON.stringify({ kind: wish.kind, fits: wish.fits, bytesPerFit, kept: kept.length }));
