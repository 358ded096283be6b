// Runs the native code under GCC's sanitizers; exits 1 where one of them finds something. Sanitized programs go to
// core/build/sanitized, each compiled only when its sources changed.
//   node core/native/sanitize.mjs           everything: the drivers, then the test suites on sanitized addons
//   node core/native/sanitize.mjs drivers   programs without Node: addresses, leaks and undefined behaviour; then data races
//   node core/native/sanitize.mjs addons    the suites of core/ inside Node: addresses and undefined behaviour
import { spawn, spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { compile } from '@kindred/native/compile';
import { ADDONS, addonParts, BUILD_FOLDER, sourcesOf } from './addons.mjs';

const FOLDER = join(BUILD_FOLDER, 'sanitized');
const ROOT = join(import.meta.dirname, '..', '..');
const COMMON = ['-std=c++17', '-Wall', '-pthread'];
const BUGS = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
];
/** The stack that finds uses after return is aligned too little for vectors of 64 bytes by GCC 12: storing one there faults. */
const REAL_STACK = ['--param', 'asan-use-after-return=0'];
const RACES = ['-O1', '-g', '-fsanitize=thread'];

/** Programs that link what an addon is made of, but for its binding to Node. */
const DRIVERS = [
  {
    name: 'trainer',
    flags: ['-ffp-contract=fast', '-fno-math-errno'],
    // Its choice among instruction sets is made before ThreadSanitizer is ready; the addons cover it.
    sources: sourcesOf('lightgcn-').filter((path) => !path.endsWith('bandwidth.cc')),
  },
  {
    name: 'algebra',
    flags: [],
    // The index is a binding to Node.
    sources: [...sourcesOf('linear-'), ...sourcesOf('ranking-').filter((path) => !path.endsWith('index.cc'))],
  },
];

/** Tests that a sanitizer would keep at it for an hour: the same code sees smaller data in the others. */
const HUGE = 'a degree of a million';

/** The suites that reach native code, but for those that measure memory in processes of their own. */
const SUITES = [
  'lightgcn/backends',
  'lightgcn/training',
  'models/linear-algebra',
  'models/models',
  'models/recommender.test',
  'models/odd-inputs',
  'models/fold-in-map',
  'metrics',
  'vector-index',
  'evaluate',
  'fold-in',
];

const SETTINGS = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_init_order=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};

/** Whether the command ends with 0; its output is shown only where it does not. */
function passes(label, [command, ...args], env) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...SETTINGS, ...env } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject).on('close', (status, signal) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const last = output.trimEnd().split('\n').at(-1);
      console.log(
        status === 0 ? `${label}: clean, ${seconds} s (${last})` : `${label}: ended with ${signal ?? status}`,
      );
      if (status !== 0) console.log(output);
      resolve(status === 0);
    });
  });
}

async function make(output, parts) {
  const { errors } = await compile(output, parts);
  if (errors !== undefined) throw new Error(`${output} does not compile:\n${errors}`);
}

/** Makes a sanitized `output`, its code for AVX-512 apart from the rest. */
async function makeSanitized(output, { sources, flags, ...parts }) {
  const objects = sources.map(async (source) => {
    if (!source.endsWith('-avx512.cc')) return source;
    const object = `${output}-${basename(source, '.cc')}.o`;
    await make(object, { sources: [source], flags: [...flags, ...REAL_STACK, '-c'] });
    return object;
  });
  await make(output, { ...parts, sources: await Promise.all(objects), flags });
}

async function runDrivers() {
  const programs = DRIVERS.flatMap(({ name, flags, sources }) =>
    Object.entries({ bugs: BUGS, races: RACES }).map(([kind, sanitizers]) => {
      const parts = [join(import.meta.dirname, `check-${name}.cc`), ...sources];
      const output = join(FOLDER, `${name}-${kind}`);
      return {
        label: `${name}, ${kind}`,
        output,
        parts: { sources: parts, flags: [...COMMON, ...flags, ...sanitizers] },
      };
    }),
  );
  await Promise.all(programs.map(({ output, parts }) => makeSanitized(output, parts)));
  let isClean = true;
  for (const { label, output } of programs) isClean = (await passes(label, [output])) && isClean;
  return isClean;
}

async function runSuites() {
  await Promise.all(ADDONS.map((addon) => makeSanitized(join(FOLDER, `${addon.name}.node`), addonParts(addon, BUGS))));
  // The C++ library beside the sanitizer's, which else looks for `throw` before an addon has brought it in.
  const preload = ['libasan.so', 'libstdc++.so.6'].map((library) => find(library));
  const tests = SUITES.map((suite) => `core/src/${suite}`);
  return passes(
    'suites on sanitized addons',
    [
      process.execPath,
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'core',
      '--testTimeout=300000',
      `--testNamePattern=^(?!.*${HUGE})`,
      ...tests,
    ],
    {
      LD_PRELOAD: preload.join(' '),
      NODE_OPTIONS: `--require=${join(import.meta.dirname, 'load-sanitized.cjs')}`,
      // V8 never frees what it still uses at the end: leaks are the drivers' to find.
      ASAN_OPTIONS: `${SETTINGS.ASAN_OPTIONS}:detect_leaks=0`,
    },
  );
}

function find(library) {
  const path = spawnSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout?.trim();
  if (!path?.startsWith('/')) throw new Error(`g++ has no ${library}, got ${path}.`);
  return path;
}

const RUNS = { drivers: runDrivers, addons: runSuites };
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in RUNS));
if (unknown !== undefined) throw new Error(`Wanted one of ${Object.keys(RUNS).join(', ')}, got ${unknown}.`);
for (const [name, run] of Object.entries(RUNS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (!(await run())) process.exitCode = 1;
}
