'use client';

import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFileCode, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { Blank } from '../shell/blank.tsx';
import { ListPanel } from '../shell/list-panel.tsx';
import { PublishedDocumentList } from './published-document-list.tsx';

const PUBLISHED_DOCUMENTS = graphql(`
  query PublishedDocuments($first: Int!, $namePrefix: String!) {
    tenant {
      id
      publishedDocuments(first: $first, namePrefix: $namePrefix) {
        edges {
          cursor
          node {
            documentId
            ...PublishedDocumentRow
          }
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
`);

const TYPING_MS = 250;

/** What the tenant's publishable keys may run of its own. */
export function PublishedDocumentsPanel() {
  const [typed, setTyped] = useState('');
  const [namePrefix] = useDebouncedValue(typed.trim(), TYPING_MS);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: PUBLISHED_DOCUMENTS,
    variables: { first: 100, namePrefix },
    requestPolicy: 'cache-and-network',
  });
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  const page = data?.tenant.publishedDocuments;
  const search = (
    <TextInput
      size="xs"
      aria-label="Name of the operation"
      placeholder="Name begins with…"
      leftSection={<IconSearch size={14} />}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      data-testid="document-search"
    />
  );
  return (
    <ListPanel
      title={page?.pageInfo.hasNextPage ? 'Published documents, the newest 100' : 'Published documents'}
      aside={search}
      fetching={fetching}
      error={error}
      onRetry={refresh}
    >
      {page === undefined ? undefined : page.edges.length > 0 ? (
        <PublishedDocumentList documents={page.edges.map(({ node }) => node)} onChanged={refresh} />
      ) : namePrefix === '' ? (
        <Blank icon={IconFileCode} title="No document of your own yet">
          Publishable keys run the product’s documents, and those that you publish with `publishDocuments`.
        </Blank>
      ) : (
        <Blank icon={IconFileCode} title={`No published document begins with “${namePrefix}”`}>
          Capitals count.
        </Blank>
      )}
    </ListPanel>
  );
}
