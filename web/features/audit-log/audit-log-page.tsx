'use client';

import { Button } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { ListPanel } from '../shell/list-panel.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { AuditEventList } from './audit-event-list.tsx';
import classes from './audit-log-page.module.css';
import { ChainState } from './chain-state.tsx';

const AUDIT_LOG = graphql(`
  query AuditLog($first: Int!, $after: String) {
    tenant {
      id
      auditEvents(first: $first, after: $after) {
        edges {
          cursor
          node {
            ...AuditEventRow
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const PAGE_SIZE = 50;

export function AuditLogPage() {
  // The cursors that lead to the page shown, the newest events' first.
  const [trail, setTrail] = useState<readonly string[]>([]);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: AUDIT_LOG,
    variables: { first: PAGE_SIZE, after: trail.at(-1) ?? null },
    requestPolicy: 'cache-and-network',
  });
  const events = data?.tenant.auditEvents;
  const endCursor = events?.pageInfo.hasNextPage ? events.pageInfo.endCursor : null;
  return (
    <>
      <PageHeader
        title="Audit log"
        description="What was done in this tenant that matters for its security. Each event holds the hash of the one before: none can be changed or left out unseen."
      />
      <ChainState />
      <ListPanel fetching={fetching} error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })}>
        {events ? <AuditEventList events={events.edges.map(({ node }) => node)} /> : undefined}
      </ListPanel>
      <nav className={classes.pages} aria-label="Pages of the log">
        <Button
          variant="default"
          disabled={trail.length === 0}
          onClick={() => setTrail(trail.slice(0, -1))}
          data-testid="audit-newer"
        >
          Newer
        </Button>
        <Button
          variant="default"
          disabled={!endCursor}
          onClick={() => endCursor && setTrail([...trail, endCursor])}
          data-testid="audit-older"
        >
          Older
        </Button>
      </nav>
    </>
  );
}
