'use client';

import { Skeleton, Switch } from '@mantine/core';
import { IconMovie } from '@tabler/icons-react';
import Link from 'next/link';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { formatMilliseconds } from '../../lib/format.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { RecommendationStatus, RecommendQuery } from '../../src/generated/graphql.ts';
import { Blank } from '../shell/blank.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';
import classes from './answer.module.css';
import { type Audience, recommendInput } from './audience.ts';
import { CopyQuery } from './copy-query.tsx';
import { type RankChange, rankChanges } from './rank-changes.ts';
import { RecommendationCard } from './recommendation-card.tsx';

const RECOMMEND = graphql(`
  query Recommend($input: RecommendInput!, $first: Int!) {
    recommend(input: $input, first: $first) {
      recommendationId
      status
      modelVersion {
        id
        number
        run {
          id
        }
        model {
          id
          name
        }
      }
      timing {
        userMs
        searchMs
        totalMs
      }
      edges {
        cursor
        node {
          id
        }
        ...RecommendationCard
      }
    }
  }
`);

const FIRST = 10;

const STATUS: Record<RecommendationStatus, { tone: PillTone; label: string; says: string }> = {
  PERSONALIZED: { tone: 'good', label: 'Personalized', says: "From the user's own interactions." },
  COLD_START: { tone: 'warm', label: 'Cold start', says: 'Nothing is known of this visitor: the most popular items.' },
  FALLBACK: {
    tone: 'bad',
    label: 'Fallback',
    says: 'No version is active: the most popular items. Train a model to change that.',
  },
};

interface AnswerProps {
  audience: Audience;
  /** How many clicks were recorded: a change asks again. */
  recorded: number;
  paused: boolean;
  onChoose: (externalId: string) => void;
}

export function Answer({ audience, recorded, paused, onChoose }: AnswerProps) {
  const [explain, setExplain] = useState(true);
  const asked = JSON.stringify(recommendInput(audience, explain));
  const variables = useMemo(
    () => ({ input: JSON.parse(asked) as ReturnType<typeof recommendInput>, first: FIRST }),
    [asked],
  );
  const [{ data, error, fetching }, refetch] = useQuery({
    query: RECOMMEND,
    variables,
    pause: paused,
    requestPolicy: 'network-only',
  });
  useEffect(() => {
    if (recorded > 0) refetch({ requestPolicy: 'network-only' });
  }, [recorded, refetch]);
  const answer = data?.recommend;

  return (
    <section className={classes.answer} aria-label="The answer" aria-busy={fetching} data-testid="recommendations">
      <div className={classes.bar}>
        <div className={classes.facts} role="status">
          {answer ? <Facts answer={answer} /> : <Skeleton height={22} width={220} />}
        </div>
        <div className={classes.tools}>
          <Switch
            size="sm"
            label="Explain"
            checked={explain}
            onChange={(event) => setExplain(event.currentTarget.checked)}
            data-testid="explain"
          />
          <CopyQuery document={RECOMMEND} variables={variables} />
        </div>
      </div>
      {error && !fetching ? (
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      ) : (
        <Cards audience={audience} answer={answer} stale={fetching} onChoose={onChoose} />
      )}
    </section>
  );
}

interface CardsProps extends Pick<AnswerProps, 'audience' | 'onChoose'> {
  answer: RecommendQuery['recommend'] | undefined;
  stale: boolean;
}

function Cards({ audience, answer, stale, onChoose }: CardsProps) {
  const changes = useRankChanges(audience.kind === 'user' ? audience.externalId : 'a session', answer);
  const action = (title: string): string =>
    audience.kind === 'user' ? `Record a click on ${title}` : `Add ${title} to the session`;
  if (answer?.edges.length === 0) {
    return (
      <Panel>
        <Blank icon={IconMovie} title="Nothing to recommend">
          The catalogue is empty, or all of it is in the session. Send items with upsertItems.
        </Blank>
      </Panel>
    );
  }
  return (
    <ol className={classes.grid} data-stale={stale}>
      {answer?.edges.map((edge) => (
        <RecommendationCard
          key={edge.node.id}
          edge={edge}
          status={answer.status}
          change={changes.get(edge.node.id) ?? null}
          action={action}
          onChoose={onChoose}
        />
      )) ??
        Array.from({ length: FIRST }, (_, position) => (
          <li key={position} aria-hidden="true">
            <Skeleton className={classes.ghost} radius="lg" />
          </li>
        ))}
    </ol>
  );
}

function Facts({ answer: { status, modelVersion, timing } }: { answer: RecommendQuery['recommend'] }) {
  const { tone, label, says } = STATUS[status];
  return (
    <>
      <StatusPill tone={tone} label={label} title={says} testId="recommendation-status" />
      {modelVersion ? (
        <Link href={`/runs/${modelVersion.run.id}`} className={classes.version} data-testid="model-version">
          {modelVersion.model.name} v{modelVersion.number}
        </Link>
      ) : null}
      <span
        className="numeric"
        title={`user ${formatMilliseconds(timing.userMs)}, search ${formatMilliseconds(timing.searchMs)}`}
        data-testid="recommendation-timing"
      >
        answered in {formatMilliseconds(timing.totalMs)}
      </span>
      {status === 'PERSONALIZED' ? null : <span className={classes.says}>{says}</span>}
    </>
  );
}

/** How each item of the answer moved since the answer before it for the same visitor, by item id. */
function useRankChanges(visitor: string, answer: RecommendQuery['recommend'] | undefined): Map<string, RankChange> {
  const [shown, setShown] = useState({
    visitor,
    answerId: '',
    ids: [] as string[],
    changes: new Map<string, RankChange>(),
  });
  if (answer && answer.recommendationId !== shown.answerId) {
    const ids = answer.edges.map(({ node }) => node.id);
    const same = shown.visitor === visitor && shown.answerId !== '';
    const unchanged = same && ids.join() === shown.ids.join();
    const changes = unchanged ? shown.changes : rankChanges(same ? shown.ids : null, ids);
    setShown({ visitor, answerId: answer.recommendationId, ids, changes });
  }
  return shown.changes;
}
