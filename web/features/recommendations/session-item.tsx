'use client';

import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { splitTitle } from '../../lib/title.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './audience-panel.module.css';
import { Poster } from './poster.tsx';

const ITEM = graphql(`
  query SessionItem($externalId: String!) {
    item(externalId: $externalId) {
      id
      externalId
      title
      categories
    }
  }
`);

/** An item of the session; the cache usually knows it from the answer that it was clicked in. */
export function SessionItem({ externalId, remove }: { externalId: string; remove: ReactNode }) {
  const [{ data, fetching }] = useQuery({ query: ITEM, variables: { externalId } });
  const item = data?.item?.externalId === externalId ? data.item : null;
  return (
    <li className={classes.line} data-testid="session-item">
      <Poster title={item?.title ?? externalId} categories={item?.categories ?? []} size="thumb" />
      <span className={classes.words}>
        <span className={classes.title}>{item ? splitTitle(item.title).name : externalId}</span>
        <span className={classes.meta}>
          {item ? item.categories.slice(0, 3).join(' · ') : fetching ? 'Loading…' : 'Not in the catalogue'}
        </span>
      </span>
      {remove}
    </li>
  );
}
