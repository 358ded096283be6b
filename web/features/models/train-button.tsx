'use client';

import { Button, type ButtonProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { problemText } from '../shell/problem.tsx';

const TRAIN = graphql(`
  mutation TrainModel($input: TrainModelInput!) {
    trainModel(input: $input) {
      run {
        id
        status
        createdAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

interface TrainButtonProps extends ButtonProps {
  modelId: string;
  /** The model's run that is under way: only one at a time is possible, so the button leads there instead. */
  openRunId?: string | null;
  label?: string;
}

/** Starts a training and goes to its live page. */
export function TrainButton({ modelId, openRunId = null, label = 'Train', ...button }: TrainButtonProps) {
  const router = useRouter();
  const [{ fetching }, train] = useMutation(TRAIN);
  // Kept until an answer came: a second click after a lost answer must not start a second run.
  const [key, setKey] = useState(newIdempotencyKey);

  const start = async (): Promise<void> => {
    if (openRunId !== null) return router.push(`/runs/${openRunId}`);
    const { data, error } = await train({ input: { modelId, idempotencyKey: key } });
    if (!error?.networkError) setKey(newIdempotencyKey());
    const run = data?.trainModel.run;
    if (run) return router.push(`/runs/${run.id}`);
    const message = error ? problemText(error) : data?.trainModel.userErrors.map((reason) => reason.message).join(' ');
    notifications.show({ color: 'red', title: 'The training was not started', message: message ?? '' });
  };

  return (
    <Button
      leftSection={<IconPlayerPlayFilled size={14} />}
      loading={fetching}
      onClick={() => void start()}
      data-testid="train-button"
      {...button}
    >
      {openRunId === null ? label : 'Watch the training'}
    </Button>
  );
}
