'use client';

import { NativeSelect } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Panel } from '../shell/panel.tsx';
import { problemText } from '../shell/problem.tsx';

const CONFIGURE = graphql(`
  mutation ConfigureCanary($input: ConfigureCanaryInput!) {
    configureCanary(input: $input) {
      model {
        id
        canarySettings {
          sharePercent
          minimumAnswers
          maximumMinutes
        }
      }
      userErrors {
        message
      }
    }
  }
`);

interface CanarySettings {
  sharePercent: number;
  minimumAnswers: number;
  maximumMinutes: number;
}

const DEFAULTS: CanarySettings = { sharePercent: 0, minimumAnswers: 1_000, maximumMinutes: 1_440 };
const CHOICES = {
  sharePercent: { label: 'A new version answers', values: [0, 5, 10, 25, 50], unit: '% of the users first' },
  minimumAnswers: { label: 'Clicks are compared from', values: [100, 1_000, 10_000, 100_000], unit: 'answers on' },
  maximumMinutes: { label: 'For at most', values: [60, 360, 1_440, 10_080], unit: 'minutes' },
} as const;

/** How new versions come to answer: at once, or for some users first. */
export function CanarySettingsPanel({ modelId, settings }: { modelId: string; settings: CanarySettings | null }) {
  const [{ fetching }, configure] = useMutation(CONFIGURE);
  const current = settings ?? DEFAULTS;
  const change = async (field: keyof CanarySettings, value: number): Promise<void> => {
    const next = { ...current, [field]: value };
    const canary = next.sharePercent === 0 ? null : next;
    const { data, error } = await configure({ input: { modelId, canary, idempotencyKey: newIdempotencyKey() } });
    const message = error ? problemText(error) : data?.configureCanary.userErrors.map((each) => each.message).join(' ');
    if (message) notifications.show({ color: 'red', title: 'The canary was not changed', message });
  };
  const fields = settings === null ? (['sharePercent'] as const) : (Object.keys(CHOICES) as (keyof CanarySettings)[]);
  return (
    <Panel title="Canary" description="A new version that is clicked less, or fails more, is rolled back by itself.">
      {fields.map((field) => (
        <NativeSelect
          key={field}
          label={CHOICES[field].label}
          value={String(current[field])}
          disabled={fetching}
          onChange={({ currentTarget }) => void change(field, Number(currentTarget.value))}
          data={[...new Set([...CHOICES[field].values, current[field]])].map((value) => ({
            value: String(value),
            label: value === 0 ? 'everybody at once' : `${value.toLocaleString('en')} ${CHOICES[field].unit}`,
          }))}
          data-testid={`canary-${field}`}
        />
      ))}
    </Panel>
  );
}
