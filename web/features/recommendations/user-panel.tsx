'use client';

import { Select, Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { QueryProblem } from '../shell/problem.tsx';
import { useNow } from '../shell/use-now.ts';
import classes from './audience-panel.module.css';
import { InteractionLine } from './interaction-line.tsx';

const USERS = graphql(`
  query Users($first: Int!) {
    users(first: $first) {
      edges {
        cursor
        node {
          id
          externalId
        }
      }
    }
  }
`);

const USER_BY_ID = graphql(`
  query UserByExternalId($externalId: String!) {
    user(externalId: $externalId) {
      id
      externalId
    }
  }
`);

const HISTORY = graphql(`
  query UserHistory($externalId: String!, $first: Int!) {
    user(externalId: $externalId) {
      id
      externalId
      interactions(first: $first) {
        edges {
          cursor
          ...InteractionLine
        }
      }
    }
  }
`);

interface UserPanelProps {
  externalId: string;
  /** How many clicks were recorded: a change asks for the history again. */
  recorded: number;
  onChange: (externalId: string) => void;
}

export function UserPanel({ externalId, recorded, onChange }: UserPanelProps) {
  return (
    <>
      <UserSelect externalId={externalId} onChange={onChange} />
      <p className={classes.hint}>
        A click on a recommended item is recorded for this user, and counts in the next answer.
      </p>
      <h2 className={classes.heading}>Recent interactions</h2>
      <History externalId={externalId} recorded={recorded} />
    </>
  );
}

/** A list to search; an id that is typed in full is found even when the list does not hold it. */
function UserSelect({ externalId, onChange }: { externalId: string; onChange: (externalId: string) => void }) {
  const [search, setSearch] = useState('');
  const [typed] = useDebouncedValue(search.trim(), 200);
  const [{ data }] = useQuery({ query: USERS, variables: { first: 100 } });
  const [{ data: exact }] = useQuery({ query: USER_BY_ID, variables: { externalId: typed }, pause: typed === '' });
  const options = useMemo(() => {
    const listed = data?.users.edges.map(({ node }) => node.externalId) ?? [];
    return [...new Set([externalId, exact?.user?.externalId, ...listed])].filter((id): id is string => Boolean(id));
  }, [data, exact, externalId]);
  return (
    <Select
      mt="md"
      label="User"
      placeholder="Search, or type an id"
      searchable
      allowDeselect={false}
      value={externalId === '' ? null : externalId}
      data={options}
      limit={60}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(value) => value !== null && onChange(value)}
      nothingFoundMessage="No user with this id"
      maxDropdownHeight={280}
      data-testid="user-select"
    />
  );
}

function History({ externalId, recorded }: { externalId: string; recorded: number }) {
  const now = useNow(30_000);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: HISTORY,
    variables: { externalId, first: 12 },
    pause: externalId === '',
    requestPolicy: 'cache-and-network',
  });
  useEffect(() => {
    if (recorded > 0) refetch({ requestPolicy: 'network-only' });
  }, [recorded, refetch]);
  if (error && !fetching)
    return <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  const edges = data?.user?.externalId === externalId ? data.user.interactions.edges : null;
  if (edges === null && fetching) {
    return (
      <div aria-busy="true">
        {[0, 1, 2, 3].map((row) => (
          <Skeleton key={row} height={42} mb={8} />
        ))}
      </div>
    );
  }
  if (!edges || edges.length === 0) return <p className={classes.hint}>Nothing is known of this user yet.</p>;
  return (
    <ul className={classes.list} data-testid="user-interactions" tabIndex={0} aria-label="Recent interactions">
      {edges.map((edge) => (
        <InteractionLine key={edge.cursor} edge={edge} now={now} />
      ))}
    </ul>
  );
}
