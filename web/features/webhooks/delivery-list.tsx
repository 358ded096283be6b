'use client';

import { Button } from '@mantine/core';
import { useMutation } from 'urql';
import { formatDateTime, formatMilliseconds } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { DeliveryRowFragment } from '../../src/generated/graphql.ts';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { StatusPill } from '../shell/status-pill.tsx';
import { tellOutcome } from '../shell/tell-outcome.ts';

const ROW = graphql(`
  fragment DeliveryRow on WebhookDelivery {
    id
    messageId
    eventType
    attempt
    at
    status
    failure
    responseBody
    durationMs
  }
`);

const REDELIVER = graphql(`
  mutation RedeliverWebhook($input: RedeliverWebhookInput!) {
    redeliverWebhook(input: $input) {
      delivery {
        ...DeliveryRow
      }
      userErrors {
        message
      }
    }
  }
`);

interface DeliveryListProps {
  deliveries: readonly FragmentType<typeof ROW>[];
  canRedeliver: boolean;
  onChanged: () => void;
}

export function DeliveryList({ deliveries: masked, canRedeliver, onChanged }: DeliveryListProps) {
  const deliveries = readFragment(ROW, masked);
  return (
    <DataTable label="Deliveries" columns={['Event', 'When', 'Answer', 'Took']} withActions>
      {deliveries.map((delivery) => (
        <tr key={delivery.id} data-testid="delivery-row" data-status={delivery.status ?? 'none'}>
          <td>
            <CellText below={delivery.messageId}>{delivery.eventType}</CellText>
          </td>
          <td className="numeric">
            <CellText below={delivery.attempt ? `Attempt ${delivery.attempt}` : 'Asked for'}>
              {formatDateTime(delivery.at)}
            </CellText>
          </td>
          <td>
            <Answer delivery={delivery} />
          </td>
          <td className="numeric">{formatMilliseconds(delivery.durationMs)}</td>
          <td>{canRedeliver ? <RedeliverButton delivery={delivery} onChanged={onChanged} /> : null}</td>
        </tr>
      ))}
    </DataTable>
  );
}

function Answer({ delivery: { status, failure, responseBody } }: { delivery: DeliveryRowFragment }) {
  const isTaken = typeof status === 'number' && status >= 200 && status < 300;
  const said = failure ?? responseBody ?? '';
  return (
    <>
      <StatusPill tone={isTaken ? 'good' : 'bad'} label={status ? String(status) : 'No answer'} />
      {said === '' ? null : <CellText below={said.slice(0, 200)}>{null}</CellText>}
    </>
  );
}

function RedeliverButton({ delivery, onChanged }: { delivery: DeliveryRowFragment; onChanged: () => void }) {
  const [{ fetching }, redeliver] = useMutation(REDELIVER);
  const ask = async (): Promise<void> => {
    const { data, error } = await redeliver({
      input: { deliveryId: delivery.id, idempotencyKey: newIdempotencyKey() },
    });
    const words = { done: 'The event was sent again.', failed: 'Nothing was sent' };
    if (tellOutcome({ error, userErrors: data?.redeliverWebhook.userErrors }, words)) onChanged();
  };
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      loading={fetching}
      onClick={() => void ask()}
      aria-label={`Send ${delivery.eventType} again`}
      data-testid="redeliver"
    >
      Send again
    </Button>
  );
}
