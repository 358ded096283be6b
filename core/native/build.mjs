// Builds build/faiss.node with plain g++ (no node-gyp, no Node headers beyond node-api-headers) in some 15 seconds.
// Prints one line. Exits 0 also where there is no compiler or no libfaiss: exact search then stands in, visibly.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const source = join(import.meta.dirname, 'faiss.cc');
const buildFolder = join(import.meta.dirname, '..', 'build');
const output = join(buildFolder, 'faiss.node');
const stampPath = join(buildFolder, 'faiss.stamp');
const reasonPath = join(buildFolder, 'faiss-unavailable.txt');

const compilerArguments = (target) => [
  '-std=c++17',
  '-O2',
  '-fPIC',
  '-shared',
  '-fopenmp',
  '-fvisibility=hidden',
  '-Wall',
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
  // A terminated worker thread can be told of no exception; without this node-addon-api aborts the process.
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  `-I${require('node-addon-api').include_dir}`,
  `-I${require('node-api-headers').include_dir}`,
  ...multiarchIncludes(),
  source,
  '-o',
  target,
  ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,--exclude-libs,ALL']),
  '-lfaiss',
  '-lopenblas',
  '-lgomp',
];

function multiarchIncludes() {
  const machine = spawnSync('g++', ['-dumpmachine'], { encoding: 'utf8' }).stdout?.trim();
  return machine ? [`-I/usr/include/${machine}`] : [];
}

function fingerprint() {
  const library = spawnSync('g++', ['-print-file-name=libfaiss.a'], { encoding: 'utf8' }).stdout ?? '';
  const version = spawnSync('g++', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  return createHash('sha256')
    .update(readFileSync(source))
    .update(JSON.stringify([compilerArguments(''), library, version, process.arch]))
    .digest('hex');
}

function giveUp(reason) {
  rmSync(output, { force: true });
  rmSync(stampPath, { force: true });
  writeFileSync(reasonPath, `${reason}\n`);
  console.log(`core: FAISS binding not built: ${reason}. Exact search stands in.`);
}

function build() {
  mkdirSync(buildFolder, { recursive: true });
  if (spawnSync('g++', ['--version']).error) return giveUp('no g++ on PATH (Debian: apt-get install g++)');
  const stamp = fingerprint();
  if (existsSync(output) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) {
    return console.log('core: FAISS binding is up to date.');
  }
  const started = performance.now();
  const temporary = join(dirname(output), `faiss.${process.pid}.tmp`);
  const result = spawnSync('g++', compilerArguments(temporary), { encoding: 'utf8' });
  if (result.status !== 0) {
    rmSync(temporary, { force: true });
    const firstError = result.stderr.split('\n').find((line) => /error|cannot find/.test(line)) ?? result.stderr;
    const isMissing = /faiss\/|-lfaiss|-lopenblas/.test(firstError);
    const hint = isMissing ? ' (Debian: apt-get install libfaiss-dev libopenblas-dev)' : '';
    return giveUp(`${firstError.trim()}${hint}`);
  }
  renameSync(temporary, output);
  rmSync(reasonPath, { force: true });
  writeFileSync(stampPath, stamp);
  return console.log(`core: FAISS binding built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

build();
