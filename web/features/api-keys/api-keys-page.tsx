'use client';

import { Button, Skeleton, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { PublishedDocumentsPanel } from '../published-documents/published-documents-panel.tsx';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { ApiKeyList } from './api-key-list.tsx';
import { CreateKeyDialog } from './create-key-dialog.tsx';

const API_KEYS = graphql(`
  query ApiKeys($first: Int!) {
    tenant {
      id
      apiKeys(first: $first) {
        edges {
          cursor
          node {
            id
            ...ApiKeyListRow
          }
        }
      }
    }
  }
`);

export function ApiKeysPage() {
  const [dialogOpen, dialog] = useDisclosure();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: API_KEYS,
    variables: { first: 100 },
    requestPolicy: 'cache-and-network',
  });
  const keys = data?.tenant.apiKeys.edges.map(({ node }) => node);
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open} data-testid="create-api-key">
      New key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="API keys"
        description="Publishable keys are for browsers: they recommend and record interactions, nothing else. Secret keys are for servers."
        actions={create}
      />
      <Stack gap="md">
        <Panel flush>
          {keys ? (
            keys.length === 0 ? (
              <Blank icon={IconKey} title="No key yet" action={create}>
                A key is all a program needs to send interactions and to ask for recommendations.
              </Blank>
            ) : (
              <ApiKeyList apiKeys={keys} />
            )
          ) : error && !fetching ? (
            <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
          ) : (
            <div style={{ padding: '8px 18px 18px' }} aria-busy="true">
              {[0, 1, 2].map((row) => (
                <Skeleton key={row} height={38} mt={10} />
              ))}
            </div>
          )}
        </Panel>
        <PublishedDocumentsPanel />
      </Stack>
      <CreateKeyDialog opened={dialogOpen} onClose={dialog.close} />
    </>
  );
}
