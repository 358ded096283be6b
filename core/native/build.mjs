// Builds the native addons of core/build/ with plain g++ (no node-gyp, no Node headers beyond node-api-headers), in
// parallel, each only when its sources, its flags or the compiler changed. Prints one line for each. Exits 0 also where
// there is no compiler or no library: slower code then stands in, visibly. `node build.mjs [name ...]` builds only those.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const sourceFolder = import.meta.dirname;
const buildFolder = join(sourceFolder, '..', 'build');

/**
 * One entry for each addon: `<name>.node` comes from all `<name>*.cc` of this folder; a change of any header compiles it
 * again. `standIn` says what serves without it, `missing` how to get what its compiler errors (`pattern`) say is missing.
 * An entry without sources is passed over.
 */
const ADDONS = [
  {
    name: 'faiss',
    flags: ['-O2', '-fopenmp'],
    libraries: ['-lfaiss', '-lopenblas', '-lgomp'],
    standIn: 'Exact search stands in.',
    missing: { pattern: /faiss\/|-lfaiss|-lopenblas/, hint: 'Debian: apt-get install libfaiss-dev libopenblas-dev' },
  },
  {
    name: 'lightgcn',
    flags: ['-O3', '-ffp-contract=fast', '-fno-math-errno', '-pthread'],
    libraries: [],
    standIn: 'The TypeScript reference stands in.',
  },
  { name: 'linear', flags: ['-O3', '-pthread'], libraries: [], standIn: 'Plain TypeScript stands in.' },
  { name: 'ranking', flags: ['-O3', '-pthread'], libraries: [], standIn: 'Plain TypeScript stands in.' },
];

const sourcesOf = ({ name }) =>
  readdirSync(sourceFolder)
    .filter((file) => file.startsWith(name) && file.endsWith('.cc'))
    .toSorted()
    .map((file) => join(sourceFolder, file));

const compilerArguments = (addon, target) => [
  '-std=c++17',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-Wall',
  ...addon.flags,
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
  // A terminated worker thread can be told of no exception; without this node-addon-api aborts the process.
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  `-I${require('node-addon-api').include_dir}`,
  `-I${require('node-api-headers').include_dir}`,
  ...multiarchIncludes(),
  ...sourcesOf(addon),
  '-o',
  target,
  ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,--exclude-libs,ALL']),
  ...addon.libraries,
];

function multiarchIncludes() {
  const machine = spawnSync('g++', ['-dumpmachine'], { encoding: 'utf8' }).stdout?.trim();
  return machine ? [`-I/usr/include/${machine}`] : [];
}

function fingerprint(addon) {
  const libraries = addon.libraries.map((flag) => {
    const file = `-print-file-name=lib${flag.slice(2)}.a`;
    return spawnSync('g++', [file], { encoding: 'utf8' }).stdout ?? '';
  });
  const version = spawnSync('g++', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const hash = createHash('sha256').update(
    JSON.stringify([compilerArguments(addon, ''), libraries, version, process.arch]),
  );
  const headers = readdirSync(sourceFolder).filter((file) => file.endsWith('.h'));
  for (const path of [...sourcesOf(addon), ...headers.toSorted().map((file) => join(sourceFolder, file))]) {
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

function giveUp(addon, reason) {
  rmSync(join(buildFolder, `${addon.name}.node`), { force: true });
  rmSync(join(buildFolder, `${addon.name}.stamp`), { force: true });
  writeFileSync(join(buildFolder, `${addon.name}-unavailable.txt`), `${reason}\n`);
  console.log(`core: ${addon.name} addon not built: ${reason}. ${addon.standIn}`);
}

function compile(addon, target) {
  return new Promise((resolve, reject) => {
    const compiler = spawn('g++', compilerArguments(addon, target), { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    compiler.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    compiler.on('error', reject).on('close', (status) => resolve({ status, errors }));
  });
}

async function build(addon) {
  const output = join(buildFolder, `${addon.name}.node`);
  const stampPath = join(buildFolder, `${addon.name}.stamp`);
  const stamp = fingerprint(addon);
  if (existsSync(output) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) {
    return console.log(`core: ${addon.name} addon is up to date.`);
  }
  const started = performance.now();
  const temporary = join(buildFolder, `${addon.name}.${process.pid}.tmp`);
  const { status, errors } = await compile(addon, temporary);
  if (status !== 0) {
    rmSync(temporary, { force: true });
    const firstError = errors.split('\n').find((line) => /error|cannot find/.test(line)) ?? errors;
    const hint = addon.missing?.pattern.test(firstError) ? ` (${addon.missing.hint})` : '';
    return giveUp(addon, `${firstError.trim()}${hint}`);
  }
  renameSync(temporary, output);
  rmSync(join(buildFolder, `${addon.name}-unavailable.txt`), { force: true });
  writeFileSync(stampPath, stamp);
  return console.log(`core: ${addon.name} addon built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

mkdirSync(buildFolder, { recursive: true });
const wanted = process.argv.slice(2);
const addons = ADDONS.filter((addon) => sourcesOf(addon).length > 0 && (!wanted.length || wanted.includes(addon.name)));
if (spawnSync('g++', ['--version']).error) {
  for (const addon of addons) giveUp(addon, 'no g++ on PATH (Debian: apt-get install g++)');
} else {
  await Promise.all(addons.map(build));
}
