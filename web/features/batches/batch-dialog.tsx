'use client';

import { Button, Group, Modal, NumberInput, Stack, Textarea } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
import { problemOf } from '../shell/tell-outcome.ts';
import { namedUsers } from './named-users.ts';

const START = graphql(`
  mutation BatchRecommend($input: BatchRecommendInput!) {
    batchRecommend(input: $input) {
      batchRecommendation {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

interface BatchDialogProps {
  modelId: string;
  opened: boolean;
  onClose: () => void;
}

/** Asks for whom and how many, starts the batch and goes to its page. */
export function BatchDialog({ modelId, opened, onClose }: BatchDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="New batch of recommendations">
      <BatchForm modelId={modelId} onClose={onClose} />
    </Modal>
  );
}

function BatchForm({ modelId, onClose }: Omit<BatchDialogProps, 'opened'>) {
  const router = useRouter();
  const [{ fetching }, start] = useMutation(START);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm({ initialValues: { count: 20, users: '' } });
  const submit = async ({ count, users }: typeof form.values): Promise<void> => {
    setProblem(null);
    const input = { modelId, count, userExternalIds: namedUsers(users), idempotencyKey: newIdempotencyKey() };
    const { data, error } = await start({ input });
    const { batchRecommendation: batch, userErrors } = data?.batchRecommend ?? {};
    if (batch) return router.push(`/batches/${batch.id}`);
    setProblem(problemOf({ error, userErrors }) ?? 'The batch was not started.');
  };
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : (
          <Notice title="The batch was not started" testId="batch-problem">
            {problem}
          </Notice>
        )}
        <NumberInput
          label="Items for each user"
          description="Those that a user has touched are left out."
          min={1}
          max={100}
          allowDecimal={false}
          clampBehavior="strict"
          {...form.getInputProps('count')}
          data-testid="batch-count"
        />
        <Textarea
          label="Users"
          description="Your own ids, one on each line, at most 1,000. Empty for all that the version knows."
          rows={4}
          {...form.getInputProps('users')}
          data-testid="batch-users"
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="batch-submit">
            Start batch
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
