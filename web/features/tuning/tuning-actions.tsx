'use client';

import { IconCheck, IconX } from '@tabler/icons-react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { AskButton } from '../jobs/ask-button.tsx';

const CANCEL = graphql(`
  mutation CancelTuning($input: CancelTuningInput!) {
    cancelTuning(input: $input) {
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

const APPLY = graphql(`
  mutation ApplyTuning($input: ApplyTuningInput!) {
    applyTuning(input: $input) {
      tuning {
        id
        appliedAt
        model {
          id
          hyperparameters {
            ...HyperparameterList
          }
        }
      }
      userErrors {
        message
      }
    }
  }
`);

interface TuningActionProps {
  tuningId: string;
  onChanged: () => void;
}

/** Ends a tuning under way; its best trial stays. */
export function CancelTuningButton({ tuningId, onChanged }: TuningActionProps) {
  const [, cancel] = useMutation(CANCEL);
  return (
    <AskButton
      leftSection={<IconX size={16} />}
      ask={async () => {
        const { data, error } = await cancel({ input: { tuningId, idempotencyKey: newIdempotencyKey() } });
        return { error, userErrors: data?.cancelTuning.userErrors };
      }}
      words={{ done: 'The tuning ends with the best trial so far.', failed: 'The tuning was not cancelled' }}
      onDone={onChanged}
      testId="cancel-tuning"
    >
      Cancel
    </AskButton>
  );
}

/** Gives the model the best settings; its next training trains with them. */
export function ApplyTuningButton({ tuningId, onChanged }: TuningActionProps) {
  const [, apply] = useMutation(APPLY);
  return (
    <AskButton
      variant="filled"
      leftSection={<IconCheck size={16} />}
      ask={async () => {
        const { data, error } = await apply({ input: { tuningId, idempotencyKey: newIdempotencyKey() } });
        return { error, userErrors: data?.applyTuning.userErrors };
      }}
      words={{ done: 'The next training trains with these settings.', failed: 'The settings were not taken' }}
      onDone={onChanged}
      testId="apply-tuning"
    >
      Take these settings
    </AskButton>
  );
}
