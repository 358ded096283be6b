'use client';

import { IconSend, IconWebhook } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { WebhookDetailFragment } from '../../src/generated/graphql.ts';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { UnreadyPage } from '../shell/unready-page.tsx';
import { DeliveryList } from './delivery-list.tsx';
import { WebhookActions } from './webhook-actions.tsx';
import { WebhookState } from './webhook-state.tsx';

const DETAIL = graphql(`
  fragment WebhookDetail on Webhook {
    id
    url
    createdAt
    disabledAt
    disabledReason
    deliveries(first: 50) {
      edges {
        cursor
        node {
          ...DeliveryRow
        }
      }
    }
  }
`);

const WEBHOOK = graphql(`
  query Webhook($id: ID!) {
    webhook(id: $id) {
      id
      ...WebhookDetail
    }
  }
`);

const TRAIL = [{ label: 'Webhooks', href: '/webhooks' }];
const MISSING = { icon: IconWebhook, title: 'No such webhook' };

export function WebhookPage({ webhookId }: { webhookId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: WEBHOOK,
    variables: { id: webhookId },
    requestPolicy: 'cache-and-network',
  });
  const webhook = readFragment(DETAIL, data?.webhook);
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  if (webhook) return <Detail webhook={webhook} onChanged={refresh} />;
  return (
    <UnreadyPage title="Webhook" trail={TRAIL} missing={MISSING} fetching={fetching} error={error} onRetry={refresh} />
  );
}

function Detail({ webhook, onChanged }: { webhook: WebhookDetailFragment; onChanged: () => void }) {
  const deliveries = webhook.deliveries.edges.map(({ node }) => node);
  return (
    <>
      <PageHeader
        title={new URL(webhook.url).host}
        trail={TRAIL}
        description={`${webhook.url} · created ${formatDateTime(webhook.createdAt)}`}
        badge={<WebhookState {...webhook} />}
        actions={
          <WebhookActions webhookId={webhook.id} isDisabled={Boolean(webhook.disabledAt)} onChanged={onChanged} />
        }
      />
      <Panel
        title="Deliveries"
        description="Attempts of the last 30 days, the newest first. A repeated one has the same message id."
        flush
      >
        {deliveries.length === 0 ? (
          <Blank icon={IconSend} title="Nothing was sent yet">
            Send a test, or wait for something to happen.
          </Blank>
        ) : (
          <DeliveryList deliveries={deliveries} canRedeliver={!webhook.disabledAt} onChanged={onChanged} />
        )}
      </Panel>
    </>
  );
}
