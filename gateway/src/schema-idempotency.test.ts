import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, isInputObjectType } from 'graphql';
import { expect, test } from 'vitest';

/** The mutations that take no idempotency key, each for its reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  signIn: 'every call opens a session of its own; an answer that held one would have to keep its tokens',
  switchTenant: 'as signIn',
  enterTenant: 'as signIn, and the audit log tells of each entry',
  refreshSession: 'its refresh token is good once',
  signOut: 'ends what is open; a repeat finds nothing open',
  acceptInvitation: 'its invitation is good once',
  verifyErasure: 'looks, and changes nothing',
  recordInteractions: 'each interaction has its own key, eventId',
};

test('every mutation takes an idempotency key, but those that have a reason not to', () => {
  const schema = buildSchema(readFileSync(new URL('../api.graphql', import.meta.url), 'utf8'));
  const without = Object.values(schema.getMutationType()?.getFields() ?? {}).filter(({ args }) => {
    const input = getNamedType(args.find(({ name }) => name === 'input')?.type);
    return !isInputObjectType(input) || !('idempotencyKey' in input.getFields());
  });
  expect(without.map(({ name }) => name).toSorted()).toEqual(Object.keys(WITHOUT).toSorted());
});
