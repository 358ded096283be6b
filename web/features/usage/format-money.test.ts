import { expect, it } from 'vitest';
import { formatMoney } from './format-money.ts';

it.each([
  [1234.5, '€1,234.50'],
  [0, '€0.00'],
  [0.08, '€0.08'],
  [0.1, '€0.10'],
  [0.0012345, '€0.0012'],
])('%d reads as %s', (amount, text) => {
  expect(formatMoney({ amount, currency: 'EUR' })).toBe(text);
});
