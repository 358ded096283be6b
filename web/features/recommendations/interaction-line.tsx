import { formatAgo, formatDateTime } from '../../lib/format.ts';
import { splitTitle } from '../../lib/title.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { InteractionType } from '../../src/generated/graphql.ts';
import classes from './audience-panel.module.css';
import { Poster } from './poster.tsx';

const INTERACTION = graphql(`
  fragment InteractionLine on InteractionEdge {
    node {
      type
      value
      occurredAt
      item {
        id
        title
        categories
      }
    }
  }
`);

const VERBS: Record<InteractionType, string> = {
  VIEW: 'viewed',
  CLICK: 'clicked',
  CART: 'put in the cart',
  PURCHASE: 'bought',
  RATING: 'rated',
};

interface InteractionLineProps {
  edge: FragmentType<typeof INTERACTION>;
  /** Epoch milliseconds. */
  now: number;
}

export function InteractionLine({ edge: masked, now }: InteractionLineProps) {
  const { type, value, occurredAt, item } = readFragment(INTERACTION, masked).node;
  const did = type === 'RATING' && value !== null && value !== undefined ? `rated ${value}` : VERBS[type];
  return (
    <li className={classes.line}>
      <Poster title={item.title} categories={item.categories} size="thumb" />
      <span className={classes.words}>
        <span className={classes.title}>{splitTitle(item.title).name}</span>
        <span className={classes.meta} title={formatDateTime(occurredAt)}>
          {did} · {formatAgo(occurredAt, now)}
        </span>
      </span>
    </li>
  );
}
