'use client';

import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { splitTitle } from '../../lib/title.ts';
import { formatCount } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { RecommendationStatus } from '../../src/generated/graphql.ts';
import { Poster } from './poster.tsx';
import type { RankChange } from './rank-changes.ts';
import { ReasonList } from './reason-list.tsx';
import classes from './recommendation-card.module.css';

const CARD = graphql(`
  fragment RecommendationCard on RecommendationEdge {
    rank
    score
    reasons {
      ...ReasonListEntry
    }
    node {
      id
      externalId
      title
      categories
    }
  }
`);

interface RecommendationCardProps {
  edge: FragmentType<typeof CARD>;
  status: RecommendationStatus;
  change: RankChange;
  /** What choosing the item does, for its button's name: `Add {title} to the session`. */
  action: (title: string) => string;
  onChoose: (externalId: string) => void;
}

export function RecommendationCard({ edge: masked, status, change, action, onChoose }: RecommendationCardProps) {
  const { node, rank, score, reasons } = readFragment(CARD, masked);
  const { name } = splitTitle(node.title);
  return (
    <li className={classes.card} data-testid="recommendation-card" data-item={node.externalId} data-rank={rank}>
      <Poster title={node.title} categories={node.categories} />
      <span className={classes.rank} aria-hidden="true">
        {rank}
      </span>
      <Change change={change} />
      <div className={classes.body}>
        <button
          type="button"
          className={classes.choose}
          aria-label={action(node.title)}
          onClick={() => onChoose(node.externalId)}
          data-testid="recommendation-choose"
        >
          {name}
        </button>
        <span className={classes.genres}>{node.categories.slice(0, 3).join(' · ')}</span>
        <span className={`${classes.score} numeric`} data-testid="recommendation-score">
          {status === 'PERSONALIZED' ? `score ${score.toFixed(3)}` : `${formatCount(score)} interactions`}
        </span>
        {reasons.length === 0 ? null : <ReasonList reasons={reasons} score={score} />}
      </div>
    </li>
  );
}

function Change({ change }: { change: RankChange }) {
  if (change === null) return null;
  if (change.kind === 'new') {
    return (
      <span className={classes.change} data-kind="new">
        New
      </span>
    );
  }
  const up = change.by > 0;
  const Arrow = up ? IconArrowUp : IconArrowDown;
  return (
    <span
      className={classes.change}
      data-kind={up ? 'up' : 'down'}
      aria-label={`${up ? 'up' : 'down'} ${Math.abs(change.by)}`}
      role="img"
    >
      <Arrow size={11} stroke={2.6} aria-hidden="true" />
      {Math.abs(change.by)}
    </span>
  );
}
