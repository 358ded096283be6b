'use client';

import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { Blank } from '../shell/blank.tsx';
import { ListPanel } from '../shell/list-panel.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { CreateWebhookDialog } from './create-webhook-dialog.tsx';
import { WebhookList } from './webhook-list.tsx';

const WEBHOOKS = graphql(`
  query Webhooks($first: Int!) {
    tenant {
      id
      webhooks(first: $first) {
        edges {
          cursor
          node {
            id
            ...WebhookListRow
          }
        }
      }
    }
  }
`);

export function WebhooksPage() {
  const [dialogOpen, dialog] = useDisclosure();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: WEBHOOKS,
    variables: { first: 100 },
    requestPolicy: 'cache-and-network',
  });
  const webhooks = data?.tenant.webhooks.edges.map(({ node }) => node);
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open} data-testid="create-webhook">
      New webhook
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Webhooks"
        description="Addresses of yours that are told when a training ends, a version answers, or a key or member changes."
        actions={create}
      />
      <ListPanel fetching={fetching} error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })}>
        {webhooks === undefined ? undefined : webhooks.length === 0 ? (
          <Blank icon={IconWebhook} title="No webhook yet" action={create}>
            Requests are signed as the Standard Webhooks specification says, and repeated for more than a day.
          </Blank>
        ) : (
          <WebhookList webhooks={webhooks} />
        )}
      </ListPanel>
      <CreateWebhookDialog opened={dialogOpen} onClose={dialog.close} />
    </>
  );
}
