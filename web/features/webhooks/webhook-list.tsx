'use client';

import Link from 'next/link';
import { formatDateTime } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { WebhookState } from './webhook-state.tsx';

const ROW = graphql(`
  fragment WebhookListRow on Webhook {
    id
    url
    createdAt
    disabledAt
    disabledReason
  }
`);

export function WebhookList({ webhooks: masked }: { webhooks: readonly FragmentType<typeof ROW>[] }) {
  const webhooks = readFragment(ROW, masked);
  return (
    <DataTable label="Webhooks" columns={['Address', 'Created', 'State']}>
      {webhooks.map((webhook) => (
        <tr key={webhook.id} data-testid="webhook-row">
          <td>
            <CellText>
              <Link href={`/webhooks/${webhook.id}`}>{webhook.url}</Link>
            </CellText>
          </td>
          <td className="numeric">{formatDateTime(webhook.createdAt)}</td>
          <td>
            <WebhookState {...webhook} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}
