'use client';

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { problemText } from '../shell/problem.tsx';

const ROLLBACK = graphql(`
  mutation RollbackModel($input: RollbackModelInput!) {
    rollbackModel(input: $input) {
      modelVersion {
        id
        number
      }
      userErrors {
        message
      }
    }
  }
`);

interface RollbackButtonProps {
  modelId: string;
  /** The number of the version that would answer again. */
  toNumber: number;
  onRolledBack: () => void;
}

/** One click back to the version that answered before. */
export function RollbackButton({ modelId, toNumber, onRolledBack }: RollbackButtonProps) {
  const [{ fetching }, rollback] = useMutation(ROLLBACK);
  const ask = async (): Promise<void> => {
    const { data, error } = await rollback({ input: { modelId, idempotencyKey: newIdempotencyKey() } });
    const number = data?.rollbackModel.modelVersion?.number;
    if (number !== undefined) {
      notifications.show({ color: 'green', title: `Version ${number} answers again`, message: '' });
      return onRolledBack();
    }
    const message = error
      ? problemText(error)
      : data?.rollbackModel.userErrors.map((reason) => reason.message).join(' ');
    notifications.show({ color: 'red', title: 'Nothing was rolled back', message: message ?? '' });
  };
  return (
    <Button
      variant="default"
      leftSection={<IconArrowBackUp size={16} />}
      loading={fetching}
      onClick={() => void ask()}
      data-testid="rollback-model"
    >
      Roll back to version {toNumber}
    </Button>
  );
}
