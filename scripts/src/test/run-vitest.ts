import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import type { Counts } from './counts.ts';

interface VitestReport {
  testResults: {
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

export interface SuiteOutcome {
  counts: Counts;
  /** The full names of the tests and files that failed. */
  failures: string[];
}

/** Runs the suites, shown as they go, and counts their outcome. */
export async function runVitest(args: readonly string[], reportPath: string): Promise<SuiteOutcome> {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
  const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args];
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, vitest, { cwd: ROOT, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', resolve);
  });
  return readOutcome(readReport(reportPath), code);
}

function readReport(path: string): VitestReport | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return null; // a run that broke off writes none, which readOutcome counts as a failure
  }
}

/** The outcome in a report; a file that cannot run and a run that breaks off count as one failed test each. */
export function readOutcome(report: VitestReport | null, exitCode: number | null): SuiteOutcome {
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const broken = files.filter(({ status, assertionResults }) => {
    return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
  });
  const failures = [
    ...broken.map(({ name }) => name),
    ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  ];
  if (exitCode !== 0 && failures.length === 0) failures.push(`the test run itself (it ended with ${exitCode})`);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed').length;
  return { counts: { passed, failed: failures.length, skipped }, failures };
}
