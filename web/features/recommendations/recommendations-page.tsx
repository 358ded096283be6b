'use client';

import { SegmentedControl } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useSearchParams } from 'next/navigation';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { problemText } from '../shell/problem.tsx';
import { Answer } from './answer.tsx';
import { type Audience, audienceFromQuery, queryOfAudience, withSessionItem } from './audience.ts';
import classes from './recommendations-page.module.css';
import { SessionPanel } from './session-panel.tsx';
import { UserPanel } from './user-panel.tsx';

const FIRST_USER = graphql(`
  query FirstUser {
    users(first: 1) {
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

const RECORD_CLICK = graphql(`
  mutation RecordClick($input: RecordInteractionsInput!) {
    recordInteractions(input: $input) {
      recordedCount
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const NO_ITEMS: Audience = { kind: 'session', items: [] };

export function RecommendationsPage() {
  const query = useSearchParams();
  const named = audienceFromQuery(query);
  const [{ data, fetching }] = useQuery({ query: FIRST_USER, pause: named !== null });
  const firstUser = data?.users.edges[0]?.node.externalId;
  const audience = named ?? (firstUser === undefined ? NO_ITEMS : ({ kind: 'user', externalId: firstUser } as const));
  const { recorded, record } = useClicks();

  const choose = (externalId: string): void => {
    if (audience.kind === 'user') void record(audience.externalId, externalId);
    else show({ kind: 'session', items: withSessionItem(audience.items, externalId) });
  };

  return (
    <>
      <PageHeader
        title="Recommendations"
        description="Ask for anyone, click items, and see the next answer change at once."
      />
      <div className={classes.page}>
        <div className={classes.side}>
          <Panel>
            <SegmentedControl
              fullWidth
              size="sm"
              value={audience.kind}
              onChange={(kind) => show(kind === 'session' ? NO_ITEMS : { kind: 'user', externalId: firstUser ?? '' })}
              data={[
                { value: 'user', label: 'Known user' },
                { value: 'session', label: 'Session' },
              ]}
              aria-label="For whom to recommend"
              data-testid="audience-kind"
            />
            {audience.kind === 'user' ? (
              <UserPanel
                externalId={audience.externalId}
                recorded={recorded}
                onChange={(externalId) => show({ kind: 'user', externalId })}
              />
            ) : (
              <SessionPanel items={audience.items} onChange={(items) => show({ kind: 'session', items })} />
            )}
          </Panel>
        </div>
        <Answer audience={audience} recorded={recorded} paused={named === null && fetching} onChoose={choose} />
      </div>
    </>
  );
}

/** Records clicks of end users, and counts those that were recorded. */
function useClicks(): { recorded: number; record: (userExternalId: string, itemExternalId: string) => Promise<void> } {
  const [recorded, setRecorded] = useState(0);
  const [, recordClick] = useMutation(RECORD_CLICK);
  const record = async (userExternalId: string, itemExternalId: string): Promise<void> => {
    const click = { eventId: newIdempotencyKey(), userExternalId, itemExternalId, type: 'CLICK' } as const;
    const { data, error } = await recordClick({ input: { interactions: [click] } });
    const problem = error ? problemText(error) : data?.recordInteractions.userErrors[0]?.message;
    if (problem === undefined) setRecorded((count) => count + 1);
    else notifications.show({ color: 'red', title: 'The click was not recorded', message: problem });
  };
  return { recorded, record };
}

/** Puts the audience into the address, so that what is shown can be shared and survives a reload. */
function show(audience: Audience): void {
  window.history.replaceState(null, '', `?${queryOfAudience(audience)}`);
}
