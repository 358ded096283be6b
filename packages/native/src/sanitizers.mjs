// Runs native code under GCC's sanitizers.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compile } from './compile.mjs';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** For what finds bugs with addresses, leaks and undefined behaviour. */
export const BUGS = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
];
/** For what finds data races. */
export const RACES = ['-O1', '-g', '-fsanitize=thread'];

const SETTINGS = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_init_order=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};

/** Whether a command ends with 0; its output is shown only where it does not. */
export function passes(label, [command, ...args], env) {
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

/** Makes a program or addon. @throws Error with what the compiler said */
export async function make(output, parts) {
  const { errors } = await compile(output, parts);
  if (errors !== undefined) throw new Error(`${output} does not compile:\n${errors}`);
}

/**
 * Whether suites pass inside Node on the addons of `buildFolder`/sanitized, in place of those of `buildFolder`: addresses and
 * undefined behaviour. `args` are vitest's.
 */
export function passesSuites(label, buildFolder, args) {
  // The C++ library beside the sanitizer's, which else looks for `throw` before an addon has brought it in.
  const preload = ['libasan.so', 'libstdc++.so.6'].map((library) => find(library));
  return passes(label, [process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    LD_PRELOAD: preload.join(' '),
    NODE_OPTIONS: `--require=${join(import.meta.dirname, 'load-sanitized.cjs')}`,
    SANITIZED_ADDONS: buildFolder,
    // V8 never frees what it still uses at the end: leaks are the drivers' to find.
    ASAN_OPTIONS: `${SETTINGS.ASAN_OPTIONS}:detect_leaks=0`,
  });
}

function find(library) {
  const path = spawnSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout?.trim();
  if (!path?.startsWith('/')) throw new Error(`g++ has no ${library}, got ${path}.`);
  return path;
}
