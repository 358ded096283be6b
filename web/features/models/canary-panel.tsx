'use client';

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useMutation } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Panel } from '../shell/panel.tsx';
import { problemText } from '../shell/problem.tsx';
import classes from './canary-panel.module.css';
import { CanarySides } from './canary-sides.tsx';
import { PromoteButton } from './promote-button.tsx';

const CANARY = graphql(`
  fragment CanaryPanel on Canary {
    version {
      id
      number
    }
    minimumAnswers
    endsAt
    trial {
      ...CanarySideRow
    }
    control {
      version {
        id
        number
      }
      ...CanarySideRow
    }
  }
`);

const ABORT = graphql(`
  mutation AbortCanary($input: AbortCanaryInput!) {
    abortCanary(input: $input) {
      modelVersion {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

/** Clicks come in all the time. */
const REFRESH_EVERY_MS = 5_000;

interface CanaryPanelProps {
  canary: FragmentType<typeof CANARY>;
  onChanged: () => void;
}

/** A version on trial beside the one that answers, and the two ways to end it. */
export function CanaryPanel({ canary: masked, onChanged }: CanaryPanelProps) {
  const canary = readFragment(CANARY, masked);
  useEffect(() => {
    const timer = setInterval(onChanged, REFRESH_EVERY_MS);
    return () => clearInterval(timer);
  }, [onChanged]);
  const { version, minimumAnswers, endsAt, trial, control } = canary;
  return (
    <Panel
      title={`Version ${version.number} on trial`}
      description={`Decides by itself once both sides have given ${minimumAnswers.toLocaleString('en')} answers and one is clearly clicked more, at the latest ${formatDateTime(endsAt)}.`}
      aside={
        <div className={classes.actions}>
          <AbortButton versionId={version.id} toNumber={control.version.number} onEnded={onChanged} />
          <PromoteButton versionId={version.id} onPromoted={onChanged} />
        </div>
      }
      testId="canary"
    >
      <CanarySides trial={trial} control={control} />
    </Panel>
  );
}

interface AbortButtonProps {
  versionId: string;
  /** The number of the version that answers everybody again. */
  toNumber: number;
  onEnded: () => void;
}

function AbortButton({ versionId, toNumber, onEnded }: AbortButtonProps) {
  const [{ fetching }, abort] = useMutation(ABORT);
  const ask = async (): Promise<void> => {
    const { data, error } = await abort({ input: { versionId, idempotencyKey: newIdempotencyKey() } });
    if (data?.abortCanary.modelVersion) {
      notifications.show({ color: 'green', title: `Version ${toNumber} answers everybody again`, message: '' });
      return onEnded();
    }
    const message = error ? problemText(error) : data?.abortCanary.userErrors.map((reason) => reason.message).join(' ');
    notifications.show({ color: 'red', title: 'Nothing was rolled back', message: message ?? '' });
  };
  return (
    <Button
      variant="default"
      leftSection={<IconArrowBackUp size={16} />}
      loading={fetching}
      onClick={() => void ask()}
      data-testid="abort-canary"
    >
      Roll back to version {toNumber}
    </Button>
  );
}
