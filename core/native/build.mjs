// Builds the native addons of core/build/, each only when its sources, its flags or the compiler changed. Prints one line
// for each. Exits 0 also where there is no compiler or no library: slower code then stands in, visibly. `node build.mjs [name ...]` builds only those.
// `--faiss-avx2` first compiles FAISS itself for AVX2 (minutes, once for a machine): for servers and images. Later builds
// use it without being told, and the binding of Debian's FAISS is built beside it for processors without AVX2.
import { buildAddons } from '@kindred/native/build-addons';
import { ADDONS, addonParts, BUILD_FOLDER, faissAvx2Addon } from './addons.mjs';
import { findFaissAvx2, makeFaissAvx2 } from './faiss-avx2.mjs';

function provideFaissAvx2() {
  if (!process.argv.includes('--faiss-avx2')) return findFaissAvx2();
  const started = performance.now();
  try {
    const folder = makeFaissAvx2();
    console.log(`core: FAISS for AVX2 is in ${folder} after ${((performance.now() - started) / 1000).toFixed(0)} s.`);
    return folder;
  } catch (error) {
    console.log(`core: FAISS for AVX2 not built: ${error.message}. Debian's FAISS stands in.`);
    return null;
  }
}

const wanted = process.argv.slice(2).filter((word) => word !== '--faiss-avx2');
const all = [...ADDONS, ...faissAvx2Addon(provideFaissAvx2())];
const addons = all.filter(({ name }) => !wanted.length || wanted.includes(name));
await buildAddons(
  'core',
  BUILD_FOLDER,
  addons.map((addon) => ({ ...addon, parts: addonParts(addon) })),
);
