'use client';

import { NativeSelect } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Panel } from '../shell/panel.tsx';
import { problemText } from '../shell/problem.tsx';

const SCHEDULE = graphql(`
  mutation ScheduleTraining($input: ScheduleTrainingInput!) {
    answer: scheduleTraining(input: $input) {
      model {
        id
        schedule {
          everyMinutes
          afterInteractions
        }
      }
      userErrors {
        message
      }
    }
  }
`);

const UNSCHEDULE = graphql(`
  mutation UnscheduleTraining($input: UnscheduleTrainingInput!) {
    answer: unscheduleTraining(input: $input) {
      model {
        id
        schedule {
          everyMinutes
          afterInteractions
        }
      }
      userErrors {
        message
      }
    }
  }
`);

const NEVER = '0';
const INTERVALS: Record<string, string> = {
  [NEVER]: 'Only when asked',
  15: 'Every 15 minutes',
  60: 'Every hour',
  360: 'Every 6 hours',
  1440: 'Every day',
  10080: 'Every week',
};
const COUNTS = [1, 100, 1_000, 10_000, 100_000];

interface Schedule {
  everyMinutes: number;
  afterInteractions: number;
}

/** When the model is trained without being asked. */
export function SchedulePanel({ modelId, schedule }: { modelId: string; schedule: Schedule | null }) {
  const [scheduling, scheduleTraining] = useMutation(SCHEDULE);
  const [unscheduling, unscheduleTraining] = useMutation(UNSCHEDULE);
  const busy = scheduling.fetching || unscheduling.fetching;
  const every = String(schedule?.everyMinutes ?? NEVER);
  const count = schedule?.afterInteractions ?? 1;

  const change = async (everyMinutes: number, afterInteractions: number): Promise<void> => {
    const idempotencyKey = newIdempotencyKey();
    const { data, error } =
      everyMinutes === 0
        ? await unscheduleTraining({ input: { modelId, idempotencyKey } })
        : await scheduleTraining({ input: { modelId, everyMinutes, afterInteractions, idempotencyKey } });
    const message = error ? problemText(error) : data?.answer.userErrors.map((reason) => reason.message).join(' ');
    if (message) notifications.show({ color: 'red', title: 'The schedule was not changed', message });
  };

  return (
    <Panel title="Schedule" description="A training that would overlap another is left out.">
      <NativeSelect
        label="Train"
        value={every}
        disabled={busy}
        onChange={({ currentTarget }) => void change(Number(currentTarget.value), count)}
        data={[...new Set([...Object.keys(INTERVALS), every])].map((value) => ({
          value,
          label: INTERVALS[value] ?? `Every ${value} minutes`,
        }))}
        data-testid="schedule-interval"
      />
      {schedule === null ? null : (
        <NativeSelect
          label="If at least so many interactions came in"
          value={String(count)}
          disabled={busy}
          onChange={({ currentTarget }) => void change(schedule.everyMinutes, Number(currentTarget.value))}
          data={[...new Set([...COUNTS, count])].map((value) => ({
            value: String(value),
            label: value.toLocaleString('en'),
          }))}
          data-testid="schedule-interactions"
        />
      )}
    </Panel>
  );
}
