'use client';

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { problemText } from '../shell/problem.tsx';

const PROMOTE = graphql(`
  mutation PromoteModelVersion($input: PromoteModelVersionInput!) {
    promoteModelVersion(input: $input) {
      modelVersion {
        id
        status
        activatedAt
      }
      userErrors {
        message
      }
    }
  }
`);

/** Lets a version answer that the quality gate kept back. */
export function PromoteButton({ versionId, onPromoted }: { versionId: string; onPromoted: () => void }) {
  const [{ fetching }, promote] = useMutation(PROMOTE);
  const [idempotencyKey] = useState(newIdempotencyKey);
  const ask = async (): Promise<void> => {
    const { data, error } = await promote({ input: { versionId, idempotencyKey } });
    const message = error
      ? problemText(error)
      : data?.promoteModelVersion.userErrors.map((reason) => reason.message).join(' ');
    if (message) notifications.show({ color: 'red', title: 'Nothing was promoted', message });
    else onPromoted();
  };
  return (
    <Button variant="default" loading={fetching} onClick={() => void ask()} data-testid="promote-version">
      Let it answer anyway
    </Button>
  );
}
