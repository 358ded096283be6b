// The Debian packages that make the platform faster or complete. Each has a stand-in, so that none is a must.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const has = (program) => (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)));

const WANTED = [
  { packages: ['g++'], isThere: () => has('g++'), without: 'exact search stands in for FAISS' },
  {
    packages: ['libfaiss-dev', 'libopenblas-dev'],
    isThere: () => existsSync('/usr/include/faiss/Index.h') || existsSync('/usr/local/include/faiss/Index.h'),
    without: 'exact search stands in for FAISS',
  },
  { packages: ['redis-server'], isThere: () => has('redis-server'), without: 'a Redis in JavaScript stands in' },
  {
    packages: ['chromium', 'fonts-dejavu-core'],
    isThere: () => has('chromium') || has('google-chrome'),
    without: 'the browser tests cannot run',
    forTests: true,
  },
  {
    packages: ['docker-compose'],
    isThere: () => has('docker-compose'),
    without: 'docker-compose.yml is only checked by us',
    forTests: true,
  },
];

/** Installs what is missing where we are root on Debian; elsewhere says what is missing and what that means. */
export function installSystemPackages({ forTests }) {
  if (process.platform !== 'linux') return;
  const missing = WANTED.filter((entry) => (forTests || !entry.forTests) && !entry.isThere());
  if (missing.length === 0) return;
  const packages = missing.flatMap((entry) => entry.packages);
  const canInstall = process.getuid?.() === 0 && has('apt-get');
  if (canInstall && install(packages)) return;
  const effects = [...new Set(missing.map(({ without }) => without))].join('; ');
  const how = has('apt-get') ? `sudo apt-get install ${packages.join(' ')}` : `install ${packages.join(', ')}`;
  process.stderr.write(`Not installed: ${packages.join(' ')} (${effects}). For the full platform: ${how}\n`);
}

function install(packages) {
  process.stderr.write(`Installing ${packages.join(', ')} …`);
  const startedAt = Date.now();
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: 'ignore', timeout: 600_000 }).status === 0;
  const options = ['install', '-y', '--no-install-recommends', ...packages];
  // Package lists may be old or absent: fetch them only when the first try fails.
  const done = apt(...options) || (apt('update') && apt(...options));
  process.stderr.write(` ${done ? '' : 'failed after '}${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  return done;
}
