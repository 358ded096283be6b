import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// What the gateway is compared with, from npm, kept outside the checkout: no dependency of ours.
const RUNTIME = { name: '@graphql-hive/gateway-runtime', version: '2.12.1' };
const PLANNER = { name: '@graphql-hive/router-runtime', version: '1.4.23' };
// How it reaches subgraphs: required by name while it runs, and no dependency of its own.
const TRANSPORT = { name: '@graphql-mesh/transport-http', version: '1.2.1' };
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kindred', 'bench-hive');

/** The folder into which Hive Gateway and its planner are installed, which is done the first time. @throws Error with what npm said. */
export function installHive(): string {
  const folder = join(CACHE, [RUNTIME, PLANNER, TRANSPORT].map(({ version }) => version).join('-'));
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'install-'));
  try {
    const packages = [RUNTIME, PLANNER, TRANSPORT].map(({ name, version }) => `${name}@${version}`);
    const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
    const { status, stderr, error } = spawnSync('npm', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm could not install ${packages.join(' and ')}: ${error?.message ?? stderr}`);
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** What the two packages in `folder` export, as far as it is measured. */
export async function loadHive(folder: string) {
  const { resolve } = createRequire(join(folder, 'package.json'));
  const load = async (name: string) => (await import(pathToFileURL(resolve(name)).href)) as Record<string, unknown>;
  const [runtime, planner] = await Promise.all([load(RUNTIME.name), load(PLANNER.name)]);
  return { createGatewayRuntime: runtime.createGatewayRuntime, unifiedGraphHandler: planner.unifiedGraphHandler };
}
