import { spawn } from 'node:child_process';
import { ROOT } from '../root.ts';
import type { Counts } from './counts.ts';

interface Check {
  name: string;
  command: string;
  args: readonly string[];
}

const TURBO = ['--output-logs=errors-only', '--ui=stream'];

/** What must hold of the sources, each counted as one test. */
export const CHECKS: readonly Check[] = [
  // Never from the cache: a workspace's types hang on the sources of others.
  { name: 'typecheck', command: 'turbo', args: ['run', 'typecheck', '--only', '--force', '--continue', ...TURBO] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--max-warnings', '0'] },
  { name: 'format', command: 'biome', args: ['format', '.'] },
  { name: 'web build', command: 'turbo', args: ['run', 'build', '--filter=@kindred/web', ...TURBO] },
];

/** Runs one check; its output is shown only when it fails. Programs are found on PATH, where npm puts our own first. */
export function runCheck({ name, command, args }: Check): Promise<Counts> {
  const startedAt = performance.now();
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', TURBO_TELEMETRY_DISABLED: '1' };
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (text: string): void => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const finish = (passed: boolean): void => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${passed ? '✓' : '✗'} ${name} (${seconds} s)`);
      if (!passed) console.log(output.trimEnd());
      resolve({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.once('close', (code) => finish(code === 0));
  });
}
