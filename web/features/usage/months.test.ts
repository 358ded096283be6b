import { expect, it } from 'vitest';
import { daysOfMonth, latestMonths, nameOfMonth } from './months.ts';

it('lists months backwards over the turn of the year, in UTC', () => {
  expect(latestMonths(new Date('2026-02-01T00:30:00+02:00'), 3)).toEqual(['2026-01', '2025-12', '2025-11']);
  expect(nameOfMonth('2026-11')).toBe('November 2026');
});

it('knows every day of a month, leap days included', () => {
  expect(daysOfMonth('2024-02')).toHaveLength(29);
  expect(daysOfMonth('2026-11').slice(-2)).toEqual(['2026-11-29', '2026-11-30']);
});
