// Builds the native addons of core/build/ with plain g++ (no node-gyp, no Node headers beyond node-api-headers), in
// parallel, each only when its sources, its flags or the compiler changed. Prints one line for each. Exits 0 also where
// there is no compiler or no library: slower code then stands in, visibly. `node build.mjs [name ...]` builds only those.
// `--faiss-avx2` first compiles FAISS itself for AVX2 (minutes, once for a machine): for servers and images. Later builds
// use it without being told, and the binding of Debian's FAISS is built beside it for processors without AVX2.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDONS, addonParts, BUILD_FOLDER, compile, discard, faissAvx2Addon } from './addons.mjs';
import { findFaissAvx2, makeFaissAvx2 } from './faiss-avx2.mjs';

const outputOf = ({ name }) => join(BUILD_FOLDER, `${name}.node`);
const reasonPathOf = ({ name }) => join(BUILD_FOLDER, `${name}-unavailable.txt`);

function giveUp(addon, reason) {
  discard(outputOf(addon));
  writeFileSync(reasonPathOf(addon), `${reason}\n`);
  console.log(`core: ${addon.name} addon not built: ${reason}. ${addon.standIn}`);
}

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

async function build(addon) {
  const { seconds, errors } = await compile(outputOf(addon), addonParts(addon));
  if (errors !== undefined) {
    const firstError = errors.split('\n').find((line) => /error|cannot find/.test(line)) ?? errors;
    const hint = addon.missing?.pattern.test(firstError) ? ` (${addon.missing.hint})` : '';
    return giveUp(addon, `${firstError.trim()}${hint}`);
  }
  rmSync(reasonPathOf(addon), { force: true });
  const what = seconds === 0 ? 'is up to date' : `built in ${seconds.toFixed(1)} s`;
  return console.log(`core: ${addon.name} addon ${what}.`);
}

mkdirSync(BUILD_FOLDER, { recursive: true });
const wanted = process.argv.slice(2).filter((word) => word !== '--faiss-avx2');
const all = [...ADDONS, ...faissAvx2Addon(provideFaissAvx2())];
const addons = all.filter(({ name }) => !wanted.length || wanted.includes(name));
if (spawnSync('g++', ['--version']).error) {
  for (const addon of addons) giveUp(addon, 'no g++ on PATH (Debian: apt-get install g++)');
} else {
  await Promise.all(addons.map(build));
}
