'use client';

import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { formatMetric, formatPlural } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { TuningListRowFragment } from '../../src/generated/graphql.ts';
import { JobList } from '../jobs/job-list.tsx';
import { WritersOnly } from '../session/writers-only.tsx';
import { Blank } from '../shell/blank.tsx';
import { Panel } from '../shell/panel.tsx';
import { TuneDialog } from './tune-dialog.tsx';

const ROW = graphql(`
  fragment TuningListRow on Tuning {
    id
    status
    failure
    trialCount
    createdAt
    appliedAt
    best {
      number
      ndcgAt10
    }
  }
`);

interface TuningsPanelProps {
  modelId: string;
  tunings: readonly FragmentType<typeof ROW>[];
}

/** The searches for better settings of a model, and the way to begin one. */
export function TuningsPanel({ modelId, tunings: masked }: TuningsPanelProps) {
  const tunings = readFragment(ROW, masked);
  const [opened, dialog] = useDisclosure();
  return (
    <Panel
      title="Tunings"
      flush
      aside={
        <WritersOnly deed="start a tuning">
          <Button
            variant="default"
            leftSection={<IconAdjustments size={16} />}
            onClick={dialog.open}
            data-testid="tune-model"
          >
            Tune
          </Button>
        </WritersOnly>
      }
      testId="tunings"
    >
      {tunings.length === 0 ? (
        <Blank icon={IconAdjustments} title="Never tuned">
          A tuning tries settings on the tenant's own data, gives up early on bad ones, and keeps the best.
        </Blank>
      ) : (
        <JobList
          label="Tunings"
          rows={tunings.map((tuning) => ({
            ...tuning,
            href: `/tunings/${tuning.id}`,
            title: formatPlural(tuning.trialCount, 'trial'),
            outcome: describeOutcome(tuning),
          }))}
        />
      )}
      <TuneDialog modelId={modelId} opened={opened} onClose={dialog.close} />
    </Panel>
  );
}

function describeOutcome({ best, failure, appliedAt }: TuningListRowFragment): string {
  if (failure) return failure;
  if (best?.ndcgAt10 == null) return '';
  return `Trial ${best.number}: NDCG@10 ${formatMetric(best.ndcgAt10)}${appliedAt ? ', taken' : ''}`;
}
