import { expect, it } from 'vitest';
import { guessOrder } from './guess-order.ts';

it('knows a format by the name of the file, and by how it begins where the name says nothing', () => {
  expect(guessOrder('items.CSV', 'externalId,title').format).toBe('CSV');
  expect(guessOrder('items.jsonl', '').format).toBe('JSONL');
  expect(guessOrder('export.txt', '\n{"externalId":"1"}').format).toBe('JSONL');
  expect(guessOrder('export.txt', 'externalId,title').format).toBe('CSV');
});

it('knows interactions by the fields of the first row alone', () => {
  expect(guessOrder('a.csv', 'userExternalId,itemExternalId,type\n').kind).toBe('INTERACTIONS');
  expect(guessOrder('a.csv', 'externalId,title\n1,about userExternalId\n').kind).toBe('ITEMS');
});
