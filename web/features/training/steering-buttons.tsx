'use client';

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { problemText } from '../shell/problem.tsx';
import type { TrainingProgress } from './training-progress.ts';

const PAUSE = graphql(`
  mutation PauseTrainingRun($input: PauseTrainingRunInput!) {
    answer: pauseTrainingRun(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

const RESUME = graphql(`
  mutation ResumeTrainingRun($input: ResumeTrainingRunInput!) {
    answer: resumeTrainingRun(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

const STOP = graphql(`
  mutation StopTrainingRun($input: StopTrainingRunInput!) {
    answer: stopTrainingRun(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation CancelTrainingRun($input: CancelTrainingRunInput!) {
    answer: cancelTrainingRun(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

interface SteeringButtonsProps {
  runId: string;
  progress: TrainingProgress;
}

/** What can be done with a run under way. A wish is shown as pending until the run's events say that it took effect. */
export function SteeringButtons({ runId, progress }: SteeringButtonsProps) {
  const { paused, stopping, phase, points } = progress;
  const canStop = phase === 'TRAIN' && points.length > 0 && !stopping;
  return (
    <>
      {paused ? (
        <SteeringButton
          key="resume"
          document={RESUME}
          runId={runId}
          label="Resume"
          icon={<IconPlayerPlay size={16} />}
        />
      ) : (
        <SteeringButton key="pause" document={PAUSE} runId={runId} label="Pause" icon={<IconPlayerPause size={16} />} />
      )}
      {canStop ? (
        <SteeringButton
          document={STOP}
          runId={runId}
          label="Stop and keep the best"
          icon={<IconPlayerStop size={16} />}
        />
      ) : null}
      <SteeringButton document={CANCEL} runId={runId} label="Cancel" icon={<IconX size={16} />} />
    </>
  );
}

interface SteeringAnswer {
  answer: { userErrors: readonly { message: string }[] };
}

interface SteeringButtonProps<Variables extends AnyVariables> {
  document: TypedDocumentNode<SteeringAnswer, Variables>;
  runId: string;
  label: string;
  icon: React.ReactNode;
}

function SteeringButton({
  document,
  runId,
  label,
  icon,
}: SteeringButtonProps<{ input: { runId: string; idempotencyKey?: string | null } }>) {
  const [, send] = useMutation(document);
  const [pending, setPending] = useState(false);

  const ask = async (): Promise<void> => {
    setPending(true);
    const { data, error } = await send({ input: { runId, idempotencyKey: newIdempotencyKey() } });
    const message = error ? problemText(error) : data?.answer.userErrors.map((reason) => reason.message).join(' ');
    if (!message) return;
    setPending(false);
    notifications.show({ color: 'red', title: 'Nothing was changed', message });
  };

  return (
    <Button
      variant="default"
      leftSection={icon}
      loading={pending}
      onClick={() => void ask()}
      data-testid={`${label.split(' ')[0]?.toLowerCase()}-run`}
    >
      {label}
    </Button>
  );
}
