import { expect, it } from 'vitest';
import { refusalOf } from './refusal-of.ts';

it("says the API's own words where it gave some", async () => {
  const body = { errors: [{ message: 'An upload may have 10 bytes, got more.' }] };
  expect(await refusalOf(Response.json(body, { status: 400 }))).toBe('An upload may have 10 bytes, got more.');
});

it('says the status of an answer without words, and that there was no answer', async () => {
  expect(await refusalOf(new Response('<html>', { status: 502 }))).toContain('502');
  expect(await refusalOf(null)).toContain('did not answer');
});
