// Runs the native code of the gateway under GCC's sanitizers; exits 1 where one of them finds something: its reader of requests
// without Node, then the test suites on the sanitized addon.
import { join } from 'node:path';
import { BUGS, make, passes, passesSuites } from '@kindred/native/sanitizers';
import { BUILD_FOLDER, refusalsAddon } from './addons.mjs';

const FOLDER = join(BUILD_FOLDER, 'sanitized');
const SUITES = ['refusals-addon', 'refusals-request', 'early-refusals'];

async function runDriver() {
  const output = join(FOLDER, 'request');
  const sources = ['check-request.cc', 'refusals-request.cc'].map((file) => join(import.meta.dirname, file));
  await make(output, { sources, flags: ['-std=c++17', '-Wall', ...BUGS] });
  return passes('request', [output]);
}

async function runSuites() {
  const { name, parts } = refusalsAddon(BUGS);
  await make(join(FOLDER, `${name}.node`), parts);
  const tests = SUITES.map((suite) => `gateway/src/overload/${suite}.test.ts`);
  return passesSuites('suites on the sanitized addon', BUILD_FOLDER, ['--project', 'gateway', ...tests]);
}

for (const run of [runDriver, runSuites]) {
  if (!(await run())) process.exitCode = 1;
}
