'use client';

import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { ListPanel } from '../shell/list-panel.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { RetentionForm } from './retention-form.tsx';

const RETENTION = graphql(`
  query Retention {
    tenant {
      id
      retention {
        interactionDays
        versionDays
        auditDays
      }
    }
  }
`);

export function RetentionPage() {
  const [{ data, error, fetching }, refetch] = useQuery({ query: RETENTION, requestPolicy: 'network-only' });
  return (
    <>
      <PageHeader
        title="Retention"
        description="How long this tenant keeps what. What is older is deleted every night; what has no period is kept for ever."
      />
      <ListPanel fetching={fetching} error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })}>
        {data ? <RetentionForm retention={data.tenant.retention} /> : undefined}
      </ListPanel>
    </>
  );
}
