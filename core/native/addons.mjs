// What the native addons of core/ are made of.
import { join } from 'node:path';
import { addonFlags, sourcesIn } from '@kindred/native/compile';

const sourceFolder = import.meta.dirname;

/** Where the addons go that core/src/load-addon.ts loads. */
export const BUILD_FOLDER = join(sourceFolder, '..', 'build');

const FAISS = {
  name: 'faiss',
  flags: ['-O2', '-fopenmp'],
  libraries: ['-lfaiss', '-lopenblas', '-lgomp'],
  standIn: 'Exact search stands in.',
  missing: { pattern: /faiss\/|-lfaiss|-lopenblas/, hint: 'Debian: apt-get install libfaiss-dev libopenblas-dev' },
};

/** The same binding of a FAISS compiled for AVX2, where that was made: `folder` of faiss-avx2.mjs, or null. */
export function faissAvx2Addon(folder) {
  if (folder === null) return [];
  const flags = [...FAISS.flags, `-I${join(folder, 'include')}`, `-L${folder}`];
  return [{ ...FAISS, name: 'faiss-avx2', sourcePrefix: 'faiss', flags, standIn: "Debian's FAISS stands in." }];
}

/**
 * One entry for each addon: `<name>.node` comes from all `<name>*.cc` of this folder (or `<sourcePrefix>*.cc`); a change of
 * any header compiles it again. `standIn` says what serves without it, `missing` how to get what its compiler errors
 * (`pattern`) say is missing. An entry without sources is passed over.
 */
export const ADDONS = [
  FAISS,
  {
    name: 'lightgcn',
    flags: ['-O3', '-ffp-contract=fast', '-fno-math-errno', '-pthread'],
    libraries: [],
    standIn: 'The TypeScript reference stands in.',
  },
  { name: 'linear', flags: ['-O3', '-pthread'], libraries: [], standIn: 'Plain TypeScript stands in.' },
  { name: 'mapping', flags: ['-O2'], libraries: [], standIn: 'Reading whole files stands in.' },
  { name: 'ranking', flags: ['-O3', '-pthread'], libraries: [], standIn: 'Plain TypeScript stands in.' },
].filter(({ name }) => sourcesOf(name).length > 0);

/** The paths of all `<prefix>*.cc` of this folder, in order. */
export function sourcesOf(prefix) {
  return sourcesIn(sourceFolder, prefix);
}

/** What makes an addon of its sources; `more` flags come after its own. */
export function addonParts(addon, more = []) {
  return {
    sources: sourcesOf(addon.sourcePrefix ?? addon.name),
    libraries: addon.libraries,
    flags: addonFlags([...addon.flags, ...more]),
  };
}
