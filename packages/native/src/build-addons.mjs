// Builds the native addons of a workspace, in parallel.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, discard } from './compile.mjs';

/**
 * Builds addons into a folder, each only when what goes into it has changed, and prints one line for each. Where one cannot be
 * built its reason is left in that folder, and what stands in for it is said. An addon has a `name`, its `parts` for
 * `compile`, a `standIn`, and in `missing` how to get what its compiler's errors (`pattern`) say is missing.
 */
export async function buildAddons(workspace, buildFolder, addons) {
  mkdirSync(buildFolder, { recursive: true });
  const hasCompiler = spawnSync('g++', ['--version']).error === undefined;
  const build = async (addon) => {
    const output = join(buildFolder, `${addon.name}.node`);
    const reasonPath = join(buildFolder, `${addon.name}-unavailable.txt`);
    const { seconds, reason } = hasCompiler
      ? await compileAddon(output, addon)
      : { reason: 'no g++ on PATH (Debian: apt-get install g++)' };
    if (reason !== undefined) {
      discard(output);
      writeFileSync(reasonPath, `${reason}\n`);
      console.log(`${workspace}: ${addon.name} addon not built: ${reason}. ${addon.standIn}`);
      return;
    }
    rmSync(reasonPath, { force: true });
    const what = seconds === 0 ? 'is up to date' : `built in ${seconds.toFixed(1)} s`;
    console.log(`${workspace}: ${addon.name} addon ${what}.`);
  };
  await Promise.all(addons.map(build));
}

async function compileAddon(output, { parts, missing }) {
  const { seconds, errors } = await compile(output, parts);
  if (errors === undefined) return { seconds };
  const firstError = errors.split('\n').find((line) => /error|cannot find/.test(line)) ?? errors;
  const hint = missing?.pattern.test(firstError) ? ` (${missing.hint})` : '';
  return { reason: `${firstError.trim()}${hint}` };
}
