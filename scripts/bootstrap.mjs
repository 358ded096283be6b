// `npm start` and `npm test` begin here, on whatever Node the machine has (18 or newer), before anything is installed:
// it installs what is missing and goes on with the Node 24 that npm brings.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installSystemPackages } from './system-packages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const STAMP = join(ROOT, 'node_modules/.kindred-installed');
const MAIN = { start: 'scripts/src/start/main.ts', test: 'scripts/src/test/main.ts' };
const WANTED_NODE = 24;

class StopReason extends Error {}

function run(label, command, args) {
  process.stderr.write(`${label} …`);
  const startedAt = Date.now();
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 26,
  });
  process.stderr.write(` ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  if (status === 0) return;
  if (signal) process.exit(130);
  const output = `${stdout ?? ''}${stderr ?? ''}`.trim();
  if (/ENOSPC|no space left/i.test(output)) throw new StopReason('The disk is full: free some space and start again.');
  const reason = new StopReason(`${label} failed: ${error ? error.message : `it ended with ${status}`}.`);
  throw Object.assign(reason, { output });
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

/** Whether our stamp says so, or npm's own list of what it installed, as after an `npm ci` by hand. */
function isInstalled() {
  if (!existsSync(join(ROOT, 'node_modules/.package-lock.json'))) return false;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash()) return true;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(join(ROOT, 'node_modules/.package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' || optional || link || !version || found[path]?.version === version,
  );
}

function installPackages() {
  if (!isInstalled()) {
    try {
      npm('ci');
    } catch (error) {
      // A package.json that was edited by hand no longer agrees with the lock file.
      if (!/are in sync/.test(error.output ?? '')) throw error;
      npm('install');
    }
  }
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== lockHash()) writeFileSync(STAMP, lockHash());
}

function npm(how) {
  const [command, ...first] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  run(`Installing packages (npm ${how}), once`, command, [...first, how, '--no-audit', '--no-fund']);
}

/** The Node 24 of node_modules, where this platform has one; else our own if it is new enough. */
function findNode() {
  const own = Number(process.versions.node.split('.')[0]);
  const installed = join(ROOT, 'node_modules/.bin/node');
  if (own < WANTED_NODE && !existsSync(installed)) {
    throw new StopReason(
      `Node ${WANTED_NODE} or newer is wanted, this is ${process.versions.node}: install it from nodejs.org.`,
    );
  }
  return own >= WANTED_NODE ? process.execPath : installed;
}

function prepare() {
  const turbo = join(dirname(createRequire(join(ROOT, 'package.json')).resolve('turbo/package.json')), '../.bin/turbo');
  const options = ['--output-logs=errors-only', '--ui=stream'];
  run('Generating code', turbo, ['run', 'generate', ...options]);
  try {
    const native = ['--filter=@kindred/core', '--filter=@kindred/gateway'];
    run('Building the native parts', turbo, ['run', 'build', ...native, ...options]);
  } catch (error) {
    if (!(error instanceof StopReason)) throw error;
    process.stderr.write('Going on without them: slower code stands in.\n');
  }
}

function goOn(node, main, args) {
  const cache = join(ROOT, '.kindred/compile-cache');
  mkdirSync(cache, { recursive: true });
  const path = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cache };
  const child = spawn(node, [join(ROOT, main), ...args], { cwd: ROOT, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => stop(error));
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 130 : (code ?? 1);
  });
}

function stop(error) {
  if (error.output) process.stderr.write(`${error.output.split('\n').slice(-30).join('\n')}\n`);
  process.stderr.write(`\nkindred: ${error.message}\n`);
  process.exit(1);
}

const [, , command, ...args] = process.argv;
try {
  const main = MAIN[command];
  if (main === undefined) throw new StopReason(`Wanted "start" or "test", got "${command ?? ''}".`);
  if (command === 'start' && (args.includes('--help') || args.includes('-h'))) {
    process.stdout.write(readFileSync(join(ROOT, 'scripts/src/start/help.txt')));
  } else {
    installPackages();
    const node = findNode();
    // turbo and its tasks find the same Node first.
    process.env.PATH = `${dirname(node)}:${process.env.PATH ?? ''}`;
    installSystemPackages({ forTests: command === 'test' });
    prepare();
    goOn(node, main, args);
  }
} catch (error) {
  if (!(error instanceof StopReason)) throw error;
  stop(error);
}
