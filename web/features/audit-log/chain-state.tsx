'use client';

import { useQuery } from 'urql';
import { formatDateTime, formatPlural } from '../../lib/format.ts';
import { graphql } from '../../src/generated/gql.ts';
import { problemText } from '../shell/problem.tsx';
import { StatusPill } from '../shell/status-pill.tsx';
import classes from './audit-log-page.module.css';

const CHAIN = graphql(`
  query AuditChain {
    tenant {
      id
      auditChain {
        eventCount
        head
        problem
        anchor {
          sequence
          prunedAt
        }
      }
    }
  }
`);

/** Whether the log is whole: the server computes every hash again when the page is opened. */
export function ChainState() {
  const [{ data, error }] = useQuery({ query: CHAIN, requestPolicy: 'network-only' });
  const chain = data?.tenant.auditChain;
  return (
    <div className={classes.chain} role="status" data-testid="audit-chain">
      {chain === undefined ? (
        error ? (
          <>
            <StatusPill tone="warm" label="Not verified" />
            {problemText(error)}
          </>
        ) : (
          <StatusPill tone="live" label="Verifying…" />
        )
      ) : chain.problem ? (
        <>
          <StatusPill tone="bad" label="Broken" testId="audit-chain-state" />
          The log was altered: {chain.problem}.
        </>
      ) : (
        <>
          <StatusPill tone="good" label="Whole" testId="audit-chain-state" />
          <span>{formatPlural(chain.eventCount, 'event')} verified.</span>
          {chain.anchor ? (
            <span data-testid="audit-chain-anchor">
              Events up to {chain.anchor.sequence} were deleted by retention on {formatDateTime(chain.anchor.prunedAt)}.
            </span>
          ) : null}
          {chain.head ? (
            <span>
              Head <code className="mono">{chain.head}</code>
            </span>
          ) : null}
        </>
      )}
    </div>
  );
}
