import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { actionName, detailTexts } from './action-names.ts';

it('has words for every action that the log tells', () => {
  const source = readFileSync(new URL('../../../prisma/src/audit-log.ts', import.meta.url), 'utf8');
  const [, union = ''] = /export type AuditAction =([^;]*);/.exec(source) ?? [];
  const actions = [...union.matchAll(/'(\w+)'/g)].map((match) => String(match[1]));
  expect(actions.length).toBeGreaterThan(10);
  expect(actions.filter((action) => actionName(action) === action)).toEqual([]);
});

it('shows an action that it does not know by its name', () => {
  expect(actionName('flyToTheMoon')).toBe('flyToTheMoon');
});

it.each([
  ['{"role":"ADMIN","number":3}', ['role: ADMIN', 'number: 3']],
  ['{}', []],
  ['[1]', ['[1]']],
  ['no JSON', ['no JSON']],
])('shows the details %s as %j', (details, texts) => {
  expect(detailTexts(details)).toEqual(texts);
});
