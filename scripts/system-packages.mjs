// The Debian packages that make the platform faster or complete. Each has a stand-in, so that none is a must.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { useBackports } from './debian-backports.mjs';

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
  {
    packages: ['default-jre-headless', 'maven'],
    isThere: () => has('java') && has('mvn'),
    without: 'waits of hours are not tested on a clock that jumps',
    forTests: true,
  },
  {
    // A Vulkan driver in software. Bookworm's own, of mesa 22.3, gives WebGPU no adapter.
    packages: ['libvulkan1', 'mesa-vulkan-drivers'],
    isThere: () =>
      ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some(
        (folder) => existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('lvp_icd')),
      ),
    without: 'the GPU back-end of training is tested only where there is a GPU',
    forTests: true,
    fromBackports: true,
  },
];

/** Installs what is missing where we are root on Debian; elsewhere says what is missing and what that means. */
export function installSystemPackages({ forTests }) {
  if (process.platform !== 'linux') return;
  const missing = WANTED.filter((entry) => (forTests || !entry.forTests) && !entry.isThere());
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && has('apt-get');
  const [plain, newer] = [
    missing.filter((entry) => !entry.fromBackports),
    missing.filter((entry) => entry.fromBackports),
  ];
  const failed = [
    ...(canInstall && install(namesOf(plain)) ? [] : plain),
    ...(canInstall && install(namesOf(newer), { fromBackports: true }) ? [] : newer),
  ];
  if (failed.length === 0) return;
  const packages = namesOf(failed);
  const effects = [...new Set(failed.map(({ without }) => without))].join('; ');
  const how = has('apt-get') ? `sudo apt-get install ${packages.join(' ')}` : `install ${packages.join(', ')}`;
  process.stderr.write(`Not installed: ${packages.join(' ')} (${effects}). For the full platform: ${how}\n`);
}

function namesOf(entries) {
  return entries.flatMap((entry) => entry.packages);
}

function install(packages, { fromBackports = false } = {}) {
  if (packages.length === 0) return true;
  process.stderr.write(`Installing ${packages.join(', ')} …`);
  const startedAt = Date.now();
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: 'ignore', timeout: 600_000 }).status === 0;
  const origin = fromBackports ? useBackports() : [];
  const options = ['install', '-y', '--no-install-recommends', ...origin, ...packages];
  // Package lists may be old or absent: fetch them only when the first try fails.
  const done = apt(...options) || (apt('update') && apt(...options));
  process.stderr.write(` ${done ? '' : 'failed after '}${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  return done;
}
