import { expect, it } from 'vitest';
import { invitationLink, readInvitation } from './invitation-link.ts';
import { rolesGivenBy } from './role-names.ts';

it('carries the token behind the #, so that no server is sent it', () => {
  const link = new URL(invitationLink('https://kindred.example', 'ki_abc-DEF_1'));
  expect(link.pathname + link.search).toBe('/join');
  expect(readInvitation(link.hash)).toBe('ki_abc-DEF_1');
});

it.each(['', '#', '#%', '#a b', '#<script>'])('reads no token from "%s"', (fragment) => {
  expect(readInvitation(fragment)).toBeNull();
});

it('lets only an owner make owners', () => {
  expect(rolesGivenBy('OWNER')).toContain('OWNER');
  for (const role of ['ADMIN', null, undefined] as const) expect(rolesGivenBy(role)).not.toContain('OWNER');
});
