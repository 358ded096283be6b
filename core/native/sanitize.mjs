// Runs the native code under GCC's sanitizers; exits 1 where one of them finds something. Sanitized programs go to
// core/build/sanitized, each compiled only when its sources changed.
//   node core/native/sanitize.mjs           everything: the drivers, then the test suites on sanitized addons
//   node core/native/sanitize.mjs drivers   programs without Node: addresses, leaks and undefined behaviour; then data races
//   node core/native/sanitize.mjs addons    the suites of core/ inside Node: addresses and undefined behaviour
import { basename, join } from 'node:path';
import { BUGS, make, passes, passesSuites, RACES } from '@kindred/native/sanitizers';
import { ADDONS, addonParts, BUILD_FOLDER, sourcesOf } from './addons.mjs';

const FOLDER = join(BUILD_FOLDER, 'sanitized');
const COMMON = ['-std=c++17', '-Wall', '-pthread'];
/** The stack that finds uses after return is aligned too little for vectors of 64 bytes by GCC 12: storing one there faults. */
const REAL_STACK = ['--param', 'asan-use-after-return=0'];

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
  const options = ['--project', 'core', '--testTimeout=300000', `--testNamePattern=^(?!.*${HUGE})`];
  const tests = SUITES.map((suite) => `core/src/${suite}`);
  return passesSuites('suites on sanitized addons', BUILD_FOLDER, [...options, ...tests]);
}

const RUNS = { drivers: runDrivers, addons: runSuites };
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in RUNS));
if (unknown !== undefined) throw new Error(`Wanted one of ${Object.keys(RUNS).join(', ')}, got ${unknown}.`);
for (const [name, run] of Object.entries(RUNS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (!(await run())) process.exitCode = 1;
}
