import { expect, test } from 'vitest';
import { describeFailure, StopReason } from './report-error.ts';

test('a reason to stop is shown as its own words, on one line', () => {
  expect(describeFailure(new StopReason('Port 4000 (web) is in use.'))).toBe('Port 4000 (web) is in use.');
  expect(describeFailure(new Error('first\nsecond'))).toBe('first');
  expect(describeFailure('text')).toBe('text');
});

test('a full disk is said in words, whoever met it', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(describeFailure(error)).toBe('The disk is full: free some space and start again.');
});
