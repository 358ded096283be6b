'use client';

import { Button, Checkbox, Group, Modal, NumberInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
import { problemOf } from '../shell/tell-outcome.ts';

const TUNE = graphql(`
  mutation TuneModel($input: TuneModelInput!) {
    tuneModel(input: $input) {
      tuning {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

interface TuneDialogProps {
  modelId: string;
  opened: boolean;
  onClose: () => void;
}

/** Asks how much may be tried, starts the tuning and goes to its page. */
export function TuneDialog({ modelId, opened, onClose }: TuneDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Look for better settings">
      <TuneForm modelId={modelId} onClose={onClose} />
    </Modal>
  );
}

const DEFAULTS = { trialCount: 16, parallelCount: 2, epochs: 30, apply: false };

const BOUNDS = [
  { key: 'trialCount', label: 'Settings to try', description: 'The first are those of the model.', min: 2, max: 64 },
  { key: 'epochs', label: 'Epochs of a trial at most', description: 'Bad ones end earlier.', min: 1, max: 1_000 },
  { key: 'parallelCount', label: 'At a time', description: 'Where there are workers for them.', min: 1, max: 8 },
] as const;

function TuneForm({ modelId, onClose }: Omit<TuneDialogProps, 'opened'>) {
  const router = useRouter();
  const [{ fetching }, tune] = useMutation(TUNE);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm({ initialValues: DEFAULTS });
  const submit = async (values: typeof DEFAULTS): Promise<void> => {
    setProblem(null);
    const { data, error } = await tune({ input: { modelId, ...values, idempotencyKey: newIdempotencyKey() } });
    const { tuning, userErrors } = data?.tuneModel ?? {};
    if (tuning) return router.push(`/tunings/${tuning.id}`);
    setProblem(problemOf({ error, userErrors }) ?? 'The tuning was not started.');
  };
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : (
          <Notice title="The tuning was not started" testId="tune-problem">
            {problem}
          </Notice>
        )}
        {BOUNDS.map(({ key, ...bound }) => (
          <NumberInput
            key={key}
            {...bound}
            allowDecimal={false}
            clampBehavior="strict"
            {...form.getInputProps(key)}
            data-testid={`tune-${key}`}
          />
        ))}
        <Checkbox
          label="Let the model take the best settings when the tuning succeeds"
          {...form.getInputProps('apply', { type: 'checkbox' })}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="tune-submit">
            Start tuning
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
