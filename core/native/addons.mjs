// What the native addons of core/ are made of, and how a program is compiled only when what goes into it has changed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
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
  return readdirSync(sourceFolder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.cc'))
    .toSorted()
    .map((file) => join(sourceFolder, file));
}

/** What makes an addon of its sources; `more` flags come after its own. */
export function addonParts(addon, more = []) {
  return {
    sources: sourcesOf(addon.sourcePrefix ?? addon.name),
    libraries: addon.libraries,
    flags: [
      '-std=c++17',
      '-fPIC',
      '-shared',
      '-fvisibility=hidden',
      '-Wall',
      ...addon.flags,
      ...more,
      '-DNAPI_VERSION=8',
      '-DNODE_ADDON_API_CPP_EXCEPTIONS',
      // A terminated worker thread can be told of no exception; without this node-addon-api aborts the process.
      '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      `-I${require('node-addon-api').include_dir}`,
      `-I${require('node-api-headers').include_dir}`,
      ...multiarchIncludes(),
      ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,--exclude-libs,ALL']),
    ],
  };
}

function multiarchIncludes() {
  const machine = spawnSync('g++', ['-dumpmachine'], { encoding: 'utf8' }).stdout?.trim();
  return machine ? [`-I/usr/include/${machine}`] : [];
}

/**
 * Makes `output` of `sources` unless it is there and neither they, a header, a flag, a library nor the compiler has
 * changed since. Gives the seconds that took, 0 where nothing was to do, or what the compiler said; leaves no half file.
 */
export async function compile(output, { sources, flags, libraries = [] }) {
  const stampPath = `${output.replace(/\.node$/, '')}.stamp`;
  const stamp = fingerprint({ sources, flags, libraries });
  if (existsSync(output) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return { seconds: 0 };
  mkdirSync(dirname(output), { recursive: true });
  const started = performance.now();
  const temporary = `${output}.${process.pid}.tmp`;
  const { status, errors } = await runCompiler([...flags, ...sources, '-o', temporary, ...libraries]);
  if (status !== 0) {
    rmSync(temporary, { force: true });
    return { errors };
  }
  renameSync(temporary, output);
  writeFileSync(stampPath, stamp);
  return { seconds: (performance.now() - started) / 1000 };
}

/** Removes what `compile` made. */
export function discard(output) {
  for (const path of [output, `${output.replace(/\.node$/, '')}.stamp`]) rmSync(path, { force: true });
}

function fingerprint({ sources, flags, libraries }) {
  const found = libraries.map((flag) => {
    const file = `-print-file-name=lib${flag.slice(2)}.a`;
    return spawnSync('g++', [file], { encoding: 'utf8' }).stdout ?? '';
  });
  const version = spawnSync('g++', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const hash = createHash('sha256').update(JSON.stringify([flags, sources, libraries, found, version, process.arch]));
  const headers = readdirSync(sourceFolder).filter((file) => file.endsWith('.h'));
  for (const path of [...sources, ...headers.toSorted().map((file) => join(sourceFolder, file))]) {
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

function runCompiler(args) {
  return new Promise((resolve, reject) => {
    const compiler = spawn('g++', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    compiler.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    compiler.on('error', reject).on('close', (status) => resolve({ status, errors }));
  });
}
