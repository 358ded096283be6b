import { expect, it } from 'vitest';
import { doneShare, isJobOver } from './job-status.ts';

it('knows which work has ended', () => {
  expect((['SUCCEEDED', 'FAILED', 'CANCELLED'] as const).every(isJobOver)).toBe(true);
  expect((['QUEUED', 'RUNNING'] as const).some(isJobOver)).toBe(false);
});

it('shows nothing done until it is known of how much, and everything of what succeeded', () => {
  expect(doneShare(5, null, 'QUEUED')).toBe(0);
  expect(doneShare(5, 20, 'RUNNING')).toBe(0.25);
  expect(doneShare(0, 0, 'SUCCEEDED')).toBe(1);
});

it('never shows more than all', () => {
  expect(doneShare(30, 20, 'RUNNING')).toBe(1);
});
