import { expect, test } from 'vitest';
import { describeCounts } from './counts.ts';
import { readOutcome } from './run-vitest.ts';

const file = (name: string, statuses: string[]) => ({
  name,
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, row) => ({ fullName: `${name} ${row}`, status })),
});

test('passed, failed and skipped tests are counted and the failed ones named', () => {
  const report = { testResults: [file('a', ['passed', 'failed']), file('b', ['passed', 'pending', 'todo'])] };
  expect(readOutcome(report, 1)).toEqual({ counts: { passed: 2, failed: 1, skipped: 2 }, failures: ['a 1'] });
});

test('a file that cannot run is a failure though it has no tests', () => {
  const report = { testResults: [{ name: 'broken', status: 'failed', assertionResults: [] }] };
  expect(readOutcome(report, 1)).toMatchObject({ counts: { failed: 1 }, failures: ['broken'] });
});

test('a run that breaks off is a failure though no test failed', () => {
  expect(readOutcome(null, 1).counts.failed).toBe(1);
  expect(readOutcome({ testResults: [file('a', ['passed'])] }, 1).counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test('the closing line tells of skipped tests only where there are some', () => {
  expect(describeCounts({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(describeCounts({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
