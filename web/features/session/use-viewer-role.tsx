'use client';

import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import type { Role } from '../../src/generated/graphql.ts';
import { mayWrite } from './may-write.ts';

const ROLE = graphql(`
  query ViewerRole {
    viewer {
      role
    }
  }
`);

/** What the viewer is in the tenant, and whether that lets them start things; null until it is known. */
export function useViewerRole(): { role: Role | null; mayWrite: boolean | null } {
  const [{ data }] = useQuery({ query: ROLE });
  if (data === undefined) return { role: null, mayWrite: null };
  const role = data.viewer?.role ?? null;
  return { role, mayWrite: mayWrite(role) };
}
