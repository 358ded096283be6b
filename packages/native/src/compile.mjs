// Compiles native addons and programs with plain g++ (no node-gyp, no Node headers beyond node-api-headers), each only when
// what goes into it has changed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The paths of all `<prefix>*.cc` of a folder, in order. */
export function sourcesIn(folder, prefix) {
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.cc'))
    .toSorted()
    .map((file) => join(folder, file));
}

/** What g++ is told of every addon, besides its own flags. */
export function addonFlags(own) {
  return [
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-Wall',
    ...own,
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_CPP_EXCEPTIONS',
    // A terminated worker thread can be told of no exception; without this node-addon-api aborts the process.
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    `-I${require('node-addon-api').include_dir}`,
    `-I${require('node-api-headers').include_dir}`,
    ...multiarchIncludes(),
    ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,--exclude-libs,ALL']),
  ];
}

function multiarchIncludes() {
  const machine = spawnSync('g++', ['-dumpmachine'], { encoding: 'utf8' }).stdout?.trim();
  return machine ? [`-I/usr/include/${machine}`] : [];
}

/**
 * Makes `output` of `sources` unless it is there and neither they, a header, a flag, a library nor the compiler has
 * changed since, nor Node. Gives the seconds that took, 0 where nothing was to do, or what the compiler said; leaves no half file.
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
  const hash = createHash('sha256').update(
    JSON.stringify([flags, sources, libraries, found, version, process.arch, process.version]),
  );
  for (const path of [...sources, ...headersBeside(sources)]) hash.update(readFileSync(path));
  return hash.digest('hex');
}

function headersBeside(sources) {
  return [...new Set(sources.map((path) => dirname(path)))].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.h'))
      .toSorted()
      .map((file) => join(folder, file)),
  );
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
