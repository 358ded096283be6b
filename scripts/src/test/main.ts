import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, runCheck } from './checks.ts';
import { addCounts, type Counts, describeCounts, NO_COUNTS } from './counts.ts';
import { runVitest } from './run-vitest.ts';

// `npm test` runs the checks and every suite; `npm test -- ARGS` runs only the suites, with ARGS for vitest.
const args = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'kindred-report-'));
let counts: Counts = NO_COUNTS;
const failed: string[] = [];
try {
  for (const check of args.length === 0 ? CHECKS : []) {
    const outcome = await runCheck(check);
    counts = addCounts(counts, outcome);
    if (outcome.failed > 0) failed.push(check.name);
  }
  const outcome = await runVitest(args, join(dir, 'report.json'));
  counts = addCounts(counts, outcome.counts);
  failed.push(...outcome.failures);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
if (failed.length > 0) console.log(`\nFailed:\n${failed.map((name) => `  ✗ ${name}`).join('\n')}`);
console.log(`\n${describeCounts(counts)}`);
process.exit(counts.failed > 0 ? 1 : 0);
