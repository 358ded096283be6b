'use client';

import { Button, Group, NumberInput, Stack } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { WritersOnly } from '../session/writers-only.tsx';
import { tellOutcome } from '../shell/tell-outcome.ts';

const SET_RETENTION = graphql(`
  mutation SetRetention($input: SetRetentionInput!) {
    setRetention(input: $input) {
      retention {
        interactionDays
        versionDays
        auditDays
      }
      userErrors {
        message
      }
    }
  }
`);

const MOST_DAYS = 3_650;

const PERIODS = [
  { field: 'interactionDays', label: 'Interactions', least: 1, about: 'Counted from when they occurred.' },
  {
    field: 'versionDays',
    label: 'Model versions that do not answer',
    least: 1,
    about: 'Counted from when they last answered; no rollback leads to a deleted one.',
  },
  {
    field: 'auditDays',
    label: 'Audit log',
    least: 365,
    about: 'A year at least, so that nobody hides what they did. The log stays provable from its first kept event on.',
  },
] as const;

type Retention = Record<(typeof PERIODS)[number]['field'], number | null>;

/** One number of days for each kind of data; an empty one means for ever. */
export function RetentionForm({ retention }: { retention: Retention }) {
  const [{ fetching }, setRetention] = useMutation(SET_RETENTION);
  const [days, setDays] = useState<Retention>({
    interactionDays: retention.interactionDays,
    versionDays: retention.versionDays,
    auditDays: retention.auditDays,
  });
  const submit = async (): Promise<void> => {
    const { data, error } = await setRetention({ input: { ...days, idempotencyKey: newIdempotencyKey() } });
    const userErrors = data?.setRetention.userErrors;
    tellOutcome({ error, userErrors }, { done: 'The periods are kept.', failed: 'The periods were not changed' });
  };
  return (
    <form
      style={{ padding: '14px 18px 18px' }}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack gap="md">
        {PERIODS.map(({ field, label, least, about }) => (
          <NumberInput
            key={field}
            label={`${label}, days`}
            description={about}
            placeholder="For ever"
            allowDecimal={false}
            min={least}
            max={MOST_DAYS}
            maw={420}
            value={days[field] ?? ''}
            onChange={(value) => setDays({ ...days, [field]: value === '' ? null : Number(value) })}
            data-testid={`retention-${field}`}
          />
        ))}
        <WritersOnly deed="change the periods">
          <Group>
            <Button type="submit" loading={fetching} data-testid="retention-save">
              Save
            </Button>
          </Group>
        </WritersOnly>
      </Stack>
    </form>
  );
}
