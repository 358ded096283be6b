import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatLift,
  formatLoss,
  formatMetric,
  formatMilliseconds,
  formatPlural,
  formatSetting,
  formatShare,
} from './format.ts';

describe('formatting', () => {
  it('groups counts', () => {
    expect(formatCount(100_836)).toBe('100,836');
    expect(formatPlural(1, 'epoch')).toBe('1 epoch');
    expect(formatPlural(1200, 'epoch')).toBe('1,200 epochs');
  });

  it('gives metrics four places and shares one', () => {
    expect(formatMetric(0.15543)).toBe('0.1554');
    expect(formatShare(0.9876)).toBe('98.8%');
  });

  it('signs a lift, and gives none over nothing', () => {
    expect(formatLift(0.138, 0.1)).toBe('+38%');
    expect(formatLift(0.08, 0.1)).toBe('−20%');
    expect(formatLift(0.4127, 0.0214)).toBe('19×');
    expect(formatLift(0.1, 0)).toBeNull();
  });

  it('gives a loss three telling digits', () => {
    expect([6.4821, 0.07314, 0.004119, 0].map(formatLoss)).toEqual(['6.482', '0.0731', '0.00412', '0']);
  });

  it('gives durations in the largest telling units', () => {
    expect([420, 12_000, 200_000, 3_900_000, -5].map(formatDuration)).toEqual([
      '0.4 s',
      '12 s',
      '3 min 20 s',
      '1 h 5 min',
      '0.0 s',
    ]);
    expect([0.421, 3.14, 119.6].map(formatMilliseconds)).toEqual(['0.42 ms', '3.1 ms', '120 ms']);
  });

  it('says how long ago something was', () => {
    const now = Date.parse('2026-11-23T17:00:00.000Z');
    expect(formatAgo('2026-11-23T16:59:50.000Z', now)).toBe('just now');
    expect(formatAgo('2026-11-23T16:55:00.000Z', now)).toBe('5 minutes ago');
    expect(formatAgo('2026-11-22T17:00:00.000Z', now)).toBe('yesterday');
  });
});

it('tells how large a file is', () => {
  expect([640, 12_345, 1_234_567].map(formatBytes)).toEqual(['640 B', '12.3 KB', '1.2 MB']);
});

it('tells a setting by four digits that matter', () => {
  expect([0.0011771484542244, 0.5, 16_384].map(formatSetting)).toEqual(['0.001177', '0.5', '16,384']);
});
